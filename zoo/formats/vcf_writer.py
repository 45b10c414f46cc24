"""VCF and BCF files, written again with further fields of INFO."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from zoo.errors import OutputError, one_line
from zoo.formats.vcf import iterate_calls, opened_calls, read_calls

__all__ = ["InfoField", "annotate_calls"]

_INFO = 7  # column of a line


class InfoField(NamedTuple):
    """A field of INFO that is added, with a value for each alternative.

    Attributes:
        key: its identifier.
        is_text: whether its values are texts; numbers otherwise.
        description: what it is.
    """

    key: str
    is_text: bool
    description: str


def annotate_calls(
    path: str | Path, output: Path, fields: Sequence[InfoField], rows: Iterator[Mapping[str, Sequence[str]]]
) -> int:
    """Write the records of a VCF or BCF again, with further fields of INFO.

    The fields are added to the lines of text, because pysam changes INFO/END of symbolic alleles when it adds any.

    Args:
        path: the file.
        output: the new file; `.vcf`, `.vcf.gz` and `.bcf` say its format.
        fields: what is added.
        rows: for each record the values of some fields, one for each alternative; `.` for a missing one.

    Returns:
        The number of records.

    Raises:
        InputError: as of `read_calls`.
        OutputError: a temporary file cannot be written.
        OSError: the file cannot be written.
    """
    if str(output).lower().endswith(".bcf"):
        # A BCF knows contigs by their number in the header, which a VCF may lack.
        contigs = {variant.chrom for variant in read_calls(path)}
        with tempfile.TemporaryDirectory(prefix="zoo.") as folder:
            text = Path(folder) / "records.vcf.gz"
            try:
                count = _annotate(path, text, fields, rows, contigs)
            except OSError as error:
                raise OutputError(
                    f"{folder} has no room for a copy of the records ({error}): make room, or set TMPDIR to another "
                    "folder"
                ) from None
            _convert(text, output)
        return count
    return _annotate(path, output, fields, rows, set())


def _annotate(
    path: str | Path,
    output: Path,
    fields: Sequence[InfoField],
    rows: Iterator[Mapping[str, Sequence[str]]],
    contigs: AbstractSet[str],
) -> int:
    """Write a VCF as `annotate_calls`, with these contigs in its header."""
    count = 0
    with opened_calls(path) as source, _text_file(output) as write:
        for contig in sorted(contigs - set(source.header.contigs)):
            source.header.contigs.add(contig)
        for field in fields:
            kind = "String" if field.is_text else "Float"
            source.header.info.add(field.key, "A", kind, field.description.replace('"', "'"))
        write(str(source.header))
        for record, values in zip(iterate_calls(source, path), rows, strict=True):
            write(_with_info(str(record), values))
            count += 1
    return count


def _with_info(line: str, values: Mapping[str, Sequence[str]]) -> str:
    """A line of VCF with further fields of INFO."""
    cells = line.rstrip("\n").split("\t")
    known = [] if cells[_INFO] == "." else [cells[_INFO]]
    cells[_INFO] = ";".join([*known, *(f"{key}={','.join(row)}" for key, row in values.items())]) or "."
    return "\t".join(cells) + "\n"


@contextmanager
def _text_file(output: Path) -> Iterator[Callable[[str], object]]:
    """Give what writes text into a file, compressed by bgzip where its ending says so."""
    if output.suffix == ".vcf":
        with output.open("w", encoding="utf-8") as file:
            yield file.write
        return
    from pysam import BGZFile

    with BGZFile(str(output), "wb") as zipped:  # type: ignore[call-arg]
        yield lambda text: zipped.write(text.encode())


def _convert(text: Path, output: Path) -> None:
    """Write a VCF as BCF.

    Raises:
        OSError: the file cannot be written.
    """
    from pysam import bcftools
    from pysam.utils import SamtoolsError

    try:
        bcftools.view("-O", "b", "-o", str(output), "--no-version", str(text), catch_stdout=False)
    except SamtoolsError as error:
        raise OSError(one_line(error)) from None
