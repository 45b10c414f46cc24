"""What a model is trained with and what its raw output means: one decision, one table.

Every loss takes raw predictions and targets of one shape; a missing target is NaN and counts for nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.errors import ConfigError

__all__ = ["LOSSES", "Loss", "binary_cross_entropy", "find_loss", "mean_squared_error"]


def binary_cross_entropy(raw: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean binary cross-entropy of logits over the targets that are there.

    Args:
        raw: (B, ...).
        target: the same shape.
        weight: how much each counts, of a shape that broadcasts to that; None for all alike.

    Returns:
        ().
    """
    return _masked_mean(F.binary_cross_entropy_with_logits, raw, target, weight)


def mean_squared_error(raw: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean squared error over the targets that are there. See `binary_cross_entropy`."""
    return _masked_mean(F.mse_loss, raw, target, weight)


def _masked_mean(loss: Callable[..., Tensor], raw: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    there = ~torch.isnan(target)
    each = loss(raw.float(), torch.where(there, target, 0.0), reduction="none")
    if weight is None:
        return (each * there).sum() / there.sum().clamp(min=1)
    counted = there * weight
    return (each * counted).sum() / counted.sum().clamp(min=torch.finfo(counted.dtype).tiny)


class LossFunction(Protocol):
    """Raw predictions and targets of one shape, and optionally how much each counts, to a number."""

    def __call__(self, raw: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """See `binary_cross_entropy`."""


@dataclass(frozen=True)
class Loss:
    """A training loss with the activation that turns raw output into natural units, and that unit's name."""

    function: LossFunction
    activation: Callable[[Tensor], Tensor]
    unit: str
    classifies: bool


LOSSES = {
    "binary_cross_entropy": Loss(binary_cross_entropy, torch.sigmoid, "probability", classifies=True),
    "mean_squared_error": Loss(mean_squared_error, torch.nn.Identity(), "score", classifies=False),
}


def find_loss(name: str) -> Loss:
    """The loss of that name, or a ConfigError that lists the names."""
    if name not in LOSSES:
        raise ConfigError(f"there is no loss {name!r}; there are {', '.join(LOSSES)}")
    return LOSSES[name]
