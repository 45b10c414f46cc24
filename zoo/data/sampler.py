"""The order in which training data is read."""

from collections.abc import Iterator

import numpy as np
import torch.distributed
from numpy.typing import NDArray
from torch.utils.data import DistributedSampler

__all__ = ["EpochSampler"]


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
        together = torch.distributed.is_available() and torch.distributed.is_initialized()
        ranks = torch.distributed.get_world_size() if together else 1
        rank = torch.distributed.get_rank() if together else 0
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
