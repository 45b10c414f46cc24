"""Text files, plain or gzipped, and lists of names in a sentence."""

import gzip
import io
import sys
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO

__all__ = ["UNREADABLE", "open_text", "some_of"]

# Exceptions from reading a file that is not text, or whose gzip is broken.
UNREADABLE = (UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error)


def open_text(path: str | Path) -> IO[str]:
    """Open a text file for reading, gzipped or not (its first bytes tell); `-` is standard input."""
    if str(path) == "-":
        return io.TextIOWrapper(sys.stdin.buffer)
    path = Path(path)
    with path.open("rb") as head:
        zipped = head.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rt") if zipped else path.open("rt")


def some_of(names: Iterable[str], most: int = 5) -> str:
    """List the first few of many names, for a message."""
    names = list(names)
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
