"""KmerSketch: a sample of the k-mers of many sequences, small enough to be kept beside a model's weights.

A FracMinHash (Irber 2022, doi:10.1101/2022.01.11.475838): of the hashes of all canonical k-mers, those below a
threshold, a power of two. Whatever sequences are compared later, the same share of their k-mers is looked up, so that
the share of them that is in the sketch estimates the share that was in the sequences. A hash is stored with 32 bits: a
k-mer that was in no sequence is taken for one that was with a probability of 1 in 90,000 with the largest sketch.

Shapes: N sequences, L bases, W = L - k + 1 k-mers of each.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.genome.kmers import canonical_kmers, distinct_numbers, known_kmers
from zoo.genome.sequence import Codes

__all__ = ["MOST_HASHES", "KmerSketch", "SeenKmers", "kmer_length", "sketch_kmers"]

# Hashes of a sketch: 192 kB.
MOST_HASHES = 48_000
_ALL_BITS, _STORED_BITS = 64, 32
_LONGEST, _SHORTEST = 31, 16
_BASES_AT_ONCE = 2_000_000
Hashes = NDArray[np.uint64]


class SeenKmers(NamedTuple):
    """How many of the looked-up k-mers of sequences are in a sketch.

    Attributes:
        looked_up: number of k-mers of each sequence that a sketch of its fraction would hold (N,).
        seen: number of these that it holds (N,).
    """

    looked_up: NDArray[np.int64]
    seen: NDArray[np.int64]


class KmerSketch(NamedTuple):
    """Sample of the k-mers of sequences.

    Attributes:
        k: length of the k-mers.
        bits: hashes below 2 ** bits are in the sample: a fraction of 2 ** (bits - 64) of all k-mers.
        hashes: their highest 32 bits, uint32, sorted (H,).
    """

    k: int
    bits: int
    hashes: NDArray[np.uint32]

    @property
    def fraction(self) -> float:
        """Fraction of all k-mers that is sampled."""
        return float(2.0 ** (self.bits - _ALL_BITS))

    def look_up(self, codes: Codes) -> SeenKmers:
        """Look up the k-mers of sequences, uint8 (N, L), on either strand."""
        looked_up, seen = np.zeros((2, len(codes)), np.int64)
        if codes.shape[1] < self.k:
            return SeenKmers(looked_up, seen)
        for first, hashes, known in _hashed(codes, self.k):
            sampled = known & _below(hashes, self.bits)
            rows = np.nonzero(sampled)[0]
            is_kept = _is_in(_stored(hashes[sampled], self.bits), self.hashes)
            size = len(hashes)
            looked_up[first : first + size] = np.bincount(rows, minlength=size)
            seen[first : first + size] = np.bincount(rows[is_kept], minlength=size)
        return SeenKmers(looked_up, seen)


def kmer_length(length: int) -> int:
    """Length of the k-mers by which sequences of so many bases are compared: 31, less for short ones."""
    return max(1, min(_LONGEST, max(_SHORTEST, 2 * length // 3), length))


def sketch_kmers(blocks: Iterable[Codes], k: int, most: int = MOST_HASHES) -> KmerSketch:
    """Sketch the k-mers of sequences.

    Args:
        blocks: codes uint8 (n, L) of sequences, of one length in each block.
        k: length of the k-mers; those with an N do not count.
        most: hashes that are kept at most.
    """
    bits, kept = _ALL_BITS, np.empty(0, np.uint64)
    for codes in blocks:
        if codes.shape[1] < k:
            continue
        for _, hashes, known in _hashed(codes, k):
            kept = distinct_numbers(np.concatenate([kept, hashes[known & _below(hashes, bits)]]))
            while len(kept) > most:
                bits -= 1
                kept = kept[_below(kept, bits)]
    return KmerSketch(k, bits, distinct_numbers(_stored(kept, bits)))


def _hashed(codes: Codes, k: int) -> Iterator[tuple[int, Hashes, NDArray[np.bool_]]]:
    """First row, hashes (n, W) and which k-mers have no N (n, W), in blocks of rows that fit into memory."""
    size = max(1, _BASES_AT_ONCE // codes.shape[1])
    for first in range(0, len(codes), size):
        part = codes[first : first + size]
        yield first, _hash(canonical_kmers(part, k)), known_kmers(part, k)


def _hash(values: Hashes) -> Hashes:
    """Mix numbers so that all bits look random, as SplitMix64 does (Steele 2014, doi:10.1145/2660193.2660195)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        values = (values ^ (values >> np.uint64(shift))) * np.uint64(factor)
    return values ^ (values >> np.uint64(31))


def _below(hashes: Hashes, bits: int) -> NDArray[np.bool_]:
    """Whether hashes are below 2 ** bits."""
    if bits == _ALL_BITS:
        return np.ones(hashes.shape, np.bool_)
    below: NDArray[np.bool_] = hashes < np.uint64(1 << bits)
    return below


def _stored(hashes: Hashes, bits: int) -> NDArray[np.uint32]:
    """The highest 32 of `bits` bits."""
    return (hashes >> np.uint64(max(bits - _STORED_BITS, 0))).astype(np.uint32)


def _is_in(values: NDArray[np.uint32], ordered: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Which values are among the ordered ones."""
    if not len(ordered):
        return np.zeros(len(values), np.bool_)
    index = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    is_in: NDArray[np.bool_] = ordered[index] == values
    return is_in
