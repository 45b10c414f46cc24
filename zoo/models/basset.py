"""Basset: three convolutions, two dense layers, one output for each task (Kelley 2016, doi:10.1101/gr.200535.115).

Shapes: B batch, L input bases, M ensemble members, C channels, P positions, F features, I input tracks, T targets.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from zoo.batch import InputSpec
from zoo.models._base import SequenceModel
from zoo.nn.configs import check_dropout, check_positive, config_of
from zoo.nn.conv_stack import ConvStackConfig, StackBlock
from zoo.nn.ensemble import build_ensemble
from zoo.nn.equivariant import StrandsConv
from zoo.nn.filters import FilterBank, normed
from zoo.nn.inputs import as_channels, check_inputs
from zoo.nn.layers import Conv2d
from zoo.nn.scale import TargetScaleConfig
from zoo.nn.stages import Stage, stages_of
from zoo.nn.steps import AppendTracks, Flatten, Step
from zoo.outputs import Labels

__all__ = ["Basset"]


class Basset(SequenceModel):
    """Convolutional blocks, flattened, then dense layers: (B, 4, L) -> (B, T).

    The defaults are the published net: 4,135,064 parameters at 600 bases and 164 targets. The trunk gives the flattened
    output of the blocks (B, F), of an ensemble (B, M, F); with `rc_equivariant` it includes the first dense layer.

    Args:
        targets: names of the T targets.
        length: bases L that the model reads, exactly.
        conv: the convolutional blocks.
        hidden: units of each dense layer.
        dropout: dropout behind each dense layer.
        rc_equivariant: read each filter, and each unit of the first dense layer, on both strands and keep the higher
            response: a motif and an arrangement of motifs are learnt once, and the predictions for both strands of a
            sequence are equal. No position may be left over by a pool; not as published.
        ensemble_members: nets M, each trained on its own loss, whose raw outputs are averaged; 1 as published.
        target_scale: for measurements, mean and standard deviation of each target in training; None for labels.
        inputs: tracks that are read in addition to the sequence, as further channels of the first convolution.
        rc_average: average predictions with those for the reverse complement; not as published.
        loss: `binary_cross_entropy` (peaks) or `mean_squared_error` (measurements).

    Raises:
        ConfigError: sizes of which no net can be built.
    """

    def __init__(
        self,
        targets: Sequence[str],
        length: int = 600,
        conv: ConvStackConfig = ConvStackConfig(),  # noqa: B008  (immutable)
        hidden: Sequence[int] = (1000, 1000),
        dropout: float = 0.3,
        rc_equivariant: bool = False,
        ensemble_members: int = 1,
        target_scale: TargetScaleConfig | None = None,
        inputs: InputSpec = InputSpec(),  # noqa: B008
        rc_average: bool = False,
        loss: str = "binary_cross_entropy",
    ) -> None:
        conv = config_of(ConvStackConfig, conv, "conv")
        inputs = config_of(InputSpec, inputs, "inputs")
        target_scale = target_scale and config_of(TargetScaleConfig, target_scale, "target_scale")
        super().__init__(Labels(tuple(targets)), length, loss, inputs)
        self.rc_average = rc_average
        conv.check(length)
        check_positive({"hidden": hidden, "ensemble_members": ensemble_members})
        check_dropout({"dropout": dropout})
        check_inputs(self.inputs, length)
        if rc_equivariant:
            conv.check_equivariant(length, bool(hidden))

        def build() -> tuple[nn.Module, nn.Module]:
            """Make trunk and head of one member."""
            trunk = BassetTrunk(length, conv, self.inputs, hidden[0] if hidden else 0, dropout, rc_equivariant)
            units = hidden[1:] if rc_equivariant else hidden
            layers = [DenseBlock(*ends, dropout=dropout) for ends in pairwise([trunk.feature_count, *units])]
            last = nn.Linear([trunk.feature_count, *units][-1], len(targets))
            return trunk, nn.Sequential(*layers, last, self.scale_targets(target_scale))

        self.trunk, self.head = build_ensemble(build, ensemble_members)

    @property
    def reads_both_strands(self) -> bool:
        """Whether strands are averaged, or filters read both."""
        return self.rc_average or bool(self.hparams["rc_equivariant"])


class BassetTrunk(nn.Module):
    """Convolutional blocks, flattened: one-hot (B, 4, L) -> (B, F).

    Args:
        length: bases L.
        conv: the blocks; checked.
        inputs: further tracks, read as channels.
        hidden: units of the first dense layer, which is part of the trunk if `rc_equivariant`; 0 for none.
        dropout: dropout behind it.
        rc_equivariant: read each filter on both strands.

    Attributes:
        feature_count: F.
    """

    def __init__(
        self,
        length: int,
        conv: ConvStackConfig,
        inputs: InputSpec,
        hidden: int,
        dropout: float,
        rc_equivariant: bool,
    ) -> None:
        super().__init__()
        self.input_size, self.reads_tracks = inputs.size, bool(inputs.names)
        channels, left = [4 + len(inputs.names), *conv.filters], conv.positions(length)
        tracks = inputs.strand_pairs or range(len(inputs.names))
        partners = [3, 2, 1, 0, *(4 + partner for partner in tracks)]  # A C G T -> T G C A
        blocks: list[nn.Module] = []
        for ends, width, pool in zip(pairwise(channels), conv.widths, conv.pools, strict=True):
            layer: nn.Conv2d
            if rc_equivariant:
                layer = StrandsConv(ends, width, conv.padding, None if blocks else partners)
            else:
                layer = Conv2d(*ends, (1, width), padding=conv.padding)
            blocks.append(StackBlock(layer, pool, conv.dropout, conv.pool_first))
        self.feature_count = channels[-1] * left
        if rc_equivariant and hidden:  # the first dense layer is a convolution over all positions that are left
            blocks.append(StackBlock(StrandsConv((channels[-1], hidden), left), 1, dropout, conv.pool_first))
            self.feature_count = hidden
        self.blocks = nn.Sequential(*blocks)

    def forward(self, onehot: Tensor, inputs: Tensor | None = None) -> Tensor:
        """One-hot (B, 4, L), and inputs (B, I, L / size) -> (B, F)."""
        x = as_channels(onehot, inputs, self.input_size)
        # As an image of one row, channels last: about twice as fast as Conv1d on a CPU, the same numbers.
        image = x.unsqueeze(2).contiguous(memory_format=torch.channels_last)  # (B, 4 + I, 1, L)
        features: Tensor = self.blocks(image).flatten(1)  # (B, C, 1, P) -> (B, C P)
        return features

    def steps(self) -> list[Step]:
        """List the blocks, with the tracks that the first one reads."""
        tracks = [AppendTracks(self.input_size)] if self.reads_tracks else []
        return [*tracks, *self.blocks, Flatten("channels")]

    def stages(self) -> list[Stage]:
        """List the blocks."""
        return stages_of(self.blocks)

    def filter_bank(self) -> FilterBank:
        """The filters of the first block."""
        block = self.blocks[0]
        assert isinstance(block, StackBlock)
        weight, bias = normed(block.conv, block.norm)
        return FilterBank(weight, bias, (block.activation,), tuple((index,) for index in range(len(weight))))


class DenseBlock(nn.Sequential):
    """Linear, batch normalisation, ReLU, dropout: (B, inputs) -> (B, outputs)."""

    def __init__(self, inputs: int, outputs: int, dropout: float) -> None:
        super().__init__(nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU(), nn.Dropout(dropout))
