"""Text files, plain or gzipped, and lists of names in a sentence."""

import io
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from zoo.errors import InputError
from zoo.utils.streams import TABLE, Limits, open_bytes

__all__ = [
    "check_file",
    "counted",
    "open_text",
    "parse_number",
    "quoted",
    "shorten",
    "shown_path",
    "some_of",
]

_ENCODING = "utf-8-sig"  # UTF-8, after a byte order mark or not
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|[+-]?inf(inity)?", re.IGNORECASE)
_LONGEST_QUOTE = 80  # letters


def check_file(path: str | Path, regular: bool = True) -> None:
    """Check that a file can be opened for reading.

    Args:
        path: path of the file.
        regular: refuse pipes and devices, which cannot be read twice.

    Raises:
        InputError: no such file, a folder, or one that may not be read.
    """
    try:
        kind = Path(path).stat().st_mode
        if stat.S_ISDIR(kind):
            raise InputError(f"{path} is a folder, not a file")
        if regular and not stat.S_ISREG(kind):
            raise InputError(
                f"{path} is not a regular file, and cannot be read twice: save its content to a file first"
            )
        if stat.S_ISREG(kind):
            Path(path).open("rb").close()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None


def open_text(path: str | Path, limits: Limits = TABLE) -> IO[str]:
    """Open a file of UTF-8 text for reading, gzipped or not (its first bytes tell); `-` is standard input.

    Args:
        path: the file.
        limits: how much is read; see `open_bytes`, which says too what reading raises.
    """
    return io.TextIOWrapper(open_bytes(path, limits), _ENCODING)


def parse_number(text: str) -> float | None:
    """Number in ASCII letters, infinity included; None for other text. `float` reads `1_000` and other scripts too."""
    return float(text) if _NUMBER.fullmatch(text) else None


def shown_path(path: str | Path) -> str:
    """What messages call a file: `standard input` for `-`."""
    return "standard input" if str(path) == "-" else str(path)


def shorten(text: str, most: int = _LONGEST_QUOTE) -> str:
    """Cut what a message quotes from a file to `most` letters, and say how many there were."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text):,} letters)"


def quoted(text: str) -> str:
    """Quote what a message takes from a file, cut as by `shorten`."""
    return repr(text) if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]!r}... ({len(text):,} letters)"


def counted(number: int, what: str) -> str:
    """A number and a noun, such as `1 sequence` and `2,000 sequences`, `3 batches`, `4 epochs`."""
    return f"{number:,} {what}" + ("es" if what.endswith(("tch", "ss")) else "s") * (number != 1)


def some_of(names: Iterable[str], most: int = 5) -> str:
    """List the first few of many names, shortened, for a message."""
    names = list(names)
    return ", ".join(map(shorten, names[:most])) + (", ..." if len(names) > most else "")
