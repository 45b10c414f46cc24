"""Layers of contact maps, whose pixels are pairs of bins. Shapes: B batch, C channels, P bins, I input tracks."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from zoo.nn.layers import ACTIVATIONS, BATCH_NORM_EPS, he_normal_

__all__ = ["COMBINATIONS", "MapBlock", "PairedInputs", "Pairs", "Symmetric", "dilated_map"]

# Hidden units of the net that reads the inputs of pairs.
_PAIRED_UNITS = 64

# Channels of pixel (i, j) from those of bins i and j; all but the first are the same for (j, i).
COMBINATIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "concatenate": lambda left, right: torch.cat([left + 0 * right, right + 0 * left], 1),
    "mean": lambda left, right: (left + right) / 2,
    "max": torch.maximum,
    # Of values that are not negative, as all are behind a ReLU but not behind a GELU; a small number is added because
    # the slope of the root is infinite at 0.
    "geometric_mean": lambda left, right: (left.relu() * right.relu() + 1e-6).sqrt(),
    "dot": lambda left, right: left * right,
}


class Pairs(nn.Module):
    """Channels of bins (B, C, P) -> those of pairs of bins and their distance in bins: (B, C' + 1, P, P).

    Args:
        combine: a name in `COMBINATIONS`.
    """

    def __init__(self, combine: str) -> None:
        super().__init__()
        self.combine = COMBINATIONS[combine]

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, P) -> (B, C' + 1, P, P); the last channel is the distance."""
        pairs = self.combine(x[..., :, None], x[..., None, :])  # (B, C, P, 1) and (B, C, 1, P) -> (B, C', P, P)
        return torch.cat([pairs, _distance(x)], 1)


class MapBlock(nn.Sequential):
    """Activation, convolution without bias, batch normalisation: (B, C, P, P) -> (B, C', P, P).

    Args:
        channels: C and C'.
        width: bins that the convolution spans, on both axes.
        dilation: bins from one tap to the next.
        zeroed: begin with an output of zero, so that a residual block begins as the identity.
        momentum: momentum of batch normalisation as PyTorch counts it: 1 - Keras'.
        activation: a name in `ACTIVATIONS`.
    """

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
        if zeroed:
            nn.init.zeros_(self.norm.weight)


class Symmetric(nn.Module):
    """Blocks, with a residual connection or without, then the mean of the map and its transpose: (B, C, P, P).

    Args:
        blocks: applied one after the other.
        residual: add the input to their output.
    """

    def __init__(self, *blocks: nn.Module, residual: bool = False) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*blocks)
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, P, P) -> a symmetric map (B, C', P, P)."""
        result = self.blocks(x)
        result = x + result if self.residual else result
        symmetric: Tensor = (result + result.transpose(-2, -1)) / 2
        return symmetric


def dilated_map(
    channels: int, filters: int, dilation: int, common: dict[str, Any], dropout: float, channel_dropout: bool
) -> Symmetric:
    """Build a dilated residual block of a map: a dilated convolution to fewer channels and a pointwise one back.

    The block begins as the identity.

    Args:
        channels: channels of the map.
        filters: filters of the dilated convolution.
        dilation: bins from one tap to the next.
        common: `momentum` and `activation` of its blocks, see `MapBlock`.
        dropout: at the end of the block.
        channel_dropout: drop whole channels instead of single values.
    """
    return Symmetric(
        MapBlock((channels, filters), 3, dilation=dilation, **common),
        MapBlock((filters, channels), zeroed=True, **common),
        (nn.Dropout2d if channel_dropout else nn.Dropout)(dropout),
        residual=True,
    )


class PairedInputs(nn.Module):
    """A dense net at each pair of bins: tracks (B, I, p) -> (B, C, P, P), the same for (j, i) as for (i, j).

    It reads the mean and the absolute difference of each track of the two bins, their distance and its logarithm. It
    begins with an output of zero, and has no normalisation, since statistics of a few windows would blur what a
    window's pixels share: tracks are best given in units in which they vary by about one.

    Args:
        inputs: tracks I.
        filters: channels of the map, C.
        pool: values of a track in a bin, p / P; their mean is read.
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
        """Tracks (B, I, p) -> channels that are added to the map (B, C, P, P)."""
        x = self.pool(inputs)
        left, right = x[..., :, None], x[..., None, :]  # (B, I, P, 1), (B, I, 1, P)
        distance = _distance(x)
        # Both between -1 and 1.
        distances = [values / values.max().clamp(min=1) * 2 - 1 for values in (distance, (1 + distance).log())]
        result: Tensor = self.layers(torch.cat([(left + right) / 2, (left - right).abs(), *distances], 1))
        return result


def _distance(x: Tensor) -> Tensor:
    """Distances of bins (B, 1, P, P) in bins, for channels of bins (B, C, P)."""
    index = torch.arange(x.shape[-1], device=x.device, dtype=x.dtype)
    return (index[:, None] - index).abs().expand(x.shape[0], 1, -1, -1)
