"""Windows of a genome with what was measured on them, read by batch: what datasets of tracks and of contacts share.

Shapes: B windows, L bases, N bins that a window predicts.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from zoo.batch import Batch
from zoo.data.tiles import Tiles
from zoo.genome.fasta import Genome
from zoo.genome.sequence import reverse_complement

__all__ = ["Moves", "WindowDataset", "WindowInputs", "WindowShape"]

Index = NDArray[np.int64]
Values = NDArray[np.float32]


class Moves(NamedTuple):
    """How windows are varied in training.

    Attributes:
        shift: bins, or parts of bins that can be read alone, by which sequence and targets are moved at most.
        jitter: bases by which the sequence alone is moved at most.
        reverse_complement: whether each window is read on one strand or the other, at random.
        noise: standard deviation of the logarithm by which each track that is read beside the sequence is scaled.
    """

    shift: int
    jitter: int
    reverse_complement: bool
    noise: float = 0.0


class WindowShape(NamedTuple):
    """What a window is made of.

    Attributes:
        bins: that it predicts, N.
        crop: bins of context on each side of these.
        bin_size: bases of a bin.
        fine: parts of a bin by which windows can be moved.
    """

    bins: int
    crop: int
    bin_size: int
    fine: int = 1

    @property
    def length(self) -> int:
        """Bases L."""
        return (self.bins + 2 * self.crop) * self.bin_size


class WindowInputs(Protocol):
    """Tracks that a model reads in addition to the sequence, by window."""

    def windows(self, contig: Index, start: Index, length: int) -> Values:
        """Values (B, I, P) of windows: number of the contig, and first base, of each."""

    def turn(self, values: Values) -> Values:
        """Values (B, I, P) as the other strand has them."""


class WindowDataset(Dataset[Batch]):
    """Windows read by batch; a subclass says what was measured on them.

    In training an index is `epoch * size + position`, as `EpochSampler` gives it: the epoch travels with it. Else one
    from `size` up stands for a window without values, which fills up a process's share, and what two windows predict
    has its value in the first.

    Args:
        genome: the sequences.
        contigs: those that the tiles count, with their lengths.
        tiles: the windows.
        shape: of each.
        inputs: tracks that are read beside the sequence.
        moves: how windows are varied in training; None for validation and test.
        seed: of that.
    """

    def __init__(
        self,
        genome: Genome,
        contigs: Mapping[str, int],
        tiles: Tiles,
        shape: WindowShape,
        inputs: WindowInputs | None = None,
        moves: Moves | None = None,
        seed: int = 0,
    ) -> None:
        self.genome, self.tiles, self.shape = genome, tiles, shape
        self.inputs, self.moves, self.seed = inputs, moves, seed
        names = list(genome.contigs)
        self._contig = np.array([names.index(name) for name in contigs])
        self._again = tiles.again(shape.bins)

    def __len__(self) -> int:
        return len(self.tiles)

    def targets(self, contig: Index, start: Index) -> Values:
        """What was measured in windows (B, T, ...): number of the contig, and first fine bin of each."""
        raise NotImplementedError

    def turn(self, target: Values) -> Values:
        """Targets as the other strand has them."""
        raise NotImplementedError

    def leave_out(self, target: Values, void: Index) -> None:
        """Set targets to NaN: of each window (B, T, ...) those in the first `void` bins (B,)."""
        raise NotImplementedError

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """Read a batch: codes (B, L), targets (B, T, ...), inputs (B, I, P) where there are any."""
        index = np.asarray(indices)
        row, fine = index % len(self), self.shape.fine
        contig, start = self.tiles.contig[row], self.tiles.start[row] * fine
        if self.moves is None:
            target = self.targets(contig, start)
            self.leave_out(target, np.where(index >= len(self), self.shape.bins, self._again[row]))
            return self._batch(contig, start, np.zeros(len(row), np.int64), target, np.zeros(len(row), bool))
        # The first index holds the epoch: a batch of another epoch is moved otherwise.
        rng, moves = np.random.default_rng([self.seed, *index[:2]]), self.moves
        if moves.shift:
            start = start + rng.integers(-moves.shift, moves.shift + 1, len(row))
            start = np.clip(start, self.tiles.lowest[row] * fine, self.tiles.highest[row] * fine)
        jitter = rng.integers(-moves.jitter, moves.jitter + 1, len(row))
        turned = rng.random(len(row)) < 0.5 if moves.reverse_complement else np.zeros(len(row), bool)
        batch = self._batch(contig, start, jitter, self.targets(contig, start), turned)
        if batch.inputs is None or not moves.noise:
            return batch
        scale = np.exp(moves.noise * rng.standard_normal((*batch.inputs.shape[:2], 1))).astype(np.float32)
        return batch._replace(inputs=batch.inputs * torch.from_numpy(scale))

    def _batch(self, contig: Index, start: Index, jitter: Index, target: Values, turned: NDArray[np.bool_]) -> Batch:
        size, length = self.shape.bin_size, self.shape.length
        first = start * (size // self.shape.fine) - self.shape.crop * size
        codes = self.genome.windows(self._contig[contig], first + jitter, length)
        inputs = None
        if self.inputs is not None:
            inputs = self.inputs.windows(contig, first, length)
            inputs[turned] = self.inputs.turn(inputs[turned])
        if turned.any():
            codes[turned] = reverse_complement(codes[turned])
            target[turned] = self.turn(target[turned])
        return Batch(
            torch.from_numpy(codes), torch.from_numpy(target), None if inputs is None else torch.from_numpy(inputs)
        )
