"""Labelled sequences in memory, and batches of them. Shapes: N sequences, L bases, T targets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from zoo.data.batch import Batch
from zoo.data.negatives import dinucleotide_shuffle
from zoo.sequence import UNKNOWN, Codes

__all__ = ["LabelledSequences", "SequenceDataset", "shift_codes"]


@dataclass
class LabelledSequences:
    """Sequences with labels, and where given, the part each belongs to.

    Attributes:
        codes: uint8 (N, L).
        labels: float32 (N, T), NaN where missing.
        part: index into `PARTS` (N,); -1 where the split is still to be made.
        weight: how often each is drawn in training, relative to the others (N,); None for once an epoch.
    """

    codes: Codes
    labels: NDArray[np.float32]
    part: NDArray[np.int64]
    weight: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.codes)

    def subset(self, keep: NDArray[np.bool_]) -> "LabelledSequences":
        """The sequences for which `keep` (N,) holds."""
        weight = None if self.weight is None else self.weight[keep]
        return LabelledSequences(self.codes[keep], self.labels[keep], self.part[keep], weight)


class SequenceDataset(Dataset[Batch]):
    """Sequences in memory, read by batch, each followed by its shuffles where it has any.

    An index is `epoch * size + position`: the epoch travels with it, so that a batch has the same fresh shuffles in
    whichever process it is made, and in a resumed run those of an uninterrupted one.

    Args:
        data: the sequences.
        shuffles: dinucleotide-preserving shuffles of each sequence that are added with all labels 0.
        seed: of shuffles and shifts.
        shift: bases by which each sequence is moved at most, to either side, N filling the gap.
    """

    def __init__(self, data: LabelledSequences, shuffles: int, seed: int, shift: int = 0) -> None:
        self.data = data
        self.shuffles = shuffles
        self.seed = seed
        self.shift = shift

    def __len__(self) -> int:
        return len(self.data) * (1 + self.shuffles)

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """Read a batch: the sequences first in the data, then their shuffles in blocks of N."""
        index = np.asarray(indices)
        block, row = np.divmod(index % len(self), len(self.data))
        codes, labels = self.data.codes[row], self.data.labels[row]
        # The first index holds the epoch: a batch of another epoch is made otherwise.
        rng = np.random.default_rng([self.seed, *index[:2]])
        is_shuffle = block > 0
        if is_shuffle.any():
            codes[is_shuffle] = dinucleotide_shuffle(codes[is_shuffle], rng)
            labels[is_shuffle] = 0
        if self.shift:
            codes = shift_codes(codes, rng.integers(-self.shift, self.shift + 1, len(codes)))
        return Batch(torch.from_numpy(codes), torch.from_numpy(labels))


def shift_codes(codes: Codes, shift: NDArray[np.int64]) -> Codes:
    """Move each sequence (N, L) by its own number of bases (N,), to the right where positive, N filling the gap."""
    reach = int(np.abs(shift).max())
    padded = np.pad(codes, ((0, 0), (reach, reach)), constant_values=UNKNOWN)
    column = np.arange(codes.shape[1]) + reach - shift[:, None]
    return np.take_along_axis(padded, column, axis=1)
