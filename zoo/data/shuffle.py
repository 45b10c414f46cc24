"""Negatives made of positives: shuffles that keep every dinucleotide count (Altschul & Erickson 1985)."""

import numpy as np
from numpy.typing import NDArray

from zoo.genome.sequence import Codes

__all__ = ["dinucleotide_shuffle"]

_LETTERS = 5  # A C G T N: an N is a letter like the others here
_ROWS_AT_ONCE = 4096  # keeps the working arrays in the processor's cache

Index = NDArray[np.int64]


def dinucleotide_shuffle(codes: Codes, rng: np.random.Generator) -> Codes:
    """Shuffle each sequence, keeping its first and last base and its exact count of every dinucleotide.

    Every such sequence is equally likely: the walk over the graph of its dinucleotides is drawn with the last exit
    from each letter from a uniform spanning tree, and the other exits in random order. All sequences are walked at
    once, base by base.

    Args:
        codes: uint8 (N, L).
        rng: where the randomness comes from.

    Returns:
        uint8 (N, L), a new array.
    """
    if codes.shape[1] < 3:
        return codes.copy()
    parts = [_shuffle(codes[start : start + _ROWS_AT_ONCE], rng) for start in range(0, len(codes), _ROWS_AT_ONCE)]
    return np.concatenate(parts) if parts else codes.copy()


def _shuffle(codes: Codes, rng: np.random.Generator) -> Codes:
    rows, length = codes.shape
    source, target = codes[:, :-1].astype(np.int64), codes[:, 1:].astype(np.int64)
    counts = _count_edges(source, target)  # (N, 5, 5)
    last_exit = _draw_last_exits(counts, codes[:, -1], rng)  # (N, 5)
    exits, start = _order_exits(source, target, counts, last_exit, rng)

    shuffled = np.empty((length, rows), dtype=np.uint8)
    shuffled[0] = codes[:, 0]
    # `cursor` holds, for each sequence and letter, where its next exit lies in the flat list of exits.
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
    """How often each letter follows each: (N, 5, 5)."""
    rows = len(source)
    cell = (np.arange(rows)[:, None] * _LETTERS + source) * _LETTERS + target
    return np.bincount(cell.ravel(), minlength=rows * _LETTERS**2).reshape(rows, _LETTERS, _LETTERS)


def _draw_last_exits(counts: Index, end: Codes, rng: np.random.Generator) -> Index:
    """For each letter, the letter its last exit leads to, so that all of them lead to the end: (N, 5).

    Drawn at random, each in proportion to its count, and drawn again where they do not: what is left is uniform over
    the spanning trees. An exit from a letter to itself never leads on and is left out from the start.
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
        for _ in range(2):  # three doublings walk further than the four steps a tree on five letters can need
            reached = np.take_along_axis(reached, reached, 1)
        done = (np.take_along_axis(drawn, reached, 1) == goal[:, None]).all(1)
        last_exit[open_rows[done]] = drawn[done]
        open_rows = open_rows[~done]
    return last_exit


def _order_exits(
    source: Index, target: Index, counts: Index, last_exit: Index, rng: np.random.Generator
) -> tuple[Index, Index]:
    """The exits of every letter in the order they are taken, as one flat list, and where each letter's begin (N, 5)."""
    rows, edges = source.shape
    key = rng.random(source.shape, dtype=np.float32)
    for letter in range(_LETTERS):
        # Exits to one letter are alike, so the first of them may stand for the last one taken. The end, and a letter
        # that leads nowhere, have none: their exits stay in random order.
        exit_to = last_exit[:, letter, None]
        match = (source == letter) & (target == exit_to) & (exit_to != letter)
        found = np.flatnonzero(match.any(1))
        key[found, match[found].argmax(1)] = 1.0
    order = np.argsort(key + 2 * source, axis=1)
    exits = np.take_along_axis(target, order, 1).ravel()
    ends = counts.sum(2).cumsum(1)
    start = np.concatenate([np.zeros((rows, 1), dtype=np.int64), ends[:, :-1]], 1)
    return exits, start + np.arange(rows)[:, None] * edges
