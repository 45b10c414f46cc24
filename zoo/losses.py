"""What a model is trained with and what its raw output means: one decision, one table.

Every loss takes raw predictions and targets of one shape; a missing target is NaN and counts for nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.errors import ConfigError

__all__ = ["LOSSES", "Loss", "binary_cross_entropy", "find_loss", "mean_squared_error"]


def binary_cross_entropy(raw: Tensor, target: Tensor) -> Tensor:
    """Mean binary cross-entropy of logits over the targets that are there. Both (B, ...), result ()."""
    return _masked_mean(F.binary_cross_entropy_with_logits, raw, target)


def mean_squared_error(raw: Tensor, target: Tensor) -> Tensor:
    """Mean squared error over the targets that are there. Both (B, ...), result ()."""
    return _masked_mean(F.mse_loss, raw, target)


def _masked_mean(loss: Callable[..., Tensor], raw: Tensor, target: Tensor) -> Tensor:
    there = ~torch.isnan(target)
    each = loss(raw.float(), torch.where(there, target, 0.0), reduction="none")
    return (each * there).sum() / there.sum().clamp(min=1)


@dataclass(frozen=True)
class Loss:
    """A training loss with the activation that turns raw output into natural units, and that unit's name."""

    function: Callable[[Tensor, Tensor], Tensor]
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
