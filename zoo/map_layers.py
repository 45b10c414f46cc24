"""Layers of maps, whose pixels are pairs of positions. Shapes: B batch, C channels, P positions."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from zoo.layers import ACTIVATIONS, BATCH_NORM_EPS, he_normal_

__all__ = ["COMBINATIONS", "MapBlock", "Symmetric"]

# What a pixel (i, j) gets from the channels of positions i and j, none of them negative. Only the first leaves as many
# values as it found twice; all but it are the same for (j, i).
COMBINATIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "concatenate": lambda left, right: torch.cat([left + 0 * right, right + 0 * left], 1),
    "mean": lambda left, right: (left + right) / 2,
    "max": torch.maximum,
    # Begun a little above zero, where the slope of the root is infinite.
    "geometric_mean": lambda left, right: (left * right + 1e-6).sqrt(),
    "dot": lambda left, right: left * right,
}


class MapBlock(nn.Sequential):
    """Activation, convolution without bias, batch normalisation: (B, C, P, P) -> (B, C', P, P)."""

    def __init__(
        self,
        channels: tuple[int, int],
        width: int = 1,
        *,
        dilation: int = 1,
        zeroed: bool = False,
        momentum: float,
        activation: str,
    ) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[activation]()
        self.conv = nn.Conv2d(*channels, width, dilation=dilation, padding="same", bias=False)
        self.norm = nn.BatchNorm2d(channels[1], eps=BATCH_NORM_EPS, momentum=momentum)
        he_normal_(self.conv.weight)
        if zeroed:  # so that a residual block begins as nothing
            nn.init.zeros_(self.norm.weight)


class Symmetric(nn.Module):
    """What blocks make of a map, added to it if `residual`, averaged with its mirror image: (B, C, P, P), as it was."""

    def __init__(self, *blocks: nn.Module, residual: bool = False) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*blocks)
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        made = self.blocks(x)
        made = x + made if self.residual else made
        symmetric: Tensor = (made + made.transpose(-2, -1)) / 2
        return symmetric
