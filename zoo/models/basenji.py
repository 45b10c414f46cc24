"""Basenji (Kelley 2018, doi:10.1101/gr.227819.117; 2020): long sequences in, tracks along them out.

Shapes: B batch, L input bases, C channels, N bins, I input tracks, T targets.
"""

from collections.abc import Sequence

from torch import nn

from zoo.batch import InputSpec
from zoo.errors import ConfigError
from zoo.models._base import SequenceModel
from zoo.nn.configs import check_dropout, check_positive, config_of
from zoo.nn.layers import ACTIVATIONS, ConvBlock, pointwise
from zoo.nn.scale import TargetScaleConfig
from zoo.nn.trunk import Trunk, TrunkConfig
from zoo.outputs import Tracks

__all__ = ["Basenji"]


class Basenji(SequenceModel):
    """A tower of convolutions that pools bases to bins, dilated residual blocks, a pointwise head: (B, T, N).

    Each block is activation, convolution, batch normalisation, dropout, pool, in this order, so the first activates the
    one-hot bases. The defaults are the published human net: 30,088,228 trainable parameters with its 5,313 targets. The
    trunk gives the channels of the predicted bins (B, C, N).

    Args:
        targets: names of the T targets.
        length: bases of a sequence, a multiple of the bin size that the trunk's stride and pools make.
        trunk: sizes of the trunk.
        head_filters: channels of the pointwise convolution before the outputs.
        head_dropout: dropout behind it.
        crop_bins: bins left out on each side of the predicted ones, which have too little context.
        strand_pairs: for each target the index of its partner on the other strand, itself where it has none; None
            where none has.
        target_scale: the unit in which the net learns each target, such as its mean; None for 1. Predictions are in the
            target's own unit.
        inputs: tracks that are read in addition to the sequence; their values have as many bases as a position has
            somewhere between the stem and the bins.
        rc_average: average predictions with those for the reverse complement.
        loss: `poisson`, `poisson_multinomial`, or `softplus_squared_error`.

    Raises:
        ConfigError: sizes of which no net can be built.
    """

    trunk: Trunk

    def __init__(
        self,
        targets: Sequence[str],
        length: int = 131_072,
        trunk: TrunkConfig = TrunkConfig(),  # noqa: B008  (immutable)
        head_filters: int = 1536,
        head_dropout: float = 0.05,
        crop_bins: int = 64,
        strand_pairs: Sequence[int] | None = None,
        target_scale: TargetScaleConfig | None = None,
        inputs: InputSpec = InputSpec(),  # noqa: B008
        rc_average: bool = True,
        loss: str = "poisson",
    ) -> None:
        inputs = config_of(InputSpec, inputs, "inputs")
        target_scale = target_scale and config_of(TargetScaleConfig, target_scale, "target_scale")
        trunk = config_of(TrunkConfig, trunk, "trunk")
        trunk.check()
        check_positive({"head_filters": head_filters})
        check_dropout({"head_dropout": head_dropout})
        bins, size = trunk.bins(length, crop_bins), trunk.bin_size
        if bins < 1:
            raise ConfigError(
                f"{length} bases make {length // size} bins: none is left after cropping {crop_bins} on each side"
            )
        output = Tracks(tuple(targets), bins, size, crop_bins * size, tuple(strand_pairs or ()))
        super().__init__(output, length, loss, inputs)
        self.rc_average = rc_average
        self.trunk = Trunk(trunk, crop_bins)
        block = ConvBlock(
            (trunk.channels[-1], head_filters),
            dropout=head_dropout,
            channel_dropout=trunk.channel_dropout,
            **trunk.block_options,
        )
        self.head = nn.Sequential(
            block,
            ACTIVATIONS[trunk.activation](),
            pointwise(head_filters, len(targets)),
            self.scale_targets(target_scale),
        )
        self.trunk.add_inputs(self.inputs, trunk)
