"""The best window of each sequence: the highest prediction and where it is, merged over blocks.

Shapes: W windows, T targets, R sequences.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.writers.labels import LabelRows

__all__ = ["best_windows"]


class _Best(NamedTuple):
    """Best windows of sequences.

    Attributes:
        number: numbers of the sequences (R,).
        rows: their names and first columns, with the highest values (R, T).
        start: first base of the best window (R, T).
        end: the base after it (R, T).
    """

    number: NDArray[np.int64]
    rows: LabelRows
    start: NDArray[np.int64]
    end: NDArray[np.int64]


def best_windows(pieces: Iterable[tuple[NDArray[np.int64], LabelRows]], targets: Sequence[str]) -> Iterator[LabelRows]:
    """Reduce windows to the best of each sequence; of equal ones the first.

    Args:
        pieces: number of the sequence of each window (W,), and the predicted windows with `start` and `end`; the
            windows of a sequence follow one another, in one block or in several.
        targets: their names (T). With one, the columns of the result are those of a window. With several, each has a
            best window of its own: `start` and `end` become `<target>_start` and `<target>_end`.

    Yields:
        A row for each sequence.
    """
    open_: _Best | None = None  # the last sequence, which the next block may go on with
    for number, rows in pieces:
        if not len(rows):
            continue
        best = _reduce(number, rows)
        if open_ is not None:
            if open_.number[0] == best.number[0]:
                _merge(best, open_)
            else:
                yield _table(open_, targets)
        if len(best.number) > 1:
            yield _table(_some(best, slice(None, -1)), targets)
        open_ = _some(best, slice(-1, None))
    if open_ is not None:
        yield _table(open_, targets)


def _reduce(number: NDArray[np.int64], rows: LabelRows) -> _Best:
    """The best windows of each sequence of a block."""
    first = np.flatnonzero(np.diff(number, prepend=number[0] - 1)).tolist()
    bounds = [*first, len(number)]
    best = np.stack([low + rows.values[low:high].argmax(0) for low, high in itertools.pairwise(bounds)])
    start, end = (np.asarray(rows.leading[name], np.int64)[best] for name in ("start", "end"))
    names = [rows.names[i] for i in first]
    leading = {name: [cells[i] for i in first] for name, cells in rows.leading.items()}
    values = rows.values[best, np.arange(rows.values.shape[1])]
    return _Best(number[first], LabelRows(names, values, leading), start, end)


def _merge(best: _Best, before: _Best) -> None:
    """Let the first sequence of a block begin with what is known of it from the block before."""
    old, new = before.rows.values[0], best.rows.values[0]
    kept = old >= new
    for array, other in ((best.rows.values, before.rows.values), (best.start, before.start), (best.end, before.end)):
        array[0] = np.where(kept, other[0], array[0])


def _some(best: _Best, which: slice) -> _Best:
    rows = best.rows
    leading = {name: cells[which] for name, cells in rows.leading.items()}
    some = LabelRows(rows.names[which], rows.values[which], leading)
    return _Best(best.number[which], some, best.start[which], best.end[which])


def _table(best: _Best, targets: Sequence[str]) -> LabelRows:
    bounds: dict[str, Sequence[object]] = {"start": best.start[:, 0].tolist(), "end": best.end[:, 0].tolist()}
    if len(targets) > 1:
        bounds = {
            f"{target}_{side}": values[:, i].tolist()
            for i, target in enumerate(targets)
            for side, values in (("start", best.start), ("end", best.end))
        }
    columns: dict[str, Sequence[object]] = {}
    for name, cells in best.rows.leading.items():
        columns |= bounds if name == "start" else {} if name == "end" else {name: cells}
    return LabelRows(best.rows.names, best.rows.values, columns)
