"""Compare an exported file, loaded again, with its model. Shapes: B batch, L input bases."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from zoo.errors import IntegrityError, one_line
from zoo.exporters.graph import lengths_of
from zoo.exporters.source import Source
from zoo.genome.sequence import UNKNOWN
from zoo.models._base import SequenceModel
from zoo.utils.text import shorten

__all__ = ["TOLERANCE", "Comparison", "Run", "compare"]

# Of a prediction above 1, relative to it.
TOLERANCE = 1e-4
_SHARE_UNKNOWN = 0.1  # of the bases of random sequences

# One-hot bases (B, 4, L), and input tracks where the model reads some, to predictions.
Run = Callable[[Tensor, Tensor | None], Tensor]


class Comparison(NamedTuple):
    """How far an exported file is off.

    Attributes:
        difference: the largest difference; of predictions above 1, relative to them.
        stored: sequences of the stored example that it was compared on.
        batches: numbers of sequences and bases of the batches of random sequences.
    """

    difference: float
    stored: int
    batches: list[tuple[int, int]]


def compare(load: Callable[[Path], Run], path: Path, source: Source) -> Comparison:
    """Load a file, and compare it with the stored example, and with the model on random sequences.

    These have batches of other sizes, and other lengths where the file takes any.

    Args:
        load: loads it.
        path: the file.
        source: what was exported.

    Raises:
        IntegrityError: the file cannot be loaded or run, or a prediction is further off than `TOLERANCE`.
    """
    model, example = source.model, source.example
    with _explained(path, "it cannot be loaded"):
        run = load(path)
    codes, inputs = example["codes"], example.get("inputs")
    difference = _difference(run, model, codes, inputs, example["expected"], path)
    batches = []
    for others, tracks in _random_batches(model, len(codes)):
        with torch.inference_mode():
            expected = model.predict(others, tracks)
        difference = max(difference, _difference(run, model, others, tracks, expected, path))
        batches.append((others.shape[0], others.shape[1]))
    return Comparison(difference, len(codes), batches)


def _random_batches(model: SequenceModel, count: int) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Codes and tracks of batches of other sizes than `count`, with unknown bases, and of other lengths if any do."""
    random = torch.Generator().manual_seed(0)
    least, most = lengths_of(model)
    wanted = (model.length, model.length // 2, 2 * model.length + 1)
    lengths = sorted({max(least, min(bases, most or bases)) for bases in wanted})
    sizes = [size for size in (3, 1, 2) if size != count][:2] if count > 1 else [2]
    for index in range(max(len(sizes), len(lengths))):
        rows, bases = sizes[index % len(sizes)], lengths[index % len(lengths)]
        codes = torch.randint(0, 4, (rows, bases), generator=random).to(torch.uint8)
        codes[torch.rand(rows, bases, generator=random) < _SHARE_UNKNOWN] = UNKNOWN
        shape = (rows, len(model.inputs.names), bases // model.inputs.size)
        yield codes, torch.rand(shape, generator=random) if model.inputs.names else None


def _difference(
    run: Run, model: SequenceModel, codes: Tensor, inputs: Tensor | None, expected: Tensor, path: Path
) -> float:
    """The largest difference of one batch, refused where it is too large."""
    batch = f"in a batch of {codes.shape[0]:,} x {codes.shape[1]:,} bases"
    with _explained(path, f"it cannot be run {batch}"):
        predicted = run(model.encode(codes), inputs)
    if predicted.shape != expected.shape:
        raise IntegrityError(
            f"{path} is not written: {batch} it predicts the shape {list(predicted.shape)}, not {list(expected.shape)}"
        )
    difference = float(((predicted - expected).abs() / expected.abs().clamp(min=1)).max())  # NaN where one is
    if not difference <= TOLERANCE:
        raise IntegrityError(
            f"{path} is not written: {batch} it predicts {difference:.3g} off the model, where {TOLERANCE:g} is allowed"
        )
    return difference


@contextmanager
def _explained(path: Path, what: str) -> Iterator[None]:
    """Say in one sentence that torch or onnxruntime cannot load or run a file."""
    try:
        yield
    except (OSError, MemoryError):
        raise
    except Exception as error:
        reason = shorten(one_line(error).replace(str(path), "the file"))
        raise IntegrityError(f"{path} is not written, for {what}: {reason}") from error
