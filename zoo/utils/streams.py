"""Bytes of users' text files, plain or gzipped, read within bounds: what is no text is refused before it fills memory.

A file without a line break, or one that unpacks without end, would otherwise be one line of gigabytes for its reader.
"""

import gzip
import io
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from zoo.errors import InputError, one_line

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["SEQUENCES", "TABLE", "UNREADABLE", "WHOLE", "Limits", "describe_unreadable", "limit", "open_bytes"]

# Exceptions from reading a file that is not text, or whose gzip is broken.
UNREADABLE = (UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error)

_GZIP, _UTF16 = b"\x1f\x8b", (b"\xff\xfe", b"\xfe\xff")
_BLOCK = 1 << 16
_FIRST_LINE = 1 << 16
# Text compresses to a fifth; tables of zeros to a hundredth. Below a gigabyte any ratio does no harm.
_MOST_RATIO, _ANY_RATIO_BYTES = 300, 1_000_000_000


class Limits(NamedTuple):
    """How much of a file is text, in bytes.

    Attributes:
        line: the longest line, to within a block.
        whole: all of it; None for any size, where a reader keeps none of it.
        cure: what to do about a longer line.
    """

    line: int
    whole: int | None = None
    cure: str = ""


# Rows of a table: sixteen times the longest input of a model here, a megabase, or a cell for each of a million targets.
TABLE = Limits(1 << 24)
# Files that are kept whole as text: millions of peaks, contigs or motifs.
WHOLE = Limits(1 << 24, 1 << 28)
# Sequences: the longest human chromosome has 249 million bases, on one line or many; those of axolotl and wheat, which
# are longer, are on many.
SEQUENCES = Limits(300_000_000, cure=": break the sequence into lines, as `seqkit seq -w 60` does")


def open_bytes(path: str | Path, limits: Limits, block: int = _BLOCK) -> io.BufferedReader:
    """Open a file, or standard input as `-`, for reading its bytes, which are unpacked if they are gzipped.

    Reading raises InputError, with file and line, for a longer line, for more bytes, for NUL bytes, for UTF-16, and for
    an archive that unpacks to hundreds of times its size; and one of `UNREADABLE` for a broken archive.

    Args:
        path: the file.
        limits: how much is read.
        block: bytes that are read at once.
    """
    if str(path) == "-":
        return _checked(cast(io.BufferedReader, sys.stdin.buffer), "standard input", limits, block, 0)
    file = Path(path).open("rb")  # noqa: SIM115  (closed with what is returned)
    return _checked(file, str(path), limits, block, os.fstat(file.fileno()).st_size)


def limit(stream: io.BufferedReader, limits: Limits) -> None:
    """Change the limits of what `open_bytes` returned, once its format is known."""
    cast(_CheckedBytes, stream.raw).limits = limits


def _checked(file: io.BufferedReader, path: str, limits: Limits, block: int, size: int) -> io.BufferedReader:
    try:
        zipped = file.peek(2)[:2] == _GZIP
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    source = cast(io.BufferedReader, gzip.GzipFile(fileobj=file)) if zipped else file
    return io.BufferedReader(_CheckedBytes(source, file, path, limits, size if zipped else 0), block)


class _CheckedBytes(io.RawIOBase):
    """Bytes of a text file, checked block by block.

    Args:
        source: unpacked bytes.
        file: the file, which is closed too.
        path: path of the file, for messages; standard input is not closed.
        limits: how much is read.
        size: bytes of a regular file that is gzipped, 0 for others.
    """

    def __init__(
        self, source: io.BufferedReader, file: io.BufferedReader, path: str, limits: Limits, size: int
    ) -> None:
        self.limits = limits
        self._source, self._file, self._path = source, file, path
        self._most = max(_ANY_RATIO_BYTES, _MOST_RATIO * size) if size else None
        self._bytes = self._line = 0  # read so far, and of these after the last line break

    def readable(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """Close the file, unless it is standard input."""
        if not self.closed and self._path != "standard input":
            self._file.close()
        super().close()

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read and check a block into a buffer; its bytes."""
        view = memoryview(buffer)
        chunk = self._source.read1(min(len(view), _BLOCK))  # blocks that fit the cache are checked fastest
        if not self._bytes:  # a pipe may give less than its first line, which tells the format
            most = min(len(view), _FIRST_LINE)
            while b"\n" not in chunk and len(chunk) < most and (more := self._source.read1(most - len(chunk))):
                chunk += more
        view[: len(chunk)] = chunk
        self._check(chunk)
        return len(chunk)

    def readall(self) -> bytes:
        """Read and check the rest."""
        blocks = list[bytes]()
        while block := self._source.read1(_BLOCK):
            self._check(block)
            blocks.append(block)
        return b"".join(blocks)

    def _check(self, chunk: bytes) -> None:
        if not self._bytes and chunk.startswith(_UTF16):
            raise InputError(f"{self._path} is UTF-16 text: save it as UTF-8")
        nul = chunk.find(b"\0")
        if nul >= 0:
            raise InputError(
                f"{self._where(self._bytes + nul)}: a NUL byte, which is in no text; is it UTF-16, or binary?"
            )
        self._bytes += len(chunk)
        after = len(chunk) - max(chunk.rfind(b"\n"), chunk.rfind(b"\r")) - 1
        self._line = after + (self._line if after == len(chunk) else 0)
        if self._line > self.limits.line:
            raise InputError(
                f"{self._where(self._bytes)}: more than {self.limits.line:,} bytes without a line break, which is the "
                f"most that is read{self.limits.cure}"
            )
        if self.limits.whole is not None and self._bytes > self.limits.whole:
            raise InputError(f"{self._path}: more than {self.limits.whole:,} bytes of text, the most that is read")
        if self._most is not None and self._bytes > self._most:
            raise InputError(
                f"{self._path} unpacks to more than {_MOST_RATIO} times its size, as no text does: if it is right, "
                "give it unpacked"
            )

    def _where(self, byte: int) -> str:
        """The file and the line of a byte; the byte where the file cannot be read again."""
        if not Path(self._path).is_file():
            return f"{self._path}, after {byte:,} bytes"
        number = 1
        for block in _blocks(self._path, byte):
            number += block.count(b"\n")
        return f"{self._path}, line {number:,}"


def _blocks(path: str, most: int) -> Iterator[bytes]:
    """The first bytes of a regular file, unpacked."""
    with Path(path).open("rb") as file:
        zipped = file.peek(2)[:2] == _GZIP
        source = cast(io.BufferedReader, gzip.GzipFile(fileobj=file)) if zipped else file
        while most > 0 and (block := source.read(min(_BLOCK, most))):
            most -= len(block)
            yield block


def describe_unreadable(error: Exception, path: str | Path) -> str:
    """Describe one of `UNREADABLE`, or an OSError: the line that is not UTF-8, or what is wrong with the archive."""
    if isinstance(error, EOFError):
        return "its gzip archive is cut off: copy or download it again"
    if isinstance(error, gzip.BadGzipFile | zlib.error):
        return f"its gzip archive is damaged: {one_line(error)}"
    if not isinstance(error, UnicodeDecodeError):
        return getattr(error, "strerror", None) or str(error)
    byte = error.object[error.start]
    with suppress(OSError, *UNREADABLE), open_bytes(path, TABLE) as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return f"line {number:,}: the byte 0x{byte:02x} is not UTF-8"
    return f"the byte 0x{byte:02x} is not UTF-8"
