"""Windows of positions that mutants change, and arithmetic of what they reach.

Shapes: R reference sequences, P positions, C channels, N mutants, n positions of a window. Values of references are
(R, P, C); those of windows (n, N, C), positions first, so that what one filter tap reads of all mutants is one matrix.
"""

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = [
    "Groups",
    "Index",
    "Window",
    "Workspace",
    "aligned",
    "difference",
    "gather",
    "groups_of",
    "moved_onto",
    "outside",
]

Index = NDArray[np.int64]
Groups = list[tuple[int, slice]]
# Groups of neighbours that are computed one by one before sorting them is worth its time.
_MOST_GROUPS = 48


@dataclass(frozen=True)
class Window:
    """Values of mutants where they may differ from their reference.

    Attributes:
        values: (n, N, C); of positions that the sequence does not have they mean nothing.
        starts: first position of each window; it may lie before the sequence (N,).
        rows: reference of each mutant (N,).
        order: number of each mutant, as it was asked for (N,): layers sort them.
    """

    values: Tensor
    starts: Index
    rows: Index
    order: Index

    @property
    def width(self) -> int:
        """Positions n."""
        return self.values.shape[0]

    def grouped_by(self, keys: Index) -> "tuple[Window, Index]":
        """The same mutants in an order in which equal keys (N,) are neighbours, at least mostly; and the keys in it."""
        changes = np.count_nonzero(keys[1:] != keys[:-1])
        if not changes or changes < _MOST_GROUPS:
            return self, keys
        by = np.argsort(keys, kind="stable")
        return self.taken(by), keys[by]

    def taken(self, by: Index) -> "Window":
        """Some of the mutants, by their index here."""
        values = self.values.index_select(1, torch.from_numpy(by).to(self.values.device))
        return Window(values, self.starts[by], self.rows[by], self.order[by])


def groups_of(keys: Index) -> Groups:
    """Groups of equal neighbours among keys (N,): each key, and which mutants have it."""
    edges = [0, *(np.flatnonzero(keys[1:] != keys[:-1]) + 1).tolist(), len(keys)]
    return [(int(keys[first]), slice(first, last)) for first, last in pairwise(edges)]


def outside(starts: Index, width: int, positions: int) -> Iterator[tuple[int, Index]]:
    """Positions of windows that a sequence of so many `positions` does not have: row in the window, mutants."""
    if starts.min() >= 0 and starts.max() + width <= positions:
        return
    for row in range(width):
        absent = np.flatnonzero((starts + row < 0) | (starts + row >= positions))
        if len(absent):
            yield row, absent


class Workspace:
    """Memory that is used again and again: asking the system for new pages takes as long as filling them.

    Each thread has its own.
    """

    def __init__(self) -> None:
        self._of_thread = threading.local()

    def empty(self, name: str, shape: tuple[int, ...], like: Tensor) -> Tensor:
        """An uninitialised tensor; it is overwritten when the same name is asked for again."""
        size = math.prod(shape)
        held: Tensor | None = getattr(self._of_thread, name, None)
        if held is None or held.numel() < size:
            held = like.new_empty(size)
            setattr(self._of_thread, name, held)
        return held[:size].view(shape)


def gather(reference: Tensor, starts: Index, rows: Index, width: int, space: Workspace | None = None) -> Tensor:
    """Values of references (R, P, C) in windows (n, N, C), a copy; past the ends, those of the ends."""
    references, positions, channels = reference.shape
    begin = int(starts[0])
    if len(rows) == references and begin >= 0 and begin + width <= positions and _is_common(starts, rows):
        return reference[:, begin : begin + width].transpose(0, 1).clone(memory_format=torch.contiguous_format)
    at = np.clip(starts + np.arange(width)[:, None], 0, positions - 1) + rows * positions  # (n, N)
    flat = reference.reshape(references * positions, channels)
    index = torch.from_numpy(at.ravel()).to(reference.device)
    if space is None:
        return flat.index_select(0, index).view(width, len(rows), channels)
    out = space.empty("gathered", (at.size, channels), flat)
    return torch.index_select(flat, 0, index, out=out).view(width, len(rows), channels)


def _is_common(starts: Index, rows: Index) -> bool:
    """Whether each reference has one mutant, in its order, and all windows lie alike."""
    return bool((starts == starts[0]).all() and (rows == np.arange(len(rows))).all())


def difference(window: Window, reference: Tensor, space: Workspace | None = None) -> Tensor:
    """Mutant minus reference (n, N, C); 0 at positions that the sequence does not have."""
    changed = gather(reference, window.starts, window.rows, window.width, space)
    torch.sub(window.values, changed, out=changed)
    for row, absent in outside(window.starts, window.width, reference.shape[1]):
        changed[row, torch.from_numpy(absent).to(changed.device)] = 0.0
    return changed


def trimmed(starts: Index, width: int, positions: int, grid: int) -> tuple[Index, int]:
    """Windows without whole cells of the grid that no sequence has: their starts and width."""
    before = max(0, -int(starts.max())) // grid * grid
    after = max(0, int(starts.min()) + width - -(-positions // grid) * grid) // grid * grid
    kept = max(grid, width - before - after)
    return starts + before, kept


def moved_onto(window: Window, reference: Tensor, starts: Index, width: int) -> Window:
    """The same mutants in other windows, which have the values of the reference wherever the first ones end.

    Args:
        window: what is changed.
        reference: values of the references (R, P, C).
        starts: first position of each new window (N,).
        width: its positions.
    """
    if width == window.width and (starts == window.starts).all():
        return window
    lead = window.starts - starts
    by, lead = window.grouped_by(lead)
    starts = by.starts - lead
    values = gather(reference, starts, by.rows, width)
    for offset, of in groups_of(lead):
        first, last = max(offset, 0), min(offset + window.width, width)
        if first < last:
            values[first:last, of] = by.values[first - offset : last - offset, of]
    return replace(by, values=values, starts=starts)


def aligned(window: Window, reference: Tensor, grid: int) -> Window:
    """Extend windows to whole cells of a pool's grid; values before and after are those of the reference."""
    starts = window.starts // grid * grid
    width = -(-int((window.starts - starts).max() + window.width) // grid) * grid
    starts, width = trimmed(starts, width, reference.shape[1], grid)
    return moved_onto(window, reference, starts, width)
