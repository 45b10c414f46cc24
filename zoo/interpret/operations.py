"""Layers that work position by position, for references in full and for windows of mutants.

Shapes: R references, P positions, C channels, N mutants, n positions of a window, I input tracks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.interpret.windows import Window, Workspace, aligned, gather, moved_onto, outside

__all__ = ["Affine", "Crop", "Each", "Layer", "MaxPool", "Residual", "Shift", "Trace", "run_layers", "without_ends"]


class Layer(Protocol):
    """A layer from positions to positions."""

    def reference(self, x: Tensor, tracks: Tensor | None) -> tuple[Tensor, Any]:
        """Compute references (R, P, C) in full: their values, and what `mutate` needs of them."""
        ...

    def mutate(self, window: Window, before: Tensor, kept: Any) -> Window:
        """Compute the window of mutants that a change reaches.

        Args:
            window: what changed.
            before: values of the references that the layer read (R, P, C).
            kept: what `reference` returned.
        """
        ...


# Layers with the values that each read, and what it kept.
Trace = list[tuple[Layer, Tensor, Any]]


def run_layers(layers: Sequence[Layer], x: Tensor, tracks: Tensor | None) -> tuple[Tensor, Trace]:
    """Compute references in full, and keep what mutants need."""
    trace: Trace = []
    for layer in layers:
        before = x
        x, kept = layer.reference(x, tracks)
        trace.append((layer, before, kept))
    return x, trace


@dataclass
class Each:
    """A function of the channels at each position.

    Attributes:
        function: (rows, C) -> (rows, C').
        rises: it never falls, and works on each channel alone, so that it may follow a maximum instead.
        overwriting: the same function, which writes over what it reads; None without one.
        is_alone: nothing else reads the windows that it reads.
    """

    function: Callable[[Tensor], Tensor]
    rises: bool = False
    overwriting: Callable[[Tensor], Tensor] | None = None
    is_alone: bool = False

    def reference(self, x: Tensor, tracks: Tensor | None) -> tuple[Tensor, None]:
        """Apply the function everywhere."""
        y = self.function(x.flatten(0, 1))  # (R P, C)
        return y.view(*x.shape[:2], -1), None

    def mutate(self, window: Window, before: Tensor, kept: None) -> Window:
        """Apply the function in the window."""
        function = self.overwriting if self.overwriting is not None and self.is_alone else self.function
        y = function(window.values.flatten(0, 1))
        return replace(window, values=y.view(*window.values.shape[:2], -1))


class Affine(Each):
    """A scale and a shift for each channel (C,): a batch normalisation in evaluation."""

    def __init__(self, scale: Tensor, shift: Tensor) -> None:
        super().__init__(lambda x: torch.addcmul(shift, x, scale))
        self.scale, self.shift = scale, shift


@dataclass
class MaxPool:
    """The maximum of each `width` positions; of those left over at the end, if it is `partial`, too."""

    width: int
    partial: bool = False
    _space: Workspace = field(default_factory=Workspace, repr=False)

    def reference(self, x: Tensor, tracks: Tensor | None) -> tuple[Tensor, None]:
        """Pool references."""
        image = x.contiguous().unsqueeze(1).permute(0, 3, 1, 2)  # (R, C, 1, P), channels last
        y = F.max_pool2d(image, (1, self.width), ceil_mode=self.partial)
        return y.permute(0, 2, 3, 1).flatten(0, 1).contiguous(), None

    def mutate(self, window: Window, before: Tensor, kept: None) -> Window:
        """Pool whole cells of windows."""
        window = aligned(window, before, self.width)
        values = window.values
        if self.partial:  # the last cell lies partly past the end
            for row, absent in outside(window.starts, window.width, before.shape[1]):
                values[row, torch.from_numpy(absent).to(values.device)] = -torch.inf
        cells = values.view(-1, self.width, *values.shape[1:])  # (n / width, width, N, C)
        pooled = self._space.empty("pooled", (len(cells), *values.shape[1:]), values)
        torch.maximum(cells[:, 0], cells[:, min(1, self.width - 1)], out=pooled)
        for index in range(2, self.width):
            torch.maximum(pooled, cells[:, index], out=pooled)
        return replace(window, values=pooled, starts=window.starts // self.width)


@dataclass
class Shift:
    """Add values that no base changes: (R, P, C') of the tracks. Or append them as further channels.

    Attributes:
        values: what is added, of tracks (R, I, P').
        append: append instead of adding.
    """

    values: Callable[[Tensor], Tensor]
    append: bool = False

    def reference(self, x: Tensor, tracks: Tensor | None) -> tuple[Tensor, Tensor]:
        """Add the values of the tracks."""
        assert tracks is not None
        added = self.values(tracks).transpose(1, 2).contiguous()  # (R, C', P) -> (R, P, C')
        return torch.cat([x, added], 2) if self.append else x + added, added

    def mutate(self, window: Window, before: Tensor, kept: Tensor) -> Window:
        """Add the same values in the window."""
        added = gather(kept, window.starts, window.rows, window.width)
        values = torch.cat([window.values, added], 2) if self.append else added.add_(window.values)
        return replace(window, values=values)


@dataclass
class Crop:
    """Leave out positions at both ends."""

    positions: int

    def reference(self, x: Tensor, tracks: Tensor | None) -> tuple[Tensor, None]:
        """Crop references."""
        return x[:, self.positions : x.shape[1] - self.positions].contiguous(), None

    def mutate(self, window: Window, before: Tensor, kept: None) -> Window:
        """Count positions from the first one that is left; those left out are outside."""
        cropped = replace(window, starts=window.starts - self.positions)
        return without_ends(cropped, before.shape[1] - 2 * self.positions)


@dataclass
class Residual:
    """A residual connection, x + layers(x)."""

    layers: Sequence[Layer]

    def reference(self, x: Tensor, tracks: Tensor | None) -> tuple[Tensor, Trace]:
        """Compute references, and keep those of the inner layers."""
        y, trace = run_layers(self.layers, x, tracks)
        return x + y, trace

    def mutate(self, window: Window, before: Tensor, kept: Trace) -> Window:
        """Compute the inner layers in the window, and add the values that they read."""
        inner = window
        for layer, read, of_layer in kept:
            inner = layer.mutate(inner, read, of_layer)
        skipped = moved_onto(_reordered(window, inner), before, inner.starts, inner.width)
        return replace(skipped, values=skipped.values + _reordered(inner, skipped).values)


def _reordered(window: Window, like: Window) -> Window:
    """The mutants of a window in the order of those of another."""
    if (window.order == like.order).all():
        return window
    rank = np.argsort(np.argsort(like.order, kind="stable"), kind="stable")
    return window.taken(np.argsort(window.order, kind="stable")[rank])


def without_ends(window: Window, positions: int) -> Window:
    """Leave out positions of windows that a sequence of so many positions does not have, where no mutant needs them."""
    before = min(max(0, -int(window.starts.max())), window.width - 1)
    after = min(max(0, int(window.starts.min()) + window.width - positions), window.width - 1 - before)
    values = window.values[before : window.width - after]
    return replace(window, values=values, starts=window.starts + before)
