"""k-mers of sequences as numbers. Shapes: N sequences, L bases, W = L - k + 1 k-mers of each."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from zoo.genome.sequence import UNKNOWN, Codes, reverse_complement

__all__ = ["LONGEST_KMER", "canonical_kmers", "distinct_numbers", "known_kmers", "number_kmers"]

LONGEST_KMER = 32  # 4 ** 32 numbers fit into 64 bits
_Number = TypeVar("_Number", np.uint32, np.uint64, np.int64)


def number_kmers(codes: Codes, k: int) -> NDArray[np.uint64]:
    """Encode each k-mer of codes uint8 (N, L) as a number (N, W), N read as A; k is at most 32.

    Numbers of k-mers are composed of those of 1, 2, 4, ... bases: log2(k) steps instead of k.
    """
    power = (codes & 3).astype(np.uint64)  # k-mers of `size` bases
    size, numbers, done = 1, None, 0
    while True:
        if k & size:
            if numbers is None:
                numbers = power
            else:
                kept = codes.shape[1] - done - size + 1
                numbers = (numbers[:, :kept] << np.uint64(2 * size)) | power[:, done : done + kept]
            done += size
        if done == k:
            assert numbers is not None
            return numbers
        kept = codes.shape[1] - 2 * size + 1
        power = (power[:, :kept] << np.uint64(2 * size)) | power[:, size : size + kept]
        size *= 2


def known_kmers(codes: Codes, k: int) -> NDArray[np.bool_]:
    """Mark the k-mers of codes uint8 (N, L) that have no N (N, W)."""
    unknown = np.cumsum(np.pad(codes == UNKNOWN, ((0, 0), (1, 0))), axis=1, dtype=np.int32)
    known: NDArray[np.bool_] = unknown[:, k:] == unknown[:, :-k]
    return known


def canonical_kmers(codes: Codes, k: int) -> NDArray[np.uint64]:
    """Encode each k-mer of codes uint8 (N, L) as a number (N, W): that of its strand with the smaller one."""
    return np.minimum(number_kmers(codes, k), number_kmers(reverse_complement(codes), k)[:, ::-1])


def distinct_numbers(values: NDArray[_Number]) -> NDArray[_Number]:
    """Distinct values of (N,) in order; np.unique puts them into a hash table, which takes fifty times as long."""
    ordered = np.sort(values)
    distinct: NDArray[_Number] = ordered[np.diff(ordered, prepend=ordered[:1] + 1) != 0]
    return distinct
