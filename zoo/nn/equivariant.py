"""RC-equivariant convolutions: each filter is read on both strands. Shapes: B batch, C channels, P positions."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.nn.layers import with_spare_channel

__all__ = ["StrandsConv"]


class StrandsConv(nn.Conv2d):
    """A convolution whose filters are read on both strands: (B, C, 1, P) -> (B, 2 C', 1, P').

    The response on the other strand equals the response of the reverse-complemented filter on this strand.
    Initialised as PyTorch does.

    Args:
        channels: C and C'.
        width: positions that a filter spans.
        padding: `valid` or `same`.
        partners: for each input channel the index of its counterpart on the other strand; None where each is its own.
    """

    def __init__(
        self, channels: tuple[int, int], width: int, padding: str = "valid", partners: Sequence[int] | None = None
    ) -> None:
        super().__init__(*channels, (1, width), padding=padding)
        self.partners = None if partners is None else list(partners)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, 1, P) -> responses on this strand, then on the other (B, 2 C', 1, P')."""
        assert self.bias is not None
        other = self.weight.flip(3)  # (C', C, 1, width)
        other = other if self.partners is None else other[:, self.partners]
        weight, bias = torch.cat([self.weight, other]), torch.cat([self.bias, self.bias])
        return F.conv2d(*with_spare_channel(x, weight), bias, padding=self.padding)
