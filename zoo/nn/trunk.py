"""The trunk of Basenji and Akita: a convolution, a tower that pools bases to bins, dilated residual blocks.

Shapes: B batch, L bases, C channels, P positions, N bins, I input tracks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import mul
from typing import Any, ClassVar

from torch import Tensor, nn

from zoo.batch import InputSpec
from zoo.errors import ConfigError
from zoo.nn.configs import check_dropout, check_positive
from zoo.nn.inputs import check_strand_pairs
from zoo.nn.layers import ACTIVATIONS, ConvBlock, Residual, checkpointed, dilated_residual, pointwise
from zoo.nn.stages import Stage
from zoo.nn.steps import AddTracks, Crop, Step

__all__ = ["Trunk", "TrunkConfig"]

# The fields that are sizes.
_SIZES = (
    *("stem_filters", "stem_width_bases", "stem_stride_bases", "stem_pool", "tower_filters", "tower_width"),
    *("tower_pools", "residual_filters", "dilations", "fine_filters", "fine_dilations"),
)


@dataclass(frozen=True)
class TrunkConfig:
    """Sizes of a trunk; the defaults are those of the published human Basenji (Kelley 2020).

    Args:
        stem_filters: channels of the first convolution.
        stem_width_bases: bases that it spans.
        stem_stride_bases: bases by which it moves; 1 as published, more for speed. Its difference from the width must
            be even.
        stem_pool: positions over which its output is pooled.
        tower_filters: channels of each convolution of the tower.
        tower_width: positions that each spans.
        tower_pools: positions over which each one's output is pooled. Stride and pools multiply to the bases per bin.
        residual_filters: channels of the dilated convolution in each residual block.
        dilations: dilation of each residual block, in bins.
        dropout: dropout at the end of each residual block.
        channel_dropout: drop whole channels instead of single values, also after the trunk: stronger, and cheaper.
        activation: `quick_gelu` (x sigmoid(1.702 x), as in Basenji), `gelu` (exact) or `relu` (as in Akita).
        norm_momentum: momentum of batch normalisation as PyTorch counts it: 1 - Keras'.
        checkpointing: keep only what passes between blocks for the backward pass: less memory, more time.
    """

    stem_filters: int = 288
    stem_width_bases: int = 15
    stem_stride_bases: int = 1
    stem_pool: int = 2
    tower_filters: Sequence[int] = (339, 399, 470, 554, 652, 768)
    tower_width: int = 5
    tower_pools: Sequence[int] = (2, 2, 2, 2, 2, 2)
    residual_filters: int = 384
    dilations: Sequence[int] = (1, 2, 3, 4, 6, 9, 14, 21, 32, 48, 72)
    dropout: float = 0.3
    channel_dropout: bool = False
    activation: str = "quick_gelu"
    norm_momentum: float = 0.1
    checkpointing: bool = False

    # Dilated residual blocks inside the tower; a subclass makes fields of them.
    fine_filters: ClassVar[int] = 64
    fine_dilations: ClassVar[Sequence[int]] = ()
    fine_after: ClassVar[int] = 0
    fine_dropout: ClassVar[float] = 0.0
    # The order in which random weights are drawn: a seed gives the weights that it always gave.
    stem_drawn_last: ClassVar[bool] = False

    @property
    def position_sizes(self) -> list[int]:
        """Bases per position after the stem and after each convolution of the tower; the last is the bin size."""
        return list(accumulate([self.stem_stride_bases * self.stem_pool, *self.tower_pools], mul))

    @property
    def bin_size(self) -> int:
        """Bases per bin."""
        return self.stem_stride_bases * math.prod([self.stem_pool, *self.tower_pools])

    @property
    def channels(self) -> list[int]:
        """Channels after the stem and after each convolution of the tower."""
        return [self.stem_filters, *self.tower_filters]

    @property
    def block_options(self) -> dict[str, Any]:
        """Arguments that all blocks of a net share: `momentum` and `activation`."""
        return {"momentum": self.norm_momentum, "activation": self.activation}

    def check(self) -> None:
        """Check sizes before anything is built.

        Raises:
            ConfigError: sizes of which no net can be built.
        """
        check_positive({f"trunk.{name}": getattr(self, name) for name in _SIZES})
        check_dropout({"trunk.dropout": self.dropout, "trunk.fine_dropout": self.fine_dropout})
        if not 0 < self.norm_momentum < 1:
            raise ConfigError(f"trunk.norm_momentum must lie between 0 and 1, not {self.norm_momentum}")
        if self.activation not in ACTIVATIONS:
            raise ConfigError(f"trunk.activation must be one of {', '.join(ACTIVATIONS)}, not {self.activation!r}")
        filters, pools = len(self.tower_filters), len(self.tower_pools)
        if filters != pools:
            raise ConfigError(f"trunk has {filters} tower_filters and {pools} tower_pools: give one pool per filter")
        if not 0 <= self.fine_after <= filters:
            raise ConfigError(
                f"trunk.fine_after must lie between 0 and the {filters} tower_filters, not {self.fine_after}"
            )

    def bins(self, length: int, crop: int) -> int:
        """Count the bins of a sequence of `length` bases without the `crop` bins on each side.

        Raises:
            ConfigError: the bins do not divide the length, or none is left.
        """
        size = self.bin_size
        if length % size:
            raise ConfigError(
                f"the stride and the pools of the trunk make bins of {size} bases, which do not divide the length of "
                f"{length} bases; they divide {-(-length // size) * size}"
            )
        if crop < 0:
            raise ConfigError(f"crop_bins must be 0 or more, not {crop}")
        return length // size - 2 * crop


class Trunk(nn.Module):
    """One-hot sequence (B, 4, L), and further tracks -> channels of bins (B, C, N).

    Each block is activation, convolution, batch normalisation, dropout and pool in this order, so the first activates
    the one-hot bases. Dilated blocks inside the tower, after `fine_after` of its convolutions, lie where positions are
    finer than bins: with the blocks before them they have the layout of a Basenji's trunk, and can begin as one.

    Args:
        config: the sizes; checked.
        crop: bins left out on each side of the result, which have too little context.
    """

    def __init__(self, config: TrunkConfig, crop: int = 0) -> None:
        super().__init__()
        self.checkpointing, self.crop = config.checkpointing, crop
        stem = None if config.stem_drawn_last else _stem(config)
        tower = _tower(config)
        fine, coarse = _fine_blocks(config), _coarse_blocks(config)
        after = config.fine_after
        blocks = [stem or _stem(config), *tower[:after], *fine, *tower[after:], *coarse]
        self.blocks = nn.Sequential(*blocks)
        self.fine_dropout = nn.Dropout1d(config.fine_dropout) if config.fine_dropout else nn.Identity()
        self._dropped_after = after + len(fine)
        self._joined_after = -1
        self.join: nn.Module | None = None

    def add_inputs(self, inputs: InputSpec, config: TrunkConfig) -> None:
        """Build the layers that add further tracks to the channels, where positions have as many bases as their values.

        Called last in an architecture: the random weights of nets without inputs do not depend on it.

        Args:
            inputs: the tracks; without any nothing is built.
            config: configuration of this trunk.

        Raises:
            ConfigError: no position has that size.
        """
        if not inputs.names:
            return
        check_strand_pairs(inputs)
        sizes = config.position_sizes
        if inputs.size not in sizes:
            raise ConfigError(
                f"inputs of {inputs.size} bases per value fit nowhere: behind the stem and the pools a position has "
                f"{', '.join(map(str, sizes))} bases"
            )
        block = len(sizes) - 1 - sizes[::-1].index(inputs.size)  # the last one whose positions have that size
        wide = config.channels[block]
        self._joined_after = block + (len(config.fine_dilations) if block > config.fine_after else 0)
        self.join = nn.Sequential(pointwise(len(inputs.names), wide), nn.ReLU(), pointwise(wide, wide))

    def forward(self, onehot: Tensor, inputs: Tensor | None = None) -> Tensor:
        """One-hot (B, 4, L) and inputs (B, I, L / size) -> channels of bins (B, C, N)."""
        keep = self.checkpointing and self.training
        x = onehot
        for index, block in enumerate(self.blocks):
            x = checkpointed(block, x) if keep else block(x)
            if index == self._dropped_after:
                x = self.fine_dropout(x)
            if index == self._joined_after and self.join is not None:
                x = x + self.join(inputs)
        return x[..., self.crop : x.shape[-1] - self.crop] if self.crop else x

    def steps(self) -> list[Step]:
        """List the blocks, the tracks that are added and the crop."""
        steps: list[Step] = list(self.blocks)
        if self.join is not None:
            steps.insert(self._joined_after + 1, AddTracks(self.join))
        return [*steps, *([Crop(self.crop)] if self.crop else [])]

    def stages(self) -> list[Stage]:
        """List the blocks; the layers that add further tracks belong to the one behind which they are added."""
        join = self.join
        return [[block, *([join] if join and i == self._joined_after else [])] for i, block in enumerate(self.blocks)]


def _stem(config: TrunkConfig) -> ConvBlock:
    return ConvBlock(
        (4, config.stem_filters),
        config.stem_width_bases,
        stride=config.stem_stride_bases,
        pool=config.stem_pool,
        **config.block_options,
    )


def _tower(config: TrunkConfig) -> list[ConvBlock]:
    """Convolutions from each number of channels to the next, each with its pool."""
    wide = config.channels
    return [
        ConvBlock((before, after), config.tower_width, pool=pool, **config.block_options)
        for before, after, pool in zip(wide, wide[1:], config.tower_pools, strict=False)
    ]


def _fine_blocks(config: TrunkConfig) -> list[Residual]:
    wide = config.channels[config.fine_after]
    return [
        dilated_residual(wide, config.fine_filters, dilation, config.block_options, 0.0, False)
        for dilation in config.fine_dilations
    ]


def _coarse_blocks(config: TrunkConfig) -> list[Residual]:
    wide = config.channels[-1]
    dropout = (config.dropout, config.channel_dropout)
    return [
        dilated_residual(wide, config.residual_filters, dilation, config.block_options, *dropout)
        for dilation in config.dilations
    ]
