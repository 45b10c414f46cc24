"""What all predictors share: evaluation mode, the precision asked for, and the steps plan, stream, collect.

Shapes: B batch, L bases, I input tracks, P values of each.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar, Generic, Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.errors import ConfigError
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.inference.processes import ALONE
from zoo.inference.regions import choose_targets
from zoo.models._base import SequenceModel
from zoo.utils.text import counted, quoted, some_of

__all__ = ["Plan", "Precision", "Predictor", "check_finite", "check_input_table", "inference", "predict_batch"]

Precision = Literal["32", "bf16", "16"]
_DTYPES = {"32": None, "bf16": torch.bfloat16, "16": torch.float16}


@contextmanager
def inference(model: SequenceModel, precision: Precision) -> Iterator[None]:
    """Evaluation mode, no gradients, the precision asked for; afterwards the model is as it was.

    Raises:
        ConfigError: another precision.
    """
    if precision not in _DTYPES:
        raise ConfigError(f"the precision is 32, bf16 or 16, not {precision!r}")
    training = [module for module in model.modules() if module.training]  # some may be frozen in evaluation mode
    model.eval()
    dtype = _DTYPES[precision]
    try:
        with torch.inference_mode(), torch.autocast(model.device.type, dtype, enabled=dtype is not None):
            yield
    finally:
        for module in training:
            module.training = True


def predict_batch(
    model: SequenceModel, codes: Tensor, names: Sequence[str], precision: Precision, inputs: Tensor | None = None
) -> NDArray[np.float32]:
    """Predict one batch on the model's device. Afterwards the model is as it was.

    Args:
        model: on any device.
        codes: uint8 (B, L), on any device.
        names: what a message calls the sequences (B,).
        precision: `32`, or `bf16` / `16` for autocast.
        inputs: float32 (B, I, P), the input tracks of a model that reads some.

    Returns:
        float32 (B, *output.shape), in natural units.

    Raises:
        ConfigError: the batch does not fit into the memory of the device, or a prediction is NaN or infinite.
    """
    with inference(model, precision):
        try:
            moved = None if inputs is None else inputs.to(model.device)
            values: NDArray[np.float32] = model.predict(codes.to(model.device), moved).float().cpu().numpy()
        except torch.cuda.OutOfMemoryError:
            raise ConfigError(
                f"{len(codes)} sequences of {codes.shape[1]} bases do not fit into the memory of {model.device}: "
                "lower the batch size"
            ) from None
    check_finite(values, names, precision)
    return values


def check_finite(values: NDArray[np.float32], names: Sequence[str], precision: Precision) -> None:
    """Check that what a model makes of sequences are numbers: in files, NaN stands for what is not predicted.

    Args:
        values: float32 (B, ...).
        names: what a message calls the sequences (B,).
        precision: in which it was computed.

    Raises:
        ConfigError: the first sequence for which one is NaN or infinite.
    """
    finite = np.isfinite(values)
    if finite.all():
        return
    first = names[int(finite.reshape(len(values), -1).all(1).argmin())]
    reason = "its weights or inputs are too large" if precision == "32" else f"use precision 32, not {precision}"
    raise ConfigError(f"{quoted(first)}: the model computes a value that is NaN or infinite: {reason}")


@dataclass(frozen=True)
class Plan:
    """Plan of a prediction; the plan of each kind adds the sequences or regions.

    Attributes:
        windows: sequences that go through the model; None where they are counted only while they are read.
        rows: sequences (labels) or bins (tracks, contacts) that come out; None likewise. For a progress bar.
        notes: sentences on what is left out or padded, and why; complete when the stream has ended.
    """

    windows: int | None = None
    rows: int | None = None
    notes: list[str] = field(default_factory=list)


SomePlan = TypeVar("SomePlan", bound=Plan)
Piece = TypeVar("Piece")
Result = TypeVar("Result")


class Predictor(ABC, Generic[SomePlan, Piece, Result]):
    """Predicts one kind of output for regions of a genome: `plan`, then `stream`; or all at once with `predict`.

    Args:
        model: a loaded model of this kind; it is used on the device it is on, and left as it was.
        targets: names of the targets wanted, in this order; None for all.
        batch_size: sequences predicted at once; None for the usual number of the kind. Results do not depend on it.
        precision: `32`, or `bf16` / `16` for autocast, which is faster on processors that have it.
        inputs: table (TSV) of the input tracks, for a model that reads some; see `zoo.data.tracks.inputs`.

    Attributes:
        processes: those that share the batches; this one alone unless it is set.

    Raises:
        ConfigError: a model of another kind, a target that it does not have, a batch size below 1, input tracks that
            are missing, or some for a model that reads the sequence alone.
    """

    kind: ClassVar[str]
    usual_batch_size: ClassVar[int]

    def __init__(
        self,
        model: SequenceModel,
        targets: Sequence[str] | None = None,
        batch_size: int | None = None,
        precision: Precision = "32",
        inputs: str | None = None,
    ) -> None:
        if model.output.kind != self.kind:
            raise ConfigError(f"the model predicts {model.output.kind}, not {self.kind}")
        self.model, self.precision, self.inputs = model, precision, inputs
        self.batch_size = self.usual_batch_size if batch_size is None else batch_size
        if self.batch_size < 1:
            raise ConfigError(f"a batch size of {batch_size} is too small")
        self.processes = ALONE
        self.targets = choose_targets(model.output, targets)
        self.rows = [model.output.targets.index(name) for name in self.targets]
        check_input_table(model, inputs)

    @abstractmethod
    def plan(self, genome: Genome, regions: Iterable[Interval]) -> SomePlan:
        """Decide which windows to predict for regions of a genome.

        Raises:
            InputError: regions that the genome does not have, or of which nothing can be predicted.
        """

    @abstractmethod
    def stream(self, plan: SomePlan) -> Iterator[Piece]:
        """Predict a plan piece by piece, in the order of the genome (labels: of the input), in bounded memory."""

    def shape_of(self, count: int) -> tuple[int, ...]:
        """Shape of the predictions for a number of sequences, all targets."""
        return count, *self.model.output.shape

    @abstractmethod
    def collect(self, plan: SomePlan, pieces: Iterable[Piece]) -> Result:
        """Put the pieces of a plan together in memory."""

    def predict(self, genome: Genome, regions: Iterable[Interval]) -> Result:
        """Predict regions of a genome and hold the result in memory."""
        plan = self.plan(genome, regions)
        return self.collect(plan, self.stream(plan))


def check_input_table(model: SequenceModel, table: str | None) -> None:
    """Check that there is a table of input tracks exactly where a model reads some.

    Raises:
        ConfigError: a table for a model that reads the sequence alone, or none for one that reads tracks.
    """
    if table is None and model.inputs.names:
        raise ConfigError(
            f"the model reads {counted(len(model.inputs.names), 'input track')} in addition to the sequence "
            f"({some_of(model.inputs.names)}): name their table with --inputs"
        )
    if table is not None and not model.inputs.names:
        raise ConfigError("the model reads the sequence alone: leave out --inputs")
