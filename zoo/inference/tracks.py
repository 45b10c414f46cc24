"""Predict tracks: regions of a genome in, values of their bins out; batch by batch, in bounded memory.

Shapes: B windows, T targets, N bins that a window predicts, P bins of a segment.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ConfigError
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.inference.engine import Plan, Precision, Predictor, predict_batch
from zoo.inference.regions import Span, merge_regions
from zoo.inference.windows import WindowReader, track_starts
from zoo.models._base import SequenceModel
from zoo.outputs import Tracks
from zoo.utils.text import counted, some_of
from zoo.writers.tracks import TrackSegment, write_tracks

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TrackPlan", "TrackPredictions", "TrackPredictor", "join_segments"]


@dataclass(frozen=True, repr=False)
class TrackPredictions:
    """Predicted tracks.

    Attributes:
        targets: their names (T).
        contigs: contigs of the genome, with their lengths.
        segments: in the order of the genome.
    """

    targets: tuple[str, ...]
    contigs: dict[str, int]
    segments: list[TrackSegment]

    def __repr__(self) -> str:
        bins = sum(map(len, self.segments))
        where = some_of([f"{one.contig}:{one.start}-{one.end}" for one in self.segments], 3)
        return f"TrackPredictions({len(self.targets):,} targets, {bins:,} bins: {some_of(self.targets, 3)}; {where})"

    def to_numpy(self) -> NDArray[np.float32]:
        """The values, float32 (P, T): all bins in the order of the genome."""
        empty = np.empty((len(self.targets), 0), np.float32)
        return np.concatenate([empty, *(segment.values for segment in self.segments)], 1).T

    def to_dataframe(self) -> "pd.DataFrame":
        """A pandas.DataFrame with a row for each bin: chrom, start, end, and a column for each target."""
        import pandas as pd

        parts = [
            pd.DataFrame({"chrom": one.contig, "start": one.start + one.bin_size * np.arange(len(one))})
            for one in self.segments
        ]
        frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"chrom": [], "start": []})
        size = self.segments[0].bin_size if self.segments else 0
        ends = np.minimum(frame["start"] + size, frame["chrom"].map(self.contigs))
        values = dict(zip(self.targets, self.to_numpy().T, strict=True))
        return frame.assign(end=ends).assign(**values)

    def write(self, folder: str | Path) -> list[Path]:
        """Write `folder/<target>.bw` for each target. See `zoo.writers.tracks.write_tracks`."""
        return write_tracks(folder, self.targets, self.contigs, self.segments)


@dataclass(frozen=True, kw_only=True)
class TrackPlan(Plan):
    """Plan of a prediction of tracks: the bins of each region.

    Attributes:
        genome: genome that is read.
        spans: the bins, in the order of the genome.
        regions: how many regions were asked for.
    """

    genome: Genome
    spans: list[Span]
    regions: int


class TrackPredictor(Predictor[TrackPlan, TrackSegment, TrackPredictions]):
    """Predicts the bins that regions overlap, each once, the last one of a contig too.

    Bins are counted from the beginning of each contig. Windows overlap, and of each only the middle is kept, which has
    context on both sides. Regions may have any length; those that overlap are merged, and strands do not matter.

    Args:
        model: model of `Tracks`. See `Predictor` for this and what is not named here.
        targets: names of the targets wanted.
        batch_size: windows predicted at once; 16 by default.
        precision: precision of the arithmetic.
        inputs: table of the input tracks.
        trim: bins on each side of a window that are left to its neighbours; None for an eighth of its bins.
        phase: bins by which the windows begin earlier, to measure how little that matters.

    Raises:
        ConfigError: as `Predictor`, or a trim that leaves no bin of a window.
    """

    kind = "tracks"
    usual_batch_size = 16

    def __init__(
        self,
        model: SequenceModel,
        targets: Sequence[str] | None = None,
        batch_size: int | None = None,
        precision: Precision = "32",
        inputs: str | None = None,
        trim: int | None = None,
        phase: int = 0,
    ) -> None:
        super().__init__(model, targets, batch_size, precision, inputs)
        assert isinstance(model.output, Tracks)
        self.output = model.output
        self.trim = self.output.bins // 8 if trim is None else trim
        self.phase = phase
        self.kept = self.output.bins - 2 * self.trim
        if self.trim < 0 or self.kept < 1 or not 0 <= phase < self.kept:
            raise ConfigError(f"of windows of {self.output.bins} bins, {self.trim} cannot be cut off on each side")

    def plan(self, genome: Genome, regions: Iterable[Interval]) -> TrackPlan:
        """Merge regions into spans of bins; contigs shorter than a window are padded with N, which is noted."""
        regions = list(regions)
        spans = merge_regions(genome, regions, self.output.bin_size)
        contigs = dict.fromkeys(span.contig for span in spans)
        short = [name for name in contigs if genome.contigs[name] < self.model.length]
        notes = []
        if short:
            notes.append(
                f"shorter than the {self.model.length:,} bases that the model reads, and padded with N: "
                f"{counted(len(short), 'contig')}, {some_of(sorted(short))}"
            )
        windows = sum(len(track_starts(self.output, span, self.trim, self.phase)) for span in spans)
        rows = sum(span.last - span.first for span in spans)
        return TrackPlan(genome=genome, spans=spans, regions=len(regions), windows=windows, rows=rows, notes=notes)

    def stream(self, plan: TrackPlan) -> Iterator[TrackSegment]:
        """Predict the bins of a plan, a segment for each batch of windows, in the order of the genome."""
        contigs, grid = {span.contig for span in plan.spans}, math.gcd(self.output.bin_size, self.output.crop)
        reader = WindowReader(self.model, plan.genome, contigs, self.inputs, grid)
        for span in plan.spans:
            starts = track_starts(self.output, span, self.trim, self.phase)
            for batch in np.split(starts, range(self.batch_size, len(starts), self.batch_size)):
                values = self._predict(reader, span.contig, batch)
                begin, end = max(span.first, int(batch[0])), min(span.last, int(batch[-1]) + self.kept)
                inside = values[:, begin - int(batch[0]) : end - int(batch[0])]
                yield TrackSegment(span.contig, begin * self.output.bin_size, self.output.bin_size, inside)

    def collect(self, plan: TrackPlan, pieces: Iterable[TrackSegment]) -> TrackPredictions:
        """Join the segments that follow one another."""
        return TrackPredictions(tuple(self.targets), plan.genome.contigs, join_segments(pieces))

    def _predict(self, reader: WindowReader, contig: str, starts: NDArray[np.int64]) -> NDArray[np.float32]:
        """The kept bins (T, B * kept) of windows, given by the first bins that they keep."""
        first = (starts - self.trim) * self.output.bin_size - self.output.crop

        def compute() -> NDArray[np.float32]:
            """Read these windows and predict them; only the process that owns the batch does."""
            codes, inputs = reader.read(contig, first)
            return predict_batch(self.model, codes, reader.names(contig, first), self.precision, inputs)

        values = self.processes.batch(self.shape_of(len(starts)), compute)
        values = values[:, self.rows, self.trim : self.trim + self.kept]
        # (B, T, kept) -> (T, B * kept): the kept bins of neighbouring windows follow one another
        return values.transpose(1, 0, 2).reshape(len(self.rows), -1)


def join_segments(segments: Iterable[TrackSegment]) -> list[TrackSegment]:
    """Concatenate segments that follow one another."""
    groups: list[list[TrackSegment]] = []
    for segment in segments:
        before = groups[-1][-1] if groups else None
        if before is not None and (segment.contig, segment.start) == (before.contig, before.end):
            groups[-1].append(segment)
        else:
            groups.append([segment])
    return [replace(group[0], values=np.concatenate([one.values for one in group], axis=1)) for group in groups]
