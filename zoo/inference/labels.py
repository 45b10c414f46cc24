"""Predict labels: sequences or sites of a genome in, a value for each target out; block by block, in bounded memory.

Shapes: N sequences, L bases, T targets, I input tracks, P values of each.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from zoo.errors import ConfigError, InputError
from zoo.formats.sequences import SequenceFile
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import Codes, encode
from zoo.inference.best import best_windows
from zoo.inference.engine import Plan, Precision, Predictor, predict_batch
from zoo.inference.predictions import Predictions, join_rows
from zoo.inference.processes import ALONE, Processes
from zoo.inference.site_codes import SiteCodes
from zoo.inference.sources import FileSource, SiteSource, Source
from zoo.inference.windowing import WHOLE, Windowing
from zoo.models._base import SequenceModel
from zoo.utils.text import quoted
from zoo.writers.labels import LabelRows

__all__ = ["LabelPlan", "LabelPredictor", "predict_codes", "predict_sequences"]

BATCH = 256


@dataclass(frozen=True, kw_only=True)
class LabelPlan(Plan):
    """Plan of a prediction of labels: the sequences.

    Attributes:
        source: sequences of a file or in memory, or sites of a genome; read once, while they are predicted.
    """

    source: Source


class LabelPredictor(Predictor[LabelPlan, LabelRows, Predictions]):
    """Predicts a value for each target and each site of a genome, or each sequence of a file.

    Sites have a length that the model takes (`Interval.resized`), and are read on their strand; past a contig's ends
    they are N (`Genome.check` refuses such sites). They are read as they are predicted, so there may be any number.

    Args:
        model: model of `Labels`. See `Predictor` for this and the others.
        targets: names of the targets wanted.
        batch_size: sequences predicted at once; 256 by default.
        precision: precision of the arithmetic.
        inputs: table of the input tracks; sites are then read into memory first.
        windowing: what is predicted of sequences and sites of other lengths; they are refused by default.
    """

    kind = "labels"
    usual_batch_size = BATCH

    def __init__(
        self,
        model: SequenceModel,
        targets: Sequence[str] | None = None,
        batch_size: int | None = None,
        precision: Precision = "32",
        inputs: str | None = None,
        windowing: Windowing = WHOLE,
    ) -> None:
        super().__init__(model, targets, batch_size, precision, inputs)
        self.windowing = windowing

    def plan(self, genome: Genome, regions: Iterable[Interval]) -> LabelPlan:
        """Plan sites of a genome; they are read while they are predicted."""
        return self.plan_source(SiteSource(genome, regions, self.inputs))

    def plan_file(self, file: SequenceFile, keep: Sequence[str] = ()) -> LabelPlan:
        """Plan a file of sequences.

        Args:
            file: the file.
            keep: columns of a table that become columns of the result.

        Raises:
            ConfigError: the model reads input tracks, and sequences of a file have no coordinates.
        """
        return self.plan_source(FileSource(file, keep))

    def plan_source(self, source: Source) -> LabelPlan:
        """Plan sequences of any source.

        Raises:
            ConfigError: the model reads input tracks, and sequences have no coordinates.
        """
        if self.inputs is not None and not isinstance(source, SiteSource):
            raise ConfigError(
                "--inputs needs coordinates: give BED and name the genome with --genome, for sequences of a file have "
                "none"
            )
        rows = source.count if self.windowing.tile is None else None
        return LabelPlan(source=source, windows=rows, rows=rows)

    def stream(self, plan: LabelPlan) -> Iterator[LabelRows]:
        """Predict a plan block by block, in the order of its source."""
        pieces = self._pieces(plan)
        if self.windowing.best:
            yield from best_windows(pieces, self.targets)
        else:
            yield from (rows for _, rows in pieces)

    def collect(self, plan: LabelPlan, pieces: Iterable[LabelRows]) -> Predictions:
        """Concatenate the rows."""
        return join_rows(list(pieces), tuple(self.targets), plan.notes)

    def _pieces(self, plan: LabelPlan) -> Iterator[tuple[NDArray[np.int64], LabelRows]]:
        """Number of the record of each row, and the rows."""
        for block in plan.source.blocks(self.model, self.windowing, plan.notes):
            values = predict_codes(
                self.model, block.codes, block.names, self.batch_size, self.precision, block.inputs, self.processes
            )
            record = np.arange(len(values)) if block.record is None else block.record
            yield record, LabelRows(block.names, values[:, self.rows], block.columns)


def predict_sequences(
    model: SequenceModel,
    sequences: Sequence[str | bytes],
    names: Sequence[str] | None = None,
    batch_size: int = BATCH,
    precision: Precision = "32",
) -> Predictions:
    """Predict for sequences given as text, with a model of any kind. See `predict_codes`."""
    names = list(names) if names is not None else [f"sequence_{i}" for i in range(1, len(sequences) + 1)]
    if len(names) != len(sequences):
        raise InputError(f"{len(names)} names for {len(sequences)} sequences")
    codes = [encode(sequence) for sequence in sequences]
    values = predict_codes(model, codes, names, batch_size, precision)
    return Predictions(names, model.output.targets, values, output=model.output)


def predict_codes(
    model: SequenceModel,
    codes: Sequence[Codes],
    names: Sequence[str],
    batch_size: int = BATCH,
    precision: Precision = "32",
    inputs: Sequence[NDArray[np.float32]] | None = None,
    processes: Processes = ALONE,
) -> NDArray[np.float32]:
    """Predict for sequences as codes, of any lengths that the model takes, with a model of any kind.

    Sequences of one length go through the model together, so a prediction never depends on its neighbours.

    Args:
        model: a loaded model.
        codes: uint8 (L,) each.
        names: what an error calls them.
        batch_size: sequences predicted at once.
        precision: `32`, or `bf16` / `16` for autocast.
        inputs: float32 (I, P) for each, of a model that reads input tracks.
        processes: those that share the batches.

    Returns:
        float32 (N, *output.shape), in the order of the sequences; as of `Processes.batch`.

    Raises:
        InputError: a length that the model does not take; the message names the sequence.
        ConfigError: a batch size below 1, or a prediction that is NaN or infinite.
    """
    if batch_size < 1:
        raise ConfigError(f"a batch size of {batch_size} is too small")
    lengths = codes.lengths if isinstance(codes, SiteCodes) else np.array([len(one) for one in codes])
    for length in np.unique(lengths):
        _check_length(model, int(length), names[int(np.argmax(lengths == length))])
    values = np.empty((len(codes), *model.output.shape), dtype=np.float32)
    for length in np.unique(lengths):
        order = np.flatnonzero(lengths == length)
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]

            def compute(chosen: NDArray[np.int64] = chosen) -> NDArray[np.float32]:
                """Predict these sequences; only the process that owns the batch does."""
                batch = torch.from_numpy(np.stack([codes[i] for i in chosen]))
                tracks = None if inputs is None else torch.from_numpy(np.stack([inputs[i] for i in chosen]))
                return predict_batch(model, batch, [names[i] for i in chosen], precision, tracks)

            values[chosen] = processes.batch((len(chosen), *model.output.shape), compute)
    return values


def _check_length(model: SequenceModel, length: int, name: str) -> None:
    try:
        model.check_length(length)
    except InputError as error:
        raise InputError(f"{quoted(name)}: {error}") from None
