"""Windows of a genome with their targets, read by batch: the base class of the datasets of tracks and contacts.

Shapes: B windows, L bases, N bins that a window predicts, T targets, I input tracks, P values of each.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from zoo.batch import Batch
from zoo.data.tiles import Tiles
from zoo.errors import ConfigError
from zoo.genome.fasta import Genome
from zoo.genome.sequence import reverse_complement

__all__ = ["Augmentation", "WindowDataset", "WindowInputs", "WindowShape"]

Index = NDArray[np.int64]
Values = NDArray[np.float32]
Mask = NDArray[np.bool_]


class Augmentation(NamedTuple):
    """Random changes of training windows.

    Attributes:
        shift: largest shift of sequence, targets and inputs, in units of the resolution, to either side.
        jitter: largest shift of the sequence alone, in bases, to either side.
        reverse_complement: whether each window is read on a random strand.
        noise: standard deviation of the logarithm of a random factor that scales each input track of a window.
    """

    shift: int
    jitter: int
    reverse_complement: bool
    noise: float = 0.0

    @classmethod
    def of(cls, shift: int, jitter: int, reverse_complement: bool, noise: float, resolution: int) -> "Augmentation":
        """Augmentation from sizes in bases; `resolution` is that of the windows (`WindowShape`).

        Raises:
            ConfigError: a negative number, or a shift that is no multiple of the resolution.
        """
        if min(shift, jitter) < 0 or not noise >= 0:  # also refuses NaN
            raise ConfigError("shift, jitter and input_noise are numbers from 0 up")
        if shift % resolution:
            raise ConfigError(f"a shift of {shift} bases is no multiple of the resolution of {resolution}")
        return cls(shift // resolution, jitter, reverse_complement, noise)


class WindowShape(NamedTuple):
    """Geometry of a window.

    Attributes:
        bins: bins that are predicted, N.
        crop: bins of context on each side of these.
        bin_size: bases per bin.
        fine: stored bins per bin: windows can be shifted by one of them.
    """

    bins: int
    crop: int
    bin_size: int
    fine: int = 1

    @classmethod
    def of(cls, length: int, bin_size: int, crop: int, resolution: int) -> "WindowShape":
        """Geometry from sizes in bases.

        Args:
            length: bases of the window, context included.
            bin_size: bases per bin.
            crop: bins of context on each side of those that are predicted.
            resolution: bases per stored bin.

        Raises:
            ConfigError: sizes that do not divide each other, or no bin left to predict.
        """
        if bin_size < 1 or length % bin_size:
            raise ConfigError(f"bins of {bin_size} bases do not divide windows of {length}")
        bins = length // bin_size - 2 * crop
        if crop < 0 or bins < 1:
            raise ConfigError(f"{length // bin_size} bins less {crop} on each side leave none to predict")
        if resolution < 1 or bin_size % resolution:
            raise ConfigError(f"a resolution of {resolution} bases does not divide bins of {bin_size}")
        return cls(bins, crop, bin_size, bin_size // resolution)

    @property
    def length(self) -> int:
        """Bases of the window, L."""
        return (self.bins + 2 * self.crop) * self.bin_size

    @property
    def resolution(self) -> int:
        """Bases per stored bin."""
        return self.bin_size // self.fine


class WindowInputs(Protocol):
    """Tracks that a model reads in addition to the sequence, by window."""

    def windows(self, contig: Index, start: Index, length: int) -> Values:
        """Read windows: index of the contig (B,) and first base (B,) of each -> values (B, I, P)."""

    def reverse_complement(self, values: Values) -> Values:
        """Values of windows (B, I, P) as the other strand has them."""


class WindowDataset(Dataset[Batch]):
    """Windows of a genome, read by batch. A subclass reads the targets.

    In training, an index is `epoch * size + position` as `EpochSampler` gives it, so that augmentation depends on the
    epoch. Otherwise, targets that two windows share are NaN in the second, so that each counts once, and an index from
    `size` up stands for a window without targets: it fills up the share of a process (`ShareSampler`).

    Args:
        genome: genome of the sequences.
        contigs: contig -> length, in the order in which the tiles number them.
        tiles: the windows.
        shape: their geometry.
        inputs: tracks that are read in addition to the sequence; None for none.
        augmentation: random changes of training windows; None for validation and test.
        seed: seed of the augmentation.
    """

    def __init__(
        self,
        genome: Genome,
        contigs: Mapping[str, int],
        tiles: Tiles,
        shape: WindowShape,
        inputs: WindowInputs | None = None,
        augmentation: Augmentation | None = None,
        seed: int = 0,
    ) -> None:
        self.genome, self.tiles, self.shape = genome, tiles, shape
        self.inputs, self.augmentation, self.seed = inputs, augmentation, seed
        names = list(genome.contigs)
        self._contig = np.array([names.index(name) for name in contigs])  # index among the tiles' -> in the genome
        self._overlap = tiles.overlap(shape.bins)

    def __len__(self) -> int:
        return len(self.tiles)

    def targets(self, contig: Index, start: Index) -> Values:
        """Read targets of windows.

        Args:
            contig: index of the contig of each window (B,).
            start: its first stored bin (of `shape.resolution` bases) that is predicted (B,).

        Returns:
            float32 (B, T, ...), NaN where nothing was measured; the caller may change it.
        """
        raise NotImplementedError

    def target_values(self, rows: Index) -> Values:
        """Read targets of the windows `rows` (B,), not augmented: float32 (B, T, ...), NaN where not measured."""
        return self.targets(self.tiles.contig[rows], self.tiles.start[rows] * self.shape.fine)

    def reverse_complement(self, target: Values) -> Values:
        """Targets (B, T, ...) as the other strand has them."""
        raise NotImplementedError

    def mask_overlap(self, target: Values, overlap: Index) -> None:
        """Set targets (B, T, ...) to NaN, in place, that lie in the first `overlap` (B,) bins of a window."""
        raise NotImplementedError

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """Read a batch: codes (B, L), target (B, T, ...), inputs (B, I, P) or None."""
        index = np.asarray(indices)
        row = index % len(self)
        if self.augmentation is not None:
            return self._augmented(index, row, self.augmentation)
        contig, start = self.tiles.contig[row], self.tiles.start[row] * self.shape.fine
        target = self.targets(contig, start)
        self.mask_overlap(target, np.where(index >= len(self), self.shape.bins, self._overlap[row]))
        return self._batch(contig, start, np.zeros(len(row), np.int64), target, np.zeros(len(row), bool))

    def _augmented(self, index: Index, row: Index, augmentation: Augmentation) -> Batch:
        fine = self.shape.fine
        contig, start = self.tiles.contig[row], self.tiles.start[row] * fine
        # The first index holds the epoch, so that each epoch draws anew; two tell apart batches of one epoch. The order
        # of the draws below is part of what a seed means.
        rng = np.random.default_rng([self.seed, *index[:2]])
        if augmentation.shift:
            start = start + rng.integers(-augmentation.shift, augmentation.shift + 1, len(row))
            start = np.clip(start, self.tiles.lowest[row] * fine, self.tiles.highest[row] * fine)
        jitter = rng.integers(-augmentation.jitter, augmentation.jitter + 1, len(row))
        flipped = rng.random(len(row)) < 0.5 if augmentation.reverse_complement else np.zeros(len(row), bool)
        batch = self._batch(contig, start, jitter, self.targets(contig, start), flipped)
        if batch.inputs is None or not augmentation.noise:
            return batch
        noise = augmentation.noise * rng.standard_normal((*batch.inputs.shape[:2], 1))  # (B, I, 1)
        return batch._replace(inputs=batch.inputs * torch.from_numpy(np.exp(noise).astype(np.float32)))

    def _batch(self, contig: Index, start: Index, jitter: Index, target: Values, flipped: Mask) -> Batch:
        """Read sequences and inputs of windows, and take the other strand where `flipped` (B,)."""
        first = start * self.shape.resolution - self.shape.crop * self.shape.bin_size
        codes = self.genome.windows(self._contig[contig], first + jitter, self.shape.length)
        inputs = None if self.inputs is None else self.inputs.windows(contig, first, self.shape.length)
        if flipped.any():
            codes[flipped] = reverse_complement(codes[flipped])
            target[flipped] = self.reverse_complement(target[flipped])
            if inputs is not None and self.inputs is not None:
                inputs[flipped] = self.inputs.reverse_complement(inputs[flipped])
        return Batch(
            torch.from_numpy(codes), torch.from_numpy(target), None if inputs is None else torch.from_numpy(inputs)
        )
