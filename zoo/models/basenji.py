"""Basenji (Kelley 2018, doi:10.1101/gr.227819.117; 2020): long sequences in, tracks along them out.

Shapes: B batch, L input bases, C channels, P positions, T targets, N bins.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.errors import ConfigError
from zoo.models._base import SequenceModel
from zoo.nn.layers import (
    ACTIVATIONS,
    ConvBlock,
    check_numbers,
    checkpointed,
    conv_tower,
    dilated_residual,
    pointwise,
)
from zoo.nn.losses import scaled_softplus
from zoo.outputs import Tracks

__all__ = ["Basenji"]


class Basenji(SequenceModel):
    """A stem, a tower of convolutions that pool down to bins, dilated residual blocks, a pointwise head: (B, T, N).

    Each block is activation, convolution, batch normalisation, dropout, pool, in this order, so the first activates the
    one-hot bases. The defaults are the published human net: 30,088,228 trainable parameters with its 5,313 targets.

    Args:
        targets: names of the T targets.
        length: bases of a sequence: a multiple of what all pools and the stride make together, the bin.
        strand_pairs: for each target the index of its partner on the other strand, itself where it has none; None
            where none has.
        stem_filters: channels of the first convolution.
        stem_width: bases that it spans.
        stem_stride: bases by which it moves; 1 as published, more for speed. Its difference from the width is even.
        stem_pool: positions over which its output is pooled.
        tower_filters: channels of each convolution of the tower.
        tower_width: positions that each spans.
        tower_pools: positions over which each one's output is pooled.
        residual_filters: channels of the dilated convolution in each residual block.
        dilations: of the residual blocks, from the first to the last.
        residual_dropout: share of the values that a residual block adds that is left out in training.
        channel_dropout: leave out whole channels instead of single values, there and in the head.
        head_filters: channels of the pointwise convolution before the outputs.
        head_dropout: share of its values that is left out in training.
        crop: bins left out on each side of the predicted ones, which have too little context.
        scales: for each target the unit in which the net learns it, such as its mean; None for 1. What is predicted
            stays in the target's own unit.
        activation: `quick_gelu`, as published (x sigmoid(1.702 x)); `gelu`, the exact one; or `relu`.
        norm_momentum: of batch normalisation, as PyTorch counts it: .1 is Keras' .9.
        checkpointing: keep only what passes between blocks for the backward pass: less memory, more time.
        rc_average: average predictions with those for the reverse complement.
        loss: `poisson`, `poisson_multinomial`, or `softplus_squared_error`.
    """

    scale: Tensor

    def __init__(
        self,
        targets: Sequence[str],
        length: int = 131_072,
        strand_pairs: Sequence[int] | None = None,
        stem_filters: int = 288,
        stem_width: int = 15,
        stem_stride: int = 1,
        stem_pool: int = 2,
        tower_filters: Sequence[int] = (339, 399, 470, 554, 652, 768),
        tower_width: int = 5,
        tower_pools: Sequence[int] = (2, 2, 2, 2, 2, 2),
        residual_filters: int = 384,
        dilations: Sequence[int] = (1, 2, 3, 4, 6, 9, 14, 21, 32, 48, 72),
        residual_dropout: float = 0.3,
        channel_dropout: bool = False,
        head_filters: int = 1536,
        head_dropout: float = 0.05,
        crop: int = 64,
        scales: Sequence[float] | None = None,
        activation: str = "quick_gelu",
        norm_momentum: float = 0.1,
        checkpointing: bool = False,
        rc_average: bool = True,
        loss: str = "poisson",
    ) -> None:
        sizes = [stem_filters, stem_width, stem_stride, stem_pool, *tower_filters, tower_width, *tower_pools]
        sizes += [residual_filters, *dilations, head_filters]
        check_numbers(sizes, (residual_dropout, head_dropout), norm_momentum)
        if len(tower_filters) != len(tower_pools):
            raise ConfigError(
                f"{len(tower_filters)} tower_filters and {len(tower_pools)} tower_pools: give one of each"
            )
        if activation not in ACTIVATIONS:
            raise ConfigError(f"there is no activation {activation!r}; there are {', '.join(ACTIVATIONS)}")
        bin_size = stem_stride * math.prod([stem_pool, *tower_pools])
        bins = _bins(length, bin_size, crop)
        super().__init__(
            Tracks(tuple(targets), bins, bin_size, crop * bin_size, tuple(strand_pairs or ())), length, loss
        )
        self.rc_average, self.checkpointing, self.crop = rc_average, checkpointing, crop
        if scales is not None and (len(scales) != len(targets) or min(scales) <= 0):
            raise ConfigError(f"scales are {len(targets)} numbers above 0, one for each target")
        scale = torch.ones(len(targets), 1) if scales is None else torch.tensor(scales, dtype=torch.float32)[:, None]
        self.scaled = scales is not None
        self.register_buffer("scale", scale, persistent=False)  # the arguments hold them
        common: dict[str, Any] = {"momentum": norm_momentum, "activation": activation}
        channels = [stem_filters, *tower_filters]
        stem = ConvBlock((4, stem_filters), stem_width, stride=stem_stride, pool=stem_pool, **common)
        tower = conv_tower(channels, tower_width, tower_pools, common)
        wide = channels[-1]
        residual = [
            dilated_residual(wide, residual_filters, dilation, common, residual_dropout, channel_dropout)
            for dilation in dilations
        ]
        self.trunk = nn.Sequential(stem, *tower, *residual)
        self.head = nn.Sequential(
            ConvBlock((wide, head_filters), dropout=head_dropout, channel_dropout=channel_dropout, **common),
            ACTIVATIONS[activation](),
            pointwise(head_filters, len(targets)),
        )

    def forward(self, onehot: Tensor) -> Tensor:
        """One-hot (B, 4, L) -> raw tracks (B, T, N)."""
        x = onehot
        for block in self.trunk:
            x = checkpointed(block, x) if self.checkpointing and self.training else block(x)
        x = x[..., self.crop : x.shape[-1] - self.crop]
        raw: Tensor = self.head(x)
        return self._in_own_units(raw)

    def _in_own_units(self, raw: Tensor) -> Tensor:
        """Raw tracks whose activation is `scale` times what it would be."""
        if not self.scaled:
            return raw
        raw = raw.float()
        return scaled_softplus(raw, self.scale) if self.loss.activation is F.softplus else raw * self.scale


def _bins(length: int, bin_size: int, crop: int) -> int:
    """How many bins are predicted. Raises: ConfigError: none, or the bins do not divide the length."""
    if length % bin_size:
        raise ConfigError(
            f"the pools and the stride make bins of {bin_size} bases, which do not divide {length} bases; they "
            f"divide {-(-length // bin_size) * bin_size}"
        )
    bins = length // bin_size - 2 * crop
    if crop < 0 or bins < 1:
        raise ConfigError(f"{length} bases make {length // bin_size} bins: none is left after cropping {crop} a side")
    return bins
