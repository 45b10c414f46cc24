"""Values of bigWigs, read window by window until each target is known to vary; nothing is binned into the cache.

Shapes: T tracks, P stored bins of all contigs, N bins that a window predicts.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.splits import Split
from zoo.data.target_values import Variation, measure_variation
from zoo.data.tiles import Tiles
from zoo.data.tracks import TrackDataModule
from zoo.data.tracks.table import Track, Transform
from zoo.data.window_plan import WindowPlan
from zoo.formats.bigwig import BigWig, match_bigwig
from zoo.formats.binning import pool_bins
from zoo.nn.losses import Loss
from zoo.training.preflight.report import Report
from zoo.training.preflight.windows import Reading
from zoo.utils.progress import bar

__all__ = ["track_reading"]

Mask = NDArray[np.bool_]
Values = NDArray[np.float32]
# Stands for the range of a bigWig that cannot be read, which is reported by itself.
_UNKNOWN = Variation(np.zeros(1), np.ones(1))
# Bases of all tracks that are read of the training split at least, to see negative values; and windows of each at most.
_BASES, _WINDOWS = 1_000_000_000, 8


def track_reading(data: TrackDataModule, plan: WindowPlan, loss: Loss | None, report: Report) -> Reading:
    """How the bigWigs of a data set are read.

    Args:
        data: the data, of which headers were read.
        plan: its windows.
        loss: the loss that the values must fit; None where it is not known.
        report: where negative values are reported.
    """
    coverage = data.coverage

    def observed(known: Mask) -> Mask:
        """Bins (P,) that are known, and have a value where bases without one are masked in all tracks."""
        if any(track.missing == "zero" for track in data.tracks):
            return known
        return known & _measured(data)

    def variation(tiles: Tiles, split: Split, observed: Mask) -> Variation:
        """The least and the greatest value of each track in windows of a split."""
        least = int(np.clip(_BASES // (len(data.tracks) * data.length), 1, _WINDOWS)) if split == "train" else 1
        ranges = []
        for track in bar(data.tracks, f"reading values for {split}"):
            one = _UNKNOWN
            with report.collecting(f"track {track.name}"):
                one = _range(data, track, tiles, observed, least)
            ranges.append(one)
        result = Variation(*(np.concatenate(ends) for ends in zip(*ranges, strict=True)))
        for track, lowest in zip(data.tracks, result.lowest, strict=True):
            if loss is not None and loss.counts and lowest < 0:
                report.error("targets", str(data.negative(track.name)))
        return result

    return Reading(coverage.first, observed, variation, coverage.bytes_needed, "bigWigs")


def _measured(data: TrackDataModule) -> Mask:
    """Stored bins (P,) in which some bigWig has a value."""
    contigs, size = data.plan.contigs, data.shape.resolution
    measured = np.zeros(data.coverage.shape[1], np.bool_)
    for track in bar(data.tracks, "reading bigWigs"):
        names, done = match_bigwig(track.path, contigs, []), 0
        with BigWig(track.path) as file:
            for contig, length in contigs.items():
                for values, _ in file.bins(str(names[contig]), 0, length, size, track.statistic, "mask"):
                    measured[done : done + len(values)] |= ~np.isnan(values)
                    done += len(values)
        if measured.all():
            break
    return measured


def _range(data: TrackDataModule, track: Track, tiles: Tiles, observed: Mask, least: int) -> Variation:
    """Range of one target (1,): windows are read in random order until it has two different values."""
    names = match_bigwig(track.path, data.plan.contigs, [])
    order = np.random.default_rng(0).permutation(len(tiles))
    with BigWig(track.path) as file:
        blocks = (_window(data, track, file, names, tiles, int(row), observed) for row in order)
        first = np.concatenate([block for block, _ in zip(blocks, range(least), strict=False)])
        return measure_variation(_chained(first, blocks), 1)


def _chained(first: Values, others: Iterator[Values]) -> Iterator[Values]:
    yield first
    yield from others


def _window(
    data: TrackDataModule, track: Track, file: BigWig, names: dict[str, Any], tiles: Tiles, row: int, observed: Mask
) -> Values:
    """Values of a target in one window, as a model learns them: (1, 1, N), NaN where masked."""
    shape, contig = data.shape, list(data.plan.contigs)[int(tiles.contig[row])]
    start, size = int(tiles.start[row]) * shape.fine, shape.bins * shape.fine
    end = min((start + size) * shape.resolution, data.plan.contigs[contig])
    span = str(names[contig]), start * shape.resolution, end, shape.resolution
    parts = [values for values, _ in file.bins(*span, track.statistic, track.missing)]
    values = np.concatenate(parts)[None, None]  # (1, 1, N * fine)
    first = int(data.coverage.first[tiles.contig[row]]) + start
    values[..., ~observed[first : first + size]] = np.nan
    if shape.fine > 1:
        values = pool_bins(values, shape.fine, [track.statistic])
    return Transform([track])(values)
