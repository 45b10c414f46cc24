"""Dinucleotide-preserving shuffles of sequences (Altschul & Erickson 1985, doi:10.1093/oxfordjournals.molbev.a040370).

Shapes: N sequences, L bases, 5 letters.
"""

import numpy as np
from numpy.typing import NDArray

from zoo.genome.sequence import Codes

__all__ = ["dinucleotide_shuffle"]

_LETTERS = 5  # A C G T N: N counts as a letter
_ROWS_AT_ONCE = 4096  # keeps the working arrays in the processor's cache

Index = NDArray[np.int64]


def dinucleotide_shuffle(codes: Codes, rng: np.random.Generator) -> Codes:
    """Shuffle each sequence; its first and last base and its exact count of every dinucleotide stay.

    Every such sequence is equally likely. A shuffle is a random Eulerian walk over the graph whose nodes are letters
    and whose edges are dinucleotides: the last exits of the letters form a uniform spanning tree, the other exits are
    in random order. All sequences are walked at once, base by base.

    Args:
        codes: uint8 (N, L).
        rng: random number generator.

    Returns:
        uint8 (N, L), a new array.
    """
    if codes.shape[1] < 3:
        return codes.copy()
    blocks = [_shuffle(codes[start : start + _ROWS_AT_ONCE], rng) for start in range(0, len(codes), _ROWS_AT_ONCE)]
    return np.concatenate(blocks) if blocks else codes.copy()


def _shuffle(codes: Codes, rng: np.random.Generator) -> Codes:
    rows, length = codes.shape
    source, target = codes[:, :-1].astype(np.int64), codes[:, 1:].astype(np.int64)
    counts = _count_edges(source, target)  # (N, 5, 5)
    last_exit = _draw_last_exits(counts, codes[:, -1], rng)  # (N, 5)
    exits, start = _order_exits(source, target, counts, last_exit, rng)

    shuffled = np.empty((length, rows), dtype=np.uint8)
    shuffled[0] = codes[:, 0]
    # For each sequence and letter, `cursor` is the index of its next exit in the flat list of exits.
    cursor = start.ravel()
    base = np.arange(rows) * _LETTERS
    at = base + codes[:, 0]
    for step in range(1, length):
        position = cursor[at]
        cursor[at] = position + 1
        letter = exits[position]
        shuffled[step] = letter
        at = base + letter
    return np.ascontiguousarray(shuffled.T)


def _count_edges(source: Index, target: Index) -> Index:
    """Count how often each letter follows each other one: (N, 5, 5)."""
    rows = len(source)
    cell = (np.arange(rows)[:, None] * _LETTERS + source) * _LETTERS + target
    return np.bincount(cell.ravel(), minlength=rows * _LETTERS**2).reshape(rows, _LETTERS, _LETTERS)


def _draw_last_exits(counts: Index, end: Codes, rng: np.random.Generator) -> Index:
    """Draw for each letter the letter that its last exit leads to, so that all last exits lead to the end: (N, 5).

    Exits are drawn in proportion to their counts, and drawn again where they do not lead to the end (rejection
    sampling): the result is uniform over the spanning trees. Exits from a letter to itself cannot be last exits.
    """
    cumulated = (counts * ~np.eye(_LETTERS, dtype=bool)).cumsum(2)
    last_exit = np.tile(np.arange(_LETTERS), (len(counts), 1))
    open_rows = np.arange(len(counts))
    while len(open_rows):
        weight = cumulated[open_rows]
        draw = rng.random(weight.shape[:2]) * weight[:, :, -1]
        drawn = (draw[:, :, None] >= weight).sum(2)
        goal = end[open_rows].astype(np.int64)
        absent = weight[:, :, -1] == 0
        drawn = np.where(absent, goal[:, None], drawn)
        drawn[np.arange(len(drawn)), goal] = goal
        reached = drawn
        for _ in range(2):  # 4 steps: the longest path of a tree on five letters
            reached = np.take_along_axis(reached, reached, 1)
        done = (np.take_along_axis(drawn, reached, 1) == goal[:, None]).all(1)
        last_exit[open_rows[done]] = drawn[done]
        open_rows = open_rows[~done]
    return last_exit


def _order_exits(
    source: Index, target: Index, counts: Index, last_exit: Index, rng: np.random.Generator
) -> tuple[Index, Index]:
    """Order the exits of every letter: a flat list of where they lead, and each letter's first index in it (N, 5)."""
    rows, edges = source.shape
    key = rng.random(source.shape, dtype=np.float32)
    for letter in range(_LETTERS):
        # Exits to the same letter are interchangeable, so the first of them becomes the last one taken. The end, and a
        # letter without exits, have no last exit: their exits stay in random order.
        exit_to = last_exit[:, letter, None]
        match = (source == letter) & (target == exit_to) & (exit_to != letter)
        rows_with_exit = np.flatnonzero(match.any(1))
        key[rows_with_exit, match[rows_with_exit].argmax(1)] = 1.0
    order = np.argsort(key + 2 * source, axis=1)
    exits = np.take_along_axis(target, order, 1).ravel()
    ends = counts.sum(2).cumsum(1)
    start = np.concatenate([np.zeros((rows, 1), dtype=np.int64), ends[:, :-1]], 1)
    return exits, start + np.arange(rows)[:, None] * edges
