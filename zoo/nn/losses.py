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

__all__ = [
    "LOSSES",
    "Loss",
    "binary_cross_entropy",
    "find_loss",
    "mean_squared_error",
    "poisson",
    "poisson_multinomial",
    "scaled_softplus",
    "softplus_squared_error",
]

# Below, log(softplus(x)) is x to float32's precision, and softplus(x) itself may be 0.
_FAR_BELOW = -15.0
# How much the Poisson loss of the total counts beside the multinomial loss of the profile, as in Borzoi.
_TOTAL_WEIGHT = 0.2


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


def softplus_squared_error(raw: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean squared error of softplus(raw), for what is never negative. See `binary_cross_entropy`."""
    return _masked_mean(F.mse_loss, F.softplus(raw.float()), target, weight)


def poisson(raw: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean Poisson loss, rate - count log(rate), of the rate softplus(raw). See `binary_cross_entropy`."""
    return _masked_mean(_poisson_each, raw, target, weight)


def poisson_multinomial(raw: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Poisson loss of each track's total and multinomial loss of how it is spread over the bins (Linder 2025).

    Args:
        raw: (B, T, N); rates are softplus(raw).
        target: the same shape; bins that are NaN count neither for the total nor for the profile.
        weight: how much each target counts, (T, 1); None for all alike.

    Returns:
        (), per bin, as `poisson`.
    """
    raw = raw.float()
    there = ~torch.isnan(target)
    bins = there.sum(-1)
    count = torch.where(there, target, 0.0)
    rate = F.softplus(raw) * there
    total = rate.sum(-1)
    counts, log_total = count.sum(-1), total.clamp(min=torch.finfo(rate.dtype).tiny).log()
    profile = counts * log_total - (count * log_softplus(raw)).sum(-1)
    each = profile + _TOTAL_WEIGHT * (total - counts * log_total)  # (B, T), a sum over bins
    counted = bins if weight is None else bins * weight.squeeze(-1)
    each = each if weight is None else each * weight.squeeze(-1)
    return each.sum() / counted.sum().clamp(min=torch.finfo(each.dtype).tiny)


def log_softplus(raw: Tensor) -> Tensor:
    """log(softplus(raw)), finite and with a finite gradient however low `raw` is."""
    return torch.where(raw < _FAR_BELOW, raw, F.softplus(raw.clamp(min=_FAR_BELOW)).log())


def scaled_softplus(raw: Tensor, scale: Tensor) -> Tensor:
    """What softplus turns into `scale` times softplus(raw), with a gradient however low `raw` is."""
    rate = F.softplus(raw.clamp(min=_FAR_BELOW)) * scale
    near = rate + torch.log(-torch.expm1(-rate))
    return torch.where(raw < _FAR_BELOW, raw + scale.log(), near)


def _poisson_each(raw: Tensor, target: Tensor, reduction: str) -> Tensor:
    return F.softplus(raw) - target * log_softplus(raw)


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
    """A training loss with the activation that turns raw output into natural units, and that unit's name.

    `counts` says that targets below 0 make no sense to it.
    """

    function: LossFunction
    activation: Callable[[Tensor], Tensor]
    unit: str
    classifies: bool
    counts: bool = False


LOSSES = {
    "binary_cross_entropy": Loss(binary_cross_entropy, torch.sigmoid, "probability", classifies=True),
    "mean_squared_error": Loss(mean_squared_error, torch.nn.Identity(), "score", classifies=False),
    "softplus_squared_error": Loss(softplus_squared_error, F.softplus, "coverage", classifies=False, counts=True),
    "poisson": Loss(poisson, F.softplus, "coverage", classifies=False, counts=True),
    "poisson_multinomial": Loss(poisson_multinomial, F.softplus, "coverage", classifies=False, counts=True),
}


def find_loss(name: str) -> Loss:
    """The loss of that name, or a ConfigError that lists the names."""
    if name not in LOSSES:
        raise ConfigError(f"there is no loss {name!r}; there are {', '.join(LOSSES)}")
    return LOSSES[name]
