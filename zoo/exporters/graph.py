"""The graph of an exported file: one-hot bases in, what `predict` gives out.

Shapes: B batch, L input bases, I input tracks, P values of each.
"""

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from zoo.errors import ConfigError, ZooError, one_line
from zoo.models._base import SequenceModel
from zoo.utils.text import shorten

__all__ = [
    "BATCH",
    "INPUTS",
    "LENGTH",
    "OUTPUT",
    "SEQUENCE",
    "Lengths",
    "Shape",
    "lengths_of",
    "quiet",
    "refusals",
    "shapes_of",
    "trace",
]

# Names of the inputs and of the output, and of axes of any size.
SEQUENCE = "sequence"
INPUTS = "inputs"
OUTPUT = "predictions"
BATCH = "batch"
LENGTH = "length"
# Bases of the shortest sequence of a graph of any length; torch.export would make a graph of its own for one base.
_SHORTEST = 2
_LONGEST_REASON = 300  # letters
_ROWS = 2  # sequences of the batch that is traced

# Sizes of the axes of a tensor; those of any size are words.
Shape = tuple[str | int, ...]


class Lengths(NamedTuple):
    """Numbers of bases that a graph reads.

    Attributes:
        least: the fewest.
        most: the most; None without a limit.
    """

    least: int
    most: int | None

    @property
    def is_fixed(self) -> bool:
        """Whether a sequence has one length only."""
        return self.least == self.most


class PredictionGraph(nn.Module):
    """What an exported file computes.

    Args:
        model: in evaluation mode.
    """

    def __init__(self, model: SequenceModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, sequence: Tensor, inputs: Tensor | None = None) -> Tensor:
        """One-hot (B, 4, L), and inputs (B, I, P) -> predictions (B, *output.shape)."""
        return self.model.predict_onehot(sequence, inputs)


def lengths_of(model: SequenceModel) -> Lengths:
    """Lengths that a graph reads: those that the model takes, or its own where tracks have fewer values than bases."""
    if model.min_length == model.max_length or (model.inputs.names and model.inputs.size > 1):
        return Lengths(model.length, model.length)
    return Lengths(max(_SHORTEST, model.min_length), model.max_length)


def shapes_of(model: SequenceModel) -> dict[str, Shape]:
    """Shapes of what a graph reads and gives, by name; an axis of any size is a word."""
    is_fixed = lengths_of(model).is_fixed
    shapes: dict[str, Shape] = {SEQUENCE: (BATCH, 4, model.length if is_fixed else LENGTH)}
    if names := model.inputs.names:
        shapes[INPUTS] = (BATCH, len(names), model.length // model.inputs.size if is_fixed else LENGTH)
    return {**shapes, OUTPUT: (BATCH, *model.output.shape)}


def trace(model: SequenceModel, subject: str) -> ExportedProgram:
    """Trace the graph of a model, with a batch of any size, and any length where the model takes it.

    Args:
        model: in evaluation mode, on the CPU.
        subject: what messages call it.

    Raises:
        ConfigError: torch.export cannot trace it.
    """
    lengths, sizes = lengths_of(model), {BATCH: Dim(BATCH, min=1)}
    if not lengths.is_fixed:
        sizes[LENGTH] = Dim(LENGTH, min=lengths.least, max=lengths.most)
    shapes = {name: shape for name, shape in shapes_of(model).items() if name != OUTPUT}
    codes = torch.zeros(_ROWS, max(model.length, lengths.least), dtype=torch.uint8)
    arguments = [model.encode(codes)]
    if INPUTS in shapes:
        arguments.append(torch.zeros(_ROWS, len(model.inputs.names), codes.shape[1] // model.inputs.size))
    dynamic = tuple(
        {axis: sizes[size] for axis, size in enumerate(s) if isinstance(size, str)} for s in shapes.values()
    )
    with refusals(subject, "torch.export"), quiet():
        program = torch.export.export(PredictionGraph(model), tuple(arguments), dynamic_shapes=dynamic)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # it names files of this computer
    program.example_inputs = None  # they would be stored
    return program


@contextmanager
def quiet() -> Iterator[None]:
    """Drop what torch and the packages of ONNX print, log and warn of while they work."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


@contextmanager
def refusals(subject: str, tool: str) -> Iterator[None]:
    """Say in one sentence that a tool cannot export a model.

    Raises:
        ConfigError: it raised any error that is not of memory, the disk or this package.
    """
    try:
        yield
    except (ZooError, OSError, MemoryError):
        raise
    except Exception as error:
        reason = shorten(one_line(error), _LONGEST_REASON)
        raise ConfigError(f"{subject} cannot be exported, because {tool} refuses it: {reason}") from error
