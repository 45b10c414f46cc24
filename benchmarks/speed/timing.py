"""Shared by the speed benchmarks: run functions in turns, and compare a training loop with one cached batch."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice, repeat
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from zoo.batch import Batch
from zoo.data.base import GenomicDataModule
from zoo.models._base import SequenceModel

__all__ = ["TrainingRates", "endless_batches", "time_in_turns", "training_rates"]


class TrainingRates(NamedTuple):
    """Training steps per second on one batch that lies in memory, and on the batches of a DataModule."""

    cached: float
    loop: float


def time_in_turns(functions: Sequence[Callable[[], object]], rounds: int) -> NDArray[np.float64]:
    """Measure the seconds of each call, (rounds, functions).

    The functions take turns, so that a busy machine slows all of them alike.
    """
    seconds = np.empty((rounds, len(functions)))
    for turn in range(rounds):
        for index, function in enumerate(functions):
            started = time.perf_counter()
            function()
            seconds[turn, index] = time.perf_counter() - started
    return seconds


def endless_batches(data: GenomicDataModule) -> Iterator[Batch]:
    """Yield the training batches of a DataModule, epoch after epoch."""
    loader = data.train_dataloader()
    while True:
        yield from loader


def training_rates(model: SequenceModel, batches: Iterator[Batch], steps: int, rounds: int) -> TrainingRates:
    """Compare training steps on one batch with steps on the batches of a DataModule, in turns.

    Args:
        model: it is trained by AdamW.
        batches: batches of the DataModule, endless.
        steps: steps of each kind, over all rounds; rounded down to a multiple of `rounds`, at least one per round.
        rounds: turns.
    """
    model.train()
    optimizer = torch.optim.AdamW(model.parameters())
    cached = next(batches)
    steps_per_round = max(1, steps // rounds)

    def train(source: Iterator[Batch], count: int = steps_per_round) -> None:
        for batch in islice(source, count):
            optimizer.zero_grad()
            model.training_loss(batch).mean().backward()  # type: ignore[no-untyped-call]
            optimizer.step()

    train(repeat(cached), 1)  # the first step allocates memory and is not counted
    seconds = time_in_turns([partial(train, repeat(cached)), partial(train, batches)], rounds)
    cached_seconds, loop_seconds = seconds.sum(0).tolist()
    count = rounds * steps_per_round
    return TrainingRates(count / cached_seconds, count / loop_seconds)
