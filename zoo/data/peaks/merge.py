"""Merge overlapping peaks of many experiments into sites, as Basset does (Kelley 2016, doi:10.1101/gr.200535.115).

Shapes: N peaks, S sites.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["merge_peaks"]

Index = NDArray[np.int64]


def merge_peaks(contig: Index, centre: Index, reach: int) -> tuple[Index, Index]:
    """Merge peaks greedily: the two closest neighbours become one, as long as any are within `reach` of each other.

    The centre of a merged site is the mean of its peaks' centres, so a merged site may leave a neighbour's reach. Among
    equally close pairs the leftmost is first. (Basset weighs a centre by the number of cell types instead of peaks;
    with one file per cell type this differs only where one file has two peaks in one site.)

    Args:
        contig: number of each peak's contig (N,).
        centre: centre of each peak (N,).
        reach: largest distance in bases between two centres that are merged; below 0, none are.

    Returns:
        Site of each peak (N,), numbered by contig and position, and centre of each site, rounded down (S,).
    """
    order = np.lexsort((centre, contig))
    total, count = centre[order].astype(np.int64), np.ones(len(order), np.int64)
    # Contig of each site so far, and site of each peak.
    site_contig, site = contig[order], np.arange(len(order))
    while True:
        gap = np.diff(total / count)
        gap[(site_contig[1:] != site_contig[:-1]) | (gap > reach)] = np.inf
        merged = _next_to_merge(gap)
        if not merged.any():
            break
        starts = np.concatenate([[True], ~merged])  # whether a site is not merged with the one before it
        site = (np.cumsum(starts) - 1)[site]
        first = np.flatnonzero(starts)
        total, count = np.add.reduceat(total, first), np.add.reduceat(count, first)
        site_contig = site_contig[first]
    site_of_peak = np.empty(len(order), np.int64)
    site_of_peak[order] = site
    return site_of_peak, total // count


def _next_to_merge(gap: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark the gaps between neighbours that close in this round; infinite ones never do.

    Merging moves centres apart, never together: a pair that is closer than both adjacent pairs stays so until it is
    merged, so all such pairs can be merged at once, with the same result as one at a time. Of a run of equal gaps the
    first is merged, which widens the second, so the third is next: every other gap of the run.
    """
    left, right = np.concatenate([[np.inf], gap[:-1]]), np.concatenate([gap[1:], [np.inf]])
    index = np.arange(len(gap))
    begins = gap != left
    first = np.maximum.accumulate(np.where(begins, index, 0))  # index of the first gap of each gap's run
    merged: NDArray[np.bool_] = np.isfinite(gap) & (gap[first] < left[first]) & ((index - first) % 2 == 0)
    return merged & (gap <= right)
