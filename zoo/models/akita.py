"""Akita (Fudenberg 2020, doi:10.1038/s41592-020-0958-x): a megabase in, the map of its contacts out.

Shapes: B batch, L input bases, C channels, P positions, T targets, N bins on a side of the map that is predicted.
"""

from collections.abc import Sequence
from itertools import accumulate
from operator import mul
from typing import Any

import torch
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
from zoo.nn.maps import COMBINATIONS, MapBlock, PairedInputs, Symmetric, dilated_map
from zoo.outputs import Contacts, upper_triangle

__all__ = ["Akita"]


class Akita(SequenceModel):
    """A tower that pools bases down to bins, dilated blocks along them, then a map of all pairs: (B, T, pixels).

    A block is activation, convolution, batch normalisation, dropout, pool, in this order. Predicted are the pixels of
    the upper triangle; the map is symmetric by construction. The defaults are the published human net: 746,149
    trainable parameters with its five targets.

    Args:
        targets: names of the T targets.
        length: bases of a sequence: a multiple of what all pools and the stride make together, the bin.
        stem_filters: channels of the first convolution.
        stem_width: bases that it spans.
        stem_stride: bases by which it moves. Its difference from the width is even.
        stem_pool: positions over which its output is pooled.
        tower_filters: channels of each convolution of the tower.
        tower_width: positions that each spans.
        tower_pools: positions over which each one's output is pooled, of any size: 2, 2, 2, 2, 5, 5, 5 for 2,000 bp.
        fine_filters: channels of the dilated convolutions within the tower.
        fine_dilations: of dilated residual blocks within the tower, where positions are finer than bins; none as
            published. With the stem and tower of a Basenji before them, that is its trunk, and can begin as one.
        fine_after: convolutions of the tower before them.
        fine_dropout: share of the channels after these blocks that is left out in training.
        residual_filters: channels of the dilated convolution in each residual block along the bins.
        dilations: of these, from the first to the last.
        residual_dropout: share of the values that a residual block adds that is left out in training.
        channel_dropout: leave out whole channels instead of single values, there and in the map.
        reduced_filters: channels of a bin before pairs are made.
        reduced_width: bins that the convolution to them spans.
        combine: what a pair of bins has of its two: `mean`, as published; `concatenate`, `max`, `geometric_mean`; or
            `dot`, the products of the channels, which the next convolution adds up.
        map_filters: channels of the map.
        map_residual_filters: channels of the dilated convolution in each residual block of the map.
        map_dilations: of these, from the first to the last.
        map_dropout: share of the values that such a block adds that is left out in training.
        crop: bins left out on each side of the predicted ones, which have too little context.
        diagonal: the first diagonal that is predicted.
        inputs: names of tracks that are read beside the sequence; none as published.
        input_size: bases that a value of these stands for: what positions have somewhere between the bases and the
            bins. None for the bin.
        input_pairs: for each of these the index of its partner on the other strand, itself where it has none.
        inputs_join: `trunk`: what is made of the inputs is added to the sequence's channels where positions have
            `input_size` bases, so that both are read together; or `pairs`: what is made of the inputs of two bins and
            of their distance is added to the map, which suits tracks that vary slowly, such as where a bin lies.
        activation: `relu`, as published, `gelu` or `quick_gelu`.
        norm_momentum: of batch normalisation, as PyTorch counts it: .0735 is Keras' .9265.
        checkpointing: keep only what passes between blocks for the backward pass: less memory, more time.
        rc_average: average predictions with those for the reverse complement.
        loss: `mean_squared_error`.
    """

    def __init__(
        self,
        targets: Sequence[str],
        length: int = 1_048_576,
        stem_filters: int = 96,
        stem_width: int = 11,
        stem_stride: int = 1,
        stem_pool: int = 2,
        tower_filters: Sequence[int] = (96,) * 10,
        tower_width: int = 5,
        tower_pools: Sequence[int] = (2,) * 10,
        fine_filters: int = 64,
        fine_dilations: Sequence[int] = (),
        fine_after: int = 0,
        fine_dropout: float = 0.0,
        residual_filters: int = 48,
        dilations: Sequence[int] = (1, 2, 3, 5, 9, 16, 29, 50),
        residual_dropout: float = 0.4,
        channel_dropout: bool = False,
        reduced_filters: int = 64,
        reduced_width: int = 5,
        combine: str = "mean",
        map_filters: int = 48,
        map_residual_filters: int = 24,
        map_dilations: Sequence[int] = (1, 2, 3, 5, 9, 16),
        map_dropout: float = 0.1,
        crop: int = 32,
        diagonal: int = 2,
        inputs: Sequence[str] = (),
        input_size: int | None = None,
        input_pairs: Sequence[int] | None = None,
        inputs_join: str = "trunk",
        activation: str = "relu",
        norm_momentum: float = 0.0735,
        checkpointing: bool = False,
        rc_average: bool = False,
        loss: str = "mean_squared_error",
    ) -> None:
        sizes = [stem_filters, stem_width, stem_stride, stem_pool, *tower_filters, tower_width, *tower_pools]
        sizes += [fine_filters, *fine_dilations, residual_filters, *dilations, reduced_filters, reduced_width]
        sizes += [map_filters, map_residual_filters, *map_dilations]
        check_numbers(sizes, (residual_dropout, map_dropout, fine_dropout), norm_momentum)
        if len(tower_filters) != len(tower_pools) or not 0 <= fine_after <= len(tower_filters):
            raise ConfigError(
                f"{len(tower_filters)} tower_filters and {len(tower_pools)} tower_pools, fine_after {fine_after} of "
                "them: give one pool for each filter"
            )
        if activation not in ACTIVATIONS or combine not in COMBINATIONS or inputs_join not in ("trunk", "pairs"):
            raise ConfigError(
                f"activations are {', '.join(ACTIVATIONS)}, combinations {', '.join(COMBINATIONS)}, "
                f"inputs_join trunk or pairs; not {activation!r}, {combine!r} and {inputs_join!r}"
            )
        # Bases of a position after the stem and after each convolution of the tower; the last one is a bin.
        steps = list(accumulate([stem_stride * stem_pool, *tower_pools], mul))
        bins = _bins(length, steps[-1], crop, diagonal)
        super().__init__(Contacts(tuple(targets), bins, steps[-1], crop * steps[-1], diagonal), length, loss)
        self.rc_average, self.checkpointing, self.crop, self.combine = rc_average, checkpointing, crop, combine
        common: dict[str, Any] = {"momentum": norm_momentum, "activation": activation}
        channels = [stem_filters, *tower_filters]
        tower = conv_tower(channels, tower_width, tower_pools, common)
        fine = [
            dilated_residual(channels[fine_after], fine_filters, step, common, 0.0, False) for step in fine_dilations
        ]
        coarse = [
            dilated_residual(channels[-1], residual_filters, step, common, residual_dropout, channel_dropout)
            for step in dilations
        ]
        stem = ConvBlock((4, stem_filters), stem_width, stride=stem_stride, pool=stem_pool, **common)
        self.trunk = nn.Sequential(stem, *tower[:fine_after], *fine, *tower[fine_after:], *coarse)
        self.dropped_after, self.dropout = fine_after + len(fine), nn.Dropout1d(fine_dropout)
        self.reduce = nn.Sequential(
            ConvBlock((channels[-1], reduced_filters), reduced_width, **common), ACTIVATIONS[activation]()
        )
        pair = reduced_filters * (2 if combine == "concatenate" else 1)
        self.map = nn.Sequential(
            Symmetric(MapBlock((pair + 1, map_filters), 3, **common)),
            *(
                dilated_map(map_filters, map_residual_filters, step, common, map_dropout, channel_dropout)
                for step in map_dilations
            ),
        )
        self.head = pointwise(map_filters, len(targets))
        rows, columns = upper_triangle(bins, diagonal)
        self.register_buffer("pixels", rows * bins + columns, persistent=False)
        self.inputs, self.input_pairs = tuple(inputs), tuple(input_pairs or ()) if inputs else ()
        self.input_size = steps[-1] if input_size is None else input_size
        # The block of the trunk, or of the map, after which what is made of the inputs is added.
        self.joined_trunk = self.joined_map = -1
        if inputs and inputs_join == "trunk":
            self._join_trunk(steps, channels, fine_after, len(fine))
        elif inputs:
            self._join_pairs(steps[-1], map_filters)

    pixels: Tensor
    join: nn.Module

    def _join_trunk(self, steps: list[int], channels: list[int], fine_after: int, fine: int) -> None:
        """Build what is made of the inputs where the trunk has positions of their size."""
        self._check_pairs()
        if self.input_size not in steps:
            raise ConfigError(
                f"inputs of {self.input_size} bases a value fit nowhere: after the stem and the pools a position has "
                f"{', '.join(map(str, steps))}"
            )
        block = len(steps) - 1 - steps[::-1].index(self.input_size)
        wide = channels[block]
        self.joined_trunk = block + (fine if block > fine_after else 0)  # dilated blocks may lie before it
        self.join = nn.Sequential(pointwise(len(self.inputs), wide), nn.ReLU(), pointwise(wide, wide))

    def _join_pairs(self, bin_size: int, map_filters: int) -> None:
        """Build what is made of the inputs of pairs of bins."""
        self._check_pairs()
        if self.input_size < 1 or bin_size % self.input_size:
            raise ConfigError(f"inputs of {self.input_size} bases a value do not divide bins of {bin_size} bases")
        self.joined_map = 0
        self.join = PairedInputs(len(self.inputs), map_filters, bin_size // self.input_size)

    def _check_pairs(self) -> None:
        if self.input_pairs and sorted(self.input_pairs) != list(range(len(self.inputs))):
            raise ConfigError(f"input_pairs are {len(self.inputs)} indices of inputs, each the other's partner")

    def forward(self, onehot: Tensor, inputs: Tensor | None = None) -> Tensor:
        """One-hot (B, 4, L), and inputs (B, I, L / input_size) where there are any -> raw pixels (B, T, pixels)."""
        return self.full_map(onehot, inputs).flatten(-2)[..., self.pixels]

    def full_map(self, onehot: Tensor, inputs: Tensor | None = None) -> Tensor:
        """As `forward`, but the whole symmetric map (B, T, N, N); the diagonals that are not predicted mean nothing."""
        keep = self.checkpointing and self.training
        x = onehot
        for place, block in enumerate(self.trunk):
            with torch.set_grad_enabled(torch.is_grad_enabled() and block not in self.frozen):
                x = checkpointed(block, x) if keep else block(x)
            if place == self.dropped_after:
                x = self.dropout(x)
            if inputs is not None and place == self.joined_trunk:
                x = x + self.join(inputs)
        x = self.reduce(x)
        x = self._pairs(x)
        for place, block in enumerate(self.map):
            x = checkpointed(block, x) if keep else block(x)
            if inputs is not None and place == self.joined_map:
                x = x + self.join(inputs)
        x = x[..., self.crop : x.shape[-1] - self.crop, self.crop : x.shape[-1] - self.crop]
        raw: Tensor = self.head(x.flatten(-2))  # (B, T, N * N)
        return raw.view(*raw.shape[:-1], *x.shape[-2:])

    def _pairs(self, x: Tensor) -> Tensor:
        """Channels of bins (B, C, P) -> those of pairs of bins, and their distance in bins: (B, C' + 1, P, P)."""
        pairs = COMBINATIONS[self.combine](x[..., :, None], x[..., None, :])
        place = torch.arange(x.shape[-1], device=x.device, dtype=x.dtype)
        distance = (place[:, None] - place).abs().expand(len(x), 1, -1, -1)
        return torch.cat([pairs, distance], 1)


def _bins(length: int, bin_size: int, crop: int, diagonal: int) -> int:
    """How many bins a side of the map has. Raises: ConfigError: too few, or the bins do not divide the length."""
    if length % bin_size:
        raise ConfigError(
            f"the pools and the stride make bins of {bin_size} bases, which do not divide {length} bases; they "
            f"divide {-(-length // bin_size) * bin_size}"
        )
    bins = length // bin_size - 2 * crop
    if crop < 0 or diagonal < 0 or bins <= diagonal:
        raise ConfigError(
            f"{length} bases make {length // bin_size} bins: after cropping {crop} a side nothing is left from the "
            f"diagonal {diagonal} on"
        )
    return bins
