"""narrowPeak: which BED files of ten columns are of this kind, so that their tenth column holds summits.

Other BED of ten columns has thickStart, thickEnd, itemRgb and blockCount in columns 7 to 10: whole numbers too.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.errors import InputError
from zoo.formats.bed import STRANDS
from zoo.utils.text import quoted

__all__ = ["Recognition", "decide", "describe_invalid", "has_summits"]

_COLUMNS = 10
_NAME = re.compile(r"\.narrowPeak(\.(txt|tsv|gz|bgz))*$", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|[+-]?inf(inity)?", re.IGNORECASE)
_SUMMIT = re.compile(r"-1|[0-9]{1,10}")


def _is_called_so(path: str | Path) -> bool:
    """Return whether a file is named as narrowPeak, plain or gzipped."""
    return _NAME.search(str(path)) is not None


def describe_invalid(fields: Sequence[str], length: int) -> str | None:
    """Describe why a line of ten columns, of an interval of a length, cannot be narrowPeak; None if it can."""
    if fields[5] not in STRANDS:
        return f"the strand {quoted(fields[5])} is none of +, - and ."
    for cell in fields[6:9]:
        if not _NUMBER.fullmatch(cell):
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
        whole = (np.isfinite(values) & (values >= 0) & (values == np.floor(values))).all(0)
        self._narrow |= not whole.all()
        self._other |= bool((whole & (start <= values[0]) & (values[0] <= values[1]) & (values[1] <= end)).any())

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
    name, reason = "standard input" if str(path) == "-" else Path(path).name, invalid or other
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
