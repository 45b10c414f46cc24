"""Akita (Fudenberg 2020, doi:10.1038/s41592-020-0958-x): a megabase in, the map of its contacts out.

Shapes: B batch, L input bases, C channels, I input tracks, T targets, N bins on a side of the map that is predicted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from zoo.batch import InputSpec
from zoo.errors import ConfigError
from zoo.models._base import SequenceModel
from zoo.nn.configs import config_of
from zoo.nn.layers import ACTIVATIONS, ConvBlock, pointwise
from zoo.nn.pair_map import PairMap, PairMapConfig
from zoo.nn.stages import Stage, stages_of
from zoo.nn.steps import InFull, Step
from zoo.nn.trunk import Trunk, TrunkConfig
from zoo.outputs import Contacts, upper_triangle

__all__ = ["Akita", "AkitaTrunkConfig"]


@dataclass(frozen=True)
class AkitaTrunkConfig(TrunkConfig):
    """Sizes of Akita's trunk; the defaults are those of the published human net.

    Args:
        stem_filters: channels of the first convolution.
        stem_width_bases: bases that it spans.
        stem_stride_bases: bases by which it moves; 1 as published, more for speed. Its difference from the width must
            be even.
        stem_pool: positions over which its output is pooled.
        tower_filters: channels of each convolution of the tower.
        tower_width: positions that each spans.
        tower_pools: positions over which each one's output is pooled, of any size: 2, 2, 2, 2, 5, 5, 5 for bins of
            2,000 bases. Stride and pools multiply to the bases per bin.
        residual_filters: channels of the dilated convolution in each residual block.
        dilations: dilation of each residual block, in bins.
        dropout: dropout at the end of each residual block.
        channel_dropout: drop whole channels instead of single values, in the map too: stronger, and cheaper.
        activation: `relu`, as published, `gelu` or `quick_gelu`.
        norm_momentum: momentum of batch normalisation as PyTorch counts it: 1 - Keras'.
        checkpointing: keep only what passes between blocks for the backward pass: less memory, more time.
        fine_filters: channels of the dilated convolutions within the tower.
        fine_dilations: of dilated residual blocks within the tower, where positions are finer than bins; none as
            published. With the stem and tower of a Basenji before them, that is its trunk, and can begin as one.
        fine_after: convolutions of the tower before them.
        fine_dropout: probability with which a channel after these blocks is dropped in training.
    """

    stem_filters: int = 96
    stem_width_bases: int = 11
    tower_filters: Sequence[int] = (96,) * 10
    tower_pools: Sequence[int] = (2,) * 10
    residual_filters: int = 48
    dilations: Sequence[int] = (1, 2, 3, 5, 9, 16, 29, 50)
    dropout: float = 0.4
    activation: str = "relu"
    norm_momentum: float = 0.0735
    fine_filters: int = 64  # type: ignore[misc]
    fine_dilations: Sequence[int] = ()  # type: ignore[misc]
    fine_after: int = 0  # type: ignore[misc]
    fine_dropout: float = 0.0  # type: ignore[misc]
    stem_drawn_last: ClassVar[bool] = True


class Akita(SequenceModel):
    """A trunk that pools bases to bins and forms a map of all pairs of bins, a pointwise head: (B, T, pixels).

    A block is activation, convolution, batch normalisation, dropout, pool, in this order. Predicted are the pixels of
    the upper triangle; the map is symmetric by construction. The defaults are the published human net: 746,149
    trainable parameters with its five targets. The trunk gives the channels of the predicted map (B, C, N, N).

    Args:
        targets: names of the T targets.
        length: bases of a sequence, a multiple of the bin size that the trunk's stride and pools make.
        trunk: sizes of the part that pools bases to bins.
        pair_map: sizes of the part that forms the map.
        crop_bins: bins left out on each side of the predicted ones, which have too little context.
        diagonal: the first diagonal that is predicted.
        inputs: tracks that are read in addition to the sequence; none as published.
        inputs_join: `trunk`: the tracks are added, through two dense layers, to the sequence's channels where a
            position has as many bases as their values, so that both are read together; or `pairs`: a dense net reads
            the tracks of two bins and their distance, and its output is added to the map, which suits tracks that vary
            slowly, such as the distance to a centromere.
        rc_average: average predictions with those for the reverse complement.
        loss: `mean_squared_error`.

    Raises:
        ConfigError: sizes of which no net can be built.
    """

    trunk: "AkitaTrunk"
    head: "AkitaHead"

    def __init__(
        self,
        targets: Sequence[str],
        length: int = 1_048_576,
        trunk: AkitaTrunkConfig = AkitaTrunkConfig(),
        pair_map: PairMapConfig = PairMapConfig(),  # noqa: B008
        crop_bins: int = 32,
        diagonal: int = 2,
        inputs: InputSpec = InputSpec(),  # noqa: B008
        inputs_join: str = "trunk",
        rc_average: bool = False,
        loss: str = "mean_squared_error",
    ) -> None:
        inputs = config_of(InputSpec, inputs, "inputs")
        trunk, pair_map = config_of(AkitaTrunkConfig, trunk, "trunk"), config_of(PairMapConfig, pair_map, "pair_map")
        trunk.check()
        pair_map.check()
        if inputs_join not in ("trunk", "pairs"):
            raise ConfigError(f"inputs_join must be trunk or pairs, not {inputs_join!r}")
        bins, size = trunk.bins(length, crop_bins), trunk.bin_size
        if diagonal < 0 or bins <= diagonal:
            raise ConfigError(
                f"{length} bases make {length // size} bins: after cropping {crop_bins} on each side nothing is left "
                f"from the diagonal {diagonal} on"
            )
        super().__init__(Contacts(tuple(targets), bins, size, crop_bins * size, diagonal), length, loss, inputs)
        self.rc_average = rc_average
        self.trunk = AkitaTrunk(trunk, pair_map, crop_bins)
        self.head = AkitaHead(pair_map.filters, len(targets), bins, diagonal)
        if inputs_join == "trunk":
            self.trunk.sequence.add_inputs(self.inputs, trunk)
        elif self.inputs.names:
            self.trunk.pair_map.add_inputs(self.inputs, pair_map.filters, size)


class AkitaTrunk(nn.Module):
    """One-hot sequence (B, 4, L), and tracks -> channels of the predicted map (B, C, N, N).

    Args:
        config: sizes of the part that pools bases to bins; checked.
        pair_map: sizes of the part that forms the map; checked.
        crop: bins left out on each side.
    """

    def __init__(self, config: AkitaTrunkConfig, pair_map: PairMapConfig, crop: int) -> None:
        super().__init__()
        self.crop = crop
        self.sequence = Trunk(config)
        ends = (config.channels[-1], pair_map.reduced_filters)
        reduce = ConvBlock(ends, pair_map.reduced_width_bins, **config.block_options)
        self.reduce = nn.Sequential(reduce, ACTIVATIONS[config.activation]())
        self.pair_map = PairMap(pair_map, config.block_options, config.channel_dropout, config.checkpointing)

    def forward(self, onehot: Tensor, inputs: Tensor | None = None) -> Tensor:
        """One-hot (B, 4, L), and inputs (B, I, L / size) -> (B, C, N, N)."""
        return self._map(self.reduce(self.sequence(onehot, inputs)), inputs)

    def _map(self, bins: Tensor, inputs: Tensor | None) -> Tensor:
        """Channels of all bins (B, C, N + 2 crop) -> the map of those that are predicted (B, C, N, N)."""
        x: Tensor = self.pair_map(bins, inputs)
        kept = slice(self.crop, x.shape[-1] - self.crop)
        return x[..., kept, kept]

    def steps(self) -> list[Step]:
        """List the blocks of the sequence; the map is formed of all bins."""
        return [self.sequence, self.reduce, InFull(self._map)]

    def stages(self) -> list[Stage]:
        """List the blocks from the sequence to the map."""
        return [stage for part in (self.sequence, self.reduce, self.pair_map) for stage in stages_of(part)]


class AkitaHead(nn.Module):
    """Channels of a map (B, C, N, N) -> raw pixels of the upper triangle (B, T, pixels).

    Args:
        channels: C.
        targets: T.
        bins: N.
        diagonal: the first diagonal that is predicted.
    """

    pixels: Tensor

    def __init__(self, channels: int, targets: int, bins: int, diagonal: int) -> None:
        super().__init__()
        self.dense = pointwise(channels, targets)
        rows, columns = upper_triangle(bins, diagonal)
        self.register_buffer("pixels", rows * bins + columns, persistent=False)

    def full_map(self, x: Tensor) -> Tensor:
        """(B, C, N, N) -> the whole symmetric map (B, T, N, N); diagonals that are not predicted have no meaning."""
        raw: Tensor = self.dense(x.flatten(-2))  # (B, C, N N) -> (B, T, N N)
        return raw.view(*raw.shape[:-1], *x.shape[-2:])

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, N, N) -> (B, T, pixels)."""
        return self.full_map(x).flatten(-2)[..., self.pixels]
