"""Predict contact maps: regions of a genome in, a band along the diagonal out; window by window, in bounded memory.

Shapes: B windows, T targets, N bins on a side of a window's map, R rows of a band, D diagonals.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ConfigError
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.inference.band import Band
from zoo.inference.engine import Plan, Precision, Predictor, predict_batch
from zoo.inference.omitted import Omitted, covered_spans, nothing_predicted, omitted_regions
from zoo.inference.regions import Span
from zoo.inference.windows import WindowReader, contact_starts
from zoo.models._base import SequenceModel
from zoo.outputs import Contacts
from zoo.utils.text import some_of
from zoo.writers.contacts import ContactRows, dense_maps, write_coolers, write_npz

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ContactPlan", "ContactPredictions", "ContactPredictor"]

Values = NDArray[np.float32]


@dataclass(frozen=True, repr=False)
class ContactPredictions:
    """Predicted contact maps.

    Attributes:
        targets: their names (T).
        contigs: contigs of the genome, with their lengths.
        rows: pieces of bands, in the order of the genome.
    """

    targets: tuple[str, ...]
    contigs: dict[str, int]
    rows: list[ContactRows]

    def write(self, path: str | Path) -> list[Path]:
        """Write `path/<target>.cool` for each target; `path` itself if it ends in .npz, or in .cool for one target."""
        if str(path).endswith(".npz"):
            return [write_npz(Path(path), self.targets, self.rows)]
        return write_coolers(path, self.targets, self.contigs, self.rows)

    def __repr__(self) -> str:
        bins = sum(map(len, self.rows))
        contigs = some_of(list(dict.fromkeys(rows.contig for rows in self.rows)), 3)
        return (
            f"ContactPredictions({len(self.targets):,} targets, {bins:,} bins: {some_of(self.targets, 3)}; {contigs})"
        )

    def to_numpy(self) -> Values:
        """The symmetric map of one region, float32 (T, R, R), NaN where nothing is predicted.

        Raises:
            ConfigError: there are several regions, whose maps `maps` gives.
        """
        maps = self.maps()
        if len(maps) != 1:
            raise ConfigError(f"there are {len(maps)} regions ({some_of(maps)}): take `maps()`, a map of each")
        return next(iter(maps.values()))

    def to_dataframe(self) -> "pd.DataFrame":
        """A pandas.DataFrame with a row for each predicted pair of bins, as BEDPE, and a column for each target."""
        import pandas as pd

        parts = []
        for rows in self.rows:
            row, distance = np.nonzero(~np.isnan(rows.values).all(0))
            columns: dict[str, object] = {}
            for side, bins in (("1", rows.first + row), ("2", rows.first + row + distance)):
                end = np.minimum((bins + 1) * rows.bin_size, self.contigs[rows.contig])
                columns |= {f"chrom{side}": rows.contig, f"start{side}": bins * rows.bin_size, f"end{side}": end}
            values = zip(self.targets, rows.values[:, row, distance], strict=True)
            parts.append(pd.DataFrame(columns, index=range(len(row))).assign(**dict(values)))
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    def maps(self) -> dict[str, Values]:
        """`contig:start-end` -> symmetric map (T, R, R), NaN where nothing is predicted."""
        return dense_maps(self.rows)


@dataclass(frozen=True, kw_only=True)
class ContactPlan(Plan):
    """Plan of a prediction of contact maps: the bins of each region.

    Attributes:
        genome: genome that is read.
        spans: the bins, in the order of the genome.
        regions: how many regions are predicted.
        distances: distances of the pairs that are predicted, in bins.
        omitted: what is not predicted.
    """

    genome: Genome
    spans: list[Span]
    regions: int
    distances: NDArray[np.int64]
    omitted: Omitted


class ContactPredictor(Predictor[ContactPlan, ContactRows, ContactPredictions]):
    """Predicts the pairs of bins of regions that lie within a window, each as the mean of the windows that have it.

    Bins are counted from the beginning of each contig. Windows stay on their contig (but for a part of its last bin,
    which is N), so the outermost `crop` bins of it are not predicted. Regions may have any length; those that overlap
    are merged, and strands do not matter.

    Args:
        model: model of `Contacts`. See `Predictor` for this and what is not named here.
        targets: names of the targets wanted.
        batch_size: windows predicted at once; 1 by default.
        precision: precision of the arithmetic.
        inputs: table of the input tracks.
        step: bins from one window to the next, at most those of a window; None for half of them. Pairs further apart
            than a window less a step are predicted in part only.

    Raises:
        ConfigError: as `Predictor`, or a step below 1 or beyond a window.
    """

    kind = "contacts"
    usual_batch_size = 1

    def __init__(
        self,
        model: SequenceModel,
        targets: Sequence[str] | None = None,
        batch_size: int | None = None,
        precision: Precision = "32",
        inputs: str | None = None,
        step: int | None = None,
    ) -> None:
        super().__init__(model, targets, batch_size, precision, inputs)
        assert isinstance(model.output, Contacts)
        self.output = model.output
        self.step = max(1, self.output.bins // 2) if step is None else step
        if self.step < 1:
            raise ConfigError(f"a step of {step} is too small")
        if self.step > self.output.bins:
            raise ConfigError(
                f"steps of {step} bins skip some between windows of {self.output.bins}: choose a smaller --step"
            )

    def plan(self, genome: Genome, regions: Iterable[Interval]) -> ContactPlan:
        """Merge regions into spans of bins, and list what no window predicts."""
        regions = list(regions)
        spans = covered_spans(self.output, genome, regions)
        omitted = omitted_regions(self.output, genome, regions, spans)
        if not spans:
            raise nothing_predicted(self.output, self.model.length, genome, omitted)
        short = set(omitted.contigs)
        long_enough = sum(genome.contig(region.chrom) not in short for region in regions)
        furthest = max(span.last - span.first for span in spans)
        return ContactPlan(
            genome=genome,
            spans=spans,
            windows=sum(len(self._starts(genome, span)) for span in spans),
            rows=sum(span.last - span.first for span in spans),
            regions=long_enough - len(omitted.regions),
            distances=np.arange(self.output.diagonal, min(furthest, self.output.bins)),
            omitted=omitted,
            notes=omitted.notes(self.output, self.model.length),
        )

    def stream(self, plan: ContactPlan) -> Iterator[ContactRows]:
        """Predict the rows of the band of a plan, as soon as no later window adds to them."""
        output, genome = self.output, plan.genome
        contigs, grid = {span.contig for span in plan.spans}, math.gcd(output.bin_size, output.crop)
        reader = WindowReader(self.model, genome, contigs, self.inputs, grid)
        rows, columns = (index.numpy() for index in output.pixels())
        for span in plan.spans:
            starts = self._starts(genome, span)
            band = Band(len(self.rows), output.bins + self.step * self.batch_size, output.bins, int(starts[0]))
            for batch in np.split(starts, range(self.batch_size, len(starts), self.batch_size)):
                yield from _rows_inside(band.release(int(batch[0])), span, output.bin_size)
                predicted = self._predict(reader, span.contig, batch)
                for start, values in zip(batch, predicted, strict=True):
                    band.add(int(start) + rows, columns - rows, values[self.rows])
            yield from _rows_inside(band.release(int(starts[-1]) + output.bins), span, output.bin_size)

    def collect(self, plan: ContactPlan, pieces: Iterable[ContactRows]) -> ContactPredictions:
        """Keep all pieces of the bands."""
        return ContactPredictions(tuple(self.targets), plan.genome.contigs, list(pieces))

    def _predict(self, reader: WindowReader, contig: str, starts: NDArray[np.int64]) -> Values:
        """The maps (B, T, P) of windows, given by the first bins that they predict."""
        first = starts * self.output.bin_size - self.output.crop

        def compute() -> Values:
            """Read these windows and predict them; only the process that owns the batch does."""
            codes, inputs = reader.read(contig, first)
            return predict_batch(self.model, codes, reader.names(contig, first), self.precision, inputs)

        return self.processes.batch(self.shape_of(len(starts)), compute)

    def _starts(self, genome: Genome, span: Span) -> NDArray[np.int64]:
        return contact_starts(self.output, genome.contigs[span.contig], span, self.step)


def _rows_inside(released: tuple[int, Values], span: Span, bin_size: int) -> Iterator[ContactRows]:
    """Rows of a band that lie in a span, without the pixels that reach out of it."""
    start, values = released
    low, high = max(start, span.first), min(start + values.shape[1], span.last)
    if low >= high:
        return
    values = values[:, low - start : high - start]
    column = np.arange(low, high)[:, None] + np.arange(values.shape[2])  # (R, D)
    yield ContactRows(span.contig, low, bin_size, np.where(column < span.last, values, np.float32(np.nan)))
