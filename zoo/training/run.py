"""`zoo train`: one YAML -> a trained checkpoint folder, on Lightning's Trainer through LightningCLI.

A run lives in `runs/<name>/`: logs, learning curves, `last.ckpt` to go on from and the best checkpoint so far. It ends
as a checkpoint folder: config, safetensors, targets, stored example, card with the metrics.
"""

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import torch
import yaml
from jsonargparse import ArgumentError
from lightning import Trainer
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.fabric.utilities.rank_zero import rank_zero_only
from lightning.pytorch.callbacks import Callback

from zoo.errors import ConfigError, Interrupted
from zoo.hub.cards import usage
from zoo.hub.config import read_config
from zoo.hub.configs import config_text, find_config
from zoo.nn.losses import LOSSES
from zoo.plots.training import draw_learning_curve
from zoo.training.callbacks import answer_between_batches
from zoo.training.checkpoint_io import LAST
from zoo.training.checks import check_run
from zoo.training.disk import explaining_full_disk
from zoo.training.finish import finish_run
from zoo.training.folder import opened_run
from zoo.training.given import Given, read_given, refuse_linked, split_arguments
from zoo.training.lock import lock_run
from zoo.training.loggers import check_loggers, closing_loggers, log_scores, open_loggers
from zoo.training.messages import explain, explain_remainder, unknown_name
from zoo.training.optimizers import use_optimizers
from zoo.training.options import LINKED, TrainCLI, make_cli, option_types
from zoo.training.own_data import check_data
from zoo.training.processes import stopped, watch_processes
from zoo.training.progress import quiet_lightning
from zoo.training.resume import check_resumable
from zoo.training.signatures import parameters_of, resolve_class
from zoo.training.transfer import transfer
from zoo.training.trust import check_name, check_trust, is_restricted
from zoo.utils.atomic import whole_path
from zoo.utils.paths import new_folder

__all__ = ["fit", "parse", "print_config", "train"]

# What LightningCLI and the classes of a configuration raise for a value that does not fit.
_REFUSALS = (
    *(ArgumentError, MisconfigurationException, yaml.YAMLError),
    *(ValueError, TypeError, AttributeError, RuntimeError),
)
# In front of a configuration given as text: no file has so long a name, so that none is read in its place.
_NO_PATH = "\n" * 5_000
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
    return fit(arguments, (), _finish)


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
    taken = transfer(cli.model, cli.transfer)
    cli.trainer.callbacks[:0] = [*taken.callbacks, *callbacks]  # type: ignore[attr-defined]
    use_optimizers(cli.model, replace(cli.optimizer_plan, rates=taken.rates))
    run = cli.run_folder
    folder = Path(cli.options.checkpoints) / run.name
    if not cli.trainer.is_global_zero:
        _fit(cli)
    else:
        with new_folder(run.parent), explaining_full_disk(run), lock_run(run), closing_loggers(cli.further_loggers):
            with opened_run(run, folder, cli.options.resume, cli.options.overwrite):
                _check_resumed(cli)
                _fit(cli)
            finish(cli, arguments)
    return folder


def _finish(cli: TrainCLI, arguments: Sequence[str]) -> None:
    """Score the best weights, save the checkpoint folder and draw the learning curve, in one process."""
    run = cli.run_folder
    try:
        folder = finish_run(cli, arguments)
        log_scores(cli.further_loggers, folder, cli.trainer.global_step)
        with whole_path(run / _CURVE) as picture:
            draw_learning_curve(run, picture, run.name)
        _print_end(folder, run)
    except (SystemExit, KeyboardInterrupt):  # the first is what Lightning makes of Ctrl-C
        raise Interrupted(
            f"the run {run} was stopped while its best weights were scored: add --resume true to do that"
        ) from None


def _print_end(folder: Path, run: Path) -> None:
    """Print the score, where the learning curve is, and how to predict with the model."""
    config = read_config(folder)
    name = run.name if folder.parent == Path("checkpoints") else f"local-dir:{folder}"
    print(f"{run.name}: {config.facts.metric}", file=sys.stderr)
    print(f"learning curve: {run / _CURVE}; to predict: {usage(config, name)}", file=sys.stderr)


def print_config(arguments: Sequence[str]) -> None:
    """Print the whole configuration of a run, defaults filled in, as YAML; no data are read.

    Args:
        arguments: as of `train`.

    Raises:
        ConfigError: a key or value that does not fit, named.
    """
    with suppress(SystemExit):  # how argparse ends once it has printed
        parse(split_arguments([word for word in arguments if word]), ["--print_config"])


def parse(arguments: Sequence[str], flags: Sequence[str] = ()) -> TrainCLI:
    """Build the model, data and trainer that a configuration and options describe.

    Args:
        arguments: the configuration, then options and values in turn.
        flags: options without a value.

    Raises:
        ConfigError: a key or value that does not fit, named.
    """
    quiet_lightning()
    check_trust(arguments)
    given = read_given(arguments[0], arguments[1:])
    refuse_linked(given, LINKED)
    check_loggers(given)
    schema = option_types()
    for key in ("model", "data"):
        if message := unknown_name(key, given.get(key), schema[key]):
            raise ConfigError(f"{arguments[0]}: {message}")
    try:
        cli = make_cli([*_with_files(arguments), *_loss_of_measurements(given), *flags])
    except _REFUSALS as error:
        message = explain(given, schema) or explain_remainder(str(error))
        raise ConfigError(f"{arguments[0]}: {message}") from None
    check_name(cli, arguments)
    return cli


def _loss_of_measurements(given: Given) -> list[str]:
    """The option of squared error, where labels are measurements and the model's default is a loss of classes."""
    data, model = (given[key] if isinstance(given.get(key), dict) else {} for key in ("data", "model"))
    arguments, cls = model.get("init_args") or {}, resolve_class(str(model.get("class_path")))
    default = parameters_of(cls)["loss"].default if cls and "loss" in parameters_of(cls) else None
    is_measured = (data.get("init_args") or {}).get("classify") is False
    if not is_measured or "loss" in arguments or default not in LOSSES or not LOSSES[default].classifies:
        return []
    if getattr(rank_zero_only, "rank", 0) == 0:
        print("the loss is mean_squared_error, for labels are measurements (data.classify false)", file=sys.stderr)
    return ["--model.loss", "mean_squared_error"]


def _with_files(arguments: Sequence[str]) -> list[str]:
    """Options and values in turn, with the path of each configuration instead of its name.

    Of one that came with a checkpoint, its text: from a path, jsonargparse would work in that folder, and read and
    import what lies there.
    """
    words = []
    for option, value in zip(["--config", *arguments[1::2]], [arguments[0], *arguments[2::2]], strict=True):
        is_file = option == "--config" and not is_restricted(value, arguments)
        text = str(find_config(value)) if is_file else _NO_PATH + config_text(value) if option == "--config" else value
        words += [option, text]
    return words


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
