"""What each base at each position does to a label: every base is put at every position of random sequences.

Shapes: B random sequences, L bases, W positions that are looked at, T targets.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from zoo.site.network import Network, Sequences

__all__ = ["BaseEffects", "base_effects"]

_MOST_POSITIONS, _LEAST_POSITIONS = 400, 20
_MOST_SEQUENCES, _LEAST_SEQUENCES = 128, 8
_FLOPS = 5 * 10**10  # for all of them


@dataclass(frozen=True)
class BaseEffects:
    """Mean effect of each base at each position on the raw output of the first target.

    Attributes:
        effects: (W, 4), in the order A C G T; the mean over the bases of a position is 0.
        start: index of the first position in the sequence.
        sequences: random sequences over which it is the mean.
    """

    effects: NDArray[np.float64]
    start: int
    sequences: int


def base_effects(network: Network) -> BaseEffects | None:
    """Put every base at every position, or at those in the middle of a long sequence, of random sequences.

    Args:
        network: the net.

    Returns:
        The effects; None where few positions would take too long.
    """
    if not network.is_short:
        return None
    affordable = _FLOPS // (4 * network.flops())  # sequences, each with every base at one position
    positions = min(network.model.length, _MOST_POSITIONS, affordable // _LEAST_SEQUENCES)
    if positions < min(network.model.length, _LEAST_POSITIONS):
        return None
    sequences = network.random(min(_MOST_SEQUENCES, affordable // positions))
    start = (network.model.length - positions) // 2
    effects = np.stack([_effects_at(network, sequences, start + index) for index in range(positions)])
    return BaseEffects(effects, start, len(sequences.codes))


def _effects_at(network: Network, sequences: Sequences, position: int) -> NDArray[np.float64]:
    """Mean raw output of the first target with each base at a position (4,), minus the mean over the bases."""
    codes = sequences.codes.repeat(4, 1)  # (4 B, L)
    codes[:, position] = torch.arange(4, dtype=torch.uint8).repeat_interleave(len(sequences.codes))
    inputs = None if sequences.inputs is None else sequences.inputs.repeat(4, 1, 1)
    raw = network.raw(Sequences(codes, inputs))[:, 0]  # (4 B,)
    means = raw.view(4, -1).double().mean(1)
    effects: NDArray[np.float64] = (means - means.mean()).numpy()
    return effects
