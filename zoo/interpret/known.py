"""Modules and steps that have layers for mutants, by their exact type."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from zoo.interpret.convolution import Convolution
from zoo.interpret.operations import Affine, Crop, Each, Layer, MaxPool, Residual, Shift
from zoo.nn import equivariant, layers, maxima, steps

__all__ = ["layers_of", "tuned"]

Layers = list[Layer]


def layers_of(step: steps.Step) -> Layers | None:
    """The layers of a step; None where it has none."""
    make = _KNOWN.get(type(step))
    return None if make is None else make(step)


def tuned(sequence: Sequence[Layer]) -> Layers:
    """The same function in fewer operations.

    A scale behind a convolution becomes part of its weight; what rises, such as a ReLU, follows a max-pool instead of
    preceding it; and convolutions know the grid of the pool behind them.
    """
    result: Layers = []
    for layer in sequence:
        last = result[-1] if result else None
        if type(layer) is Affine and isinstance(last, Convolution):
            bias = last.bias * layer.scale + layer.shift
            result[-1] = replace(last, weight=last.weight * layer.scale[:, None, None], bias=bias)
            continue
        at = len(result)
        if isinstance(layer, MaxPool):
            while at and isinstance(before := result[at - 1], Each) and before.rises:
                at -= 1
        result.insert(at, layer)
    for index, layer in enumerate(result):
        if isinstance(layer, MaxPool):
            conv = next((one for one in reversed(result[:index]) if not isinstance(one, Each)), None)
            if isinstance(conv, Convolution):
                conv.grid = layer.width
        if isinstance(layer, Each):
            layer.is_alone = index > 0  # the first one reads what a residual connection reads too
    return result


def _convolution(module: Any) -> Layers | None:
    """A convolution along positions, written for one axis or for an image of one row."""
    weight = module.weight.detach()
    weight = weight.squeeze(2) if weight.ndim == 4 else weight
    if module.groups != 1 or module.padding_mode != "zeros" or weight.ndim != 3:
        return None
    stride, dilation = module.stride[-1], module.dilation[-1]
    reach = dilation * (weight.shape[2] - 1)
    if isinstance(module.padding, str):  # as torch: one more after than before where it is odd
        before = 0 if module.padding == "valid" else reach // 2
        padding = (before, 0 if module.padding == "valid" else reach - before)
    else:
        padding = (module.padding[-1],) * 2
    bias = weight.new_zeros(len(weight)) if module.bias is None else module.bias.detach()
    return [Convolution(weight, bias, stride, dilation, padding)]


def _strands(module: equivariant.StrandsConv) -> Layers | None:
    """Filters of both strands as one convolution."""
    one = _convolution(module)
    if one is None or not isinstance(conv := one[0], Convolution):
        return None
    other = conv.weight.flip(2)
    other = other if module.partners is None else other[:, module.partners]
    return [replace(conv, weight=torch.cat([conv.weight, other]), bias=torch.cat([conv.bias, conv.bias]))]


def _filters(step: steps.Filters) -> Layers:
    padding = (step.padding, step.padding)
    return [Convolution(step.weight.detach(), step.bias.detach(), padding=padding, fill=step.fill)]


def _norm(module: Any) -> Layers | None:
    """Batch normalisation with its running statistics."""
    if module.running_mean is None:
        return None
    scale = (module.running_var + module.eps).rsqrt()
    scale = scale if module.weight is None else scale * module.weight.detach()
    shift = -module.running_mean * scale
    return [Affine(scale, shift if module.bias is None else shift + module.bias.detach())]


def _image_pool(module: nn.MaxPool2d) -> Layers | None:
    """A pool along an image of one row."""
    size, stride = module.kernel_size, module.stride
    plain = isinstance(size, tuple) and size == stride and size[0] == 1
    if not plain or module.padding != 0 or module.dilation != 1:
        return None
    return [MaxPool(size[1], bool(module.ceil_mode))]  # type: ignore[index]


def _residual(module: layers.Residual) -> Layers | None:
    """A residual connection around layers that are all known."""
    inner: Layers = []
    pending: list[steps.Step] = [module.blocks]
    while pending:
        step, *pending = pending
        nested = steps.inner_steps(step) if isinstance(step, nn.Module) else None
        if nested is not None:
            pending = [*nested, *pending]
        elif (known := layers_of(step)) is not None:
            inner += known
        else:
            return None
    return [Residual(tuned(inner))]


def _block(module: layers.ConvBlock) -> Layers | None:
    """The layers of a block, which goes through long sequences in pieces."""
    lists = [layers_of(child) for child in module.children()]
    return None if None in lists else [layer for one in lists if one is not None for layer in one]


def _each(module: nn.Module) -> Layers:
    return [Each(module)]


def _nothing(module: nn.Module) -> Layers:
    return []


_KNOWN: dict[type, Callable[[Any], Layers | None]] = {
    **dict.fromkeys((nn.Conv1d, nn.Conv2d, layers.Conv1d, layers.Conv2d), _convolution),
    **dict.fromkeys((nn.BatchNorm1d, nn.BatchNorm2d), _norm),
    **dict.fromkeys((nn.GELU, layers.QuickGELU), _each),
    **dict.fromkeys((nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d), _nothing),
    nn.ReLU: lambda module: [Each(F.relu, rises=True, overwriting=F.relu_)],
    nn.MaxPool2d: _image_pool,
    maxima.MaxPool: lambda module: [MaxPool(module.width)],
    maxima.PartialMaxPool: lambda module: [MaxPool(module.width, partial=True)],
    maxima.HigherStrand: lambda module: [Each(module)],
    equivariant.StrandsConv: _strands,
    layers.ConvBlock: _block,
    layers.Residual: _residual,
    steps.Filters: _filters,
    steps.Crop: lambda step: [Crop(step.positions)],
    steps.AppendTracks: lambda step: [Shift(lambda tracks: tracks.repeat_interleave(step.size, -1), append=True)],
    steps.AddTracks: lambda step: [Shift(step.module)],
}
