"""Background windows of a genome: without a peak, with the GC content of the sites.

Shapes: N windows.
"""

import bioframe
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zoo.data.genome_split import GenomeSplit
from zoo.data.peaks.rules import PeakRules
from zoo.data.windows import blocks
from zoo.genome.fasta import Genome

__all__ = ["base_counts", "draw_background"]

Index = NDArray[np.int64]
# Letters that are known, in upper case (not soft-masked), and G or C.
_KNOWN = np.zeros(256, dtype=bool)
_KNOWN[list(b"ACGTacgt")] = True
_UPPER = np.zeros(256, dtype=bool)
_UPPER[list(b"ACGT")] = True
_GC = np.zeros(256, dtype=bool)
_GC[list(b"GCgc")] = True

# GC content is matched in steps of 2 %.
_GC_BINS = 50
# Candidates drawn in one round: at least so many per wanted window, more where few fit, and at most;
_OVERSAMPLE = 4
_MOST_AT_ONCE = 1_000_000
# and in all rounds: so many per wanted window, and so many more. Then the missing ones are given up.
_DRAWS_PER_WINDOW = 40
_MORE_DRAWS = 4_000_000
# Of a genome of no more windows, those that were looked at are remembered, a byte each: in a larger one few come again.
_MOST_REMEMBERED = 200_000_000


def base_counts(
    genome: Genome, contig: Index, start: Index, length: int, soft_masked: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute the unmasked fraction and the GC content of windows.

    Args:
        genome: genome of the windows.
        contig: index of each window's contig (N,).
        start: first base of each window (N,).
        length: bases of every window.
        soft_masked: count lower-case letters as masked, as N always is.

    Returns:
        Fraction of unmasked bases (N,), and fraction of G and C among A, C, G and T (N,), 0 where there are none.
    """
    unmasked, gc = np.empty(len(start)), np.empty(len(start))
    for rows in blocks(len(start), length, "reading windows"):
        letters = genome.window_letters(contig[rows], start[rows], length)
        known = _KNOWN[letters].sum(1)
        unmasked[rows] = (_UPPER[letters].sum(1) if soft_masked else known) / length
        gc[rows] = _GC[letters].sum(1) / np.maximum(known, 1)
    return unmasked, gc


def draw_background(
    genome: Genome,
    occupied: pd.DataFrame,
    wanted_gc: NDArray[np.float64],
    wanted_split: Index,
    genome_split: GenomeSplit,
    rules: PeakRules,
    rng: np.random.Generator,
) -> tuple[Index, Index, Index]:
    """Draw a window per wanted one, of its GC content (in steps of 2 %) and split, that touches no occupied region.

    No window is drawn twice.

    Args:
        genome: genome from which windows are drawn.
        occupied: chrom, start, end of regions that no window may touch.
        wanted_gc: GC content of each wanted window (N,).
        wanted_split: split of each wanted window (N,).
        genome_split: splits of the genome.
        rules: length of the windows, and how much of one may be masked.
        rng: random number generator.

    Returns:
        Contig, start and split of each window (M,); M < N where the genome has too few.
    """
    names, lengths = list(genome.contigs), np.array(list(genome.contigs.values()))
    room = np.maximum(lengths - rules.length + 1, 0)
    occupied = bioframe.merge(occupied) if len(occupied) else occupied
    splits = int(wanted_split.max(initial=0)) + 1
    need = np.bincount(_cell(wanted_gc, wanted_split), minlength=splits * (_GC_BINS + 1))
    kept: list[tuple[Index, Index, Index]] = []
    used = _Used(int(room.sum()))
    budget = _DRAWS_PER_WINDOW * len(wanted_split) + _MORE_DRAWS
    fitting = 1 / _OVERSAMPLE  # fraction of the candidates that were chosen
    while (count := int(need.sum())) and not used.is_all and budget > 0:
        draws = min(int(count / fitting) + 1000, _MOST_AT_ONCE, budget)
        budget -= draws
        position = used.new_ones(rng.integers(0, room.sum(), draws))
        ends = room.cumsum()
        contig = np.searchsorted(ends, position, side="right")
        start = position - (ends - room)[contig]
        split = genome_split.split_of(contig, start, rules.length)
        fit = (split >= 0) & (split < splits) & _clear(names, contig, start, rules.length, occupied)
        position, contig, start, split = position[fit], contig[fit], start[fit], split[fit]
        unmasked, gc = base_counts(genome, contig, start, rules.length, rules.soft_masked)
        cell = np.where(unmasked >= rules.min_unmasked, _cell(gc, split), -1)
        chosen = _first_of_each(cell, need)
        fitting = min(max(len(chosen), 1) / draws, 1 / _OVERSAMPLE)
        need -= np.bincount(cell[chosen], minlength=len(need))
        kept.append((contig[chosen], start[chosen], split[chosen]))
        used.choose(position[chosen])
    if not kept:
        nothing = np.empty(0, np.int64)
        return nothing, nothing, nothing
    contig, start, split = (np.concatenate(column) for column in zip(*kept, strict=True))
    return contig, start, split


class _Used:
    """Positions that are not drawn again: those that were chosen; of a small genome all that were looked at.

    One that was looked at and not chosen never is: it cannot be, or no more windows of its kind are wanted.

    Args:
        total: number of positions.
    """

    def __init__(self, total: int) -> None:
        self.left = total  # if they are remembered
        self.seen = np.zeros(total, dtype=bool) if total <= _MOST_REMEMBERED else None
        self.chosen = np.empty(0, np.int64)

    @property
    def is_all(self) -> bool:
        """Whether no position is left."""
        return not self.left

    def new_ones(self, position: Index) -> Index:
        """Select the positions that can be used, each once, in the order in which they were drawn."""
        is_used = np.isin(position, self.chosen) if self.seen is None else self.seen[position]
        position = position[~is_used]
        position = position[np.sort(np.unique(position, return_index=True)[1])]
        if self.seen is not None:
            self.seen[position] = True
            self.left -= len(position)
        return position

    def choose(self, position: Index) -> None:
        """Add positions that were chosen."""
        if self.seen is None:
            self.chosen = np.concatenate([self.chosen, position])


def _cell(gc: NDArray[np.float64], split: Index) -> Index:
    """Number each pair of a split and a step of GC content."""
    return split * (_GC_BINS + 1) + np.round(gc * _GC_BINS).astype(np.int64)


def _clear(names: list[str], contig: Index, start: Index, length: int, occupied: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark the windows (N,) that touch no occupied region."""
    if not len(occupied):
        return np.ones(len(start), dtype=bool)
    windows = pd.DataFrame({"chrom": np.array(names)[contig], "start": start, "end": start + length})
    clear: NDArray[np.bool_] = bioframe.count_overlaps(windows, occupied)["count"].to_numpy() == 0
    return clear


def _first_of_each(cell: Index, need: Index) -> Index:
    """Select the rows of the first `need[c]` windows of each cell c; none of a cell below 0."""
    rows = np.flatnonzero(cell >= 0)
    rows = rows[np.argsort(cell[rows], kind="stable")]
    _, first, count = np.unique(cell[rows], return_index=True, return_counts=True)
    rank = np.arange(len(rows)) - np.repeat(first, count)
    return rows[rank < need[cell[rows]]]
