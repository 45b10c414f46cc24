"""A band along the diagonal of a contact map, averaged over the windows that predict it.

Shapes: T targets, R rows, D diagonals, P pixels of a window.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["Band"]

Values = NDArray[np.float32]
Index = NDArray[np.int64]


class Band:
    """Sums and counts of the rows that windows still add to; rows before the next window are released.

    Args:
        targets: how many (T).
        rows: rows held at once (R).
        diagonals: how many (D).
        first: the first row.
    """

    def __init__(self, targets: int, rows: int, diagonals: int, first: int) -> None:
        self.total = np.zeros((targets, rows, diagonals), np.float32)
        self.count = np.zeros((rows, diagonals), np.float32)
        self.first = first

    def add(self, row: Index, distance: Index, values: Values) -> None:
        """Add the values (T, P) of a window at rows (P,) and distances from the diagonal (P,)."""
        self.total[:, row - self.first, distance] += values
        self.count[row - self.first, distance] += 1

    def release(self, row: int) -> tuple[int, Values]:
        """Average and release all rows before `row`.

        Returns:
            The first of them, and their means (T, R, D), NaN where nothing was added.
        """
        done = row - self.first
        with np.errstate(invalid="ignore"):
            mean = np.where(self.count[:done] > 0, self.total[:, :done] / self.count[:done], np.nan)
        for array in (self.total.swapaxes(0, 1), self.count):  # rows first: the others move up
            array[: len(array) - done] = array[done:].copy()
            array[len(array) - done :] = 0
        first, self.first = self.first, row
        return first, mean.astype(np.float32)
