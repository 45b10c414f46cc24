"""The windows that a model reads of both alleles.

Shapes: N changes, L bases of a window.

A window has the middle of the change in its middle. Where that is half a base off, the change lies half a base to the
right of it, or, with the right side held, to the left: on the other strand, each is the mirror image of the other.
Where an allele is longer or shorter than the other, the bases on one side of it cannot stay where they were: those on
the held side do, and the others move, with new ones at the end.

    reference           AAAA[CC]GGGGTT
    deletion, left held   AAAAGGGGTT..    right held   ..AAAAGGGGTT
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zoo.genome.sequence import UNKNOWN, Codes, reverse_complement
from zoo.variants.changes import Bases, Change

__all__ = ["HOLDS", "Flank", "Hold", "Windows", "past_the_ends"]

Hold = Literal["left", "right", "both"]
Flank = Literal["left", "right"]
HOLDS: tuple[Hold, ...] = ("left", "right", "both")


class Windows:
    """The windows of some changes, of both alleles.

    Args:
        bases: the genome, or other sequences.
        changes: the changes (N).
        length: bases of a window.
        shift: bases by which every window is moved to the right.
        held: side of the changes on which the bases of the alternative stay where they are in the reference.

    Attributes:
        contig: index of the contig of each in the genome (N,).
        start: first base of each window in the genome, 0-based; it may lie outside of the contig (N,).
        offset: where each change begins in its window (N,).
    """

    def __init__(
        self, bases: Bases, changes: Sequence[Change], length: int, shift: int = 0, held: Flank = "left"
    ) -> None:
        numbers = {name: number for number, name in enumerate(bases.contigs)}
        self.bases, self.changes, self.length, self.held = bases, changes, length, held
        self.contig = np.array([numbers[one.contig] for one in changes], np.int64)
        self.start = np.array([_window_start(one, length, held) + shift for one in changes], np.int64)
        self.offset = np.array([one.start for one in changes], np.int64) - self.start
        self._removed = np.array([len(one.ref) for one in changes], np.int64)
        self._added = np.array([len(one.alt) for one in changes], np.int64)
        self._backward = np.array([one.strand == "-" for one in changes])

    @property
    def are_equal_length(self) -> bool:
        """Whether both alleles of every change are equally long, so that all other bases stay where they are."""
        return bool((self._added == self._removed).all())

    def reference(self) -> Codes:
        """Codes of the reference, uint8 (N, L), as the model reads them; N past the ends of contigs."""
        return self._read(self.bases.windows(self.contig, self.start, self.length))

    def alternative(self) -> Codes:
        """Codes of the alternative, uint8 (N, L), as the model reads them."""
        held = self.held
        growth = self._added - self._removed
        margin = int(np.abs(growth).max(initial=0))
        wide = self.bases.windows(self.contig, self.start - margin, self.length + 2 * margin)
        index = np.arange(self.length)[None]  # (1, L)
        # Where the alternative's own bases begin, and by how much what is left and right of them is moved.
        begin = self.offset if held == "left" else self.offset - growth
        left = np.zeros_like(growth) if held == "left" else growth
        right = -growth if held == "left" else np.zeros_like(growth)
        within = index - begin[:, None]  # (N, L), index of the alternative's base
        source = index + margin + np.where(within < 0, left[:, None], right[:, None])
        codes = np.take_along_axis(wide, source, 1)
        own = (within >= 0) & (within < self._added[:, None])
        rows, columns = np.nonzero(own)
        codes[rows, columns] = self._added_bases()[rows, within[rows, columns]]
        return self._read(codes)

    def changed(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First and last + 1 of the bases that differ, as the model reads the window, of changes of equal length."""
        first, last = self.offset, self.offset + self._removed
        turned = self.length - last, self.length - first
        return np.where(self._backward, turned[0], first), np.where(self._backward, turned[1], last)

    def middle(self) -> NDArray[np.float64]:
        """Middle of all places where each change could be written, as the model reads the window (N,)."""
        middle = np.array([(one.first + one.last) / 2 for one in self.changes]) - self.start
        return np.where(self._backward, self.length - middle, middle)

    def _added_bases(self) -> Codes:
        """Bases of the alternatives, padded to one length (N, longest)."""
        bases = np.full((len(self.changes), max(1, int(self._added.max(initial=0)))), UNKNOWN, np.uint8)
        for row, change in enumerate(self.changes):
            bases[row, : len(change.alt)] = change.alt
        return bases

    def _read(self, codes: Codes) -> Codes:
        """Turn the windows that are read on the minus strand."""
        if self._backward.any():
            codes[self._backward] = reverse_complement(codes[self._backward])
        return codes


def _window_start(change: Change, length: int, held: Flank) -> int:
    """First base of the window that has the middle of all places of a change in its middle."""
    if change.window is not None:
        return change.window
    return (change.first + change.last - length + (held == "right")) // 2


def past_the_ends(windows: Windows) -> NDArray[np.bool_]:
    """Which windows reach past an end of their contig, where they hold N (N,)."""
    lengths = np.array(list(windows.bases.contigs.values()), np.int64)[windows.contig]
    past: NDArray[np.bool_] = (windows.start < 0) | (windows.start + windows.length > lengths)
    return past
