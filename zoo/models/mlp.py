"""MLP: the teaching baseline of the field. It has no published reference and exists to be beaten.

Shapes: B batch, L input bases, I input tracks, F features, T targets.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from zoo.batch import InputSpec
from zoo.models._base import SequenceModel
from zoo.nn.configs import check_dropout, check_positive, config_of
from zoo.nn.inputs import check_inputs
from zoo.nn.scale import TargetScaleConfig
from zoo.nn.stages import Stage, stages_of
from zoo.nn.steps import Flatten, Step
from zoo.outputs import Labels

__all__ = ["MLP"]


class MLP(SequenceModel):
    """Flattened one-hot sequence, hidden layers of ReLU units, one linear layer: (B, 4, L) -> (B, T).

    The trunk gives the last hidden layer (B, F).

    Args:
        targets: names of the T targets.
        length: bases L that the model reads, exactly.
        hidden: units of each hidden layer.
        dropout: dropout behind each hidden layer.
        input_dropout: probability with which a base is set to zero in training.
        target_scale: for measurements, mean and standard deviation of each target in training; None for labels.
        inputs: tracks that are read in addition to the sequence.
        loss: `binary_cross_entropy` or `mean_squared_error`.

    Raises:
        ConfigError: sizes of which no net can be built.
    """

    def __init__(
        self,
        targets: Sequence[str],
        length: int,
        hidden: Sequence[int] = (256,),
        dropout: float = 0.5,
        input_dropout: float = 0.0,
        target_scale: TargetScaleConfig | None = None,
        inputs: InputSpec = InputSpec(),  # noqa: B008  (immutable)
        loss: str = "binary_cross_entropy",
    ) -> None:
        inputs = config_of(InputSpec, inputs, "inputs")
        target_scale = target_scale and config_of(TargetScaleConfig, target_scale, "target_scale")
        super().__init__(Labels(tuple(targets)), length, loss, inputs)
        check_positive({"hidden": hidden})
        check_dropout({"dropout": dropout, "input_dropout": input_dropout})
        check_inputs(self.inputs, length)
        values = 4 * length + len(self.inputs.names) * (length // self.inputs.size)
        self.trunk = MLPTrunk([values, *hidden], dropout, input_dropout, bool(self.inputs.names))
        self.head = nn.Sequential(nn.Linear([values, *hidden][-1], len(targets)), self.scale_targets(target_scale))


class MLPTrunk(nn.Module):
    """One-hot sequence (B, 4, L), and tracks (B, I, L / size) -> the last hidden layer (B, F).

    Args:
        sizes: values that are read, then units of each hidden layer.
        dropout: dropout behind each hidden layer.
        input_dropout: probability with which a base is set to zero in training.
        reads_tracks: whether the last of the values are tracks.
    """

    def __init__(self, sizes: Sequence[int], dropout: float, input_dropout: float, reads_tracks: bool) -> None:
        super().__init__()
        self.reads_tracks = reads_tracks
        self.input_dropout = nn.Dropout1d(input_dropout)
        layers: list[nn.Module] = []
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers)

    def forward(self, onehot: Tensor, inputs: Tensor | None = None) -> Tensor:
        """One-hot (B, 4, L), and inputs (B, I, L / size) -> (B, F)."""
        x = self.input_dropout(onehot.transpose(1, 2)).flatten(1)  # (B, L, 4) -> (B, 4 L): whole bases are dropped
        if inputs is not None:
            x = torch.cat([x, inputs.to(x.dtype).flatten(1)], 1)  # (B, I, P) -> (B, I P)
        features: Tensor = self.layers(x)
        return features

    def steps(self) -> list[Step]:
        """List the dense layers, the first of which reads all bases and tracks."""
        return [Flatten("positions", tracks=self.reads_tracks), self.layers]

    def stages(self) -> list[Stage]:
        """List the dense layers."""
        return stages_of(self.layers)
