"""Lines of VCF as bytes: those of a text file are copied as they are, so that no value loses digits."""

import gzip
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from zoo.errors import InputError
from zoo.formats.vcf import iterate_calls, opened_calls
from zoo.utils.streams import UNREADABLE, describe_unreadable

if TYPE_CHECKING:
    from pysam import VariantHeader

__all__ = ["CallLines", "declared_key", "header_with", "opened_lines", "undeclared", "with_info"]

_INFO = 7  # column of a record
_INFO_LINE = re.compile(rb'##INFO=<[^"]*?\bID=([^,>"]+)')
_GZIP, _BCF = b"\x1f\x8b", b"BCF"


class CallLines(NamedTuple):
    """The lines of a VCF, with their ends.

    Attributes:
        header: those before the records; the last names the columns.
        records: the others, one by one.
    """

    header: list[bytes]
    records: Iterator[bytes]


@contextmanager
def opened_lines(path: str | Path) -> Iterator[CallLines]:
    """Open a VCF or BCF; of a BCF, the lines are those that a VCF of it has.

    Raises:
        InputError: as of `opened_calls`.
    """
    with _unpacked(Path(path)) as file:
        is_binary = file.peek(len(_BCF))[: len(_BCF)] == _BCF
    if is_binary:
        with opened_calls(path) as calls:
            header = io.BytesIO(str(calls.header).encode()).readlines()
            yield CallLines(header, (str(record).encode() for record in iterate_calls(calls, path)))
        return
    lines = _lines(Path(path))
    header = []
    for line in lines:
        header.append(line)
        if line.startswith(b"#CHROM"):
            break
    yield CallLines(header, lines)


def _lines(path: Path) -> Iterator[bytes]:
    with _unpacked(path) as file:
        yield from file


@contextmanager
def _unpacked(path: Path) -> Iterator[io.BufferedReader]:
    """The bytes of a file, compressed or not.

    Raises:
        InputError: a damaged archive.
    """
    with path.open("rb") as file:
        is_packed = file.peek(len(_GZIP))[: len(_GZIP)] == _GZIP
        try:
            yield cast(io.BufferedReader, gzip.GzipFile(fileobj=file)) if is_packed else file
        except UNREADABLE as error:
            raise InputError(f"{path} cannot be read to its end: {describe_unreadable(error, path)}") from None


def undeclared(path: str | Path) -> list[bytes]:
    """Lines of a header for what records of a file name and its header lacks: htslib writes no BCF without them.

    Raises:
        InputError: as of `iterate_calls`.
    """
    with opened_calls(path) as file:
        before = _declared(file.header)
        for _ in iterate_calls(file, path):
            pass  # htslib adds to the header in memory what it meets
        after = _declared(file.header)
    return [_declaration(*one).encode() for one in after if one not in before]


def _declared(header: "VariantHeader") -> dict[tuple[str, str], None]:
    """What a header declares, in its order: kind and name of each."""
    names = [("contig", str(name)) for name, _ in header.contigs.items()]
    for kind, table in (("FILTER", header.filters), ("INFO", header.info), ("FORMAT", header.formats)):
        names += [(kind, str(name)) for name, _ in table.items()]
    return dict.fromkeys(names)


def _declaration(kind: str, name: str) -> str:
    text = 'Description="not declared in the file"'
    if kind == "contig":
        return f"##contig=<ID={name}>"
    if kind == "FILTER":
        return f"##FILTER=<ID={name},{text}>"
    number = "1" if (kind, name) == ("FORMAT", "GT") else "."
    return f"##{kind}=<ID={name},Number={number},Type=String,{text}>"


def header_with(header: Sequence[bytes], added: Sequence[bytes], keys: AbstractSet[bytes]) -> list[bytes]:
    """A header with further lines, and without those of some keys of INFO.

    Args:
        header: its lines, with their ends.
        added: further lines, without ends.
        keys: keys of INFO whose lines are left out.
    """
    *lines, columns = header
    end = columns[len(columns.rstrip(b"\r\n")) :]
    kept = [line for line in lines if declared_key(line) not in keys]
    return [*kept, *(line + end for line in added), columns]


def declared_key(line: bytes) -> bytes | None:
    """The key of INFO that a line of a header declares; None for other lines."""
    match = _INFO_LINE.match(line)
    return match[1] if match else None


def with_info(line: bytes, values: Mapping[str, Iterable[str]], keys: AbstractSet[bytes]) -> tuple[bytes, list[bytes]]:
    """A record with further values in INFO, in place of those of the same keys; all else as it was.

    Args:
        line: the record.
        values: what is added.
        keys: keys of INFO that are left out first.

    Returns:
        The new line, and the keys that were left out.
    """
    bare = line.rstrip(b"\r\n")
    cells = bare.split(b"\t", _INFO + 1)
    items = [item for item in cells[_INFO].split(b";") if cells[_INFO] not in (b"", b".")]
    names = [item.partition(b"=")[0] for item in items]
    kept = [item for name, item in zip(names, items, strict=True) if name not in keys]
    added = [f"{key}={','.join(row)}".encode() for key, row in values.items()]
    cells[_INFO] = b";".join([*kept, *added]) or b"."
    return b"\t".join(cells) + line[len(bare) :], [name for name in names if name in keys]
