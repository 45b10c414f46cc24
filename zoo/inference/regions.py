"""Regions of a genome as runs of bins, sites checked against a model, and the targets that a caller chooses."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from zoo.errors import ConfigError, InputError
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval, parse_region
from zoo.outputs import Output
from zoo.utils.text import quoted, some_of

__all__ = ["Span", "bins_of", "check_regions", "choose_targets", "find_region", "merge_regions"]


class Span(NamedTuple):
    """Bins of a contig that follow one another, counted from its beginning.

    Attributes:
        contig: as the genome names it.
        first: the first bin.
        last: the bin after the last one.
    """

    contig: str
    first: int
    last: int


def bins_of(region: Interval, bin_size: int) -> tuple[int, int]:
    """The first bin that a region overlaps, and the one after the last."""
    return region.start // bin_size, -(-region.end // bin_size)


def merge_regions(genome: Genome, regions: Iterable[Interval], bin_size: int) -> list[Span]:
    """Merge regions that overlap or touch into spans of whole bins.

    Args:
        genome: genome that has the regions.
        regions: in any order; strands do not matter.
        bin_size: bases of a bin.

    Returns:
        Spans that do not touch, in the order of the genome.

    Raises:
        InputError: no region, a contig that the genome does not have, or a region past the end of its contig.
    """
    order = {name: index for index, name in enumerate(genome.contigs)}
    bins = []
    for region in regions:
        genome.check(region)
        contig = genome.contig(region.chrom)
        bins.append((order[contig], contig, *bins_of(region, bin_size)))
    if not bins:
        raise InputError("there is no region to predict")
    spans = []
    for (_, contig), group in groupby(sorted(bins), key=itemgetter(0, 1)):
        (_, _, first, last), *others = group
        for _, _, start, end in others:
            if start > last:
                spans.append(Span(contig, first, last))
                first = start
            last = max(last, end)
        spans.append(Span(contig, first, last))
    return spans


def find_region(text: str, genome: Genome) -> Interval:
    """Parse a region of a genome, such as `chrIX:100,000-110,000`, or the name of a contig for all of it.

    Names of contigs may hold a colon (`HLA-A*01:01:01:01`): the longest name that fits is the contig.

    Raises:
        InputError: a text that is neither, or an empty or reversed region.
    """
    with suppress(InputError):
        contig = genome.contig(text)
        return Interval(contig, 0, genome.contigs[contig])
    return parse_region(text)


def check_regions(regions: Iterable[Interval], genome: Genome, source: str) -> list[Interval]:
    """Read all regions of a file and check that the genome has them.

    Raises:
        InputError: a contig that is not in the genome, or a region past its end; the message names the source.
    """
    checked = []
    for region in regions:
        try:
            genome.check(region)
        except InputError as error:
            raise InputError(f"{source}: {error}") from None
        checked.append(region)
    return checked


def choose_targets(output: Output, names: Sequence[str] | None) -> list[str]:
    """The targets of these names, or all of an output.

    Raises:
        ConfigError: a target that the model does not have, or one that is named twice.
    """
    known = output.targets
    if names and len(set(names)) < len(names):
        raise ConfigError(f"the target {max(names, key=list(names).count)!r} is chosen twice")
    for name in names or []:
        if name not in known:
            raise ConfigError(f"the model has no target {quoted(name)}; it has {some_of(known, 12)}")
    return list(names or known)
