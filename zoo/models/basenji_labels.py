"""Labels of whole sequences with the trunk of a Basenji: to fine-tune a model of tracks on peaks or measurements.

Shapes: B batch, L input bases, C channels, N bins, I input tracks, T targets.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zoo.batch import InputSpec
from zoo.errors import ConfigError
from zoo.models._base import SequenceModel
from zoo.nn.configs import check_dropout, config_of
from zoo.nn.layers import ACTIVATIONS
from zoo.nn.maxima import Highest
from zoo.nn.scale import TargetScaleConfig
from zoo.nn.steps import PoolPositions, Step
from zoo.nn.trunk import Trunk, TrunkConfig
from zoo.outputs import Labels

__all__ = ["BasenjiLabels"]


class BasenjiLabels(SequenceModel):
    """The trunk of a Basenji, its channels pooled along the sequence, one dense layer: (B, 4, L) -> (B, T).

    It has no published reference: it is for the trunk of a trained Basenji. The trunk gives the channels of all bins
    (B, C, N).

    Args:
        targets: names of the T targets.
        length: bases of a sequence, a multiple of the bin size that the trunk's stride and pools make.
        trunk: sizes of the trunk.
        dropout: dropout of the pooled channels.
        target_scale: for measurements, mean and standard deviation of each target in training; None for labels.
        inputs: tracks that are read in addition to the sequence; see `Basenji`.
        rc_average: average predictions with those for the reverse complement.
        loss: `binary_cross_entropy` (peaks) or `mean_squared_error` (measurements).

    Raises:
        ConfigError: sizes of which no net can be built.
    """

    trunk: Trunk

    def __init__(
        self,
        targets: Sequence[str],
        length: int,
        trunk: TrunkConfig = TrunkConfig(),  # noqa: B008  (immutable)
        dropout: float = 0.1,
        target_scale: TargetScaleConfig | None = None,
        inputs: InputSpec = InputSpec(),  # noqa: B008
        rc_average: bool = True,
        loss: str = "binary_cross_entropy",
    ) -> None:
        inputs = config_of(InputSpec, inputs, "inputs")
        target_scale = target_scale and config_of(TargetScaleConfig, target_scale, "target_scale")
        trunk = config_of(TrunkConfig, trunk, "trunk")
        trunk.check()
        check_dropout({"dropout": dropout})
        if trunk.bins(length, 0) < 1:
            raise ConfigError(f"{length} bases are less than a bin of {trunk.bin_size}")
        super().__init__(Labels(tuple(targets)), length, loss, inputs)
        self.rc_average = rc_average
        self.trunk = Trunk(trunk)
        channels = trunk.channels[-1]
        pool = PoolBins(ACTIVATIONS[trunk.activation]())
        last = nn.Linear(2 * channels, len(targets))
        self.head = nn.Sequential(pool, nn.Dropout(dropout), last, self.scale_targets(target_scale))
        self.trunk.add_inputs(self.inputs, trunk)


class PoolBins(nn.Module):
    """Highest and mean value of each channel over the bins: (B, C, N) -> (B, 2 C).

    Args:
        activation: applied to the channels first, as blocks of the trunk do.
    """

    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self.activation = activation
        self.highest = Highest(2, shared=False)

    def steps(self) -> list[Step]:
        """List the activation and the pools, the highest values before the means: (B, C, 2) -> (B, 2 C)."""
        return [self.activation, PoolPositions(("max", "mean"), lambda pooled: pooled.transpose(1, 2).flatten(1))]

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, N) -> (B, 2 C)."""
        x = self.activation(x)
        return torch.cat([self.highest(x), x.mean(2)], 1)
