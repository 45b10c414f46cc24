"""Options of the dataloaders of a DataModule, and the loaders themselves."""

from dataclasses import dataclass

from torch.utils.data import DataLoader

from zoo.batch import Batch
from zoo.data.base import batch_loader
from zoo.data.samplers import EpochSampler, ShareSampler
from zoo.data.window_dataset import WindowDataset
from zoo.errors import ConfigError

__all__ = ["Loading"]


@dataclass(frozen=True, kw_only=True)
class Loading:
    """Options of the dataloaders.

    Args:
        batch_size: windows per batch.
        epoch_size: windows drawn per training epoch; None for all of them.
        num_workers: worker processes that read: bigWigs when they are binned, then windows; 0 for the main process.
        seed: seed of the order of windows and of augmentation.

    Raises:
        ConfigError: a size below 1, or a negative number of workers or seed.
    """

    batch_size: int = 16
    epoch_size: int | None = None
    num_workers: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.batch_size < 1 or (self.epoch_size is not None and self.epoch_size < 1):
            raise ConfigError("batch_size and epoch_size are numbers from 1 up")
        if min(self.num_workers, self.seed) < 0:
            raise ConfigError("num_workers and seed are numbers from 0 up")

    def train(self, dataset: WindowDataset, epoch: int = 0) -> DataLoader[Batch]:
        """Loader of a new random order in each epoch, without the last incomplete batch; a share per process."""
        sampler = EpochSampler(len(dataset), self.seed, draws=self.epoch_size, epoch=epoch)
        size = min(self.batch_size, len(sampler))  # of the share of this process, which must not be without a batch
        return batch_loader(dataset, self.num_workers, batch_size=size, sampler=sampler, drop_last=True)

    def in_order(self, dataset: WindowDataset) -> DataLoader[Batch]:
        """Loader of all windows in order; with several processes, of the share of this one."""
        # Whole batches are shared, so that they are those of one process, whatever the number of processes.
        sampler = ShareSampler(len(dataset), self.batch_size)
        return batch_loader(dataset, self.num_workers, batch_size=self.batch_size, sampler=sampler)

    def all(self, dataset: WindowDataset) -> DataLoader[Batch]:
        """Loader of all windows in order, the same in every process."""
        return batch_loader(dataset, self.num_workers, batch_size=self.batch_size)
