"""One trial: a run of `zoo train` that reports its validation metric after each epoch, and scores no test data."""

import math
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback, Timer

from zoo.errors import Interrupted, ZooError, one_line
from zoo.training.checkpoint_io import RunCheckpoint
from zoo.training.options import TrainCLI
from zoo.training.run import fit
from zoo.utils.text import shorten

__all__ = ["Answer", "Report", "Result", "run_trial"]

# What a trial is told after an epoch: go on, end because others are better, or end because the search is over.
Answer = Literal["go on", "prune", "stop"]
# Called with the number of an epoch, from 1 up, and the value of the monitored metric.
Report = Callable[[int, float], Answer]
_LONGEST_MESSAGE = 500  # letters


class Result(NamedTuple):
    """How a trial ended.

    Attributes:
        state: complete, pruned, stopped (with the search; it can be gone on with) or failed.
        value: best value of the monitored metric; None where there is none.
        epochs: number of epochs.
        seconds: seconds of training and validation.
        message: why it failed.
    """

    state: Literal["complete", "pruned", "stopped", "failed"]
    value: float | None = None
    epochs: int = 0
    seconds: float = 0.0
    message: str = ""


class _ReportEpochs(Callback):
    """Report the monitored metric of each epoch, and end the run if the answer says so; the first process asks."""

    def __init__(self, monitor: str, report: Report) -> None:
        self.monitor, self.report = monitor, report
        self.answer: Answer = "go on"
        self._is_validated = False

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note that the metrics are of this epoch."""
        self._is_validated = not trainer.sanity_checking

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Report and ask; the checkpoint of the epoch is written all the same."""
        value = float(trainer.callback_metrics.get(self.monitor, math.nan))
        if self._is_validated and math.isfinite(value):
            answer = self.report(trainer.current_epoch + 1, value) if trainer.is_global_zero else "go on"
            self.answer = trainer.strategy.broadcast(answer)
            trainer.should_stop = trainer.should_stop or self.answer != "go on"
        self._is_validated = False


def run_trial(arguments: Sequence[str], monitor: str, report: Report) -> Result:
    """Train one trial.

    Args:
        arguments: arguments of `zoo train`, of this trial.
        monitor: metric that trials are compared by.
        report: called after each epoch in which the metric is a number, in the first process.

    Returns:
        How it ended; whatever it fails with is its message.
    """
    reporting, ends = _ReportEpochs(monitor, report), list[Result]()

    def end(cli: TrainCLI, _: Sequence[str]) -> None:
        """Note how the run ended."""
        ends.append(_result(cli, reporting.answer))

    try:
        fit(arguments, [reporting], end)
    except Interrupted as error:
        return Result("stopped", message=one_line(error))
    except ZooError as error:
        return Result("failed", message=shorten(one_line(error), _LONGEST_MESSAGE))
    except Exception as error:  # of torch and of classes of the user's: memory, shapes, numbers
        message = shorten(f"{type(error).__name__}: {one_line(error)}", _LONGEST_MESSAGE)
        return Result("failed", message=message)
    return ends[0] if ends else Result("stopped")  # another process than the first has no result


def _result(cli: TrainCLI, answer: Answer) -> Result:
    """The result of a run that ended in order."""
    callbacks: list[Callback] = cli.trainer.callbacks  # type: ignore[attr-defined]
    (best,) = (one for one in callbacks if isinstance(one, RunCheckpoint) and one.monitor)
    timer = next(one for one in callbacks if isinstance(one, Timer))
    value = math.nan if best.best_model_score is None else float(best.best_model_score)
    epochs, seconds = cli.trainer.current_epoch, round(timer.time_elapsed("train"), 1)
    if answer == "stop":
        return Result("stopped", value if math.isfinite(value) else None, epochs, seconds)
    if not math.isfinite(value):
        message = f"{best.monitor} was not a number in any epoch: the learning rate may be too high"
        return Result("failed", None, epochs, seconds, message)
    return Result("pruned" if answer == "prune" else "complete", value, epochs, seconds)
