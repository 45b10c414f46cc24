"""Maxima as modules, so that forward hooks see them. Shapes: B batch, C channels, P positions, S strands."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["HigherStrand", "Highest", "MaxPool", "Maximum", "PartialMaxPool"]


class Maximum(nn.Module):
    """A module each of whose outputs is the maximum of some of its inputs: see `zoo.nn.deeplift`."""


class MaxPool(Maximum):
    """The maximum of each `width` positions: (B, C, P) -> (B, C, P / width). `width` divides P.

    Args:
        width: positions.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, P) -> (B, C, P / width)."""
        return x.view(*x.shape[:-1], -1, self.width).max(-1).values


class Highest(Maximum):
    """The maximum along one axis.

    Args:
        axis: along which.
        keep: keep the axis, with one value.
        shared: values that are equally high share the gradient; otherwise one of them has it.
    """

    def __init__(self, axis: int, keep: bool = False, shared: bool = True) -> None:
        super().__init__()
        self.axis, self.keep, self.shared = axis, keep, shared

    def forward(self, x: Tensor) -> Tensor:
        """Values of any shape -> the same without the axis, or with one value of it."""
        return x.amax(self.axis, self.keep) if self.shared else x.max(self.axis, self.keep).values


class HigherStrand(Maximum):
    """The higher response of two strands, one after the other in the channels: (B, 2 C, ...) -> (B, C, ...)."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, 2 C, ...) -> (B, C, ...)."""
        return torch.maximum(*x.chunk(2, 1))


class PartialMaxPool(Maximum):
    """The maximum of each `width` positions; at the end there may be fewer.

    (B, C, 1, P) -> (B, C, 1, ceil(P / width)).

    Args:
        width: positions.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, 1, P) -> (B, C, 1, ceil(P / width))."""
        if torch.compiler.is_exporting():  # of any number of positions ceil_mode cannot be traced
            return F.max_pool2d(F.pad(x, (0, -x.shape[-1] % self.width), value=-torch.inf), (1, self.width))
        return F.max_pool2d(x, (1, self.width), ceil_mode=True)
