"""Ensembles: several nets of one shape whose raw outputs are averaged, each trained on its own loss.

The trunk of an ensemble stacks its members' features, its head reads each member's own: `head(trunk(x))` holds for an
ensemble as for a single net. Shapes: B batch, M ensemble members, T targets.
"""

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn

from zoo.nn.stages import Stage, parallel_stages

__all__ = ["EnsembleHead", "EnsembleLinear", "EnsembleTrunk", "SeparateHeads", "build_ensemble"]


class EnsembleTrunk(nn.Module):
    """The trunks of all ensemble members, which read the same input.

    Args:
        members: the M trunks.
    """

    def __init__(self, members: list[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, onehot: Tensor, inputs: Tensor | None = None) -> Tensor:
        """One-hot (B, 4, L), and further tracks -> each member's features (B, M, ...)."""
        return torch.stack([member(onehot, inputs) for member in self.members], 1)

    def stages(self) -> list[Stage]:
        """List the members' stages from input to output; those of one depth are one stage."""
        return parallel_stages(list(self.members))


class EnsembleHead(nn.Module):
    """A head that keeps ensemble members apart: features (B, M, ...) -> their mean raw output (B, *output.shape)."""

    def member_outputs(self, features: Tensor) -> Tensor:
        """Each member's raw output (B, M, *output.shape)."""
        raise NotImplementedError

    def forward(self, features: Tensor) -> Tensor:
        """Features (B, M, ...) -> raw output (B, *output.shape), the mean over the members."""
        return self.member_outputs(features).mean(1)


class SeparateHeads(EnsembleHead):
    """One head module per ensemble member.

    Args:
        members: the M heads.
    """

    def __init__(self, members: list[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def stages(self) -> list[Stage]:
        """List the members' stages from input to output; those of one depth are one stage."""
        return parallel_stages(list(self.members))

    def member_outputs(self, features: Tensor) -> Tensor:
        """Features (B, M, ...) -> raw output of each member (B, M, *output.shape)."""
        pairs = zip(self.members, features.unbind(1), strict=True)
        raw = torch.stack([head(own) for head, own in pairs])  # (M, B, ...)
        # In float32 whatever the precision: the members' mean would lose digits.
        return (raw.float() if raw.dtype.itemsize < 4 else raw).transpose(0, 1)


class EnsembleLinear(nn.Module):
    """A linear layer for each ensemble member, as one product: (..., M, inputs) -> (..., M, outputs).

    Args:
        members: M.
        inputs: features that each member reads.
        outputs: features that each gives.
    """

    unit_dims: ClassVar[tuple[int, ...]] = (0, 2)  # of the weight: see `zoo.nn.units`

    def __init__(self, members: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = inputs**-0.5  # PyTorch's own rule for nn.Linear
        self.weight = nn.Parameter(torch.empty(members, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(members, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(..., M, inputs) -> (..., M, outputs)."""
        return torch.einsum("...mi,mio->...mo", x, self.weight) + self.bias


def build_ensemble(build: Callable[[], tuple[nn.Module, nn.Module]], members: int) -> tuple[nn.Module, nn.Module]:
    """Build the trunk and the head of an ensemble.

    Args:
        build: builds a trunk and its head, with new random weights at each call.
        members: nets of the ensemble; for 1 the two modules are given as they are.

    Returns:
        Trunk and head.
    """
    if members == 1:
        return build()
    trunks, heads = zip(*(build() for _ in range(members)), strict=True)
    return EnsembleTrunk(list(trunks)), SeparateHeads(list(heads))
