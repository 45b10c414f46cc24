"""VCF and BCF files, read with pysam."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from zoo.errors import InputError, OutputError
from zoo.formats.alleles import NO_ALLELE, Variant
from zoo.utils.extras import require_extras
from zoo.utils.streams import TABLE, UNREADABLE, describe_unreadable, open_bytes
from zoo.utils.text import check_file, shorten

if TYPE_CHECKING:
    from pysam import VariantFile, VariantRecord

__all__ = ["CallHeader", "iterate_calls", "opened_calls", "read_call_header", "read_calls"]

_GZIP, _BGZIP = b"\x1f\x8b", b"\x06\x00BC"  # how an archive begins, and how after ten bytes one of bgzip goes on


class CallHeader(NamedTuple):
    """What the header of a VCF says.

    Attributes:
        contigs: contig -> its length; None where the header does not say it.
        samples: number of samples.
    """

    contigs: dict[str, int | None]
    samples: int


def read_call_header(path: str | Path) -> CallHeader:
    """Read the header of a VCF or BCF.

    Raises:
        InputError: no such file, or one that is no VCF.
    """
    with opened_calls(path) as file:
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


@contextmanager
def opened_calls(path: str | Path) -> "Iterator[VariantFile]":
    """Open a VCF or BCF.

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
    with opened_calls(path) as file:
        yield from iterate_calls(file, path)


def iterate_calls(file: "VariantFile", path: str | Path) -> "Iterator[VariantRecord]":
    """The records of a file.

    Raises:
        InputError: a record that is none; with its number.
    """
    count = 0
    record = None
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
        last = f"; the last one before it is at {record.chrom}:{record.pos}" if record else ""
        raise InputError(f"{path}, {after}: {reason}{detail}{last}") from None
