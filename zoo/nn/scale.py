"""Target scaling: a net learns its targets in units in which they vary by about one, and predicts in their own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.errors import ConfigError
from zoo.nn.losses import scaled_softplus

__all__ = ["TargetScale", "TargetScaleConfig", "target_scale"]


@dataclass(frozen=True)
class TargetScaleConfig:
    """The units in which a net learns its targets.

    Args:
        centre: mean of each target in training (T,); None for 0. Not for targets that are predicted by a softplus.
        spread: standard deviation of each target in training, or its mean for coverage (T,); None for 1.
    """

    centre: Sequence[float] | None = None
    spread: Sequence[float] | None = None


class TargetScale(nn.Module):
    """Scale raw outputs so that the activation gives centre + spread times what it would give.

    Args:
        centre: (T, 1, ...), of as many dimensions as the output.
        spread: the same shape.
        activation: of the loss; behind a softplus the scale is that of the softplus, otherwise of the raw output.
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, centre: Tensor, spread: Tensor, activation: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        # The arguments of the model hold them: they are no part of its weights.
        self.register_buffer("centre", centre, persistent=False)
        self.register_buffer("spread", spread, persistent=False)
        self.softplus = activation is F.softplus

    def forward(self, raw: Tensor) -> Tensor:
        """Raw output (..., T, ...) -> float32, shape unchanged."""
        raw = raw.float()
        return scaled_softplus(raw, self.spread) if self.softplus else raw * self.spread + self.centre


def target_scale(
    config: TargetScaleConfig | None, shape: tuple[int, ...], activation: Callable[[Tensor], Tensor]
) -> nn.Module:
    """Build the last module of a head.

    Args:
        config: None for targets that are learnt in their own units.
        shape: shape of one prediction; targets are its first axis.
        activation: activation of the model's loss.

    Returns:
        A `TargetScale`, or a module that changes nothing.

    Raises:
        ConfigError: not one value for each target, a spread that is not positive, or a centre behind a softplus.
    """
    if config is None:
        return nn.Identity()
    targets, tensors = shape[0], []
    for name, values, default in (("centre", config.centre, 0.0), ("spread", config.spread, 1.0)):
        values = [default] * targets if values is None else list(values)
        if len(values) != targets:
            raise ConfigError(f"target_scale.{name} has {len(values)} values for {targets} targets")
        tensors.append(torch.tensor(values, dtype=torch.float32).view(-1, *[1] * (len(shape) - 1)))  # (T, 1, ...)
    centre, spread = tensors
    if not (spread > 0).all():
        raise ConfigError("target_scale.spread must be above 0 for every target")
    if activation is F.softplus and centre.any():
        raise ConfigError("target_scale.centre has no meaning for a loss with a softplus: give spread alone")
    return TargetScale(centre, spread, activation)
