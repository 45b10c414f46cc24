"""Overlapping peaks of many experiments become one site, as Basset merged them (Kelley 2016). N peaks, S sites."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["merge_peaks"]

Index = NDArray[np.int64]


def merge_peaks(contig: Index, centre: Index, reach: int) -> tuple[Index, Index]:
    """Merge peaks greedily: the two closest neighbours become one, as long as any lie within `reach` of each other.

    The centre of what was merged is the mean of its peaks' centres, so that a merged site may move out of a
    neighbour's reach. Among pairs that are equally close the leftmost is first. (Basset weighs a centre by the number
    of cell types rather than of peaks; with one file for each cell type that differs only where one file has two peaks
    in one site.)

    Args:
        contig: a number for each peak's contig (N,).
        centre: its centre (N,).
        reach: bases between two centres up to which they are merged; below 0, nothing is.

    Returns:
        The site of each peak (N,), numbered by contig and place, and the centre of each site, rounded down (S,).
    """
    order = np.lexsort((centre, contig))
    total, count = centre[order].astype(np.int64), np.ones(len(order), np.int64)
    place, site = contig[order], np.arange(len(order))  # of each site in the making: its contig; of each peak: its site
    while True:
        gap = np.diff(total / count)
        gap[(place[1:] != place[:-1]) | (gap > reach)] = np.inf
        merged = _next_to_merge(gap)
        if not merged.any():
            break
        starts = np.concatenate([[True], ~merged])  # whether a site does not go with the one before it
        site = (np.cumsum(starts) - 1)[site]
        first = np.flatnonzero(starts)
        total, count, place = np.add.reduceat(total, first), np.add.reduceat(count, first), place[first]
    found = np.empty(len(order), np.int64)
    found[order] = site
    return found, total // count


def _next_to_merge(gap: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which gaps between neighbours close now; infinite ones never do.

    Merging moves centres apart, never together: a pair that is closer than both pairs beside it stays so until it is
    merged, so all such pairs can be merged at once with the result of one at a time. Of a run of equal gaps the first
    is merged, which widens the second, so that the third is next: every other one.
    """
    left, right = np.concatenate([[np.inf], gap[:-1]]), np.concatenate([gap[1:], [np.inf]])
    place = np.arange(len(gap))
    begins = gap != left
    first = np.maximum.accumulate(np.where(begins, place, 0))  # of its run
    merged: NDArray[np.bool_] = np.isfinite(gap) & (gap[first] < left[first]) & ((place - first) % 2 == 0)
    return merged & (gap <= right)
