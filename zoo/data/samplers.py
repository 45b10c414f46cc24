"""Samplers: in which order a process reads a dataset, and which share of it."""

from collections.abc import Iterator

import numpy as np
import torch.distributed
from numpy.typing import NDArray
from torch.utils.data import DistributedSampler

__all__ = ["EpochSampler", "ShareSampler"]


class EpochSampler(DistributedSampler[int]):
    """Indices in a new random order each epoch, determined by seed and epoch alone.

    An index is `epoch * size + position`: it carries its epoch, so that a dataset can make fresh random negatives for
    it in any worker process. Each rank takes its share of the order. Lightning calls `set_epoch`, and does not replace
    a sampler that is a DistributedSampler.

    Args:
        size: number of items in the dataset.
        seed: seed of the order.
        weight: relative frequency with which each item is drawn (size,); None to draw each once per round.
        draws: number of items drawn per epoch; None for `size`.
        epoch: epoch that the order begins with, until `set_epoch` is called.
    """

    def __init__(
        self,
        size: int,
        seed: int,
        weight: NDArray[np.float64] | None = None,
        draws: int | None = None,
        epoch: int = 0,
    ) -> None:
        ranks, rank = _world()
        items = range(draws or size)
        # Shares are equal. What is left over is dropped, as the last short batch is; none is drawn twice to fill them.
        super().__init__(items, num_replicas=ranks, rank=rank, seed=seed, drop_last=len(items) >= ranks)  # type: ignore[arg-type]
        self.size, self.epoch = size, epoch
        self.probability = None if weight is None else weight / weight.sum()

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng([self.seed, self.epoch])
        count = self.total_size
        if self.probability is None:
            rounds = -(-count // self.size)
            order = np.concatenate([rng.permutation(self.size) for _ in range(rounds)])
        else:
            order = rng.choice(self.size, count, p=self.probability)
        order = order[self.rank : count : self.num_replicas]
        return iter((self.epoch * self.size + order).tolist())


class ShareSampler(DistributedSampler[int]):
    """Indices in order, shared among the processes by whole blocks, so that all read equally many blocks.

    Rank r of R reads the blocks r, r + R, ... Where blocks are missing at the end, an index of `size` or more fills
    the gap; the dataset gives such an item no target (NaN), so that each item counts exactly once.

    Args:
        size: number of items in the dataset.
        block: items that stay together: 1, or the batch size where what is drawn at random depends on the batch.
    """

    def __init__(self, size: int, block: int = 1) -> None:
        ranks, rank = _world()
        super().__init__(range(size), num_replicas=ranks, rank=rank, shuffle=False)  # type: ignore[arg-type]
        blocks = -(-size // block)
        first = block * np.arange(rank, -(-blocks // ranks) * ranks, ranks)  # of each of this rank's blocks
        index = first[:, None] + np.arange(block)  # (blocks of this rank, block)
        index[:, 0] = np.where(first < size, first, size)
        # A block past the end is one index: it only keeps the ranks in step.
        self.indices: list[int] = index[(index < size) | (np.arange(block) == 0)].tolist()

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices)

    def __len__(self) -> int:
        return len(self.indices)


def _world() -> tuple[int, int]:
    """Number of processes that train together, and the rank of this one."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_world_size(), torch.distributed.get_rank()
    return 1, 0
