"""Predict: sequences or intervals in, a table of values in natural units out; block by block, in bounded memory."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from zoo.errors import ConfigError, InputError, OutputError
from zoo.formats.sequences import SequenceFile
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import Codes, encode
from zoo.inference.contacts import ContactPredictions, map_regions
from zoo.inference.engine import Precision, inference, predict_batch
from zoo.inference.tracks import TrackPredictions, predict_regions
from zoo.models._base import SequenceModel
from zoo.utils.atomic import whole_file

__all__ = [
    "Predictions",
    "predict",
    "predict_codes",
    "predict_file",
    "predict_intervals",
    "predict_labels",
    "predict_sequences",
    "write_predictions",
]

_BATCH = 256
_INTERVALS_AT_ONCE = 8192
_BLANK = str.maketrans("\t\r\n", "   ")  # in a name they would make columns and lines


@dataclass(frozen=True)
class Predictions:
    """A table of predictions.

    Attributes:
        names: of the sequences, in their order (N).
        targets: of the model (T).
        values: float32 (N, *output.shape), in natural units.
    """

    names: list[str]
    targets: tuple[str, ...]
    values: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.names)

    def write(self, path: str | Path) -> None:
        """Write a TSV: a header, a first column `name`, a column for each target. `-` is standard output.

        Raises:
            ConfigError: the values are tracks or maps, which have more than one for each target.
        """
        if self.values.ndim != 2:
            raise ConfigError("these predictions are no table: take `values`, or `zoo.predict` for regions of a genome")
        write_predictions(path, self.targets, [self])


def predict(
    model: SequenceModel, genome: Genome, intervals: Sequence[Interval], precision: Precision = "32"
) -> Predictions | TrackPredictions | ContactPredictions:
    """Predict for intervals of a genome; what comes back can `write` itself: a table, bigWigs or coolers.

    Intervals have the length that the model takes, but for models of tracks and of contacts, which predict along any
    length. See `predict_labels`, `zoo.inference.tracks.predict_regions` and `zoo.inference.contacts.map_regions`.
    """
    if model.output.kind == "contacts":
        return map_regions(model, genome, intervals, precision=precision)
    if model.output.kind == "tracks":
        return predict_regions(model, genome, intervals, precision=precision)
    return predict_labels(model, genome, intervals, precision=precision)


def predict_labels(
    model: SequenceModel,
    genome: Genome,
    intervals: Sequence[Interval],
    batch_size: int = _BATCH,
    precision: Precision = "32",
) -> Predictions:
    """Predict a value for each interval of a genome and each target.

    Args:
        model: a loaded model; it is used on the device where it lies and left as it was.
        genome: where the sequences come from.
        intervals: of the length that the model takes; `Interval.resized` makes them so.
        batch_size: sequences predicted at once. The result does not depend on it.
        precision: `32`, or `bf16` / `16` for autocast, faster on processors that have it.

    Returns:
        A value for each interval and target, in the order of the intervals.

    Raises:
        InputError: a contig that the genome does not have, or a length that the model does not take. Bases past a
            contig's end are N; `Genome.check` refuses such intervals.
    """
    return _joined(model, predict_intervals(model, genome, intervals, batch_size, precision))


def predict_sequences(
    model: SequenceModel,
    sequences: Sequence[str | bytes],
    names: Sequence[str] | None = None,
    batch_size: int = _BATCH,
    precision: Precision = "32",
) -> Predictions:
    """Predict for sequences given as text. See `predict_labels`."""
    names = list(names) if names is not None else [f"sequence_{i}" for i in range(1, len(sequences) + 1)]
    if len(names) != len(sequences):
        raise InputError(f"{len(names)} names for {len(sequences)} sequences")
    codes = [encode(sequence) for sequence in sequences]
    return Predictions(names, model.output.targets, predict_codes(model, codes, names, batch_size, precision))


def predict_file(
    model: SequenceModel, file: SequenceFile, batch_size: int = _BATCH, precision: Precision = "32"
) -> Iterator[Predictions]:
    """Predict for a file of sequences, block by block. See `predict_labels`."""
    for records in file:
        values = predict_codes(model, file.codes(records), records.names, batch_size, precision)
        yield Predictions(records.names, model.output.targets, values)


def predict_intervals(
    model: SequenceModel,
    genome: Genome,
    intervals: Iterable[Interval],
    batch_size: int = _BATCH,
    precision: Precision = "32",
) -> Iterator[Predictions]:
    """Predict for intervals of a genome, block by block. See `predict_labels`."""
    stream = iter(intervals)
    while block := list(itertools.islice(stream, _INTERVALS_AT_ONCE)):
        names = [interval.label for interval in block]
        codes = [genome.codes(interval) for interval in block]
        yield Predictions(names, model.output.targets, predict_codes(model, codes, names, batch_size, precision))


def predict_codes(
    model: SequenceModel,
    codes: Sequence[Codes],
    names: Sequence[str],
    batch_size: int = _BATCH,
    precision: Precision = "32",
) -> NDArray[np.float32]:
    """Predict for sequences as codes, of any lengths that the model takes.

    Sequences of one length go through the model together, so a prediction never depends on its neighbours.

    Args:
        model: a loaded model.
        codes: uint8 (L,) each.
        names: what an error calls them.
        batch_size: sequences predicted at once.
        precision: see `predict_labels`.

    Returns:
        float32 (N, *output.shape), in the order of the sequences.
    """
    if batch_size < 1:
        raise ConfigError(f"a batch size of {batch_size} is too small")
    lengths = np.array([len(one) for one in codes])
    for length in np.unique(lengths):
        _check_length(model, int(length), names[int(np.argmax(lengths == length))])
    values = np.empty((len(codes), *model.output.shape), dtype=np.float32)
    with inference(model, precision):
        for length in np.unique(lengths):
            order = np.flatnonzero(lengths == length)
            for start in range(0, len(order), batch_size):
                chosen = order[start : start + batch_size]
                batch = torch.from_numpy(np.stack([codes[i] for i in chosen]))
                values[chosen] = predict_batch(model, batch)
    return values


def write_predictions(path: str | Path, targets: Sequence[str], blocks: Iterable[Predictions]) -> int:
    """Write a table block by block; the file appears whole or not at all.

    Args:
        path: the TSV to write, or `-` for standard output.
        targets: the names of the columns after `name`.
        blocks: what is written, as it comes.

    Returns:
        The number of rows.

    Raises:
        OutputError: a folder that is not there, or a full disk; nothing is left behind.
    """
    count = 0
    blocks = iter(blocks)
    with whole_file(str(path)) as file:
        first = list(itertools.islice(blocks, 1))  # before the header, so that bad input leaves standard output empty
        try:
            file.write("\t".join(["name", *targets]) + "\n")
            row = "%s" + "\t%.7g" * len(targets) + "\n"
            for block in itertools.chain(first, blocks):
                columns = [[name.translate(_BLANK) for name in block.names], *block.values.T.tolist()]
                cells = tuple(itertools.chain.from_iterable(zip(*columns, strict=True)))
                file.write(row * len(block) % cells)
                count += len(block)
            file.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f"{path} could not be written and was left out: {error.strerror or error}") from None
    return count


def _check_length(model: SequenceModel, length: int, name: str) -> None:
    try:
        model.check_length(length)
    except InputError as error:
        raise InputError(f"{name!r}: {error}") from None


def _joined(model: SequenceModel, blocks: Iterable[Predictions]) -> Predictions:
    found = list(blocks)
    names = [name for block in found for name in block.names]
    empty = np.empty((0, *model.output.shape), dtype=np.float32)
    return Predictions(names, model.output.targets, np.concatenate([empty, *(block.values for block in found)]))
