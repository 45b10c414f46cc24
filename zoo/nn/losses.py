"""Losses, each with the activation that turns raw output into natural units: one table.

Every loss takes raw output and targets of one shape; targets that are NaN are not observed and do not count. It gives a
sum and the number of values in it, which batches and processes add up.
Shapes: B batch, T targets, N bins.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.errors import ConfigError

__all__ = [
    "LOSSES",
    "Loss",
    "LossSum",
    "binary_cross_entropy",
    "find_loss",
    "mean_squared_error",
    "means_and_differences",
    "poisson",
    "poisson_multinomial",
    "scaled_softplus",
    "softplus_squared_error",
]

# Below, log(softplus(x)) is x to float32's precision, and softplus(x) itself may be 0.
_FAR_BELOW = -15.0
# Weight of the Poisson loss of the total relative to the multinomial loss of the profile, as in Borzoi.
_TOTAL_WEIGHT = 0.2


class LossSum(NamedTuple):
    """Loss of some values.

    Attributes:
        total: sum of the losses of the observed values, each times its weight; scalar, float32.
        weight: number of these values, or the sum of their weights; scalar.
    """

    total: Tensor
    weight: Tensor

    def mean(self) -> Tensor:
        """Mean loss of the values (scalar); 0 where none is observed."""
        return self.total / self.weight.clamp(min=torch.finfo(self.total.dtype).tiny)


def binary_cross_entropy(raw: Tensor, target: Tensor, weight: Tensor | None = None) -> LossSum:
    """Binary cross-entropy of logits over the observed targets.

    Args:
        raw: (B, ...).
        target: the same shape.
        weight: weight of each value, of a shape that broadcasts to the target's; None for equal weights.
    """
    return _masked_sum(F.binary_cross_entropy_with_logits, raw, target, weight)


def mean_squared_error(raw: Tensor, target: Tensor, weight: Tensor | None = None) -> LossSum:
    """Squared error over the observed targets; arguments as of `binary_cross_entropy`."""
    return _masked_sum(F.mse_loss, raw, target, weight)


def softplus_squared_error(raw: Tensor, target: Tensor, weight: Tensor | None = None) -> LossSum:
    """Squared error of softplus(raw), for targets of 0 and above; arguments as of `binary_cross_entropy`."""
    return _masked_sum(F.mse_loss, F.softplus(raw.float()), target, weight)


def poisson(raw: Tensor, target: Tensor, weight: Tensor | None = None) -> LossSum:
    """Poisson loss, rate - count log(rate), of the rate softplus(raw); arguments as of `binary_cross_entropy`."""
    return _masked_sum(_poisson_values, raw, target, weight)


def poisson_multinomial(raw: Tensor, target: Tensor, weight: Tensor | None = None) -> LossSum:
    """Poisson loss of each track's total plus multinomial loss of its profile over the bins (Linder 2025, Borzoi).

    Args:
        raw: (B, T, N); rates are softplus(raw).
        target: the same shape; bins that are NaN count neither for the total nor for the profile.
        weight: weight of each target (T, 1); None for equal weights.

    Returns:
        The loss with the number of bins, as of `poisson`.
    """
    raw = raw.float()
    observed = ~torch.isnan(target)
    bins = observed.sum(-1)  # (B, T)
    count = torch.where(observed, target, 0.0)
    rate = F.softplus(raw) * observed
    total = rate.sum(-1)
    counts, log_total = count.sum(-1), total.clamp(min=torch.finfo(rate.dtype).tiny).log()
    profile = counts * log_total - (count * log_softplus(raw)).sum(-1)
    loss = profile + _TOTAL_WEIGHT * (total - counts * log_total)  # (B, T), a sum over bins
    weights = bins if weight is None else bins * weight.squeeze(-1)
    loss = loss if weight is None else loss * weight.squeeze(-1)
    return LossSum(loss.sum(), weights.sum())


def means_and_differences(values: Tensor, difference_weight: Tensor) -> Tensor:
    """Mean of each pair of rows, and its difference times the root of a weight: what a squared error of pairs compares.

    Args:
        values: raw output or targets (B, ...), rows 2 i and 2 i + 1 being a pair; NaN where a value is not observed.
        difference_weight: weight of the squared error of differences, relative to that of means ().

    Returns:
        The means, then the differences (B, ...).
    """
    first, second = values.view(-1, 2, *values.shape[1:]).unbind(1)  # (B, ...) -> (B / 2, ...) each
    return torch.cat([(first + second) / 2, difference_weight.sqrt() * (second - first)])


def log_softplus(raw: Tensor) -> Tensor:
    """log(softplus(raw)) of any shape, with finite values and gradients for any `raw`."""
    return torch.where(raw < _FAR_BELOW, raw, F.softplus(raw.clamp(min=_FAR_BELOW)).log())


def scaled_softplus(raw: Tensor, scale: Tensor) -> Tensor:
    """Inverse softplus of `scale` times softplus(raw), with a gradient for any `raw`.

    Args:
        raw: any shape.
        scale: above 0, of a shape that broadcasts to it.
    """
    rate = F.softplus(raw.clamp(min=_FAR_BELOW)) * scale
    near = rate + torch.log(-torch.expm1(-rate))
    return torch.where(raw < _FAR_BELOW, raw + scale.log(), near)


def _poisson_values(raw: Tensor, target: Tensor, reduction: str) -> Tensor:
    return F.softplus(raw) - target * log_softplus(raw)


def _masked_sum(loss: Callable[..., Tensor], raw: Tensor, target: Tensor, weight: Tensor | None) -> LossSum:
    observed = ~torch.isnan(target)
    values = loss(raw.float(), torch.where(observed, target, 0.0), reduction="none")
    if weight is None:
        return LossSum((values * observed).sum(), observed.sum())
    weights = observed * weight
    return LossSum((values * weights).sum(), weights.sum())


class LossFunction(Protocol):
    """A loss: raw output and targets of one shape, and weights or None -> the sum."""

    def __call__(self, raw: Tensor, target: Tensor, weight: Tensor | None = None) -> LossSum:
        """Loss of a batch; arguments as of `binary_cross_entropy`."""


@dataclass(frozen=True)
class Loss:
    """A training loss with the activation that turns raw output into natural units.

    Attributes:
        function: raw output and targets -> the sum of their losses.
        activation: raw output -> natural units, shape unchanged.
        unit: name of the natural unit.
        classifies: whether targets are classes, 0 or 1.
        counts: whether targets below 0 are refused.
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
    """Look up a loss by its name in `LOSSES`.

    Raises:
        ConfigError: an unknown name; all names are listed.
    """
    if name not in LOSSES:
        raise ConfigError(f"there is no loss {name!r}; there are {', '.join(LOSSES)}")
    return LOSSES[name]
