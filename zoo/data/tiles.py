"""Windows that tile a genome: the bins that each predicts, and how far it may be shifted.

Shapes: N windows, P bins of all contigs, one contig after the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zoo.data.genome_split import GenomeSplit
from zoo.data.splits import SPLITS
from zoo.formats.peaks import read_blacklist

__all__ = ["Tiles", "blacklisted", "tile", "touched_bins"]

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Tiles:
    """Windows of one number of bins; bins are counted from the beginning of each contig.

    Attributes:
        contig: index of the contig (N,).
        start: first bin that is predicted (N,).
        lowest: lowest `start` to which the window can be shifted without leaving its region (N,).
        highest: highest such `start` (N,).
        split: index into `SPLITS` (N,).
    """

    contig: Index
    start: Index
    lowest: Index
    highest: Index
    split: Index

    def __len__(self) -> int:
        return len(self.start)

    def overlap(self, bins: int) -> Index:
        """Number of bins at the beginning of each window of `bins` that the window before has too (N,)."""
        shared = np.append(0, self.start[:-1]) + bins - self.start
        same = np.diff(self.contig, prepend=-1) == 0
        return np.where(same, np.maximum(shared, 0), 0)

    def subset(self, keep: NDArray[np.bool_]) -> "Tiles":
        """Select the windows for which `keep` (N,) is true."""
        return replace(self, **{name: values[keep] for name, values in vars(self).items()})


def tile(
    contigs: Mapping[str, int], genome_split: GenomeSplit, bin_size: int, bins: int, crop: int, stride: int
) -> tuple[Tiles, int]:
    """Tile each region of one split with windows.

    What a window reads, context included, lies in its region or past the end of its contig: no base is read in two
    splits. The last window of a region ends with it, and overlaps the one before.

    Args:
        contigs: contig -> length.
        genome_split: splits of the genome.
        bin_size: bases per bin.
        bins: bins that each window predicts.
        crop: bins of context on each side of these.
        stride: bins from one training window to the next; those of val and test do not overlap.

    Returns:
        The windows in the order of the contigs, and the number of bins in regions that are too short for a window.
    """
    lengths = np.array(list(contigs.values()))
    contig, start, end, split = genome_split.regions()
    lowest = np.where(start == 0, 0, -(-start // bin_size) + crop)
    highest = end // bin_size - np.where(end == lengths[contig], 0, crop) - bins
    fits = highest >= lowest
    too_short = int((end - start)[~fits].sum() // bin_size)
    contig, lowest, highest, split = contig[fits], lowest[fits], highest[fits], split[fits]
    step = np.where(split == SPLITS.index("train"), stride, bins)
    count = -(-(highest - lowest) // step) + 1
    region = np.repeat(np.arange(len(count)), count)
    index = np.arange(len(region)) - np.repeat(count.cumsum() - count, count)  # of each window in its region
    begin = np.minimum(lowest[region] + index * step[region], highest[region])
    return Tiles(contig[region], begin, lowest[region], highest[region], split[region]), too_short


def blacklisted(paths: Sequence[str], contigs: Mapping[str, int], bin_size: int) -> NDArray[np.bool_]:
    """Mark the bins (P,) that the regions of BED files touch, by contig -> length and bases per bin."""
    masked = np.zeros(sum(-(-length // bin_size) for length in contigs.values()), np.bool_)
    for path in paths:
        masked |= touched_bins(contigs, bin_size, read_blacklist(path, list(contigs)))
    return masked


def touched_bins(contigs: Mapping[str, int], bin_size: int, regions: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark the bins (P,) that regions (chrom, start, end) touch, by contig -> length and bases per bin."""
    lengths = np.array(list(contigs.values()))
    bins = -(-lengths // bin_size)
    first = bins.cumsum() - bins
    contig = regions["chrom"].map({name: index for index, name in enumerate(contigs)}).to_numpy(np.int64)
    start, end = (np.minimum(regions[side].to_numpy(), lengths[contig]) for side in ("start", "end"))
    inside = start < end  # regions past the end of their contig touch no bin
    contig, start, end = contig[inside], start[inside], end[inside]
    change = np.zeros(bins.sum() + 1, np.int64)
    np.add.at(change, first[contig] + start // bin_size, 1)
    np.add.at(change, first[contig] - (-end // bin_size), -1)
    return change[:-1].cumsum() > 0
