"""Labelled sequences, in memory or on a genome, and batches of them.

Shapes: N sequences, B of them in a batch, L bases, T targets, I input tracks of P values.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from zoo.batch import Batch
from zoo.data.shuffle import dinucleotide_shuffle
from zoo.data.splits import SPLITS, Split
from zoo.data.windows import GenomeWindows
from zoo.genome.sequence import UNKNOWN, Codes, reverse_complement

__all__ = [
    "InputReader",
    "Labelled",
    "LabelledSequences",
    "LabelledWindows",
    "SequenceDataset",
    "Source",
    "shift_codes",
]

_BASES_AT_ONCE = 4_000_000
# Where bases are read from: memory, or a genome.
Source = TypeVar("Source", Codes, GenomeWindows)


class InputReader(Protocol):
    """Tracks that are read in addition to the sequences."""

    def read(self, rows: NDArray[np.int64], offset: NDArray[np.int64]) -> NDArray[np.float32]:
        """Read the values (B, I, P) of sequences `rows` (B,), each shifted `offset` bases to the right (B,)."""

    def reverse_complement(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map values (B, I, P) to the other strand."""

    def select(self, keep: NDArray[np.bool_]) -> Self:
        """Select the sequences for which `keep` (N,) is true."""


@dataclass
class Labelled(Generic[Source]):
    """Sequences with labels and splits.

    Attributes:
        codes: uint8 (N, L), in memory; or windows on a genome, which are read on demand.
        labels: float32 (N, T), NaN where missing; or uint8, where none is missing.
        split: index into `SPLITS` (N,); -1 where no split is assigned yet.
        weight: relative frequency with which each is drawn in training (N,); None to draw each once per epoch.
        inputs: tracks that are read in addition to the sequences; None without any.
    """

    codes: Source
    labels: NDArray[np.float32] | NDArray[np.uint8]
    split: NDArray[np.int64]
    weight: NDArray[np.float64] | None = None
    inputs: InputReader | None = None

    def __len__(self) -> int:
        return len(self.codes)

    def subset(self, keep: NDArray[np.bool_]) -> "Labelled[Source]":
        """Select the sequences for which `keep` (N,) is true."""
        weight = None if self.weight is None else self.weight[keep]
        inputs = None if self.inputs is None else self.inputs.select(keep)
        codes: Any = self.codes.select(keep) if isinstance(self.codes, GenomeWindows) else self.codes[keep]
        return replace(
            self, codes=codes, labels=self.labels[keep], split=self.split[keep], weight=weight, inputs=inputs
        )

    def is_in(self, splits: Sequence[Split]) -> NDArray[np.bool_]:
        """Mark the sequences of splits (N,)."""
        return np.isin(self.split, [SPLITS.index(split) for split in splits])

    def is_negative(self) -> NDArray[np.bool_]:
        """Mark the negatives (N,): sequences whose observed labels are all 0."""
        missing = np.isnan(self.labels)
        negative: NDArray[np.bool_] = ((self.labels == 0) | missing).all(1) & ~missing.all(1)
        return negative

    def blocks(self, splits: Sequence[Split]) -> Iterator[Codes]:
        """Read the sequences of splits in blocks (n, L) that fit into memory."""
        rows = np.flatnonzero(self.is_in(splits))
        size = max(1, _BASES_AT_ONCE // self.codes.shape[1])
        for first in range(0, len(rows), size):
            yield self.codes[rows[first : first + size]]


LabelledSequences = Labelled[Codes]
LabelledWindows = Labelled[GenomeWindows]


class SequenceDataset(Dataset[Batch], Generic[Source]):
    """Sequences read by batch, followed by the shuffles of each where it has any.

    In training an index is `epoch * size + position` (see `EpochSampler`), so that a batch has the same fresh shuffles
    in whichever process it is made, and a resumed run those of an uninterrupted one. In validation and test an index
    of `size` or more fills the share of a process (see `ShareSampler`): its targets are NaN.

    Args:
        data: the sequences.
        shuffles: dinucleotide-preserving shuffles of each sequence that are added with all labels 0.
        seed: seed of shuffles, shifts and strands.
        shift: largest random shift in bases, to either side: along the genome, or with N filling the gap.
        reverse_complement: reverse-complement each sequence with probability 1/2.
        training: whether an index carries its epoch.
    """

    def __init__(
        self,
        data: Labelled[Source],
        shuffles: int,
        seed: int,
        shift: int = 0,
        reverse_complement: bool = False,
        training: bool = False,
    ) -> None:
        self.data: Labelled[Source] = data
        self.shuffles, self.seed, self.shift = shuffles, seed, shift
        self.reverse_complement, self.training = reverse_complement, training

    def __len__(self) -> int:
        return len(self.data) * (1 + self.shuffles)

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """Read a batch: codes (B, L), targets (B, T), inputs (B, I, P) where there are any.

        Positions 0 to N - 1 are the sequences, the next N their first shuffles, and so on.
        """
        index: NDArray[np.int64] = np.asarray(indices)
        block, row = np.divmod(index % len(self), len(self.data))
        labels = self.data.labels[row].astype(np.float32, copy=False)
        # The first index carries the epoch, so a batch of another epoch draws other numbers.
        rng = np.random.default_rng([self.seed, *index[:2]])
        source, offset = self.data.codes, np.zeros(len(row), np.int64)
        if isinstance(source, GenomeWindows):
            offset = self._draw_shift(len(row), rng)
            codes = source.read(row, offset)
        else:
            codes = source[row]
        inputs = None if self.data.inputs is None else self.data.inputs.read(row, offset)
        is_shuffle = block > 0
        if is_shuffle.any():
            codes[is_shuffle] = dinucleotide_shuffle(codes[is_shuffle], rng)
            labels[is_shuffle] = 0
        if self.shift and not isinstance(source, GenomeWindows):  # after shuffling, which would spread the N
            codes = shift_codes(codes, self._draw_shift(len(row), rng))
        if self.reverse_complement:
            reverse = rng.random(len(codes)) < 0.5
            codes[reverse] = reverse_complement(codes[reverse])
            if inputs is not None and self.data.inputs is not None:
                inputs[reverse] = self.data.inputs.reverse_complement(inputs[reverse])
        if not self.training:
            labels[index >= len(self)] = np.nan
        return Batch(
            torch.from_numpy(codes), torch.from_numpy(labels), None if inputs is None else torch.from_numpy(inputs)
        )

    def _draw_shift(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        if not self.shift:  # draws nothing, so that the numbers drawn after it stay the same
            return np.zeros(count, np.int64)
        return rng.integers(-self.shift, self.shift + 1, count)


def shift_codes(codes: Codes, shift: NDArray[np.int64]) -> Codes:
    """Shift each sequence (N, L) by its own number of bases (N,), to the right where positive; N fills the gap."""
    reach = int(np.abs(shift).max())
    padded = np.pad(codes, ((0, 0), (reach, reach)), constant_values=UNKNOWN)
    column = np.arange(codes.shape[1]) + reach - shift[:, None]
    return np.take_along_axis(padded, column, axis=1)
