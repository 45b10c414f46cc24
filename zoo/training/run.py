"""`zoo train`: one YAML -> a trained checkpoint folder, on Lightning's Trainer through LightningCLI.

A run lives in `runs/<name>/`: logs, learning curves, `last.ckpt` to go on from and the best checkpoint so far. It ends
as a checkpoint folder: config, safetensors, targets, stored example, card with the metrics.
"""

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from lightning import Trainer
from lightning.pytorch.callbacks import Callback

from zoo.errors import Interrupted
from zoo.plots.training import draw_learning_curve
from zoo.training.callbacks import answer_between_batches
from zoo.training.checkpoint_io import LAST
from zoo.training.checks import check_run
from zoo.training.compiled import compile_network, explaining_compiler
from zoo.training.data_hashes import hash_files
from zoo.training.disk import explaining_full_disk
from zoo.training.ending import print_end
from zoo.training.epoch_end import epoch_end
from zoo.training.faults import StopAtInvalidLoss, explaining_limits, explaining_memory
from zoo.training.finish import finish_run
from zoo.training.folder import opened_run
from zoo.training.given import read_given, split_arguments
from zoo.training.lock import lock_run
from zoo.training.loggers import closing_loggers, log_scores, open_loggers
from zoo.training.optimizers import use_optimizers
from zoo.training.options import TrainCLI
from zoo.training.own_data import check_data
from zoo.training.parse import parse
from zoo.training.processes import stopped, watch_processes
from zoo.training.resume import check_resumable
from zoo.training.transfer import transfer
from zoo.utils.atomic import whole_path
from zoo.utils.memory import keeping_freed_memory
from zoo.utils.paths import new_folder

__all__ = ["finish", "fit", "train"]

# Picture of the learning curve, in the folder of a run.
_CURVE = "learning_curve.png"


def train(arguments: Sequence[str]) -> Path:
    """Train as the configuration says and save the result.

    Args:
        arguments: the configuration first (see `zoo.hub.configs.find_config`), then any options of LightningCLI that
            override it.

    Returns:
        The checkpoint folder.

    Raises:
        ConfigError: a key or value that does not fit, named.
        Interrupted: Ctrl-C; the run can be resumed.
    """
    return fit(arguments, (), finish)


@keeping_freed_memory()
def fit(
    arguments: Sequence[str], callbacks: Sequence[Callback], finish: Callable[[TrainCLI, Sequence[str]], None]
) -> Path:
    """Train as the configuration says, and end the run in a way of the caller's.

    Args:
        arguments: as of `train`.
        callbacks: callbacks in addition to those of the run.
        finish: called in the first process after the last epoch, under the lock of the run, with it and its arguments.

    Returns:
        The folder that a checkpoint of the run has.

    Raises:
        ConfigError: a key or value that does not fit, named.
        Interrupted: Ctrl-C; the run can be resumed.
    """
    arguments = split_arguments(arguments)
    check_data(read_given(arguments[0], arguments[1:]))
    cli = parse(arguments)
    check_run(cli)
    run = cli.run_folder
    cli.trainer.callbacks[:0] = [*_begin_with_weights(cli), StopAtInvalidLoss(run), *callbacks]  # type: ignore[attr-defined]
    folder = Path(cli.options.checkpoints) / run.name
    if not cli.trainer.is_global_zero:
        _fit(cli)
    else:
        with new_folder(run.parent), explaining_full_disk(run), lock_run(run), closing_loggers(cli.further_loggers):
            with opened_run(run, folder, cli.options.resume, cli.options.overwrite):
                _check_resumed(cli)
                epoch_end(cli.trainer).files = hash_files(arguments)
                _fit(cli)
            finish(cli, arguments)
    return folder


def _begin_with_weights(cli: TrainCLI) -> list[Callback]:
    """Take another model's weights where the configuration names one; returns callbacks that freeze some of them."""
    taken = transfer(cli.model, cli.transfer)
    cli.adapters = taken.adapters
    use_optimizers(cli.model, replace(cli.optimizer_plan, rates=taken.rates))
    if cli.options.compile:
        compile_network(cli.model)
    return taken.callbacks


def finish(cli: TrainCLI, arguments: Sequence[str], command: str | None = None) -> None:
    """Score the best weights, save the checkpoint folder and draw the learning curve, in one process.

    Args:
        cli: the run.
        arguments: as of `train`.
        command: command of the run, for its card; None for that of `zoo train` with these arguments.

    Raises:
        Interrupted: Ctrl-C.
    """
    run = cli.run_folder
    try:
        folder = finish_run(cli, arguments, command)
        log_scores(cli.further_loggers, folder, cli.trainer.global_step)
        with whole_path(run / _CURVE) as picture:
            draw_learning_curve(run, picture, run.name)
        print_end(cli, folder, run / _CURVE)
    except (SystemExit, KeyboardInterrupt):  # the first is what Lightning makes of Ctrl-C
        raise Interrupted(
            f"the run {run} was stopped while its best weights were scored: add --resume true to do that"
        ) from None


def _check_resumed(cli: TrainCLI) -> None:
    """Check that a run can go on, if it is to; prints with what it cannot go on as it would have."""
    if cli.options.resume:
        for line in check_resumable(cli.run_folder, cli.model, cli.config_text):
            print(line, file=sys.stderr)


def _fit(cli: TrainCLI) -> None:
    """Train, from the last epoch of an earlier run where that is asked for."""
    run, trainer = cli.run_folder, cli.trainer
    last = run / f"{LAST}.ckpt"
    try:
        with (
            _removing_if_refused(run, trainer),
            explaining_compiler(),
            explaining_limits(trainer),
            explaining_memory(run, getattr(cli.datamodule, "batch_size", 1)),
            answer_between_batches(trainer) as stop,
            watch_processes(trainer, run, lambda: stop.pressed),
        ):
            if trainer.is_global_zero:
                open_loggers(cli.further_loggers, run, cli.options.resume, cli.config_text)
            checkpoint = last if cli.options.resume else None
            trainer.fit(cli.model, datamodule=cli.datamodule, ckpt_path=checkpoint, weights_only=True)
            # The rest is done by one process: with the group still open, metrics would wait for the other processes.
            if torch.distributed.is_initialized():
                torch.distributed.destroy_process_group()
    except (SystemExit, KeyboardInterrupt):  # the first is what Lightning makes of Ctrl-C, having shut down in order
        if not trainer.is_global_zero:  # the first process says it
            raise SystemExit(2) from None
        raise Interrupted(stopped(run, "was stopped")) from None


@contextmanager
def _removing_if_refused(run: Path, trainer: Trainer) -> Iterator[None]:
    """Leave no folder of a new run that is refused or stopped before its first epoch ends: it holds empty logs."""
    is_new = not run.exists()
    try:
        yield
    except BaseException:
        if is_new and trainer.is_global_zero and not (run / f"{LAST}.ckpt").exists():
            shutil.rmtree(run, ignore_errors=True)
        raise
