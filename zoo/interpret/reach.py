"""How far a change reaches: the widest window behind each layer, and so how many mutants fit into memory at once."""

from collections.abc import Sequence

import numpy as np

from zoo.interpret.convolution import Convolution
from zoo.interpret.operations import Layer, MaxPool, Residual, Trace
from zoo.interpret.windows import Index

__all__ = ["by_phase", "mutants_at_once", "reach"]

# Numbers in the largest windows of all mutants that are computed together, few enough for a processor's cache.
_NUMBERS = 1 << 22
_MOST = 4096


def reach(layers: Sequence[Layer], width: int, positions: Sequence[int]) -> list[int]:
    """Positions that a change of so many bases reaches behind each layer, at most.

    Args:
        layers: layers in order.
        width: bases that change, neighbours.
        positions: positions of the sequence in front of each layer; a window is never wider by more than one cell.
    """
    widths = []
    for layer, most in zip(layers, positions, strict=True):
        width = min(_behind(layer, min(width, most), most), most)
        widths.append(width)
    return widths


def _behind(layer: Layer, width: int, positions: int) -> int:
    """Positions that one layer's window has for a window of `width` in front of it."""
    if isinstance(layer, Convolution):
        width = (width + layer.dilation * (layer.width - 1) + layer.stride - 1) // layer.stride
        return -(-(width + layer.grid - 1) // layer.grid) * layer.grid
    if isinstance(layer, MaxPool):
        return -(-(width + layer.width - 1) // layer.width)
    if isinstance(layer, Residual):
        return reach(layer.layers, width, [positions] * len(layer.layers))[-1]
    return width


def by_phase(layers: Sequence[Layer], starts: Index) -> Index:
    """Order of mutants (N,) in which those that lie alike on the grids of strides and pools are neighbours."""
    digits = []
    for layer in layers:
        step = layer.width if isinstance(layer, MaxPool) else layer.stride if isinstance(layer, Convolution) else 1
        if step > 1:
            digits.append(starts % step)
            starts = starts // step
    order: Index = np.lexsort((starts, *digits[::-1]))
    return order


def mutants_at_once(trace: Trace, width: int) -> int:
    """How many mutants of so many neighbouring bases are computed together."""
    layers = [layer for layer, _, _ in trace]
    widths = reach(layers, width, [before.shape[1] for _, before, _ in trace])
    channels = [before.shape[2] for _, before, _ in trace]
    most = max((count * wide for count, wide in zip(widths, channels[1:], strict=False)), default=1)
    return max(1, min(_MOST, _NUMBERS // (2 * most)))
