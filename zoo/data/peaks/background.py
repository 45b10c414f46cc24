"""Windows of a genome that hold no peak, with the same GC content as those that do."""

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
# What of a genome is taken to be masked.
_KNOWN = np.zeros(256, dtype=bool)
_KNOWN[list(b"ACGTacgt")] = True
_UPPER = np.zeros(256, dtype=bool)
_UPPER[list(b"ACGT")] = True
_GC = np.zeros(256, dtype=bool)
_GC[list(b"GCgc")] = True

# GC content is matched in so many steps, of 2 % each.
_GC_BINS = 50
# Candidates drawn in one round: at least so many for each window wanted, more where few fit, and at most;
_OVERSAMPLE = 4
_MOST_AT_ONCE = 1_000_000
# and in all, for each window wanted and besides, before the rest is given up.
_DRAWS_EACH = 40
_DRAWS_BESIDES = 4_000_000


def base_counts(
    genome: Genome, contig: Index, start: Index, length: int, soft_masked: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of windows (N,), the share of bases that are not masked, and the share of G and C among A, C, G and T.

    Args:
        genome: that they lie on.
        contig: number of each window's contig (N,).
        start: its first base (N,).
        length: bases of each.
        soft_masked: whether lower-case letters are masked, as N always is.

    Returns:
        Two shares (N,), (N,); the second is 0 where nothing is known.
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
    taken: pd.DataFrame,
    wanted_gc: NDArray[np.float64],
    wanted_split: Index,
    genome_split: GenomeSplit,
    rules: PeakRules,
    rng: np.random.Generator,
) -> tuple[Index, Index, Index]:
    """Draw a window for each one wanted: of its GC content (in steps of 2 %) and split, and away from what is taken.

    No window is drawn twice.

    Args:
        genome: to draw from.
        taken: chrom, start, end of what no window may touch.
        wanted_gc: GC content of each window wanted (N,).
        wanted_split: its split (N,).
        genome_split: which split a window belongs to.
        rules: the length of the windows, and how much of one may be masked.
        rng: where the randomness comes from.

    Returns:
        Contig, start and split of each (M,), M <= N: where a genome has too few, fewer.
    """
    names, lengths = list(genome.contigs), np.array(list(genome.contigs.values()))
    room = np.maximum(lengths - rules.length + 1, 0)
    taken = bioframe.merge(taken) if len(taken) else taken
    splits = int(wanted_split.max(initial=0)) + 1
    need = np.bincount(_cell(wanted_gc, wanted_split), minlength=splits * (_GC_BINS + 1))
    kept: list[tuple[Index, Index, Index]] = []
    used = np.empty(0, np.int64)
    budget = _DRAWS_EACH * len(wanted_split) + _DRAWS_BESIDES
    fitting = 1 / _OVERSAMPLE  # share of the candidates that were of use
    while (count := int(need.sum())) and room.sum() and budget > 0:
        draws = min(int(count / fitting) + 1000, _MOST_AT_ONCE, budget)
        budget -= draws
        place = _distinct(rng.integers(0, room.sum(), draws), used)
        ends = room.cumsum()
        contig = np.searchsorted(ends, place, side="right")
        start = place - (ends - room)[contig]
        split = genome_split.split_of(contig, start, rules.length)
        fit = (split >= 0) & (split < splits) & _clear(names, contig, start, rules.length, taken)
        place, contig, start, split = place[fit], contig[fit], start[fit], split[fit]
        unmasked, gc = base_counts(genome, contig, start, rules.length, rules.soft_masked)
        cell = np.where(unmasked >= rules.min_unmasked, _cell(gc, split), -1)
        chosen = _first_of_each(cell, need)
        fitting = min(max(len(chosen), 1) / draws, 1 / _OVERSAMPLE)
        need -= np.bincount(cell[chosen], minlength=len(need))
        kept.append((contig[chosen], start[chosen], split[chosen]))
        used = np.concatenate([used, place[chosen]])
    if not kept:
        nothing = np.empty(0, np.int64)
        return nothing, nothing, nothing
    contig, start, split = (np.concatenate(column) for column in zip(*kept, strict=True))
    return contig, start, split


def _distinct(place: Index, used: Index) -> Index:
    """The places that were not used, each once, in the order in which they were drawn."""
    first = np.sort(np.unique(place, return_index=True)[1])
    return place[first][~np.isin(place[first], used)]


def _cell(gc: NDArray[np.float64], split: Index) -> Index:
    """One number for a split and a step of GC content."""
    return split * (_GC_BINS + 1) + np.round(gc * _GC_BINS).astype(np.int64)


def _clear(names: list[str], contig: Index, start: Index, length: int, taken: pd.DataFrame) -> NDArray[np.bool_]:
    """Which windows touch nothing that is taken (N,)."""
    if not len(taken):
        return np.ones(len(start), dtype=bool)
    windows = pd.DataFrame({"chrom": np.array(names)[contig], "start": start, "end": start + length})
    clear: NDArray[np.bool_] = bioframe.count_overlaps(windows, taken)["count"].to_numpy() == 0
    return clear


def _first_of_each(cell: Index, need: Index) -> Index:
    """The rows of the first `need[c]` windows of each cell c; a cell below 0 is never taken."""
    rows = np.flatnonzero(cell >= 0)
    rows = rows[np.argsort(cell[rows], kind="stable")]
    _, first, count = np.unique(cell[rows], return_index=True, return_counts=True)
    rank = np.arange(len(rows)) - np.repeat(first, count)
    return rows[rank < need[cell[rows]]]
