"""BED files: three to twelve tab-separated columns, 0-based and half-open."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from zoo.errors import InputError
from zoo.genome.intervals import Interval
from zoo.utils.text import UNREADABLE, open_text

__all__ = ["HEADERS", "iterate_bed", "parse_bounds", "read_bed"]

# How the lines of a BED file begin that are no intervals.
HEADERS = ("#", "track", "browser")


def read_bed(path: str | Path) -> list[Interval]:
    """Read a BED file of three to twelve columns, plain or gzipped.

    Args:
        path: the file, or `-` for standard input. Lines that begin with `#`, `track` or `browser` are skipped, as the
            format says.

    Returns:
        The intervals in the file's order; the fourth column is the name, the sixth the strand.

    Raises:
        InputError: no such file, no interval, or an invalid line (its number is named).
    """
    return list(iterate_bed(path))


def iterate_bed(path: str | Path) -> Iterator[Interval]:
    """Read a BED file as `read_bed`, interval by interval, so that memory does not grow with its length."""
    if str(path) != "-" and not Path(path).is_file():
        raise InputError(f"{path}: no such file")
    count = 0
    try:
        with open_text(path) as file:
            for number, line in enumerate(file, 1):
                if line.strip() and not line.startswith(HEADERS):
                    count += 1
                    yield _parse_bed_line(line, f"{path}, line {number}")
    except UNREADABLE as error:
        raise InputError(f"{path}: not a text file that can be read as BED ({error})") from None
    if not count:
        raise InputError(f"{path}: no interval in it")


def _parse_bed_line(line: str, where: str) -> Interval:
    fields = line.rstrip("\r\n").split("\t")
    if len(fields) < 3:
        raise InputError(f"{where}: {len(fields)} tab-separated columns where BED has at least three")
    start, end = parse_bounds(fields, where)
    name = fields[3] if len(fields) > 3 and fields[3] != "." else ""
    strand = fields[5] if len(fields) > 5 else "."
    if strand not in ("+", "-", "."):
        raise InputError(f"{where}: strand {strand!r} is none of +, - and .")
    return Interval(fields[0], start, end, name, strand)


def parse_bounds(fields: Sequence[str], where: str) -> tuple[int, int]:
    """Parse start and end, the second and third column of a BED line.

    Args:
        fields: cells of the line.
        where: file and line, for messages.

    Raises:
        InputError: they are not whole numbers, or not 0 <= start < end.
    """
    try:
        start, end = int(fields[1]), int(fields[2])
    except ValueError:
        raise InputError(f"{where}: start {fields[1]!r} and end {fields[2]!r} must be whole numbers") from None
    if start < 0 or end <= start:
        kind = "negative" if start < 0 or end < 0 else "reversed" if end < start else "empty"
        raise InputError(f"{where}: start {start} and end {end} are {kind}; an interval has 0 <= start < end")
    return start, end
