"""Stretches of a genome within which contacts are expected, such as the arms of chromosomes, in bins."""

from typing import NamedTuple

from zoo.data.genome_split import GenomeSplit
from zoo.data.splits import SPLITS
from zoo.errors import InputError
from zoo.formats.bed import read_bed
from zoo.genome.contigs import find_contigs
from zoo.utils.text import some_of

__all__ = ["Region", "training_regions"]


class Region(NamedTuple):
    """A stretch of a contig, in bins counted from its beginning: pairs are counted within it."""

    contig: str
    start: int
    end: int


def training_regions(
    contigs: dict[str, int], genome_split: GenomeSplit, arms: str | None, bin_size: int
) -> list[Region]:
    """The stretches of the training split, each within one of the arms where these are given, in whole bins."""
    names = list(contigs)
    contig, start, end, split = genome_split.regions()
    train = split == SPLITS.index("train")
    found = [(names[c], int(s), int(e)) for c, s, e in zip(contig[train], start[train], end[train], strict=True)]
    if arms is not None:
        given = read_bed(arms)
        mapped = find_contigs([arm.chrom for arm in given], names)
        bounds = [(mapped[arm.chrom], arm.start, arm.end) for arm in given]
        found = [
            (name, max(s, low), min(e, high))
            for name, s, e in found
            for chrom, low, high in bounds
            if chrom == name and max(s, low) < min(e, high)
        ]
    whole = [
        Region(name, -(-s // bin_size), -(-e // bin_size) if e == contigs[name] else e // bin_size)
        for name, s, e in found
    ]
    regions = [region for region in whole if region.start < region.end]
    if arms is not None and not regions:
        raise InputError(f"{arms}: none of its regions lies in the training split; contigs are {some_of(names)}")
    return regions
