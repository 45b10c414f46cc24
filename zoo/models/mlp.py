"""MLP: the teaching baseline of the field. It has no published reference and exists to be beaten."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from zoo.models._base import SequenceModel
from zoo.outputs import Labels

__all__ = ["MLP"]


class MLP(SequenceModel):
    """One-hot input flattened, hidden layers of ReLU units, one linear layer.

    Args:
        targets: names of the T targets.
        length: bases L that the model reads, exactly.
        hidden: units of each hidden layer.
        dropout: share of hidden units left out in training.
        input_dropout: share of bases blanked in training.
        loss: `binary_cross_entropy` or `mean_squared_error`.
    """

    def __init__(
        self,
        targets: Sequence[str],
        length: int,
        hidden: Sequence[int] = (256,),
        dropout: float = 0.5,
        input_dropout: float = 0.0,
        loss: str = "binary_cross_entropy",
    ) -> None:
        super().__init__(Labels(tuple(targets)), length, loss)
        self.input_dropout = nn.Dropout1d(input_dropout)
        sizes = [4 * length, *hidden]
        blocks: list[nn.Module] = []
        for before, after in pairwise(sizes):
            blocks += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout)]
        self.trunk = nn.Sequential(*blocks)
        self.head = nn.Linear(sizes[-1], len(targets))

    def forward(self, x: Tensor) -> Tensor:
        """(B, 4, L) -> raw (B, T)."""
        x = self.input_dropout(x.transpose(1, 2))  # (B, L, 4): whole bases are blanked
        raw: Tensor = self.head(self.trunk(torch.flatten(x, 1)))
        return raw
