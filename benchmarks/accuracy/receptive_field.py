"""The receptive field of a network: which bases reach the prediction of one bin."""

from bisect import bisect

import torch

from zoo.models._base import SequenceModel

__all__ = ["receptive_field"]


def receptive_field(network: SequenceModel) -> int:
    """Count the bases that reach the prediction of the middle bin, by bisection from both ends of the window."""
    bases = range(network.length)
    left = bisect(bases, False, key=lambda base: _reach_output(network, slice(base + 1)))
    right = bisect(bases, False, key=lambda base: _reach_output(network, slice(network.length - base - 1, None)))
    return network.length - left - right


def _reach_output(network: SequenceModel, bases: slice) -> bool:
    """Say whether any of these bases reaches the middle bin: a NaN in the input spreads to all that depends on it."""
    onehot = torch.zeros(1, 4, network.length)
    onehot[..., bases] = torch.nan
    with torch.inference_mode():
        return bool(network.eval()(onehot)[0, 0, network.output.shape[1] // 2].isnan())
