"""VCF and BCF files, written again with further fields of INFO."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from zoo.errors import OutputError, one_line
from zoo.formats._vcf_text import declared_key, header_with, opened_lines, undeclared, with_info

__all__ = ["InfoField", "WrittenCalls", "annotate_calls"]


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

    @property
    def line(self) -> bytes:
        """Its line of the header, without end."""
        kind = "String" if self.is_text else "Float"
        text = self.description.replace("\\", "/").replace('"', "'")
        return f'##INFO=<ID={self.key},Number=A,Type={kind},Description="{text}">'.encode()


class WrittenCalls(NamedTuple):
    """What was written.

    Attributes:
        records: number of the records.
        replaced: keys of INFO that the file had before, and whose lines and values were replaced.
    """

    records: int
    replaced: list[str]


def annotate_calls(
    path: str | Path, output: Path, fields: Sequence[InfoField], rows: Iterator[Mapping[str, Sequence[str]]]
) -> WrittenCalls:
    """Write the records of a VCF or BCF again, with further fields of INFO.

    Of a file of text every other byte stays as it is: htslib, which is for BCF, has 32 bits for each number. A field
    that the file has already is replaced.

    Args:
        path: the file.
        output: the new file; `.vcf`, `.vcf.gz` and `.bcf` say its format.
        fields: what is added.
        rows: for each record the values of some fields, one for each alternative; `.` for a missing one.

    Raises:
        InputError: as of `read_calls`.
        OutputError: a temporary file cannot be written.
        OSError: the file cannot be written.
    """
    if not str(output).lower().endswith(".bcf"):
        return _annotate(path, output, fields, rows, [])
    lines = undeclared(path)
    with tempfile.TemporaryDirectory(prefix="zoo.") as folder:
        text = Path(folder) / "records.vcf.gz"
        try:
            written = _annotate(path, text, fields, rows, lines)
        except OSError as error:
            raise OutputError(
                f"{folder} has no room for a copy of the records ({error}): make room, or set TMPDIR to another folder"
            ) from None
        _convert(text, output)
    return written


def _annotate(
    path: str | Path,
    output: Path,
    fields: Sequence[InfoField],
    rows: Iterator[Mapping[str, Sequence[str]]],
    lines: Sequence[bytes],
) -> WrittenCalls:
    """Write a VCF as `annotate_calls`, with these lines in its header too."""
    keys = {field.key.encode(): field.key for field in fields}
    added = [line for line in lines if declared_key(line) not in keys] + [field.line for field in fields]
    count = 0
    with opened_lines(path) as source, _written(output) as write:
        replaced = {declared_key(line) for line in source.header} & keys.keys()
        for line in header_with(source.header, added, keys.keys()):
            write(line)
        for values, record in zip(rows, source.records, strict=True):
            line, had = with_info(record, values, keys.keys())
            replaced.update(had)
            write(line)
            count += 1
    return WrittenCalls(count, [name for key, name in keys.items() if key in replaced])


@contextmanager
def _written(output: Path) -> Iterator[Callable[[bytes], object]]:
    """Give what writes bytes into a file, compressed by bgzip where its ending says so."""
    if output.suffix.lower() == ".vcf":
        with output.open("wb") as file:
            yield file.write
        return
    from pysam import BGZFile

    with BGZFile(str(output), "wb") as zipped:  # type: ignore[call-arg]
        yield zipped.write


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
