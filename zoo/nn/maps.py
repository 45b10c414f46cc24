"""Layers of maps, whose pixels are pairs of positions. Shapes: B batch, C channels, P positions."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from zoo.nn.layers import ACTIVATIONS, BATCH_NORM_EPS, he_normal_

__all__ = ["COMBINATIONS", "MapBlock", "PairedInputs", "Symmetric", "dilated_map"]

# Hidden units of the net that reads the inputs of pairs.
_PAIRED_UNITS = 64

# What a pixel (i, j) gets from the channels of positions i and j. Only the first leaves as many values as it found
# twice; all but it are the same for (j, i).
COMBINATIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "concatenate": lambda left, right: torch.cat([left + 0 * right, right + 0 * left], 1),
    "mean": lambda left, right: (left + right) / 2,
    "max": torch.maximum,
    # Of what is not negative, as all is behind a ReLU but not behind a GELU; begun a little above zero, where the slope
    # of the root is infinite.
    "geometric_mean": lambda left, right: (left.relu() * right.relu() + 1e-6).sqrt(),
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


def dilated_map(
    channels: int, filters: int, dilation: int, common: dict[str, Any], dropout: float, channel_dropout: bool
) -> Symmetric:
    """A dilated convolution to fewer channels and a pointwise one back, which begins at zero, added to a map."""
    return Symmetric(
        MapBlock((channels, filters), 3, dilation=dilation, **common),
        MapBlock((filters, channels), zeroed=True, **common),
        (nn.Dropout2d if channel_dropout else nn.Dropout)(dropout),
        residual=True,
    )


class PairedInputs(nn.Module):
    """A dense net at each pair of bins: (B, I, p) -> (B, C, P, P), the same for (j, i) as for (i, j).

    It reads the mean and the absolute difference of each input of the two bins, their distance and its logarithm. It
    begins as nothing, and has no normalisation, since statistics of a few windows would blur what a window's pixels
    share: inputs are best given in units in which they vary by about one.

    Args:
        inputs: how many, I.
        filters: channels of the map, C.
        pool: values of an input in a bin, p / P; their mean is read.
    """

    def __init__(self, inputs: int, filters: int, pool: int) -> None:
        super().__init__()
        self.pool = nn.AvgPool1d(pool)
        sizes = [2 * inputs + 2, _PAIRED_UNITS, _PAIRED_UNITS, filters]
        first, second, last = (nn.Conv2d(*pair, 1) for pair in pairwise(sizes))
        for parameter in last.parameters():
            nn.init.zeros_(parameter)
        self.layers = nn.Sequential(first, nn.GELU(), second, nn.GELU(), last)

    def forward(self, inputs: Tensor) -> Tensor:
        """See the class."""
        x = self.pool(inputs)
        left, right = x[..., :, None], x[..., None, :]  # (B, I, P, 1), (B, I, 1, P)
        place = torch.arange(x.shape[-1], device=x.device, dtype=x.dtype)
        distance = (place[:, None] - place).abs().expand(len(x), 1, -1, -1)
        distances = [values / values.max().clamp(min=1) * 2 - 1 for values in (distance, (1 + distance).log())]
        made: Tensor = self.layers(torch.cat([(left + right) / 2, (left - right).abs(), *distances], 1))
        return made
