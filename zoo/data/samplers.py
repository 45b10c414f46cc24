"""The order in which training data is read."""

from collections.abc import Iterator

import numpy as np
import torch.distributed
from numpy.typing import NDArray
from torch.utils.data import DistributedSampler

__all__ = ["EpochSampler", "ShareSampler"]


class EpochSampler(DistributedSampler[int]):
    """Indices in a new random order each epoch, the same for a seed and an epoch whatever happened before.

    Each index carries its epoch, as `epoch * size + position`, so that a dataset can make fresh negatives for it in
    any process. Lightning calls `set_epoch`, and leaves a distributed sampler as it is; each rank takes its share.

    Args:
        size: how many items the dataset has.
        seed: of the order.
        weight: how often each item is drawn relative to the others (size,); None for each once in its turn.
        draws: how many are drawn in an epoch; None for `size`.
    """

    def __init__(
        self, size: int, seed: int, weight: NDArray[np.float64] | None = None, draws: int | None = None
    ) -> None:
        ranks, rank = _processes()
        super().__init__(range(draws or size), num_replicas=ranks, rank=rank, seed=seed)  # type: ignore[arg-type]
        self.size = size
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
    """Indices in order, a share for each process, all of one size: the last are filled up with numbers from `size` on.

    What stands for nothing there lets processes validate together and each item count once.

    Args:
        size: how many items the dataset has.
    """

    def __init__(self, size: int) -> None:
        ranks, rank = _processes()
        super().__init__(range(size), num_replicas=ranks, rank=rank, shuffle=False)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.rank, self.total_size, self.num_replicas))


def _processes() -> tuple[int, int]:
    """How many processes train together, and which one this is."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_world_size(), torch.distributed.get_rank()
    return 1, 0
