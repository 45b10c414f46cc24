"""Which windows are predicted along contigs, and what lies outside of all of them."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ConfigError
from zoo.genome import Genome
from zoo.intervals import Interval
from zoo.model import SequenceModel
from zoo.outputs import Contacts
from zoo.track_prediction import touched_stretches

__all__ = ["contacts_of", "is_predicted", "short_contigs", "stretches", "window_count", "window_starts"]


def short_contigs(model: SequenceModel, genome: Genome, regions: Iterable[Interval]) -> list[str]:
    """Contigs of regions that are shorter than a window, and so are not predicted."""
    found = {genome.contig(region.chrom) for region in regions}
    return [name for name in genome.contigs if name in found and not _fits(model, genome.contigs[name])]


def is_predicted(model: SequenceModel, genome: Genome, region: Interval) -> bool:
    """Whether a pair of bins of a region, taken alone, is predicted.

    None is where its contig is shorter than a window, it lies too near the end of it, or it has too few bins.
    """
    output = contacts_of(model)
    lowest, highest = _bounds(output, genome.contigs[genome.contig(region.chrom)])
    first, last = region.start // output.bin_size, -(-region.end // output.bin_size)
    return highest >= lowest and min(last, highest + output.bins) - max(first, lowest) > output.diagonal


def window_count(model: SequenceModel, genome: Genome, regions: Iterable[Interval], step: int | None = None) -> int:
    """How many windows `predict_contacts` predicts."""
    output = contacts_of(model)
    step = max(1, output.bins // 2 if step is None else step)
    found = stretches(model, genome, regions)
    return sum(len(window_starts(output, genome.contigs[c], first, last, step)) for c, first, last in found)


def stretches(model: SequenceModel, genome: Genome, regions: Iterable[Interval]) -> list[tuple[str, int, int]]:
    """What regions touch of contigs that are as long as a window: contig, first bin, and the bin after the last."""
    found = touched_stretches(genome, regions, contacts_of(model).bin_size)
    return [each for each in found if _fits(model, genome.contigs[each[0]])]


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


def _fits(model: SequenceModel, length: int) -> bool:
    lowest, highest = _bounds(contacts_of(model), length)
    return highest >= lowest


def contacts_of(model: SequenceModel) -> Contacts:
    """What the model predicts. Raises: ConfigError: no contacts."""
    if not isinstance(model.output, Contacts):
        raise ConfigError(f"the model predicts {model.output.kind}, not contacts")
    return model.output
