"""Recompute the example that is stored with a checkpoint, on any device and in any precision."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from zoo.errors import IntegrityError
from zoo.hub.architectures import explained
from zoo.hub.config import read_config
from zoo.hub.example import check_example_values
from zoo.hub.folder import CARD, EXAMPLE, checkpoint_text
from zoo.hub.loading import LoadedModel, load_checked
from zoo.hub.meta_device import check_work
from zoo.hub.targets import read_targets
from zoo.hub.weights import read_tensors
from zoo.inference.engine import Precision, inference

__all__ = ["LARGEST_TOLERANCE", "TOLERANCES", "Verification", "read_example", "verify_folder"]

# A checkpoint states its own tolerance; a larger one than this is not used.
LARGEST_TOLERANCE = 1e-3
# Allowed differences in each precision on any device; in 32 on the CPU that of the checkpoint counts. Over the shipped
# checkpoints bf16 differs by up to .054 and 16 by up to .007, where predictions are sums of many rounded numbers.
TOLERANCES: dict[Precision, float] = {"32": LARGEST_TOLERANCE, "bf16": 0.1, "16": 0.02}


@dataclass(frozen=True)
class Verification:
    """Result of a verification: the largest difference between a model's predictions and the stored ones.

    Attributes:
        name: name of the model.
        sequences: number of predicted sequences.
        difference: the largest difference; of stored values above 1, relative to them.
        tolerance: how large it may be, at most that of the precision in `TOLERANCES`.
        stated: the tolerance that the checkpoint states.
        precision: in which it was computed.
        device: on which it was computed.
    """

    name: str
    sequences: int
    difference: float
    tolerance: float
    stated: float
    precision: Precision = "32"
    device: str = "cpu"


def read_example(folder: Path, loaded: LoadedModel) -> dict[str, Tensor]:
    """Read the stored example of a checkpoint folder: arguments of `predict`, and what is `expected` of them.

    Args:
        folder: the checkpoint.
        loaded: its model.

    Raises:
        IntegrityError: values that are none, or an example that would take out of proportion long.
    """
    example = read_tensors(folder / EXAMPLE)
    check_example_values(folder / EXAMPLE, example)
    with explained(folder / EXAMPLE, "cannot be predicted"):
        shapes = {name: tuple(value.shape) for name, value in example.items() if name != "expected"}
        check_work(loaded.on_meta, shapes, loaded.stored)
    return example


def verify_folder(
    folder: Path, name: str, device: str | torch.device = "cpu", precision: Precision = "32"
) -> Verification:
    """Recompute the example of a checkpoint folder.

    Args:
        folder: the checkpoint.
        name: name of the model, for messages.
        device: where it is computed.
        precision: `32`, or `bf16` / `16` for autocast.

    Raises:
        IntegrityError: a broken folder, an example that would take out of proportion long, or a prediction that is NaN
            or too far from the stored one.
    """
    config = read_config(folder)
    loaded = load_checked(folder, config)
    read_targets(folder)
    if os.path.lexists(folder / CARD):
        checkpoint_text(folder, CARD)
    example = read_example(folder, loaded)
    expected = example.pop("expected")
    with explained(folder / EXAMPLE, "cannot be predicted"):
        model, moved = loaded.model.to(device), {name: value.to(device) for name, value in example.items()}
        with inference(model, precision):
            predicted = model.predict(**moved).float().cpu()
    difference = float(((predicted - expected).abs() / expected.abs().clamp(min=1)).max())  # NaN where one is
    stated, is_exact = config.tolerance, precision == "32" and torch.device(device).type == "cpu"
    tolerance = min(stated, LARGEST_TOLERANCE) if is_exact else TOLERANCES[precision]
    if not difference <= tolerance:
        capped = f" (config.json states {stated:g}; at most {LARGEST_TOLERANCE:g} counts)" if stated > tolerance else ""
        raise IntegrityError(
            f"{name}: the stored example is predicted {difference:.3g} off, where {tolerance:g} is allowed{capped}"
        )
    return Verification(name, len(predicted), difference, tolerance, stated, precision, str(device))
