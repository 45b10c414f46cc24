"""Labelled sequences, in memory or on a genome, and batches of them. Shapes: N sequences, L bases, T targets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from zoo.batch import Batch
from zoo.data.shuffle import dinucleotide_shuffle
from zoo.data.windows import GenomeWindows
from zoo.genome.sequence import UNKNOWN, Codes, reverse_complement

__all__ = ["Labelled", "LabelledSequences", "LabelledWindows", "SequenceDataset", "Source", "shift_codes"]

# Where bases come from: memory, or a genome.
Source = TypeVar("Source", Codes, GenomeWindows)


@dataclass
class Labelled(Generic[Source]):
    """Sequences with labels, and where given, the split each belongs to.

    Attributes:
        codes: uint8 (N, L), in memory; or windows on a genome, which are read when they are asked for.
        labels: float32 (N, T), NaN where missing; or uint8, where none is.
        split: index into `SPLITS` (N,); -1 where the split is still to be made.
        weight: how often each is drawn in training, relative to the others (N,); None for once an epoch.
    """

    codes: Source
    labels: NDArray[np.float32] | NDArray[np.uint8]
    split: NDArray[np.int64]
    weight: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.codes)

    def subset(self, keep: NDArray[np.bool_]) -> "Labelled[Source]":
        """The sequences for which `keep` (N,) holds."""
        weight = None if self.weight is None else self.weight[keep]
        codes: Any = self.codes.select(keep) if isinstance(self.codes, GenomeWindows) else self.codes[keep]
        return replace(self, codes=codes, labels=self.labels[keep], split=self.split[keep], weight=weight)


LabelledSequences = Labelled[Codes]
LabelledWindows = Labelled[GenomeWindows]


class SequenceDataset(Dataset[Batch], Generic[Source]):
    """Sequences read by batch, each followed by its shuffles where it has any.

    An index is `epoch * size + position`: the epoch travels with it, so that a batch has the same fresh shuffles in
    whichever process it is made, and in a resumed run those of an uninterrupted one.

    Args:
        data: the sequences.
        shuffles: dinucleotide-preserving shuffles of each sequence that are added with all labels 0.
        seed: of shuffles, shifts and strands.
        shift: bases by which each sequence is moved at most, to either side: over the genome, or N filling the gap.
        reverse_complement: whether each sequence is read on one strand or the other, at random.
    """

    def __init__(
        self, data: Labelled[Source], shuffles: int, seed: int, shift: int = 0, reverse_complement: bool = False
    ) -> None:
        self.data: Labelled[Source] = data
        self.shuffles = shuffles
        self.seed = seed
        self.shift = shift
        self.reverse_complement = reverse_complement

    def __len__(self) -> int:
        return len(self.data) * (1 + self.shuffles)

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """Read a batch: the sequences first in the data, then their shuffles in blocks of N."""
        index: NDArray[np.int64] = np.asarray(indices)
        block, row = np.divmod(index % len(self), len(self.data))
        labels = self.data.labels[row].astype(np.float32, copy=False)
        # The first index holds the epoch: a batch of another epoch is made otherwise.
        rng = np.random.default_rng([self.seed, *index[:2]])
        codes = self._read(row, rng)
        is_shuffle = block > 0
        if is_shuffle.any():
            codes[is_shuffle] = dinucleotide_shuffle(codes[is_shuffle], rng)
            labels[is_shuffle] = 0
        if self.shift and isinstance(self.data.codes, np.ndarray):  # after the shuffling, which would spread the N
            codes = shift_codes(codes, rng.integers(-self.shift, self.shift + 1, len(codes)))
        if self.reverse_complement:
            turned = rng.random(len(codes)) < 0.5
            codes[turned] = reverse_complement(codes[turned])
        return Batch(torch.from_numpy(codes), torch.from_numpy(labels))

    def _read(self, row: NDArray[np.int64], rng: np.random.Generator) -> Codes:
        if self.shift and isinstance(self.data.codes, GenomeWindows):
            return self.data.codes.read(row, rng.integers(-self.shift, self.shift + 1, len(row)))
        codes: Codes = self.data.codes[row]
        return codes


def shift_codes(codes: Codes, shift: NDArray[np.int64]) -> Codes:
    """Move each sequence (N, L) by its own number of bases (N,), to the right where positive, N filling the gap."""
    reach = int(np.abs(shift).max())
    padded = np.pad(codes, ((0, 0), (reach, reach)), constant_values=UNKNOWN)
    column = np.arange(codes.shape[1]) + reach - shift[:, None]
    return np.take_along_axis(padded, column, axis=1)
