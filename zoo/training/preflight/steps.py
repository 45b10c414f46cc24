"""How many batches and steps a run has, from the number of its sequences or windows."""

from typing import NamedTuple

from lightning import Trainer

from zoo.errors import ConfigError
from zoo.training.faults import check_max_steps, no_batch
from zoo.training.preflight.report import Report
from zoo.training.preflight.values import Items
from zoo.utils.text import counted

__all__ = ["Steps", "check_steps"]

# Fraction of the sequences of an epoch that may be left out without a warning.
_MANY_LEFT_OUT = 0.2


class Steps(NamedTuple):
    """Steps of a run.

    Attributes:
        batch: sequences of a training batch, in one process.
        batches: training batches per epoch, in one process.
        steps: steps of the optimizer per epoch.
        epochs: epochs, at most; None where only the steps or the time are limited.
        total: steps in all, at most; None where only the time is limited.
        val: validation batches per validation, in one process.
        validations: number of validations; None where the epochs are not limited.
        test: test batches, all read by one process.
    """

    batch: int
    batches: int
    steps: int
    epochs: int | None
    total: int | None
    val: int
    validations: int | None
    test: int


def check_steps(items: Items, batch_size: int, epoch_size: int | None, trainer: Trainer, report: Report) -> Steps:
    """Count the steps of a run.

    Args:
        items: sequences or windows of each split.
        batch_size: of one process.
        epoch_size: sequences or windows drawn per epoch; None for all.
        trainer: the run's trainer, with its limits and the number of processes.
        report: where findings are added.
    """
    processes = trainer.world_size
    drawn = epoch_size or items.sizes["train"]
    share = drawn // processes if drawn >= processes else 1  # as `EpochSampler` shares out
    batch = min(batch_size, share)
    batches = _limited(share // batch, "train", trainer, report)
    steps = -(-batches // trainer.accumulate_grad_batches)
    epochs = trainer.max_epochs if trainer.max_epochs is not None and trainer.max_epochs >= 0 else None
    most = [epochs * steps] if epochs is not None else []
    most += [trainer.max_steps] if trainer.max_steps >= 0 else []
    total = min(most) if most else None
    if total is not None and steps:
        epochs = -(-total // steps)
    val = _limited(-(-items.sizes["val"] // (batch_size * processes)), "val", trainer, report)
    every = trainer.check_val_every_n_epoch or 1
    try:
        check_max_steps(trainer.max_steps, steps * every)
    except ConfigError as error:
        report.error("steps", str(error))
    result = Steps(
        *(batch, batches, steps, epochs, total, val),
        validations=None if total is None else total // max(1, steps) // every,
        test=-(-items.sizes["test"] // batch_size),
    )
    report.facts["steps"] = result._asdict()
    report.ok("steps", _described(result, drawn, processes, trainer.accumulate_grad_batches))
    if batch < batch_size:
        detail = f"a process has {share:,} sequences per epoch, fewer than a batch of {batch_size:,}"
        report.warn("steps", detail, f"set --data.batch_size to {max(1, share // 4)} or less, or use fewer processes")
    elif (left := share % batch) > _MANY_LEFT_OUT * share:
        fitting = next(size for size in range(batch, 0, -1) if share % size <= _MANY_LEFT_OUT / 2 * share)
        detail = f"{left:,} of {share:,} training sequences are left out of each epoch, others each time: they fill no"
        report.warn("steps", f"{detail} batch of {batch:,}", f"set --data.batch_size to {fitting}")
    return result


def _described(steps: Steps, drawn: int, processes: int, accumulated: int) -> str:
    left = drawn - steps.batches * steps.batch * processes
    devices = f" on each of {processes} processes" if processes > 1 else ""
    text = f"{counted(steps.steps, 'step')} per epoch: {counted(steps.batches, 'batch')} of {steps.batch:,}{devices}"
    text += f", a step for each {accumulated}" if accumulated > 1 else ""
    text += f", {left:,} left out of each epoch" if left > 0 else ""
    if steps.total is None:
        return f"{text}; no limit of epochs or steps"
    epochs = f" in {counted(steps.epochs, 'epoch')}" if steps.epochs is not None else ""
    return f"{text}; at most {counted(steps.total, 'step')}{epochs}"


def _limited(batches: int, stage: str, trainer: Trainer, report: Report) -> int:
    """Batches that a Trainer's limit leaves: a number, or a fraction of all; none is an error."""
    limit = getattr(trainer, f"limit_{stage}_batches")
    if limit is None:
        return batches
    left = min(batches, limit) if isinstance(limit, int) else int(batches * limit)
    if batches and not left:
        report.error("steps", no_batch(trainer, stage, batches))
    return left
