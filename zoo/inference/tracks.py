"""Predict tracks: regions of a genome in, a bigWig for each target out; window by window, in bounded memory.

Shapes: B windows, L bases, T targets, N bins that a window predicts, P bins of a stretch.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np
import torch

from zoo.errors import ConfigError, InputError
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.inference.engine import Precision, inference, predict_batch
from zoo.models._base import SequenceModel
from zoo.outputs import Tracks
from zoo.utils.text import some_of
from zoo.writers.tracks import TrackStretch, write_tracks

__all__ = [
    "TrackPredictions",
    "choose_targets",
    "predict_region",
    "predict_regions",
    "predict_tracks",
    "touched_bases",
    "touched_stretches",
]

_BATCH = 16


@dataclass(frozen=True)
class TrackPredictions:
    """Predicted tracks.

    Attributes:
        targets: their names (T).
        contigs: of the genome, with their lengths.
        stretches: in the order of the genome.
    """

    targets: tuple[str, ...]
    contigs: dict[str, int]
    stretches: list[TrackStretch]

    def write(self, folder: str | Path) -> list[Path]:
        """Write `folder/<target>.bw` for each target."""
        return write_tracks(folder, self.targets, self.contigs, self.stretches)


def predict_regions(
    model: SequenceModel,
    genome: Genome,
    regions: Iterable[Interval],
    targets: Sequence[str] | None = None,
    batch_size: int = _BATCH,
    precision: Precision = "32",
) -> TrackPredictions:
    """Predict all bins of regions and hold them in memory. See `predict_tracks`.

    For whole genomes hand what `predict_tracks` gives, piece by piece, to `zoo.writers.tracks.write_tracks`.
    """
    chosen = choose_targets(model, targets)
    stretches = list(predict_tracks(model, genome, regions, chosen, batch_size, precision))
    return TrackPredictions(tuple(chosen), genome.contigs, join_stretches(stretches))


def predict_tracks(
    model: SequenceModel,
    genome: Genome,
    regions: Iterable[Interval],
    targets: Sequence[str] | None = None,
    batch_size: int = _BATCH,
    precision: Precision = "32",
    trim: int | None = None,
    phase: int = 0,
) -> Iterator[TrackStretch]:
    """Predict the bins of regions, batch by batch, in the order of the genome.

    Bins are counted from the beginning of each contig; all that a region touches are predicted, once, the last one of
    a contig too. Windows overlap, and of each only the middle is kept, where there is context on both sides.

    Args:
        model: of `Tracks`.
        genome: where the sequences come from; past a contig's ends they are N.
        regions: of any length; those that overlap are taken together. Their strands do not matter.
        targets: names of those that are wanted; None for all.
        batch_size: windows predicted at once.
        precision: see `zoo.inference.labels.predict_labels`.
        trim: bins on each side of a window that are left to its neighbours; None for an eighth of its bins.
        phase: bins by which the windows begin earlier: for measuring how little it matters.

    Raises:
        InputError: a region on a contig that the genome does not have, or past its end.
        ConfigError: a model of something else, a target that it does not have, or a trim that leaves nothing.
    """
    output = _tracks_of(model)
    rows = [output.targets.index(name) for name in choose_targets(model, targets)]
    length = model.length
    trim = output.bins // 8 if trim is None else trim
    kept = output.bins - 2 * trim
    if batch_size < 1:
        raise ConfigError(f"a batch size of {batch_size} is too small")
    if trim < 0 or kept < 1 or not 0 <= phase < kept:
        raise ConfigError(f"of windows of {output.bins} bins, {trim} cannot be left out on each side")
    for contig, first, last in touched_stretches(genome, regions, output.bin_size):
        number = list(genome.contigs).index(contig)
        starts = np.arange(first - phase, last, kept)
        for batch in np.split(starts, range(batch_size, len(starts), batch_size)):
            codes = genome.windows(np.full(len(batch), number), (batch - trim) * output.bin_size - output.crop, length)
            with inference(model, precision):  # which the caller, who goes on between batches, has no part in
                values = predict_batch(model, torch.from_numpy(codes))[:, rows, trim : trim + kept]
            joined = values.transpose(1, 0, 2).reshape(len(rows), -1)  # the kept bins of a batch are neighbours
            begin, end = max(first, int(batch[0])), min(last, int(batch[-1]) + kept)
            here = joined[:, begin - int(batch[0]) : end - int(batch[0])]
            yield TrackStretch(contig, begin * output.bin_size, output.bin_size, here)


def predict_region(
    model: SequenceModel,
    genome: Genome,
    region: Interval,
    targets: Sequence[str] | None = None,
    batch_size: int = _BATCH,
    precision: Precision = "32",
) -> TrackStretch:
    """Predict the bins that a region touches. See `predict_tracks`."""
    (found,) = join_stretches(predict_tracks(model, genome, [region], targets, batch_size, precision))
    return found


def join_stretches(stretches: Iterable[TrackStretch]) -> list[TrackStretch]:
    """Put together what follows one another."""
    joined: list[list[TrackStretch]] = []
    for each in stretches:
        before = joined[-1][-1] if joined else None
        if (
            before
            and each.contig == before.contig
            and each.start == before.start + before.values.shape[1] * each.bin_size
        ):
            joined[-1].append(each)
        else:
            joined.append([each])
    return [replace(group[0], values=np.concatenate([each.values for each in group], axis=1)) for group in joined]


def choose_targets(model: SequenceModel, names: Sequence[str] | None) -> list[str]:
    """The targets of these names, or all. Raises: ConfigError: one that the model does not have, or one twice."""
    known = model.output.targets
    if names and len(set(names)) < len(names):
        raise ConfigError(f"the target {max(names, key=names.count)!r} is chosen twice")
    for name in names or []:
        if name not in known:
            raise ConfigError(f"the model has no target {name!r}; it has {some_of(known, 12)}")
    return list(names or known)


def touched_bases(model: SequenceModel, genome: Genome, regions: Iterable[Interval]) -> int:
    """How many bases the bins have that `predict_tracks` predicts."""
    size = _tracks_of(model).bin_size
    return sum((last - first) * size for _, first, last in touched_stretches(genome, regions, size))


def _tracks_of(model: SequenceModel) -> Tracks:
    if not isinstance(model.output, Tracks):
        raise ConfigError(f"the model predicts {model.output.kind}, not tracks")
    return model.output


def touched_stretches(genome: Genome, regions: Iterable[Interval], bin_size: int) -> Iterator[tuple[str, int, int]]:
    """Contig, first bin and the bin after the last of what regions touch, in the order of the genome."""
    order = {name: place for place, name in enumerate(genome.contigs)}
    found = []
    for region in regions:
        genome.check(region)
        contig = genome.contig(region.chrom)
        found.append((order[contig], contig, region.start // bin_size, -(-region.end // bin_size)))
    if not found:
        raise InputError("there is no region to predict")
    for (_, contig), group in groupby(sorted(found), key=lambda each: each[:2]):
        (_, _, first, last), *others = group
        for _, _, start, end in others:
            if start > last:
                yield contig, first, last
                first = start
            last = max(last, end)
        yield contig, first, last
