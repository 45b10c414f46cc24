"""Time of a few real steps of a model, on made batches, through Lightning's Trainer on the device at hand."""

import math
import time
from collections.abc import Sequence
from copy import deepcopy
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import torch
from lightning import Trainer
from lightning.pytorch.callbacks import Callback
from torch.utils.data import DataLoader

from zoo.batch import Batch
from zoo.models._base import SequenceModel
from zoo.training.optimizers import OptimizerPlan, use_optimizers
from zoo.training.preflight.memory import made_batch
from zoo.training.preflight.report import Report
from zoo.training.preflight.steps import Steps
from zoo.utils.progress import spinner

__all__ = ["ReadTime", "StepTimes", "check_hours", "time_reading", "time_steps"]

# Steps that are timed at most, after one that is not; fewer once so many seconds were spent.
_MOST_STEPS, _SECONDS = 10, 5.0
# Batches whose reading is timed, and the factor by which reading may lengthen a step without a warning.
_READ, _WAITS = 5, 1.25
# Sequences of a first trial; where a step of it takes so many seconds, no larger batch is tried.
_TRIAL, _SLOW = 2, 4.0


class StepTimes(NamedTuple):
    """Seconds of one batch, and the peak of the device's memory.

    Attributes:
        train: of a training step.
        val: of a validation batch.
        size: sequences of the batches that were timed.
        peak: bytes at the peak of a GPU's memory; None on other devices.
    """

    train: float
    val: float
    size: int
    peak: int | None

    def scaled(self, size: int) -> "StepTimes":
        """Times of batches of another size, in proportion."""
        factor = size / self.size
        return self._replace(train=self.train * factor, val=self.val * factor)


class _Clock(Callback):
    """Times training steps and validation batches, and stops after enough of them."""

    def __init__(self) -> None:
        self.train: list[float] = []
        self.val: list[float] = []
        self._begun = self._spent = 0.0

    def on_train_batch_start(self, trainer: Trainer, *_: Any) -> None:
        """Begin a step."""
        self._begun = _now(trainer)

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        """End a step; the first is not one of those that follow, unless it took all the time."""
        self.train.append(_now(trainer) - self._begun)
        if sum(self.train) > _SECONDS:
            trainer.should_stop = True

    def on_validation_batch_start(self, trainer: Trainer, *_: Any) -> None:
        """Begin a batch."""
        self._begun = _now(trainer)

    def on_validation_batch_end(self, trainer: Trainer, *_: Any) -> None:
        """End a batch."""
        self.val.append(_now(trainer) - self._begun)


def _now(trainer: Trainer) -> float:
    if trainer.strategy.root_device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def time_steps(
    model: SequenceModel, size: int, trainer: Trainer, plan: OptimizerPlan | None, callbacks: Sequence[Callback] = ()
) -> StepTimes:
    """Time a few steps of a model on made batches, in one process.

    Args:
        model: the model; a copy is trained.
        size: sequences of a batch.
        trainer: the run's trainer, whose device, precision and clipping are used.
        plan: the optimizer; None for that of the model.
        callbacks: callbacks that freeze parts of the model.

    Returns:
        Times of batches of `size`; where a step of two sequences takes seconds, in proportion to these.
    """
    trial = _timed(model, min(size, _TRIAL), trainer, plan, callbacks, 1)
    if size <= _TRIAL or trial.train > _SLOW:
        return trial
    return _timed(model, size, trainer, plan, callbacks, _MOST_STEPS)


def _timed(
    model: SequenceModel,
    size: int,
    trainer: Trainer,
    plan: OptimizerPlan | None,
    callbacks: Sequence[Callback],
    steps: int,
) -> StepTimes:
    model = deepcopy(model)
    if plan is not None:
        use_optimizers(model, OptimizerPlan(plan.optimizer, None, plan.groups, plan.rates))
    device = trainer.strategy.root_device
    clock, batch = _Clock(), made_batch(model, size)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    own = Trainer(
        accelerator=device.type,
        devices=[device.index or 0] if device.type == "cuda" else 1,
        precision=trainer.precision,
        gradient_clip_val=trainer.gradient_clip_val,
        max_epochs=1,
        num_sanity_val_steps=2,  # in which no score is computed
        limit_val_batches=2,
        check_val_every_n_epoch=2,  # after no epoch
        callbacks=[*deepcopy(list(callbacks)), clock],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    train, val = (_loader(batch, count) for count in (steps + 1, 2))
    own.fit(model, train, val)
    peak = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
    return StepTimes(median(clock.train[1:] or clock.train), clock.val[-1], size, peak)


def _loader(batch: Batch, count: int) -> DataLoader[Batch]:
    """Read one batch several times."""
    return DataLoader([batch] * count, batch_size=None)  # type: ignore[arg-type]


class ReadTime(NamedTuple):
    """Seconds in which a batch is read.

    Attributes:
        batch: of one process.
        workers: processes that read; 0 for that which trains.
    """

    batch: float
    workers: int

    def per_step(self, train: float) -> float:
        """Seconds of a step with its reading, given those of the step alone."""
        return max(train, self.batch / self.workers) if self.workers else train + self.batch


def time_reading(dataset: Any, size: int, workers: int) -> ReadTime | None:
    """Time how long batches take to be read.

    Args:
        dataset: training data that are read by batch; None where they are not prepared.
        size: sequences of a batch.
        workers: processes that will read.

    Returns:
        The times; None without a dataset.
    """
    if dataset is None:
        return None
    seconds = []
    for rows in np.random.default_rng(0).integers(0, len(dataset), (_READ + 1, size)).tolist():
        begun = time.perf_counter()
        dataset.__getitems__(rows)
        seconds.append(time.perf_counter() - begun)
    return ReadTime(median(seconds[1:]), workers)  # the first opens files


def check_hours(
    model: SequenceModel,
    steps: Steps,
    trainer: Trainer,
    plan: OptimizerPlan | None,
    callbacks: Sequence[Callback],
    reading: ReadTime | None,
    report: Report,
) -> None:
    """Time a few steps and report the hours of the run.

    Args:
        model: the model; a copy is trained.
        steps: steps of the run.
        trainer: the run's trainer.
        plan: the optimizer; None for that of the model.
        callbacks: callbacks that freeze parts of the model.
        reading: time of reading a batch; None where it is not known.
        report: where findings are added.
    """
    size, device = steps.batch, trainer.strategy.root_device
    with spinner("timing steps"):
        measured = time_steps(model, size, trainer, plan, callbacks)
    times = measured.scaled(size)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    basis = "" if measured.size == size else f", from batches of {measured.size}"
    detail = f"{times.train:.3g} s per batch of {size:,} on {name}{basis}"
    report.facts["seconds"] = {"train_batch": times.train, "val_batch": times.val, "device": name}
    if measured.peak is not None:
        report.facts["memory"]["peak"] = measured.peak
        detail += f", {measured.peak / 1e9:.2f} GB at the peak"
    if steps.epochs is None or steps.validations is None:
        report.ok("time", f"{detail}; no limit of epochs or steps")
        return
    step, val = (one if reading is None else reading.per_step(one) for one in (times.train, times.val))
    seconds = steps.epochs * steps.batches * step + (steps.validations * steps.val + steps.test) * val
    report.facts["hours"] = seconds / 3600
    if reading is None:
        report.ok("time", f"{detail}; at most {_duration(seconds)} in all, preparation and reading not counted")
        return
    report.facts["seconds"]["read_batch"] = reading.batch
    detail += f"; a batch is read in {reading.batch:.3g} s by one process, {reading.workers} workers"
    detail += f"; at most {_duration(seconds)} in all"
    if step > _WAITS * times.train:
        cure = f"set --data.num_workers to {math.ceil(reading.batch / times.train)} or more"
        report.warn("time", f"{detail}, of which the device waits {1 - times.train / step:.0%}", cure)
    else:
        report.ok("time", detail)


def _duration(seconds: float) -> str:
    """Seconds as text, in the unit that suits them."""
    for unit, size in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:,.1f} seconds"
