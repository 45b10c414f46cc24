"""VCF and BCF files, read and annotated with pysam."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from zoo.errors import InputError, OutputError, one_line
from zoo.formats.alleles import NO_ALLELE, Variant
from zoo.utils.extras import require_extras
from zoo.utils.streams import TABLE, UNREADABLE, describe_unreadable, open_bytes
from zoo.utils.text import check_file, shorten

if TYPE_CHECKING:
    from pysam import VariantFile, VariantRecord

__all__ = ["CallHeader", "InfoField", "annotate_calls", "read_call_header", "read_calls"]

_INFO = 7  # column of a line
_GZIP, _BGZIP = b"\x1f\x8b", b"\x06\x00BC"  # how an archive begins, and how after ten bytes one of bgzip goes on


class CallHeader(NamedTuple):
    """What the header of a VCF says.

    Attributes:
        contigs: contig -> its length; None where the header does not say it.
        samples: number of samples.
    """

    contigs: dict[str, int | None]
    samples: int


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


def read_call_header(path: str | Path) -> CallHeader:
    """Read the header of a VCF or BCF.

    Raises:
        InputError: no such file, or one that is no VCF.
    """
    with _opened(path) as file:
        contigs = {str(name): contig.length for name, contig in file.header.contigs.items()}
        return CallHeader(contigs, len(file.header.samples))


def read_calls(path: str | Path) -> Iterator[Variant]:
    """Read the alleles of a VCF or BCF, in its order.

    Raises:
        InputError: no such file, one that is no VCF, or that is damaged or cut off; with the record.
    """
    for number, record in enumerate(_records(path), 1):
        name = record.id or ""
        for alt in record.alts or (NO_ALLELE,):
            yield Variant(number, record.chrom, record.pos, name, record.ref or NO_ALLELE, alt)


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
        OutputError: the file cannot be written.
    """
    if str(output).lower().endswith(".bcf"):
        text = output.with_name(f"{output.name}.vcf.gz")
        try:
            # A BCF knows contigs by their number in the header, which a VCF may lack.
            count = _annotate(path, text, fields, rows, {record.chrom for record in _records(path)})
            _convert(text, output)
            return count
        finally:
            text.unlink(missing_ok=True)
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
    with _opened(path) as source, _written(output), _text_file(output) as write:
        for contig in sorted(contigs - set(source.header.contigs)):
            source.header.contigs.add(contig)
        for field in fields:
            kind = "String" if field.is_text else "Float"
            source.header.info.add(field.key, "A", kind, field.description.replace('"', "'"))
        write(str(source.header))
        for record, values in zip(_iterate(source, path), rows, strict=True):
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


@contextmanager
def _written(output: Path) -> Iterator[None]:
    """Explain errors of the disk.

    Raises:
        OutputError: the file cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise OutputError(f"{output} could not be written: {error.strerror or error}") from None


def _convert(text: Path, output: Path) -> None:
    """Write a VCF as BCF.

    Raises:
        OutputError: the file cannot be written.
    """
    from pysam import bcftools
    from pysam.utils import SamtoolsError

    try:
        bcftools.view("-O", "b", "-o", str(output), "--no-version", str(text), catch_stdout=False)
    except SamtoolsError as error:
        raise OutputError(f"{output} could not be written as BCF: {one_line(error)}") from None


@contextmanager
def _opened(path: str | Path) -> "Iterator[VariantFile]":
    """Open a file.

    Raises:
        InputError: no such file, or one that is no VCF.
    """
    require_extras(["variants"], "reading VCF and BCF")
    check_file(path)
    import pysam

    pysam.set_verbosity(0)  # what htslib would print is said in one sentence
    with _readable(Path(path)) as readable:
        try:
            file = pysam.VariantFile(str(readable))
        except (ValueError, OSError) as error:
            if not Path(path).stat().st_size:
                raise InputError(f"{path} is empty") from None
            is_cut = "truncated" in str(error) or "EOF" in str(error)
            reason = "it is cut off: copy or download it again" if is_cut else "it does not begin with a header of VCF"
            raise InputError(f"{path} cannot be read as VCF or BCF: {reason}") from None
        try:
            yield file
        finally:
            with suppress(OSError):  # of a damaged file, which was said
                file.close()


@contextmanager
def _readable(path: Path) -> Iterator[Path]:
    """A file that htslib reads: the file itself, or an unpacked copy of one that is compressed by gzip, not by bgzip.

    Raises:
        InputError: a damaged archive.
        OutputError: the copy has no room.
    """
    with path.open("rb") as file:
        head = file.read(len(_BGZIP) + 10)
    if not head.startswith(_GZIP) or head[10:].startswith(_BGZIP):
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="zoo.", suffix=".vcf") as copy:
        try:
            with open_bytes(path, TABLE) as packed:
                shutil.copyfileobj(packed, copy)
            copy.flush()
        except UNREADABLE as error:
            raise InputError(f"{path} cannot be read to its end: {describe_unreadable(error, path)}") from None
        except OSError as error:
            raise OutputError(
                f"{path} could not be unpacked in {tempfile.gettempdir()}: {error.strerror}; make room, set TMPDIR to "
                "another folder, or compress it by bgzip, which is read as it is"
            ) from None
        yield Path(copy.name)


def _records(path: str | Path) -> "Iterator[VariantRecord]":
    with _opened(path) as file:
        yield from _iterate(file, path)


def _iterate(file: "VariantFile", path: str | Path) -> "Iterator[VariantRecord]":
    """The records of a file.

    Raises:
        InputError: a record that is none; with its number.
    """
    count = 0
    try:
        for record in file:
            count += 1
            yield record
    except (OSError, ValueError, UnicodeDecodeError) as error:
        after = f"after {count:,} records"
        if "EOF" in str(error):
            raise InputError(f"{path} is cut off: copy or download it again") from None
        reason = "a line that is no record of VCF, or the end of a file that was cut off"
        detail = "" if "truncated" in str(error) else f" ({shorten(str(error))})"
        raise InputError(f"{path}, {after}: {reason}{detail}") from None
