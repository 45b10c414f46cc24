"""Mutants of scanned sequences: each window is a reference, and each window with a changed base a mutant of it.

Shapes: R sequences, L bases, W windows of each, N mutants, n bases that change, M pairs of a mutant and a window.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from zoo.interpret.network import Network, References
from zoo.interpret.windows import Index

__all__ = ["Scan", "scan_mutants", "scanned", "windows_of"]

# Windows that fit into memory; longer sequences are predicted in full.
MOST_WINDOWS = 8192


class Scan(NamedTuple):
    """Scanned references.

    Attributes:
        windows: their windows, each a reference (R W).
        raw: highest raw output (R, ...).
        up_to: highest raw output of the windows before each one, (R, W + 1, ...).
        onward: that of each window and those after it, (R, W + 1, ...).
    """

    windows: References
    raw: Tensor
    up_to: Tensor
    onward: Tensor


def windows_of(values: Tensor, length: int) -> Tensor:
    """All windows (R W, ..., length) of the last axis of sequences (R, ..., L)."""
    windows = values.unfold(-1, length, 1)
    return windows.movedim(-2, 1).flatten(0, 1).contiguous()


def scanned(network: Network, codes: Tensor, inputs: Tensor | None, length: int) -> Scan:
    """Compute all windows of references, uint8 (R, L), in full."""
    tracks = None if inputs is None else windows_of(inputs, length)
    windows = network.references(windows_of(codes, length), tracks)
    scores = windows.raw.view(len(codes), -1, *windows.raw.shape[1:])  # (R, W, ...)
    lowest = torch.full_like(scores[:, :1], -torch.inf)
    up_to = torch.cat([lowest, scores.cummax(1).values], 1)
    onward = torch.cat([scores.flip(1).cummax(1).values.flip(1), lowest], 1)
    return Scan(windows, scores.amax(1), up_to, onward)


def scan_mutants(network: Network, scan: Scan, length: int, codes: Tensor, starts: Index, rows: Index) -> Tensor:
    """Highest raw output of all windows of mutants (N, ...); arguments as of `Network.mutants`."""
    count = scan.up_to.shape[1] - 1  # W
    first = np.clip(starts - length + 1, 0, count - 1)
    end = np.clip(starts + codes.shape[1], first + 1, count)  # one window at least: it may hold none of the bases
    sizes = end - first
    mutant = np.repeat(np.arange(len(rows)), sizes)  # (M,)
    window = np.arange(len(mutant)) - np.repeat(np.cumsum(sizes) - sizes - first, sizes)
    on_device = torch.from_numpy(mutant).to(codes.device)
    scores = network.mutants(scan.windows, codes[on_device], starts[mutant] - window, rows[mutant] * count + window)
    at = torch.from_numpy(np.stack([rows, first, end])).to(codes.device)
    best = torch.maximum(scan.up_to[at[0], at[1]], scan.onward[at[0], at[2]])
    index = on_device.view(-1, *[1] * (scores.ndim - 1)).expand_as(scores)
    return best.scatter_reduce(0, index, scores, "amax")
