"""Predict contact maps: regions of a genome in, a band along the diagonal out; window by window, in bounded memory.

Shapes: B windows, L bases, T targets, N bins on a side of a window's map, R rows of a band, D diagonals.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from zoo.data.tracks.inputs import InputTracks
from zoo.errors import ConfigError, InputError
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.inference.engine import Precision, inference, predict_batch
from zoo.inference.tracks import choose_targets
from zoo.inference.windows import contacts_of, left_out, stretches, window_starts
from zoo.models._base import SequenceModel
from zoo.utils.text import some_of
from zoo.writers.contacts import ContactRows, dense_maps, write_coolers, write_npz

__all__ = ["ContactPredictions", "map_regions", "predict_contacts"]

_BATCH = 1
Values = NDArray[np.float32]


@dataclass(frozen=True)
class ContactPredictions:
    """Predicted maps.

    Attributes:
        targets: their names (T).
        contigs: of the genome, with their lengths.
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

    def maps(self) -> dict[str, Values]:
        """`contig:start-end` -> symmetric map (T, R, R), NaN where nothing is predicted."""
        return dense_maps(self.rows)


def map_regions(
    model: SequenceModel,
    genome: Genome,
    regions: Iterable[Interval],
    targets: Sequence[str] | None = None,
    batch_size: int = _BATCH,
    precision: Precision = "32",
    step: int | None = None,
    inputs_table: str | None = None,
) -> ContactPredictions:
    """Predict the maps of regions and hold them in memory. See `predict_contacts`.

    For whole genomes hand what `predict_contacts` gives, piece by piece, to `zoo.writers.contacts.write_coolers`.
    """
    chosen = choose_targets(model, targets)
    rows = predict_contacts(model, genome, regions, chosen, batch_size, precision, step, inputs_table)
    return ContactPredictions(tuple(chosen), genome.contigs, list(rows))


def predict_contacts(
    model: SequenceModel,
    genome: Genome,
    regions: Iterable[Interval],
    targets: Sequence[str] | None = None,
    batch_size: int = _BATCH,
    precision: Precision = "32",
    step: int | None = None,
    inputs_table: str | None = None,
) -> Iterator[ContactRows]:
    """Predict the pairs of bins of regions that lie within a window, in the order of the genome.

    Bins are counted from the beginning of each contig. Windows overlap, and what several predict is averaged. They stay
    on their contig (but for part of its last bin, which is N), so the outermost `crop` bins of it are not predicted.

    Args:
        model: of `Contacts`.
        genome: where the sequences come from.
        regions: of any length; those that overlap are taken together. Their strands do not matter.
        targets: names of those that are wanted; None for all.
        batch_size: windows predicted at once.
        precision: see `zoo.inference.labels.predict_labels`.
        step: bins from one window to the next, up to a window's; None for half of a window. Pairs further apart than a
            window less a step are predicted in part only.
        inputs_table: of the tracks that the model reads beside the sequence, see `zoo.data.tracks.inputs`.

    Raises:
        InputError: a region on a contig that the genome does not have, or past its end; or no contig as long as a
            window.
        ConfigError: a model of something else, a target that it does not have, or tracks that it does not read.
    """
    output = contacts_of(model)
    names = choose_targets(model, targets)
    chosen = [output.targets.index(name) for name in names]
    step = max(1, output.bins // 2) if step is None else step
    if batch_size < 1 or step < 1:
        raise ConfigError(f"a batch size of {batch_size} or a step of {step} is too small")
    if step > output.bins:
        raise ConfigError(f"steps of {step} bins leave some out between windows of {output.bins}: take smaller ones")
    regions = list(regions)
    found = stretches(model, genome, regions)
    if not found:
        raise _nothing(model, genome, regions)
    inputs = _inputs(model, genome, [contig for contig, _, _ in found], inputs_table)
    rows, columns = (place.numpy() for place in output.pixels())
    for contig, first, last in found:
        starts = window_starts(output, genome.contigs[contig], first, last, step)
        band = _Band(len(chosen), output.bins + step * batch_size, output.bins, int(starts[0]))
        for batch in np.split(starts, range(batch_size, len(starts), batch_size)):
            yield from _rows(band.upto(int(batch[0])), contig, first, last, output.bin_size)
            values = _predict(model, genome, contig, batch, inputs, precision)
            for start, each in zip(batch, values, strict=True):
                band.add(int(start) + rows, columns - rows, each[chosen])
        yield from _rows(band.upto(int(starts[-1]) + output.bins), contig, first, last, output.bin_size)


class _Band:
    """Sums of predictions for the rows that windows still add to: those before the next window are done."""

    def __init__(self, targets: int, rows: int, diagonals: int, first: int) -> None:
        self.total = np.zeros((targets, rows, diagonals), np.float32)
        self.count = np.zeros((rows, diagonals), np.float32)
        self.first = first

    def add(self, row: NDArray[np.int64], distance: NDArray[np.int64], values: Values) -> None:
        """Add a window: rows of its pixels, their distances, and values (T, pixels)."""
        self.total[:, row - self.first, distance] += values
        self.count[row - self.first, distance] += 1

    def upto(self, row: int) -> tuple[int, Values]:
        """The first row and the means (T, R, D) of all before `row`, NaN where there are none; they are let go."""
        done = row - self.first
        with np.errstate(invalid="ignore"):
            found = np.where(self.count[:done] > 0, self.total[:, :done] / self.count[:done], np.nan)
        for array in (self.total.swapaxes(0, 1), self.count):
            array[: len(array) - done] = array[done:].copy()
            array[len(array) - done :] = 0
        first, self.first = self.first, row
        return first, found.astype(np.float32)


def _rows(done: tuple[int, Values], contig: str, first: int, last: int, bin_size: int) -> Iterator[ContactRows]:
    """Rows of a band that lie in a region, without the pixels that reach out of it."""
    start, values = done
    low, high = max(start, first), min(start + values.shape[1], last)
    if low >= high:
        return
    values = values[:, low - start : high - start]
    reach = np.arange(low, high)[:, None] + np.arange(values.shape[2])
    yield ContactRows(contig, low, bin_size, np.where(reach < last, values, np.float32(np.nan)))


def _nothing(model: SequenceModel, genome: Genome, regions: Sequence[Interval]) -> InputError:
    """What is said where no pair of bins of any region is predicted."""
    if left_out(model, genome, regions).regions:
        return InputError(
            "nothing is predicted: the regions lie too near the ends of their contigs, or have too few bins of "
            f"{contacts_of(model).bin_size:,} bases"
        )
    return InputError(
        f"windows of {model.length:,} bases are longer than every contig that is to be predicted: the longest of the "
        f"genome has {max(genome.contigs.values()):,}"
    )


def _predict(
    model: SequenceModel,
    genome: Genome,
    contig: str,
    starts: NDArray[np.int64],
    inputs: "InputTracks | None",
    precision: Precision,
) -> Values:
    """The maps (B, T, pixels) of windows, given by the first bin that each predicts."""
    output = contacts_of(model)
    first = starts * output.bin_size - output.crop
    number = np.full(len(starts), list(genome.contigs).index(contig))
    codes = torch.from_numpy(genome.windows(number, first, model.length))
    beside = None
    if inputs is not None:
        place = np.full(len(starts), list(inputs.coverage.contigs).index(contig))
        beside = torch.from_numpy(inputs.windows(place, first, model.length))
    with inference(model, precision):  # which the caller, who goes on between batches, has no part in
        return predict_batch(model, codes, beside)


def _inputs(model: SequenceModel, genome: Genome, contigs: Iterable[str], table: str | None) -> InputTracks | None:
    """What the model reads beside the sequence."""
    if table is None and model.inputs:
        raise ConfigError(
            f"the model reads {len(model.inputs)} tracks beside the sequence ({some_of(model.inputs)}): name their "
            "table with --inputs"
        )
    if table is None:
        return None
    if not model.inputs:
        raise ConfigError("the model reads the sequence alone: leave out --inputs")
    wanted = set(contigs)
    lengths: Mapping[str, int] = {name: length for name, length in genome.contigs.items() if name in wanted}
    found = InputTracks(table, genome, lengths, model.input_size)
    found.check(model.inputs, model.input_size)
    return found
