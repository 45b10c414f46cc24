"""What data read from windows of a genome share: settings, splits, loaders."""

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from zoo.batch import Batch
from zoo.data.base import GenomicDataModule, batch_loader
from zoo.data.genome_split import SplitRules
from zoo.data.samplers import EpochSampler, ShareSampler
from zoo.data.splits import Split
from zoo.data.tiles import Tiles
from zoo.data.window_dataset import Moves, WindowDataset, WindowShape
from zoo.errors import ConfigError
from zoo.genome.contigs import match_contigs
from zoo.genome.fasta import Genome

__all__ = ["GenomeData"]

Index = NDArray[np.int64]


class GenomeData(GenomicDataModule):
    """Windows of a genome with what was measured on them; a subclass says what that is.

    Args:
        genome: FASTA file.
        length: bases of a window.
        bin_size: bases in a bin; it divides the length.
        resolution: bases by which windows can be moved; it divides the bin size.
        crop: bins of context on each side of those that are predicted.
        split: which contigs, or which random blocks, are for validation and test.
        contigs: the contigs to use; None for all that there are.
        max_masked: windows with a larger share of bins that are left out are dropped.
        stride: bins from one window to the next in training; None for as many as a window predicts.
        shift: bases by which a training window is moved at most: sequence and targets.
        jitter: bases by which the sequence alone is moved at most.
        reverse_complement: whether each training window is read on one strand or the other, at random.
        epoch_size: windows drawn in an epoch; None for all of them.
        batch_size: windows in a batch.
        num_workers: processes that read.
        seed: of order, shifts and strands.
    """

    def __init__(
        self,
        genome: str,
        length: int,
        bin_size: int,
        resolution: int,
        crop: int,
        split: SplitRules | None,
        contigs: list[str] | None,
        max_masked: float,
        stride: int | None,
        shift: int,
        jitter: int,
        reverse_complement: bool,
        epoch_size: int | None,
        batch_size: int,
        num_workers: int,
        seed: int,
    ) -> None:
        super().__init__()
        if bin_size < 1 or length % bin_size:
            raise ConfigError(f"bins of {bin_size} bases do not divide windows of {length}")
        bins = length // bin_size - 2 * crop
        if crop < 0 or bins < 1:
            raise ConfigError(f"{length // bin_size} bins less {crop} on each side leave none to predict")
        if min(shift, jitter, num_workers, seed) < 0 or any(
            n is not None and n < 1 for n in (batch_size, epoch_size, stride)
        ):
            raise ConfigError(
                "batch_size, epoch_size and stride are numbers from 1 up; shift, jitter, num_workers and seed from 0 up"
            )
        if resolution < 1 or bin_size % resolution:
            raise ConfigError(f"a resolution of {resolution} bases does not divide bins of {bin_size}")
        if shift % resolution:
            raise ConfigError(f"a shift of {shift} bases is no multiple of the resolution of {resolution}")
        if not 0 <= max_masked < 1:
            raise ConfigError("max_masked is a share from 0 to below 1")
        self.rules = split or SplitRules()
        self.rules.check(length)
        self.genome, self.contigs, self.max_masked = genome, contigs, max_masked
        self.shape = WindowShape(bins, crop, bin_size, bin_size // resolution)
        self.stride = bins if stride is None else stride
        self.moves = Moves(shift // resolution, jitter, reverse_complement)
        self.epoch_size, self.batch_size, self.num_workers, self.seed = epoch_size, batch_size, num_workers, seed

    @property
    def bin_size(self) -> int:
        """Bases of a bin."""
        return self.shape.bin_size

    @property
    def crop(self) -> int:
        """Bins of context on each side of those that are predicted."""
        return self.shape.crop

    @property
    def bins(self) -> int:
        """Bins that a window predicts."""
        return self.shape.bins

    def dataset(self, split: Split) -> WindowDataset:
        """The windows of one split; those for training are moved and turned."""
        raise NotImplementedError

    def train_dataloader(self) -> DataLoader[Batch]:
        """Shuffled anew each epoch; the last short batch is left out."""
        dataset = self.dataset("train")
        sampler = EpochSampler(len(dataset), self.seed, draws=self.epoch_size)
        size = min(self.batch_size, len(sampler))  # of this process's share: none may be left without a batch
        return batch_loader(dataset, self.num_workers, batch_size=size, sampler=sampler, drop_last=True)

    def val_dataloader(self) -> DataLoader[Batch]:
        """In order, to each process its share."""
        return self._in_order("val")

    def test_dataloader(self) -> DataLoader[Batch]:
        """In order, to each process its share."""
        return self._in_order("test")

    def predict_dataloader(self) -> DataLoader[Batch]:
        """Batches of the test split, in order."""
        return batch_loader(self.dataset("test"), self.num_workers, batch_size=self.batch_size)

    def _in_order(self, split: Split) -> DataLoader[Batch]:
        dataset = self.dataset(split)
        sampler = ShareSampler(len(dataset))
        return batch_loader(dataset, self.num_workers, batch_size=self.batch_size, sampler=sampler)

    def wanted(self, genome: Genome) -> dict[str, int]:
        """The contigs to use, in the genome's order."""
        if self.contigs is None:
            return genome.contigs
        if not self.contigs:
            raise ConfigError("name at least one contig, or leave `contigs` out for all")
        found = set(match_contigs(self.contigs, genome.contigs).values())
        return {name: length for name, length in genome.contigs.items() if name in found}

    def needed(self, contigs: dict[str, int]) -> list[str]:
        """Those of the wanted contigs that were named, so that no file may lack them."""
        found = [] if self.contigs is None else list(contigs)
        return found + list(match_contigs([*(self.rules.val or []), *(self.rules.test or [])], contigs).values())

    def context(self) -> int:
        """Bins on each side of those that are predicted which a window may read: `jitter` moves it."""
        return self.crop + -(-self.moves.jitter // self.bin_size)

    def without_masked(self, tiles: Tiles, places: Index, usable: NDArray[np.bool_], report: list[str]) -> Tiles:
        """The windows of which enough counts.

        Args:
            tiles: all windows.
            places: where each contig begins among all that can be read alone.
            usable: which of these, bins or parts of bins, count.
            report: what is dropped is added to it.
        """
        fine, size = self.shape.fine, self.bins * self.shape.fine
        before = np.append(0, usable.cumsum())
        first = places[tiles.contig] + tiles.start * fine
        masked = size - (before[first + size] - before[first])
        keep = masked <= self.max_masked * size + 1e-6  # the product may fall short of a whole number
        if not keep.all():
            whole = int((masked == size).sum())
            report.append(
                f"{(~keep).sum():,} windows dropped: over {self.max_masked:.0%} of their bins are masked"
                + (f" ({whole:,} of them wholly)" if whole else "")
            )
        return tiles.subset(keep)

    def empty(self, split: Split, tiles: Tiles, report: list[str]) -> ConfigError:
        """What is said of a split without windows."""
        return ConfigError("; ".join([f"the {split} split is empty: {len(tiles)} windows in all", *report]))
