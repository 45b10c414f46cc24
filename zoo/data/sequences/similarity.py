"""Sequences that share stretches of bases, on either strand, laid out on common coordinates.

Shapes: N sequences, L bases, W = L - k + 1 stretches of k bases in each.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from zoo.errors import ConfigError
from zoo.genome.sequence import UNKNOWN, Codes, reverse_complement

__all__ = ["LONGEST_STRETCH", "Joins", "Layout", "connected", "find_joins", "group_overlapping", "lay_out"]

Index = NDArray[np.int64]
LONGEST_STRETCH = 32  # 4 ** 32 numbers fit into 64 bits
_JOINS_AT_ONCE = 65_536


class Layout(NamedTuple):
    """Where sequences lie: base j of sequence i is at `offset[i] + sign[i] * j` of its group.

    Attributes:
        group: the group of each sequence, numbered by the first sequence of each (N,).
        sign: 1 where it runs along its group's first sequence, -1 where its other strand does (N,).
        offset: where its first base lies (N,).
    """

    group: Index
    sign: Index
    offset: Index


class Joins(NamedTuple):
    """Pairs of sequences that share a stretch: base j of `other` lies at `sign * j + offset` of `one`. All (J,)."""

    one: Index
    other: Index
    sign: Index
    offset: Index


def group_overlapping(codes: Codes, stretch: int) -> Index:
    """Number sequences (N, L) so that those that share a stretch of that many bases, on either strand, share a number,
    and so do those that are joined by a chain of such neighbours. A stretch with an N in it joins nothing.

    Raises:
        ConfigError: a stretch that is longer than the sequences, or than the 32 bases that one number can hold.
    """
    return connected(len(codes), find_joins(codes, stretch))


def connected(count: int, joins: Joins) -> Index:
    """The group of each of so many sequences (N,): those that a path of joins connects, in order of their first."""
    ends = (joins.one, joins.other)
    graph = coo_array((np.ones(len(joins.one), dtype=bool), ends), shape=(count, count))
    _, group = connected_components(graph, directed=False)
    _, first = np.unique(group, return_index=True)
    found: Index = np.argsort(np.argsort(first))[group].astype(np.int64)
    return found


def lay_out(codes: Codes, joins: Joins) -> Layout:
    """Lay sequences (N, L) of one genome out along those joins that are overlaps, on either strand.

    Two are neighbours where they are the same over all of their overlap: a repeat, which is in both but does not reach
    to their ends, does not join them.
    """
    same = _same_over_overlap(codes, joins)
    return _spread(len(codes), Joins(*(column[same] for column in joins)))


def find_joins(codes: Codes, stretch: int) -> Joins:
    """Pairs of sequences that share a stretch: those that stand next to each other among all that hold it.

    Raises:
        ConfigError: see `group_overlapping`.
    """
    longest = min(LONGEST_STRETCH, codes.shape[1])
    if not 1 <= stretch <= longest:
        raise ConfigError(
            f"sequences of {codes.shape[1]} bases cannot be compared by stretches of {stretch}; "
            f"the longest is {longest}"
        )
    forward = _stretches(codes, stretch)
    backward = _stretches(reverse_complement(codes), stretch)[:, ::-1]
    windows = forward.shape[1]
    place = np.flatnonzero(_known(codes, stretch))
    word = np.minimum(forward, backward).ravel()[place]
    order = np.argsort(word, kind="stable")
    word, place = word[order], place[order]
    same = word[1:] == word[:-1]
    one, other = place[:-1][same], place[1:][same]
    along = (forward <= backward).ravel()
    sign = np.where(along[one] == along[other], 1, -1)
    (one, at), (other, to) = np.divmod(one, windows), np.divmod(other, windows)
    offset = np.where(sign > 0, at - to, at + to + stretch - 1)
    span = 4 * codes.shape[1]
    key = (one * len(codes) + other) * span + 2 * (offset + codes.shape[1]) + (sign > 0)
    _, first = np.unique(key, return_index=True)
    first = first[one[first] != other[first]]
    return Joins(one[first], other[first], sign[first], offset[first])


def _same_over_overlap(codes: Codes, joins: Joins) -> NDArray[np.bool_]:
    """Whether the two sequences of each join are the same wherever they overlap (J,)."""
    length = codes.shape[1]
    place = np.arange(length)  # of a base of `one`
    found = np.empty(len(joins.one), dtype=bool)
    for first in range(0, len(found), _JOINS_AT_ONCE):
        rows = slice(first, first + _JOINS_AT_ONCE)
        one, other, sign, offset = (column[rows, None] for column in joins)
        base = sign * (place - offset)  # of `other`, there
        there = (base >= 0) & (base < length)
        letter = codes[other, np.clip(base, 0, length - 1)]
        letter = np.where((sign > 0) | (letter == UNKNOWN), letter, 3 - letter)
        found[rows] = ((letter == codes[one, place]) | ~there).all(1)
    return found


def _spread(count: int, joins: Joins) -> Layout:
    """Groups of sequences that joins connect, and the coordinates that spread along them."""
    # Each join both ways: `other` takes its place from `one`.
    one, other = np.concatenate([joins.one, joins.other]), np.concatenate([joins.other, joins.one])
    sign = np.concatenate([joins.sign, joins.sign])
    offset = np.concatenate([joins.offset, -joins.sign * joins.offset])
    found = Layout(np.arange(count), np.ones(count, np.int64), np.zeros(count, np.int64))
    while True:  # each sequence takes the lowest group among its neighbours, until nothing changes
        lowest = found.group.copy()
        np.minimum.at(lowest, other, found.group[one])
        better = np.flatnonzero((lowest[other] < found.group[other]) & (found.group[one] == lowest[other]))
        if not len(better):
            return found._replace(group=np.unique(found.group, return_inverse=True)[1].astype(np.int64))
        row, first = np.unique(other[better], return_index=True)
        join = better[first]
        via = one[join]
        found.offset[row] = found.sign[via] * offset[join] + found.offset[via]
        found.sign[row] = found.sign[via] * sign[join]
        found.group[row] = lowest[row]


def _known(codes: Codes, stretch: int) -> NDArray[np.bool_]:
    """Which stretches hold no N (N, W)."""
    unknown = np.cumsum(np.pad(codes == UNKNOWN, ((0, 0), (1, 0))), axis=1, dtype=np.int32)
    known: NDArray[np.bool_] = unknown[:, stretch:] == unknown[:, :-stretch]
    return known


def _stretches(codes: Codes, length: int) -> NDArray[np.uint64]:
    """Each stretch of that length as one number (N, W), an N read as A; by doubling, not base by base."""
    power = (codes & 3).astype(np.uint64)  # stretches of `size` bases
    size, found, done = 1, None, 0
    while True:
        if length & size:
            if found is None:
                found = power
            else:
                kept = codes.shape[1] - done - size + 1
                found = (found[:, :kept] << np.uint64(2 * size)) | power[:, done : done + kept]
            done += size
        if done == length:
            assert found is not None
            return found
        kept = codes.shape[1] - 2 * size + 1
        power = (power[:, :kept] << np.uint64(2 * size)) | power[:, size : size + kept]
        size *= 2
