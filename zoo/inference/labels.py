"""Predict labels: sequences or sites of a genome in, a value for each target out; block by block, in bounded memory.

Shapes: N sequences, L bases, T targets, I input tracks, P values of each.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from zoo.errors import ConfigError, InputError
from zoo.formats.sequences import SequenceFile
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import Codes, encode
from zoo.inference.engine import Plan, Precision, Predictor, inference, predict_batch
from zoo.inference.windows import WindowReader
from zoo.models._base import SequenceModel
from zoo.utils.text import quoted
from zoo.writers.labels import LabelRows, write_labels

__all__ = ["LabelPlan", "LabelPredictor", "Predictions", "predict_codes", "predict_sequences"]

_BATCH = 256
# Sites whose sequences are read at once; of models that read input tracks too, at most so many bases of them.
_SITES_AT_ONCE, _BASES_AT_ONCE = 8192, 1 << 22
Block = tuple[list[str], Sequence[Codes], Sequence[NDArray[np.float32]] | None]


@dataclass(frozen=True)
class Predictions:
    """A table of predictions.

    Attributes:
        names: names of the sequences, in their order (N).
        targets: their names (T).
        values: float32 (N, T), in natural units; of `predict_sequences` (N, *output.shape).
    """

    names: list[str]
    targets: tuple[str, ...]
    values: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.names)

    def write(self, path: str | Path) -> None:
        """Write a TSV: a header, a first column `name`, a column for each target. `-` is standard output.

        Raises:
            ConfigError: the values are tracks or contacts, which have more than one for each target.
        """
        if self.values.ndim != 2:
            raise ConfigError("these predictions are no table: take `values`, or `zoo.predict` for regions of a genome")
        write_labels(path, self.targets, [LabelRows(self.names, self.values)])


@dataclass(frozen=True, kw_only=True)
class LabelPlan(Plan):
    """Plan of a prediction of labels: the sequences.

    Attributes:
        source: a file of sequences, or sites of a genome; read once, while it is predicted.
        genome: genome of sites; None for a file of sequences.
    """

    source: SequenceFile | Iterable[Interval]
    genome: Genome | None = None


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
    """

    kind = "labels"
    usual_batch_size = _BATCH

    def plan(self, genome: Genome, regions: Iterable[Interval]) -> LabelPlan:
        """Plan sites of a genome; they are read and checked while they are predicted."""
        if self.inputs is not None:
            regions = list(regions)  # their contigs are read from the bigWigs
        windows = len(regions) if isinstance(regions, Sequence) else None
        return LabelPlan(source=regions, genome=genome, windows=windows, rows=windows)

    def plan_file(self, file: SequenceFile) -> LabelPlan:
        """Plan a file of sequences.

        Raises:
            ConfigError: the model reads input tracks, and sequences of a file have no coordinates.
        """
        if self.inputs is not None:
            raise ConfigError(
                "--inputs needs coordinates: give BED and name the genome with --genome, for sequences of a file have "
                "none"
            )
        return LabelPlan(source=file)

    def stream(self, plan: LabelPlan) -> Iterator[LabelRows]:
        """Predict a plan block by block, in the order of its source."""
        if isinstance(plan.source, SequenceFile):
            blocks = _file_blocks(plan.source, plan.notes)
        else:
            assert plan.genome is not None
            blocks = self._site_blocks(plan.genome, plan.source)
        for names, codes, inputs in blocks:
            values = predict_codes(self.model, codes, names, self.batch_size, self.precision, inputs)
            yield LabelRows(names, values[:, self.rows])

    def collect(self, plan: LabelPlan, pieces: Iterable[LabelRows]) -> Predictions:
        """Concatenate the rows."""
        blocks = list(pieces)
        empty = np.empty((0, len(self.targets)), dtype=np.float32)
        values = np.concatenate([empty, *(block.values for block in blocks)])
        return Predictions([name for block in blocks for name in block.names], tuple(self.targets), values)

    def _site_blocks(self, genome: Genome, sites: Iterable[Interval]) -> Iterator[Block]:
        """Names, codes and input values of sites, block by block."""
        at_once, contigs = _SITES_AT_ONCE, set()
        if self.inputs is not None:
            sites = list(sites)
            contigs = {genome.contig(site.chrom) for site in sites}
            at_once = max(1, min(at_once, _BASES_AT_ONCE // max(map(len, sites), default=1)))
        reader = WindowReader(self.model, genome, contigs, self.inputs) if contigs else None
        stream = iter(sites)
        while block := list(itertools.islice(stream, at_once)):
            codes = [genome.codes(site) for site in block]
            yield [site.label for site in block], codes, reader.input_values(block) if reader else None


def _file_blocks(file: SequenceFile, notes: list[str]) -> Iterator[Block]:
    """Names and codes of a file's sequences, block by block; at its end a note on letters that were read as N."""
    for records in file:
        yield records.names, file.codes(records), None
    if note := file.ambiguity_note():
        notes.append(note)


def predict_sequences(
    model: SequenceModel,
    sequences: Sequence[str | bytes],
    names: Sequence[str] | None = None,
    batch_size: int = _BATCH,
    precision: Precision = "32",
) -> Predictions:
    """Predict for sequences given as text, with a model of any kind. See `predict_codes`."""
    names = list(names) if names is not None else [f"sequence_{i}" for i in range(1, len(sequences) + 1)]
    if len(names) != len(sequences):
        raise InputError(f"{len(names)} names for {len(sequences)} sequences")
    codes = [encode(sequence) for sequence in sequences]
    return Predictions(names, model.output.targets, predict_codes(model, codes, names, batch_size, precision))


def predict_codes(
    model: SequenceModel,
    codes: Sequence[Codes],
    names: Sequence[str],
    batch_size: int = _BATCH,
    precision: Precision = "32",
    inputs: Sequence[NDArray[np.float32]] | None = None,
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

    Returns:
        float32 (N, *output.shape), in the order of the sequences.

    Raises:
        InputError: a length that the model does not take; the message names the sequence.
        ConfigError: a batch size below 1.
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
                tracks = None if inputs is None else torch.from_numpy(np.stack([inputs[i] for i in chosen]))
                values[chosen] = predict_batch(model, batch, tracks)
    return values


def _check_length(model: SequenceModel, length: int, name: str) -> None:
    try:
        model.check_length(length)
    except InputError as error:
        raise InputError(f"{quoted(name)}: {error}") from None
