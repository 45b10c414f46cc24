"""Fit sequences of any length to a model of one length: cut or pad them, or cut windows along them.

Shapes: R sequences of a block, W windows of them, L bases that the model reads.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.errors import InputError
from zoo.genome.sequence import Codes
from zoo.inference.windowing import Windowing, WindowPlan
from zoo.models._base import SequenceModel
from zoo.outputs import Labels
from zoo.utils.text import counted, some_of

__all__ = ["Lengths", "Windows", "cut_windows"]

Index = NDArray[np.int64]
# Windows that are cut at once, and bases of them.
_WINDOWS_AT_ONCE, _BASES_AT_ONCE = 8192, 1 << 20
_UNKNOWN = 4  # code of N


class Windows(NamedTuple):
    """Windows of sequences.

    Attributes:
        sequence: index of the sequence of each window in its block (W,).
        start: first base of each, negative where it is padded (W,).
        codes: uint8 (W, L).
    """

    sequence: Index
    start: Index
    codes: Codes


def cut_windows(codes: Sequence[Codes], length: int, windowing: Windowing) -> Iterator[Windows]:
    """Cut the windows of a block of sequences, a bounded number of them at once.

    Args:
        codes: uint8 of each sequence (R).
        length: bases of a window.
        windowing: which windows.
    """
    bases = np.array([len(one) for one in codes], np.int64)
    joined = np.concatenate([*codes, np.full(1, _UNKNOWN, np.uint8)])  # the last is what lies outside
    first = np.cumsum(bases) - bases
    plan, offsets = WindowPlan(bases, length, windowing), np.arange(length)
    at_once = max(1, min(_WINDOWS_AT_ONCE, _BASES_AT_ONCE // length))
    for begin in range(0, len(plan), at_once):
        sequence, start = plan.windows(begin, begin + at_once)
        position = start[:, None] + offsets  # (W, L)
        inside = (position >= 0) & (position < bases[sequence, None])
        index = np.where(inside, position + first[sequence, None], -1)
        yield Windows(sequence, start, joined[index])


@dataclass
class Lengths:
    """Counts the sequences that do not have a length that a model takes.

    Args:
        model: the model.
        where: the file, or what a message calls the sequences.
        windowing: with `resize` or `tile`, a sequence of any other length than the model's own is changed.
        what: a word for one of them.
        filled: what is done to one that is too short.

    Attributes:
        shorter: number of sequences shorter than the model's length.
        longer: number of those that are longer.
        least: fewest bases of a sequence that is not counted.
        most: most bases of such a sequence.
    """

    model: SequenceModel
    where: str
    windowing: Windowing
    what: str = "sequence"
    filled: str = "padded with N at both ends"
    names: list[str] = field(default_factory=list)
    shorter: int = 0
    longer: int = 0
    total: int = 0
    shortest: int = 0
    longest: int = 0

    def __post_init__(self) -> None:
        own, taken = self.model.length, (self.model.min_length, self.model.max_length or sys.maxsize)
        self.least, self.most = (own, own) if self.windowing.changes else taken

    def add(self, names: Sequence[str], bases: Iterable[int]) -> bool:
        """Count sequences; returns whether some of them, or of those before, are of another length."""
        lengths = np.fromiter(bases, np.int64)
        short, long = lengths < self.least, lengths > self.most
        self.total += len(lengths)
        self.shorter += int(short.sum())
        self.longer += int(long.sum())
        other = np.flatnonzero(short | long)
        if len(other):
            known = [self.shortest, self.longest] if self.names else []
            self.shortest, self.longest = (int(end([*known, *lengths[other]])) for end in (min, max))
            self.names += [names[i] for i in other[: max(0, 6 - len(self.names))]]
        return bool(self.names)

    def error(self) -> InputError:
        """The error for sequences of other lengths."""
        count, length = self.shorter + self.longer, self.model.length
        takes = f"{length:,} bases" if self.model.max_length else f"at least {self.model.min_length:,} bases"
        which = f"{count:,} of {counted(self.total, self.what)} {'does' if count == 1 else 'do'} not have the"
        ends = f"{self.shortest:,}" if self.shortest == self.longest else f"{self.shortest:,} to {self.longest:,}"
        fault = f"{self.where}: {which} {takes} that the model takes, but {ends} bases ({some_of(self.names)})"
        if not isinstance(self.model.output, Labels):
            return InputError(f"{fault}: give whole windows, or a genome with intervals of any length")
        return InputError(
            f"{fault}: --resize (in Python resize=True) cuts or pads to {length:,} bases around the centre, --tile "
            "STEP (tile=STEP) predicts windows along each"
        )

    def notes(self) -> list[str]:
        """What was done to the sequences of other lengths."""
        cut = self.longer if self.windowing.resize else 0
        if not self.windowing.changes or not self.shorter + cut:
            return []
        done = [f"{cut:,} {_was(cut)} cut"] if cut else []
        done += [f"{self.shorter:,} {_was(self.shorter)} {self.filled}"] if self.shorter else []
        return [
            f"{self.where}: of {counted(self.total, self.what)}, {' and '.join(done)} to the {self.model.length:,} "
            "bases around the centre"
        ]


def _was(count: int) -> str:
    return "was" if count == 1 else "were"
