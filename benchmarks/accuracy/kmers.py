"""Counts of k-mers: the features of the logistic regressions that networks are compared with."""

import numpy as np
from numpy.typing import NDArray

from zoo.genome.sequence import UNKNOWN, Codes, reverse_complement

__all__ = ["count_kmers"]

_SEQUENCES_AT_ONCE = 8192  # bounds the memory of the windows


def count_kmers(codes: Codes, k: int, merge_strands: bool = False) -> NDArray[np.float32]:
    """Count each k-mer in each sequence; k-mers with an N are left out.

    Args:
        codes: sequences (N, L).
        k: length of the k-mers.
        merge_strands: count a k-mer and its reverse complement as one.

    Returns:
        Counts (N, K) in alphabetical order: K = 4 ** k, or fewer if strands are merged (2,080 of 6-mers).
    """
    powers = 4 ** np.arange(k - 1, -1, -1)
    column = np.arange(4**k)  # of each k-mer, by its number in base 4
    if merge_strands:
        reverse = reverse_complement((column[:, None] // powers % 4).astype(np.uint8)) @ powers
        _, column = np.unique(np.minimum(column, reverse), return_inverse=True)
    width = int(column.max()) + 1
    blocks = []
    for block in np.array_split(codes, len(codes) // _SEQUENCES_AT_ONCE + 1):
        windows = np.lib.stride_tricks.sliding_window_view(block, k, axis=1)  # (n, L) -> (n, L - k + 1, k)
        row, start = np.nonzero(windows.max(2) < UNKNOWN)
        cells = row * width + column[windows[row, start] @ powers]
        blocks.append(np.bincount(cells, minlength=len(block) * width).reshape(-1, width).astype(np.float32))
    return np.concatenate(blocks)
