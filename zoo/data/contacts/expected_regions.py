"""Regions of a genome within which expected contacts are counted, such as the arms of chromosomes, in bins."""

from typing import NamedTuple

from zoo.data.genome_split import GenomeSplit
from zoo.data.splits import SPLITS
from zoo.errors import InputError
from zoo.formats.bed import read_bed
from zoo.genome.contigs import find_contigs
from zoo.utils.text import some_of

__all__ = ["Region", "training_regions"]


class Region(NamedTuple):
    """Part of a contig within which pairs of bins are counted.

    Attributes:
        contig: name.
        start: first bin, counted from the contig's beginning.
        end: bin after the last.
    """

    contig: str
    start: int
    end: int


def training_regions(
    contigs: dict[str, int], genome_split: GenomeSplit, arms: str | None, bin_size: int, every: bool = False
) -> list[Region]:
    """Find the regions of the training split, within arms where these are given, in whole bins.

    Args:
        contigs: contig -> length.
        genome_split: split of these contigs.
        arms: BED file of regions, such as chromosome arms; None for whole contigs.
        bin_size: bases per bin.
        every: take the regions of all splits.

    Raises:
        InputError: none of the arms lies in the training split.
    """
    names = list(contigs)
    contig, start, end, split = genome_split.regions()
    train = (split == SPLITS.index("train")) | every
    spans = [(names[c], int(s), int(e)) for c, s, e in zip(contig[train], start[train], end[train], strict=True)]
    if arms is not None:
        entries = read_bed(arms)
        renamed = find_contigs([arm.chrom for arm in entries], names)
        bounds = [(renamed[arm.chrom], arm.start, arm.end) for arm in entries]
        spans = [
            (name, max(s, low), min(e, high))
            for name, s, e in spans
            for chrom, low, high in bounds
            if chrom == name and max(s, low) < min(e, high)
        ]
    # A bin that lies across a border is in no region; the last one of a contig, which may be short, is in one.
    whole = [
        Region(name, -(-s // bin_size), -(-e // bin_size) if e == contigs[name] else e // bin_size)
        for name, s, e in spans
    ]
    regions = [region for region in whole if region.start < region.end]
    if arms is not None and not regions:
        raise InputError(f"{arms}: none of its regions lies in the training split; contigs are {some_of(names)}")
    return regions
