"""Short convolutions by fewer products: a discrete Fourier transform written as three real matrices.

The convolution of n positions with `width` taps takes n * width products of matrices; in the frequency domain it takes
3 for each pair of complex frequencies, about 1.5 (n + width).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Transform", "transform_for"]

# The longest window: longer ones are not transformed, since the transforms themselves would take as long.
_LONGEST = 32
# Products that a transform must save, as a share of those of the plain convolution.
_WORTH = 0.7


class Transform(NamedTuple):
    """Full convolution y[o] = sum over t of x[t] w[o - t] as y = back ((forward x) * (taps w)), m products.

    Attributes:
        forward: (m, n).
        taps: (m, width).
        back: (n + width - 1, m).
    """

    forward: Tensor
    taps: Tensor
    back: Tensor


@lru_cache(maxsize=64)
def transform_for(positions: int, width: int) -> Transform | None:
    """The transform of windows of n `positions` for a filter of `width` taps; None where it saves too little."""
    length = positions + width - 1
    # An even number of frequencies takes fewest products; the last value, which then is added to the first, is a
    # product of its own.
    period = length - length % 2
    products = 2 + 3 * (period // 2 - 1) + length % 2
    if positions > _LONGEST or width == 1 or products > _WORTH * positions * width:
        return None
    rows = _frequencies(period)
    if length % 2:
        last_of = np.zeros((3, 1, length))
        last_of[0, 0, positions - 1] = last_of[1, 0, width - 1] = last_of[2, 0, -1] = 1.0
        last_of[2, 0, 0] = -1.0
        rows = np.concatenate([np.pad(rows, ((0, 0), (0, 0), (0, 1)), mode="wrap"), last_of], 1)
        rows[2, :-1, -1] = 0.0
    forward, taps, back = rows[0, :, :positions], rows[1, :, :width], rows[2].T
    return Transform(*(torch.from_numpy(np.ascontiguousarray(matrix, np.float32)) for matrix in (forward, taps, back)))


def _frequencies(period: int) -> NDArray[np.float64]:
    """Rows of the transform forward and of that of the taps, columns of the one back: (3, m, period), even periods."""
    rows = []
    angles = 2 * np.pi * np.arange(period) / period
    for frequency in range(period // 2 + 1):
        cosine, sine = np.cos(frequency * angles), -np.sin(frequency * angles)
        if frequency in (0, period // 2):  # real
            rows.append((cosine, cosine, cosine / period))
            continue
        # (a + bi)(c + di) by three products: k1 = c (a + b), k2 = a (d - c), k3 = b (c + d); k1 - k3, k1 + k2.
        real, imaginary = 2 * cosine / period, 2 * sine / period
        rows += [
            (cosine + sine, cosine, real + imaginary),
            (cosine, sine - cosine, imaginary),
            (sine, cosine + sine, -real),
        ]
    return np.array(rows).transpose(1, 0, 2)
