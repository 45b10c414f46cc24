"""Which windows of a sequence are predicted, where it does not have the length of a model.

Shapes: R sequences, W windows of them. Nothing here imports torch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ConfigError

__all__ = ["WHOLE", "WindowPlan", "Windowing"]

Index = NDArray[np.int64]
_LONGEST = 1 << 40  # a step beyond any sequence


@dataclass(frozen=True)
class Windowing:
    """What is predicted of sequences that do not have the length of a model.

    Args:
        resize: take the model's length around each centre; what is shorter is padded with N at both ends.
        tile: predict windows that begin so many bases apart; the last one ends with the sequence.
        best: of these windows, give the one of the highest prediction alone.

    Raises:
        ConfigError: both of the first two, a step that is not a whole number from 1 up, or `best` without windows.
    """

    resize: bool = False
    tile: int | None = None
    best: bool = False

    def __post_init__(self) -> None:
        if self.resize and self.tile is not None:
            raise ConfigError("--resize predicts one window of a sequence and --tile all of them: choose one")
        if self.tile is not None and (not isinstance(self.tile, int) or self.tile < 1):
            raise ConfigError(f"--tile is a whole number of bases from 1 up, not {self.tile}")
        if self.best and self.tile is None:
            raise ConfigError("--best is the best window of --tile STEP: name the step")

    @property
    def changes(self) -> bool:
        """Whether sequences of other lengths are predicted."""
        return self.resize or self.tile is not None


WHOLE = Windowing()


class WindowPlan:
    """Which windows of sequences are predicted, given by the numbers of bases of these.

    Args:
        bases: of each sequence (R,).
        length: bases L of a window.
        windowing: the centres, or windows a step apart, of which the last ends with the sequence; of a sequence that
            is shorter than a window, the one around its centre.
    """

    def __init__(self, bases: Index, length: int, windowing: Windowing) -> None:
        self.step, self.first = min(windowing.tile or 0, _LONGEST), (bases - length) // 2
        counts, self.last = np.ones(len(bases), np.int64), self.first
        if windowing.tile is not None:
            counts = np.where(bases < length, 1, -(-(bases - length) // self.step) + 1)
            self.first = np.where(bases < length, self.first, 0)
            self.last = np.where(bases < length, self.last, bases - length)
        self.ends = np.cumsum(counts)
        self.begins = self.ends - counts

    def __len__(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0

    def windows(self, begin: int, end: int) -> tuple[Index, Index]:
        """Index of the sequence (W,) and first base (W,) of the windows `begin` to `end` of all."""
        number = np.arange(begin, min(end, len(self)))
        sequence = np.searchsorted(self.ends, number, side="right")
        start = self.first[sequence] + (number - self.begins[sequence]) * self.step
        return sequence, np.minimum(start, self.last[sequence])
