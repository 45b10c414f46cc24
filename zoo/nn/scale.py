"""Target scaling: a net learns its targets in units in which they vary by about one, and predicts in their own.

Shapes: T targets.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.errors import ConfigError
from zoo.nn.losses import scaled_softplus

__all__ = ["TargetScale", "TargetScaleConfig", "TargetTransform", "target_scale", "target_transform"]

# Targets that `describe` names.
_MOST_NAMED = 3


@dataclass(frozen=True)
class TargetScaleConfig:
    """The units in which a net learns its targets.

    Args:
        centre: mean of each target in training (T,); None for 0. Not for targets that are predicted by a softplus.
        spread: standard deviation of each target in training, or a typical value of coverage (T,); None for 1.
        soft_clip: the excess of a scaled value over soft_clip / spread counts as a square root (T,), as in Borzoi
            (Linder 2025, doi:10.1038/s41588-024-02053-6); None for no clip. It takes a `scaled_loss`.
        scaled_loss: whether the loss compares scaled targets, so that all targets count alike, instead of targets in
            their own units.
    """

    centre: Sequence[float] | None = None
    spread: Sequence[float] | None = None
    soft_clip: Sequence[float] | None = None
    scaled_loss: bool = False

    def describe(self, targets: Sequence[str]) -> str:
        """Say in one line how targets (T) are scaled."""
        parts = []
        for index, target in enumerate(targets[:_MOST_NAMED]):
            numbers = [
                f"{name.replace('_', ' ')} {values[index]:g}"
                for name, values in (("centre", self.centre), ("spread", self.spread), ("soft_clip", self.soft_clip))
                if values is not None
            ]
            parts.append(f"{target}: {', '.join(numbers)}")
        more = f"; and {len(targets) - _MOST_NAMED} more" if len(targets) > _MOST_NAMED else ""
        return f"targets are scaled in training, and predicted in their own units: {'; '.join(parts)}{more}"


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


class TargetTransform(nn.Module):
    """Transform targets to the units in which a net learns them, and what it predicts back to their own.

    Args:
        centre: (T, 1, ...), of as many dimensions as the output.
        spread: the same shape.
        soft_clip: the same shape, in units of the target; inf for none.
    """

    centre: Tensor
    spread: Tensor
    soft_clip: Tensor

    def __init__(self, centre: Tensor, spread: Tensor, soft_clip: Tensor) -> None:
        super().__init__()
        # The arguments of the model hold them: they are no part of its weights.
        self.register_buffer("centre", centre, persistent=False)
        self.register_buffer("spread", spread, persistent=False)
        self.register_buffer("soft_clip", (soft_clip - centre) / spread, persistent=False)  # in scaled units

    def forward(self, target: Tensor) -> Tensor:
        """Targets (..., T, ...) in their own units -> as they are learnt; NaN stays NaN."""
        scaled = (target - self.centre) / self.spread
        excess = (scaled - self.soft_clip).clamp(min=0)
        return scaled - excess + torch.sqrt(excess + 1) - 1

    def inverse(self, learnt: Tensor) -> Tensor:
        """Values as they are learnt (..., T, ...) -> in the targets' own units."""
        over = (learnt - self.soft_clip).clamp(min=0)
        # learnt = scaled - excess + sqrt(excess + 1) - 1, so excess = over * (over + 2) where scaled exceeds the clip.
        return (learnt + over * (over + 1)) * self.spread + self.centre

    def clip(self, values: Tensor) -> Tensor:
        """Soft-clip values (..., T, ...), which stay in the targets' own units: what is scored."""
        clipped: Tensor = self(values) * self.spread + self.centre
        return clipped

    @property
    def clips(self) -> bool:
        """Whether any target has a soft clip."""
        return bool(self.soft_clip.isfinite().any())


def target_scale(
    config: TargetScaleConfig | None, shape: tuple[int, ...], activation: Callable[[Tensor], Tensor]
) -> nn.Module:
    """Build the last module of a head.

    Args:
        config: None for targets that are learnt in their own units.
        shape: shape of one prediction; targets are its first axis.
        activation: activation of the model's loss.

    Returns:
        A `TargetScale`; or a module that changes nothing, with a scaled loss too: then targets are transformed.

    Raises:
        ConfigError: not one value for each target, a spread that is not positive, or a centre behind a softplus.
    """
    if config is None:
        return nn.Identity()
    centre, spread, soft_clip = _tensors(config, shape, activation)
    if config.scaled_loss:
        return nn.Identity()
    if soft_clip.isfinite().any():
        raise ConfigError("target_scale.soft_clip takes a scaled loss: add target_scale.scaled_loss: true")
    return TargetScale(centre, spread, activation)


def target_transform(
    config: TargetScaleConfig | None, shape: tuple[int, ...], activation: Callable[[Tensor], Tensor]
) -> TargetTransform | None:
    """Build the transform of targets for a scaled loss; None without one. Arguments and errors as of `target_scale`."""
    if config is None or not config.scaled_loss:
        return None
    return TargetTransform(*_tensors(config, shape, activation))


def _tensors(
    config: TargetScaleConfig, shape: tuple[int, ...], activation: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """Centre, spread and soft clip of each target, (T, 1, ...) each."""
    targets, tensors = shape[0], []
    for name, default in (("centre", 0.0), ("spread", 1.0), ("soft_clip", math.inf)):
        given = getattr(config, name)
        values = [default] * targets if given is None else list(given)
        if len(values) != targets:
            raise ConfigError(f"target_scale.{name} has {len(values)} values for {targets} targets")
        # With values also where the model is built without any, on the meta device: they are checked.
        tensor = torch.tensor(values, dtype=torch.float32, device="cpu")
        tensors.append(tensor.view(-1, *[1] * (len(shape) - 1)))  # (T, 1, ...)
    centre, spread, soft_clip = tensors
    if not ((spread > 0) & (spread < math.inf)).all():
        raise ConfigError("target_scale.spread must be above 0 and finite for every target")
    if not centre.isfinite().all() or soft_clip.isnan().any() or not (soft_clip > centre).all():
        raise ConfigError("target_scale.centre must be a number for every target, and soft_clip one above it")
    if activation is F.softplus and centre.any():
        raise ConfigError("target_scale.centre has no meaning for a loss with a softplus: give spread alone")
    return centre, spread, soft_clip
