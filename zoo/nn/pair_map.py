"""The second half of Akita: from channels of bins to a map of pairs of bins.

Shapes: B batch, C channels, P bins, I input tracks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from zoo.batch import InputSpec
from zoo.errors import ConfigError
from zoo.nn.configs import check_dropout, check_positive
from zoo.nn.inputs import check_strand_pairs
from zoo.nn.layers import checkpointed
from zoo.nn.maps import COMBINATIONS, MapBlock, PairedInputs, Pairs, Symmetric, dilated_map
from zoo.nn.stages import Stage

__all__ = ["PairMap", "PairMapConfig"]


@dataclass(frozen=True)
class PairMapConfig:
    """Sizes of a map of pairs of bins; the defaults are those of the published human Akita (Fudenberg 2020).

    Args:
        reduced_filters: channels of a bin before pairs are formed.
        reduced_width_bins: bins that the convolution to them spans.
        combine: how the channels of two bins become those of their pair: `mean`, as published; `concatenate`, `max`,
            `geometric_mean`; or `dot`, products of single channels, which the next convolution adds up.
        filters: channels of the map.
        residual_filters: channels of the dilated convolution in each residual block of the map.
        dilations: dilation of each residual block, in bins.
        dropout: dropout at the end of each residual block.
    """

    reduced_filters: int = 64
    reduced_width_bins: int = 5
    combine: str = "mean"
    filters: int = 48
    residual_filters: int = 24
    dilations: Sequence[int] = (1, 2, 3, 5, 9, 16)
    dropout: float = 0.1

    def check(self) -> None:
        """Check sizes before anything is built.

        Raises:
            ConfigError: sizes or words of which no map can be built.
        """
        sizes = ("reduced_filters", "reduced_width_bins", "filters", "residual_filters", "dilations")
        check_positive({f"pair_map.{name}": getattr(self, name) for name in sizes})
        check_dropout({"pair_map.dropout": self.dropout})
        if self.combine not in COMBINATIONS:
            raise ConfigError(f"pair_map.combine must be one of {', '.join(COMBINATIONS)}, not {self.combine!r}")


class PairMap(nn.Module):
    """Channels of bins (B, C, P), and tracks -> a symmetric map of pairs of bins (B, filters, P, P).

    Args:
        config: the sizes; checked.
        common: `momentum` and `activation` of all blocks, see `MapBlock`.
        channel_dropout: drop whole channels instead of single values.
        checkpointing: keep only what passes between blocks for the backward pass.
    """

    def __init__(
        self, config: PairMapConfig, common: dict[str, Any], channel_dropout: bool, checkpointing: bool
    ) -> None:
        super().__init__()
        self.checkpointing = checkpointing
        self.pairs = Pairs(config.combine)
        channels = config.reduced_filters * (2 if config.combine == "concatenate" else 1)
        first = Symmetric(MapBlock((channels + 1, config.filters), 3, **common))
        others = [
            dilated_map(config.filters, config.residual_filters, dilation, common, config.dropout, channel_dropout)
            for dilation in config.dilations
        ]
        self.blocks = nn.Sequential(first, *others)
        self.join: PairedInputs | None = None

    def add_inputs(self, inputs: InputSpec, filters: int, bin_size: int) -> None:
        """Build the net that adds the tracks of pairs of bins to the map, behind its first block.

        Called last in an architecture: the random weights of nets without inputs do not depend on it.

        Args:
            inputs: the tracks.
            filters: channels of the map.
            bin_size: bases per bin.

        Raises:
            ConfigError: their values do not divide a bin.
        """
        check_strand_pairs(inputs)
        if inputs.size < 1 or bin_size % inputs.size:
            raise ConfigError(f"inputs of {inputs.size} bases per value do not divide bins of {bin_size} bases")
        self.join = PairedInputs(len(inputs.names), filters, bin_size // inputs.size)

    def forward(self, x: Tensor, inputs: Tensor | None = None) -> Tensor:
        """Channels of bins (B, C, P) and inputs (B, I, p) -> map (B, filters, P, P)."""
        keep = self.checkpointing and self.training
        x = self.pairs(x)
        for index, block in enumerate(self.blocks):
            x = checkpointed(block, x) if keep else block(x)
            if index == 0 and self.join is not None:
                x = x + self.join(inputs)
        return x

    def stages(self) -> list[Stage]:
        """List the blocks; the net that adds tracks belongs to the first one."""
        return [[block, *([self.join] if self.join and i == 0 else [])] for i, block in enumerate(self.blocks)]
