"""narrowPeak: which BED files of ten columns are of this kind, so that their tenth column holds summits.

Other BED of ten columns has thickStart, thickEnd, itemRgb and blockCount in columns 7 to 10: whole numbers too.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.errors import InputError
from zoo.formats.bed import STRANDS, Lines, iterate_bed, parse_bounds
from zoo.genome.intervals import Interval
from zoo.utils.text import parse_number, quoted, shown_path

__all__ = ["Recognition", "decide", "describe_invalid", "has_summits", "iterate_peaks"]

_COLUMNS = 10
_LINES_AT_ONCE = 65_536
_NAME = re.compile(r"\.narrowPeak(\.(txt|tsv|gz|bgz))*$", re.IGNORECASE)
_SUMMIT = re.compile(r"-1|[0-9]{1,10}")


def _is_called_so(path: str | Path) -> bool:
    """Return whether a file is named as narrowPeak, plain or gzipped."""
    return _NAME.search(str(path)) is not None


def describe_invalid(fields: Sequence[str], length: int) -> str | None:
    """Describe why a line of ten columns, of an interval of a length, cannot be narrowPeak; None if it can."""
    if fields[5] not in STRANDS:
        return f"the strand {quoted(fields[5])} is none of +, - and ."
    for cell in fields[6:9]:
        if parse_number(cell) is None:
            return f"{quoted(cell)} is no signal, p or q value"
    if not _SUMMIT.fullmatch(fields[9]):
        return f"the summit {quoted(fields[9])} must be a whole number, or -1 for none"
    if int(fields[9]) >= length:
        return f"the summit {fields[9]} lies outside the peak's {length} bases"
    return None


class Recognition:
    """Tells narrowPeak from other BED by lines that could be either, added block by block. Shapes: N lines.

    A line is narrowPeak if its signal, p or q value is no whole number from 0 up (a fraction, or -1 for none). It is
    other BED if all are, and the first two lie between start and end, as thickStart and thickEnd do.
    """

    def __init__(self) -> None:
        self._narrow = self._other = False

    def add(self, start: NDArray[np.int64], end: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Add lines.

        Args:
            start: start of each (N,).
            end: end of each (N,).
            values: columns 7 to 9 of each (3, N).
        """
        whole = ((values >= 0) & (values == np.floor(values)) & (values < np.inf)).all(0)
        self._narrow |= not whole.all()
        self._other |= bool((whole & (start <= values[0]) & (values[0] <= values[1]) & (values[1] <= end)).any())

    def add_lines(self, lines: Sequence[tuple[float, ...]]) -> None:
        """Add lines, each as start, end and the numbers of columns 7 to 9."""
        columns = np.array(lines, np.float64).reshape(-1, 5).T
        self.add(columns[0].astype(np.int64), columns[1].astype(np.int64), columns[2:])

    def describe_other(self) -> str | None:
        """Describe why the lines are other BED, or may be; None if they are narrowPeak."""
        if not self._narrow:
            return "columns 7 to 9 are whole numbers in all lines, as thickStart, thickEnd and itemRgb of BED are"
        if self._other:
            return "columns 7 and 8 lie between start and end in some lines, as thickStart and thickEnd of BED do"
        return None


def has_summits(path: str | Path, columns: int) -> bool:
    """Return whether a file has the number of columns of narrowPeak.

    Raises:
        InputError: it is named narrowPeak, and has not.
    """
    if columns != _COLUMNS and _is_called_so(path):
        raise InputError(f"{path}: narrowPeak has ten columns, not {columns}; call a file without summits .bed")
    return columns == _COLUMNS


def decide(path: str | Path, invalid: str | None, other: str | None, notes: list[str] | None) -> bool:
    """Decide whether a file of ten columns is narrowPeak: by its name, or by its lines, which a note says.

    Args:
        path: the file.
        invalid: a line that cannot be narrowPeak, and why; None if there is none.
        other: why the lines are other BED, or may be; None if they are narrowPeak.
        notes: the note is added here.

    Raises:
        InputError: it is named narrowPeak, and a line is invalid.
    """
    if _is_called_so(path):
        if invalid:
            raise InputError(f"{path}, {invalid}")
        return True
    name, reason = _name(path), invalid or other
    if notes is not None and reason:
        notes.append(
            f"{name} is not narrowPeak ({reason}): its peaks are centred on their middles; if column 10 holds summits, "
            "call it .narrowPeak"
        )
    elif notes is not None:
        notes.append(
            f"{name} is narrowPeak by its lines, though not by its name: its peaks are centred on the summits of "
            "column 10; if that holds none, leave it out (cut -f1-9)"
        )
    return not reason


def _name(path: str | Path) -> str:
    return Path(shown_path(path)).name


def iterate_peaks(path: str | Path, notes: list[str]) -> Iterator[Interval]:
    """Read a BED file as `iterate_bed`; the centre of a narrowPeak interval is its summit, where it has one.

    Args:
        path: the file, or `-` for standard input.
        notes: a sentence is added here on summits that are used, and if a file of ten columns that is not called
            narrowPeak is taken for it, or not.

    Raises:
        InputError: as `read_bed`, or a file that is named narrowPeak and is none.
    """
    return iterate_bed(path, lambda lines: _hold_summits(lines, path, notes))


def _hold_summits(lines: Lines, path: str | Path, notes: list[str]) -> bool:
    """Return whether the lines of a file are narrowPeak.

    Raises:
        InputError: as `iterate_peaks`.
    """
    recognition, block = Recognition(), list[tuple[float, ...]]()
    count = without = 0
    for number, fields in lines:
        start, end = parse_bounds(fields, f"{path}, line {number}")
        if not has_summits(path, len(fields)):
            return False
        if message := describe_invalid(fields, end - start):
            return decide(path, f"line {number}: {message}", None, notes)
        count, without = count + 1, without + (fields[9] == "-1")
        block.append((start, end, *map(float, fields[6:9])))
        if len(block) == _LINES_AT_ONCE:
            recognition.add_lines(block)
            block = []
    recognition.add_lines(block)
    if not decide(path, None, recognition.describe_other(), notes):
        return False
    rest = f", {without:,} of {count:,}, which have none, on their middles" if without else ""
    notes.append(f"{_name(path)}: intervals are centred on their summits (narrowPeak){rest}")
    return True
