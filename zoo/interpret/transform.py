"""Short convolutions by fewer products: a discrete Fourier transform written as three real matrices.

The convolution of n positions with `width` taps takes n * width products of matrices; in the frequency domain it takes
3 for each pair of complex frequencies, about 1.5 (n + width).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
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
    pairs = (length - 1) // 2
    products = length - 2 * pairs + 3 * pairs
    if positions > _LONGEST or products > _WORTH * positions * width:
        return None
    forward, taps, back = [], [], []
    angles = 2 * np.pi * np.arange(length) / length
    for frequency in range(pairs + 1) if length % 2 else (*range(pairs + 1), length // 2):
        cosine, sine = np.cos(frequency * angles), -np.sin(frequency * angles)
        if frequency in (0, length / 2):  # real
            forward.append(cosine)
            taps.append(cosine)
            back.append(cosine / length)
            continue
        # (a + bi)(c + di) by three products: k1 = c (a + b), k2 = a (d - c), k3 = b (c + d); k1 - k3, k1 + k2.
        forward += [cosine + sine, cosine, sine]
        taps += [cosine, sine - cosine, cosine + sine]
        real, imaginary = 2 * cosine / length, 2 * sine / length
        back += [real + imaginary, imaginary, -real]
    matrices = (np.stack(forward)[:, :positions], np.stack(taps)[:, :width], np.stack(back, 1))
    return Transform(*(torch.from_numpy(np.ascontiguousarray(matrix, np.float32)) for matrix in matrices))
