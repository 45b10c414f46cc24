"""Sequences that share k-mers, on either strand: their groups, and common coordinates of overlapping sequences.

Shapes: N sequences, L bases, W = L - k + 1 k-mers of each, J pairs.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from zoo.errors import ConfigError
from zoo.genome.kmers import LONGEST_KMER, canonical_kmers, distinct_numbers, known_kmers, number_kmers
from zoo.genome.sequence import UNKNOWN, Codes, reverse_complement

__all__ = ["Joins", "Layout", "connected", "find_joins", "group_overlapping", "lay_out", "share_kmers"]

Index = NDArray[np.int64]
_JOINS_AT_ONCE = 65_536


class Layout(NamedTuple):
    """Common coordinates: base j of sequence i is at `offset[i] + sign[i] * j` of its group.

    Attributes:
        group: group of each sequence, numbered in the order of their first sequences (N,).
        sign: 1 for the strand of the group's first sequence, -1 for the other one (N,).
        offset: coordinate of the first base (N,).
    """

    group: Index
    sign: Index
    offset: Index


class Joins(NamedTuple):
    """Pairs of sequences that share a k-mer: base j of `other` is base `sign * j + offset` of `one`. All (J,)."""

    one: Index
    other: Index
    sign: Index
    offset: Index


def group_overlapping(codes: Codes, k: int, both_strands: bool = True) -> Index:
    """Number sequences so that those that share a k-mer, or that a chain of such pairs connects, have one number.

    Args:
        codes: uint8 (N, L).
        k: length of the k-mers; those with an N are ignored.
        both_strands: whether a k-mer and its reverse complement are the same.

    Returns:
        Number of each sequence's group, from 0 (N,).

    Raises:
        ConfigError: k is larger than the sequences, or than 32 (a k-mer is stored in 64 bits).
    """
    return connected(len(codes), find_joins(codes, k, both_strands))


def connected(count: int, joins: Joins) -> Index:
    """Number the groups of `count` sequences that joins connect (N,), in the order of their first sequences."""
    ends = (joins.one, joins.other)
    graph = coo_array((np.ones(len(joins.one), dtype=bool), ends), shape=(count, count))
    _, group = connected_components(graph, directed=False)
    _, first = np.unique(group, return_index=True)
    ordered: Index = np.argsort(np.argsort(first))[group].astype(np.int64)
    return ordered


def share_kmers(codes: Codes, others: Codes, k: int) -> NDArray[np.bool_]:
    """Mark the sequences (N, L) that share a k-mer, on either strand, with one of other sequences (M, K): (N,).

    k-mers with an N are ignored; k is at most 32, and at most L and K.
    """
    theirs = distinct_numbers(canonical_kmers(others, k)[known_kmers(others, k)])
    if not len(theirs):
        return np.zeros(len(codes), dtype=bool)
    words = canonical_kmers(codes, k)
    at = np.minimum(np.searchsorted(theirs, words), len(theirs) - 1)
    shared: NDArray[np.bool_] = ((theirs[at] == words) & known_kmers(codes, k)).any(axis=1)
    return shared


def lay_out(codes: Codes, joins: Joins) -> Layout:
    """Give sequences (N, L) of one genome common coordinates, along those joins that are overlaps.

    Two sequences overlap where they are equal over all of their overlap: a repeat, which is in both but does not extend
    to their ends, does not join them.
    """
    same = _same_over_overlap(codes, joins)
    return _spread(len(codes), Joins(*(column[same] for column in joins)))


def find_joins(codes: Codes, k: int, both_strands: bool = True) -> Joins:
    """Find pairs of sequences (N, L) that share a k-mer: of all that have it, those that follow one another.

    Raises:
        ConfigError: k is larger than the sequences, or than 32.
    """
    longest = min(LONGEST_KMER, codes.shape[1])
    if not 1 <= k <= longest:
        raise ConfigError(
            f"sequences of {codes.shape[1]} bases cannot be compared by {k}-mers: k must be 1 to {longest}"
        )
    forward = number_kmers(codes, k)
    backward = number_kmers(reverse_complement(codes), k)[:, ::-1] if both_strands else forward
    windows = forward.shape[1]
    position = np.flatnonzero(known_kmers(codes, k))
    word = np.minimum(forward, backward).ravel()[position]
    order = np.argsort(word, kind="stable")
    word, position = word[order], position[order]
    same = word[1:] == word[:-1]
    one, other = position[:-1][same], position[1:][same]
    along = (forward <= backward).ravel()
    sign = np.where(along[one] == along[other], 1, -1)
    (one, at), (other, to) = np.divmod(one, windows), np.divmod(other, windows)
    offset = np.where(sign > 0, at - to, at + to + k - 1)
    span = 4 * codes.shape[1]
    key = (one * len(codes) + other) * span + 2 * (offset + codes.shape[1]) + (sign > 0)
    pair, rest = np.divmod(distinct_numbers(key[one != other]), span)
    # Offsets lie between -L and L on the same strand, whose keys are odd; else between 0 and 2 L, beyond the span.
    beyond = (rest % 2 == 0) & (rest < span // 2)
    one, other = np.divmod(pair - beyond, len(codes))
    return Joins(one, other, np.where(rest % 2, 1, -1), (rest + span * beyond) // 2 - codes.shape[1])


def _same_over_overlap(codes: Codes, joins: Joins) -> NDArray[np.bool_]:
    """Mark the joins (J,) whose two sequences are equal wherever they overlap."""
    length = codes.shape[1]
    position = np.arange(length)  # of a base of `one`
    same = np.empty(len(joins.one), dtype=bool)
    for first in range(0, len(same), _JOINS_AT_ONCE):
        rows = slice(first, first + _JOINS_AT_ONCE)
        one, other, sign, offset = (column[rows, None] for column in joins)
        base = sign * (position - offset)  # the base of `other` at the same position
        overlap = (base >= 0) & (base < length)
        letter = codes[other, np.clip(base, 0, length - 1)]
        letter = np.where((sign > 0) | (letter == UNKNOWN), letter, 3 - letter)
        same[rows] = ((letter == codes[one, position]) | ~overlap).all(1)
    return same


def _spread(count: int, joins: Joins) -> Layout:
    """Spread groups and coordinates along the joins of `count` sequences."""
    # Each join in both directions: `other` takes its coordinates from `one`.
    one, other = np.concatenate([joins.one, joins.other]), np.concatenate([joins.other, joins.one])
    sign = np.concatenate([joins.sign, joins.sign])
    offset = np.concatenate([joins.offset, -joins.sign * joins.offset])
    layout = Layout(np.arange(count), np.ones(count, np.int64), np.zeros(count, np.int64))
    while True:  # each sequence takes the lowest group among its neighbours, until nothing changes
        lowest = layout.group.copy()
        np.minimum.at(lowest, other, layout.group[one])
        better = np.flatnonzero((lowest[other] < layout.group[other]) & (layout.group[one] == lowest[other]))
        if not len(better):
            return layout._replace(group=np.unique(layout.group, return_inverse=True)[1].astype(np.int64))
        row, first = np.unique(other[better], return_index=True)
        join = better[first]
        via = one[join]
        layout.offset[row] = layout.sign[via] * offset[join] + layout.offset[via]
        layout.sign[row] = layout.sign[via] * sign[join]
        layout.group[row] = lowest[row]
