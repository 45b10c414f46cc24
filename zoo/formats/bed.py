"""BED files, and tables with a header that begin as BED: three or more tab-separated columns, 0-based and half-open.

The first three columns are the interval. What the others hold is decided by all lines of a file, not by their number:
the sixth is the strand if some line has `+` or `-` there.
"""

import logging
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from zoo.errors import InputError, OutputError
from zoo.formats.separators import refuse_semicolons, refuse_separator
from zoo.genome.intervals import LONGEST_CONTIG, Interval
from zoo.utils.disk_errors import FULL
from zoo.utils.streams import TABLE, UNREADABLE, describe_unreadable, open_bytes
from zoo.utils.text import check_file, open_text, quoted, shown_path

__all__ = ["STRANDS", "Lines", "bed_lines", "is_header", "iterate_bed", "parse_bounds", "read_bed", "table_columns"]

Lines = Iterator[tuple[int, list[str]]]  # number of a line of the file, and its cells
STRANDS = ("+", "-", ".")
_STRAND, _SUMMIT = 5, 9  # their columns
# Names of the first three columns of a table with a header.
_INTERVAL_NAMES = ({"chrom", "chr", "chromosome"}, {"start", "chromstart"}, {"end", "chromend", "stop"})
_WHOLE_NUMBER = re.compile(r"-?[0-9]+")
_log = logging.getLogger("zoo")


def read_bed(path: str | Path) -> list[Interval]:
    """Read a BED file of three or more columns, or a table of intervals with a header, plain or gzipped.

    Args:
        path: the file, or `-` for standard input. Comments (`#`), and lines of `track` and `browser`, are skipped. A
            table has a first line that begins with `chrom`, `start` and `end`, as those that `zoo` writes.

    Returns:
        The intervals in the file's order; the fourth column is the name, of a table the column `name`. The sixth is the
        strand if it holds strands, and is ignored with a warning if not; of a table it is the column `strand`.

    Raises:
        InputError: no such file, no interval, or an invalid line (its number is named).
    """
    return list(iterate_bed(path))


def iterate_bed(path: str | Path, holds_summits: Callable[[Lines], bool] | None = None) -> Iterator[Interval]:
    """Read a BED file as `read_bed`, interval by interval, so that memory does not grow with its length.

    Args:
        path: as of `read_bed`.
        holds_summits: tells by all lines whether the tenth column holds summits (see `iterate_peaks`), which are then
            the centres of the intervals.
    """
    with _regular_file(path) as file:
        path = shown_path(path)
        summits = holds_summits is not None and holds_summits(_file_lines(file, path))
        stranded = _has_strands(file, path)
        for number, fields in _file_lines(file, path):
            where = f"{path}, line {number}"
            start, end = parse_bounds(fields, where)
            name = fields[3] if len(fields) > 3 and fields[3] != "." else ""
            strand = _parse_strand(fields[_STRAND], where) if stranded else "."
            centre = start + int(fields[_SUMMIT]) if summits and fields[_SUMMIT] != "-1" else None
            yield Interval(fields[0], start, end, name, strand, centre)


def bed_lines(lines: Iterable[str], path: str | Path) -> Lines:
    """Split the lines of intervals of a BED file, or of a table with a header, into their columns.

    Args:
        lines: lines of the file.
        path: the file that messages name.

    Yields:
        Number of the line in the file, from 1, and its cells in the order of BED: three or more, as many as in the
        first line. Of a table whose columns are not BED's, those of the interval, its name and its strand.

    Raises:
        InputError: a line with another number of columns, or without a contig.
    """
    columns, first, chosen, comment = 0, 0, None, False
    for number, line in enumerate(lines, 1):
        if not first and (names := table_columns(line)):
            columns, first, chosen, comment = len(names), number, _choose_columns(names), line.startswith("#")
            continue
        if not line.strip() or is_header(line):
            continue
        fields = line.rstrip("\r\n").split("\t")
        if not columns or (comment and len(fields) != columns):  # a comment may name some columns only
            columns, first, chosen = len(fields), number, None
        comment = False
        if columns < 3:
            _refuse_separator(line, f"{path}, line {number}", path)
        if len(fields) != columns:
            raise InputError(
                f"{path}, line {number}: {len(fields)} tab-separated columns where line {first} has {columns}"
            )
        if not fields[0].strip():
            raise InputError(f"{path}, line {number}: the first column names no contig")
        yield number, fields if chosen is None else [fields[i] if i >= 0 else "." for i in chosen]


def table_columns(line: str) -> list[str]:
    """Names of the columns, in lower case, if a line is the header of a table of intervals; none for other lines."""
    names = [cell.strip().lower() for cell in line.rstrip("\r\n").split("\t")]
    names[0] = names[0].removeprefix("#")
    is_table = len(names) >= 3 and all(name in known for name, known in zip(names, _INTERVAL_NAMES, strict=False))
    return names if is_table else []


def _choose_columns(names: Sequence[str]) -> list[int] | None:
    """Numbers of a table's columns that make BED, -1 for one that it lacks; None where its columns are BED's."""
    if names[3:4] in ([], ["name"]) and names[_STRAND : _STRAND + 1] in ([], ["strand"]):
        return None
    name, strand = (names.index(word) if word in names[3:] else -1 for word in ("name", "strand"))
    return [0, 1, 2, name, -1, strand] if strand >= 0 else [0, 1, 2, name]


def _refuse_separator(line: str, where: str, path: str | Path) -> None:
    """Refuse a line of fewer than three columns.

    Raises:
        InputError: always; names what separates the columns, if it is not a tab.
    """
    refuse_semicolons(line, path)
    refuse_separator(line, where, 3)
    columns = line.count("\t") + 1
    layout = f"{columns} tab-separated column{'s' * (columns > 1)}"
    raise InputError(f"{where}: {layout} where BED has at least three")


def is_header(line: str) -> bool:
    """Return whether a line is a comment, or of a genome browser's settings; a contig may be called `track` too."""
    if line.startswith("#"):
        return True
    if not line.startswith(("track", "browser")) or line.split(None, 1)[0] not in ("track", "browser"):
        return False
    fields = line.rstrip("\r\n").split("\t")
    return len(fields) < 3 or not all(map(_WHOLE_NUMBER.fullmatch, fields[1:3]))


def parse_bounds(fields: Sequence[str], where: str) -> tuple[int, int]:
    """Parse start and end, the second and third column of a BED line.

    Args:
        fields: cells of the line.
        where: file and line, for messages.

    Raises:
        InputError: they are not whole numbers, not 0 <= start < end, or past any chromosome.
    """
    if not (_WHOLE_NUMBER.fullmatch(fields[1]) and _WHOLE_NUMBER.fullmatch(fields[2])):
        raise InputError(f"{where}: start {quoted(fields[1])} and end {quoted(fields[2])} must be whole numbers")
    for column, cell in zip(("start", "end"), fields[1:3], strict=True):
        if len(cell) > 18 or int(cell) > LONGEST_CONTIG:
            raise InputError(f"{where}: the {column} {quoted(cell)} lies past any chromosome")
    start, end = int(fields[1]), int(fields[2])
    if start < 0 or end <= start:
        kind = "negative" if start < 0 or end < 0 else "reversed" if end < start else "empty"
        raise InputError(f"{where}: start {start} and end {end} are {kind}; an interval has 0 <= start < end")
    return start, end


def _parse_strand(cell: str, where: str) -> str:
    if cell not in STRANDS:
        raise InputError(
            f"{where}: strand {quoted(cell)} is none of +, - and .; if column 6 is no strand, leave it out "
            "(cut -f1-4 keeps the names)"
        )
    return cell


def _has_strands(file: Path, path: str | Path) -> bool:
    """Return whether column 6 holds strands; a warning says if it holds something else."""
    other = ""
    for _, fields in _file_lines(file, path):
        if len(fields) <= _STRAND or fields[_STRAND] in ("+", "-"):
            return len(fields) > _STRAND
        if fields[_STRAND] != ".":
            other = other or fields[_STRAND]
    if other:
        _log.warning(f"{path}: column 6 holds {quoted(other)}, which is no strand: all strands are taken as unknown")
    return False


def _file_lines(file: Path, path: str | Path) -> Lines:
    """Lines of a file as `bed_lines`.

    Raises:
        InputError: it is no text, or has no interval.
    """
    number = 0
    try:
        with open_text(file) as lines:
            for number, fields in bed_lines(lines, path):
                yield number, fields
    except UNREADABLE as error:
        reason = describe_unreadable(error, file)
        raise InputError(f"{path}: not a text file that can be read as BED ({reason})") from None
    if not number:
        raise InputError(f"{path}: no interval in it")


@contextmanager
def _regular_file(path: str | Path) -> Iterator[Path]:
    """A file that can be read twice: the path, or a copy of standard input or of a pipe."""
    if str(path) != "-":
        check_file(path, regular=False)
        if Path(path).is_file():
            yield Path(path)
            return
    with ExitStack() as stack:
        try:
            copy = stack.enter_context(tempfile.NamedTemporaryFile(prefix="zoo.", suffix=".bed"))
            with open_bytes(path, TABLE) as pipe:
                shutil.copyfileobj(pipe, copy)
            copy.flush()
        except UNREADABLE as error:
            raise InputError(
                f"{shown_path(path)} cannot be read to its end: {describe_unreadable(error, path)}"
            ) from None
        except OSError as error:
            if error.errno not in FULL:
                raise
            with suppress(OSError):  # what is left would be written again when it is closed
                stack.close()
            raise OutputError(
                f"{shown_path(path)} could not be copied: the disk of {tempfile.gettempdir()} is full: make room, or "
                "set TMPDIR to another folder"
            ) from None
        yield Path(copy.name)
