"""The training loop of `zoo train` against bare steps on one batch, in turns within one run."""

import inspect
import sys
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from itertools import repeat
from pathlib import Path
from statistics import mean, median
from typing import Any, NamedTuple

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback, WeightAveraging
from torch import nn

from zoo.batch import Batch
from zoo.errors import ConfigError
from zoo.models._base import SequenceModel

__all__ = ["CONFIGS", "LoopRates", "measure_loop"]

# A recipe of each architecture.
CONFIGS = ("mlp.promoters", "deepbind.encode", "basset.encode_tf", "basenji.yeast", "akita.yeast")


class LoopRates(NamedTuple):
    """Training steps per second.

    Attributes:
        bare: bare steps on one batch: forward and backward passes, and all that changes the weights, which is clipping
            of gradients, the optimizer, and the average of weights where the configuration has one.
        lightning: those of a Trainer with nothing but the model, on one batch.
        loop: those of `zoo train` on the batches of its data.
        lightning_ratio: lightning to bare, the median of the rounds: a machine may slow down for a part of one.
        loop_ratio: loop to bare, the median of the rounds.
    """

    bare: float
    lightning: float
    loop: float
    lightning_ratio: float
    loop_ratio: float


class _Round(NamedTuple):
    """Seconds per step of each kind in one round."""

    bare: float
    lightning: float
    loop: float


# Seconds of a number of steps of a model on one batch, with what the run of a trainer does.
_Measure = Callable[[SequenceModel, Trainer, Batch, int], float]


class _Turns(Callback):
    """Measures the loop in each epoch, and as many bare steps of a copy of the model, half before and half after it.

    The first epoch is not counted. An epoch's time ends with its last step: validation and the writing of checkpoints
    are not in it.
    """

    def __init__(self) -> None:
        self.rounds: list[_Round] = []
        self._cached: Batch | None = None
        self._before = 0.0
        self._started = self._ended = 0.0
        self._count = 0

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Measure half of the bare steps, and begin to measure the loop."""
        if self._cached is not None:
            self._before = self._measure(_bare_seconds, trainer, pl_module, -(-self._count // 2))
        self._started, self._count = time.perf_counter(), 0

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *arguments: Any) -> None:
        """Note the time of the last step."""
        self._cached = self._cached or arguments[1]
        self._ended, self._count = time.perf_counter(), self._count + 1

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Measure the other half, and the steps of a Trainer alone."""
        loop, count = (self._ended - self._started) / self._count, self._count
        bare = (self._before + self._measure(_bare_seconds, trainer, pl_module, -(-count // 2))) / 2
        lightning = self._measure(_lightning_seconds, trainer, pl_module, count)
        if trainer.current_epoch > 0:
            self.rounds.append(_Round(bare, lightning, loop))

    def _measure(self, measure: _Measure, trainer: Trainer, model: LightningModule, steps: int) -> float:
        """Seconds per step of a copy of the model; the run's model and random numbers stay as they are."""
        assert isinstance(model, SequenceModel)
        assert self._cached is not None
        with torch.random.fork_rng():
            return measure(_copy(model), trainer, self._cached, steps) / steps


def _copy(model: SequenceModel) -> SequenceModel:
    """Copy a model without its trainer."""
    trainer, model._trainer = model._trainer, None
    try:
        return deepcopy(model).train()
    finally:
        model._trainer = trainer


def _bare_seconds(model: SequenceModel, trainer: Trainer, batch: Batch, steps: int) -> float:
    """Seconds of steps of a model on one batch, with what changes the weights in the run of a trainer."""
    used = trainer.optimizers[0]
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    taken = inspect.signature(type(used)).parameters
    optimizer = type(used)(weights, **{name: value for name, value in used.defaults.items() if name in taken})
    averaged = [deepcopy(one._average_model) for one in trainer.callbacks if isinstance(one, WeightAveraging)]  # type: ignore[attr-defined]
    started = 0.0
    for step in range(steps + 1):  # the first allocates memory and is not counted
        if step == 1:
            started = time.perf_counter()
        optimizer.zero_grad()
        model.training_loss(batch).mean().backward()  # type: ignore[no-untyped-call]
        if trainer.gradient_clip_val:
            nn.utils.clip_grad_norm_(weights, trainer.gradient_clip_val)
        optimizer.step()
        for average in averaged:
            assert average is not None
            average.update_parameters(model)
    return time.perf_counter() - started


class _Steps(Callback):
    """Measures the steps of a trainer but the first, which allocates memory."""

    seconds = 0.0

    def on_train_batch_end(self, trainer: Trainer, *arguments: Any) -> None:
        """Begin to measure after the first step."""
        now = time.perf_counter()
        if trainer.global_step == 1:
            self._started = now
        self.seconds = now - self._started


def _lightning_seconds(model: SequenceModel, trainer: Trainer, batch: Batch, steps: int) -> float:
    """Seconds of steps of a model on one batch by a Trainer that does nothing else, but clip gradients as another."""
    measured = _Steps()
    alone = Trainer(
        accelerator="cpu",
        max_steps=steps + 1,
        gradient_clip_val=trainer.gradient_clip_val,
        callbacks=[measured],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    alone.fit(model, repeat(batch))
    return measured.seconds


def measure_loop(config: str, folder: Path, steps: int, rounds: int, options: Sequence[str] = ()) -> LoopRates:
    """Train a configuration for some rounds, and measure its loop against bare steps.

    Args:
        config: name or path of a configuration of `zoo train`.
        folder: where the run is made.
        steps: most steps of a round, which is an epoch.
        rounds: rounds that count; one more comes first.
        options: further options of `zoo train`.

    Raises:
        ConfigError: no step was counted.
    """
    from zoo.training.run import fit  # other measurements do not need what training does

    turns = _Turns()
    lengths = ["--trainer.max_epochs", str(rounds + 1), "--trainer.limit_train_batches", str(steps)]
    places = ["--runs", str(folder / "runs"), "--checkpoints", str(folder / "checkpoints")]
    fit([config, *lengths, "--trainer.limit_val_batches", "1", *places, *options], [turns], lambda *_: None)
    if not turns.rounds:
        raise ConfigError(f"{config} ended before its second epoch, so no step was measured")
    bare, lightning, loop = (mean(seconds) for seconds in zip(*turns.rounds, strict=True))
    print(f"{config}: {loop * 1e3:.2f} ms per step of the loop", file=sys.stderr)
    ratios = [(one.bare / one.lightning, one.bare / one.loop) for one in turns.rounds]
    return LoopRates(1 / bare, 1 / lightning, 1 / loop, *(median(column) for column in zip(*ratios, strict=True)))
