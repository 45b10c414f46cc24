"""Which windows are predicted along contigs, and what lies outside of all of them."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ConfigError
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.inference.tracks import touched_stretches
from zoo.models._base import SequenceModel
from zoo.outputs import Contacts

__all__ = ["LeftOut", "contacts_of", "left_out", "predicted_distances", "stretches", "window_count", "window_starts"]


class LeftOut(NamedTuple):
    """What is not predicted.

    Attributes:
        contigs: those of the regions that are shorter than a window.
        regions: those on other contigs of which no pair is predicted: too near the end, or of too few bins.
        ends: whether a region reaches into the outermost bins of a contig, which windows read as context alone.
    """

    contigs: list[str]
    regions: list[Interval]
    ends: bool


def left_out(model: SequenceModel, genome: Genome, regions: Sequence[Interval]) -> LeftOut:
    """Which of the regions, those that touch taken together, are not predicted."""
    output = contacts_of(model)
    found = {genome.contig(region.chrom) for region in regions}
    short = [name for name in genome.contigs if name in found and not _fits(model, genome.contigs[name])]
    begins: dict[str, list[tuple[int, int]]] = {}
    for contig, first, last in stretches(model, genome, regions):
        begins.setdefault(contig, []).append((first, last))
    outside, ends, without = [], False, set(short)
    for region in regions:
        contig = genome.contig(region.chrom)
        if contig in without:
            continue
        first, last = _touched(region, output)
        lowest, highest = _bounds(output, genome.contigs[contig])
        ends |= first < lowest or last > highest + output.bins
        spans = begins.get(contig, [])
        before = bisect_right(spans, first, key=lambda span: span[0]) - 1
        if before < 0 or spans[before][1] < last:
            outside.append(region)
    return LeftOut(short, outside, ends)


def window_count(model: SequenceModel, genome: Genome, regions: Iterable[Interval], step: int | None = None) -> int:
    """How many windows `predict_contacts` predicts."""
    output = contacts_of(model)
    step = max(1, output.bins // 2 if step is None else step)
    found = stretches(model, genome, regions)
    return sum(len(window_starts(output, genome.contigs[c], first, last, step)) for c, first, last in found)


def predicted_distances(model: SequenceModel, genome: Genome, regions: Iterable[Interval]) -> NDArray[np.int64]:
    """The distances, in bins, of the pairs that are predicted."""
    output = contacts_of(model)
    furthest = max((last - first for _, first, last in stretches(model, genome, regions)), default=0)
    return np.arange(output.diagonal, min(furthest, output.bins))


def stretches(model: SequenceModel, genome: Genome, regions: Iterable[Interval]) -> list[tuple[str, int, int]]:
    """What regions touch, where a pair of bins of it is predicted: contig, first bin, and the bin after the last."""
    output, found = contacts_of(model), []
    for contig, first, last in touched_stretches(genome, regions, output.bin_size):
        lowest, highest = _bounds(output, genome.contigs[contig])
        inside = min(last, highest + output.bins) - max(first, lowest)
        if highest >= lowest and inside > output.diagonal:
            found.append((contig, first, last))
    return found


def window_starts(output: Contacts, length: int, first: int, last: int, step: int) -> NDArray[np.int64]:
    """The first predicted bins of the windows that cover bins `first` to `last` of a contig of a length."""
    lowest, highest = _bounds(output, length)
    begin = np.clip(min(first, (first + last - output.bins) // 2), lowest, highest)
    end = np.clip(max(last - output.bins, begin), lowest, highest)
    return np.unique(np.append(np.arange(begin, end, step), end)).astype(np.int64)


def _bounds(output: Contacts, length: int) -> tuple[int, int]:
    """The first and last bin at which what a window predicts may begin."""
    crop = output.crop // output.bin_size
    return crop, -(-length // output.bin_size) - crop - output.bins


def _touched(region: Interval, output: Contacts) -> tuple[int, int]:
    """The first bin that a region touches, and the one after the last."""
    return region.start // output.bin_size, -(-region.end // output.bin_size)


def _fits(model: SequenceModel, length: int) -> bool:
    lowest, highest = _bounds(contacts_of(model), length)
    return highest >= lowest


def contacts_of(model: SequenceModel) -> Contacts:
    """What the model predicts. Raises: ConfigError: no contacts."""
    if not isinstance(model.output, Contacts):
        raise ConfigError(f"the model predicts {model.output.kind}, not contacts")
    return model.output
