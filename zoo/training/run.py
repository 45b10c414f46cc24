"""`zoo train`: one YAML -> a trained checkpoint folder, on Lightning's Trainer through LightningCLI.

A run lives in `runs/<name>/`: logs, learning curves, `last.ckpt` to go on from and the best checkpoint so far. It ends
as a checkpoint folder: config, safetensors, targets, stored example, card with the metrics.
"""

import logging
import shutil
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
import yaml
from jsonargparse import ArgumentError, Namespace
from lightning import LightningDataModule, Trainer
from lightning.fabric.utilities.exceptions import MisconfigurationException

from zoo.data.base import GenomicDataModule
from zoo.errors import ConfigError, Interrupted, one_line
from zoo.hub.config import read_config
from zoo.hub.load import load
from zoo.models._base import SequenceModel
from zoo.nn.optimization import Optimization
from zoo.plots.training import draw_learning_curve
from zoo.training.finish import finish_run
from zoo.training.options import LAST, TrainCLI, answer_between_batches, run_folder
from zoo.training.transfer import take_trunk

__all__ = ["parse", "show_options", "train"]


def train(arguments: Sequence[str]) -> Path:
    """Train as the configuration says and save the result.

    Args:
        arguments: the YAML file first, then any options of LightningCLI that override it.

    Returns:
        The checkpoint folder.

    Raises:
        ConfigError: a key or value that does not fit, named.
        Interrupted: Ctrl-C; the run can be resumed.
    """
    arguments = [word for argument in arguments for word in _pair(argument)]
    if not arguments or arguments[0].startswith("-"):
        raise ConfigError("name a configuration first: zoo train configs/NAME.yaml [--option value ...]")
    odd = next((option for option in arguments[1::2] if not option.startswith("--")), None)
    if odd is not None or len(arguments) % 2 == 0:
        raise ConfigError(f"options come in pairs, --key value; look at {odd or arguments[-1]!r}")
    if not Path(arguments[0]).is_file():
        raise ConfigError(f"{arguments[0]}: no such configuration file")
    cli = parse(arguments)
    config, model, data = cli.config, cli.model, cli.datamodule
    assert isinstance(model, SequenceModel)
    assert isinstance(data, GenomicDataModule)
    _check_plan(config, model, data)
    data.describe()  # an empty part is better known before training than after
    trainer = cli.trainer
    run = run_folder(config, data)
    name = run.name
    model.optimization = Optimization(**config.optimization)
    if model.optimization.trunk_from is not None:
        take_trunk(model, load(model.optimization.trunk_from), model.optimization.trunk_rate)
    _fit(trainer, model, data, run, config)
    if trainer.is_global_zero:
        draw_learning_curve(run, run / "learning_curve.png", name)
    folder = Path(config.checkpoints) / name
    # What is left is one process's work; metrics would wait for the others, were the group still there.
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
    if trainer.is_global_zero:
        try:
            finish_run(trainer, model, data, config, name, arguments)
            print(f"{name}: {read_config(folder).facts.metric}", file=sys.stderr)
        except (SystemExit, KeyboardInterrupt):  # the first is what Lightning makes of Ctrl-C
            raise Interrupted(
                f"the run {run} was stopped while its best weights were scored: add --resume true to do that"
            ) from None
    return folder


def _pair(argument: str) -> list[str]:
    """`--key=value` as `--key` and `value`."""
    return argument.split("=", 1) if argument.startswith("--") and "=" in argument else [argument]


def show_options(config: str | None) -> None:
    """Print every option of `zoo train`; with a configuration, first those of its model and data classes."""
    if config:
        try:
            said = yaml.safe_load(Path(config).read_text())
            classes = {part: str(said[part]["class_path"]) for part in ("model", "data")}
        except (yaml.YAMLError, KeyError, TypeError) as error:
            raise ConfigError(f"{config} names no class_path of model and data: {error}") from None
        for part, class_path in classes.items():
            print(f"{class_path}, as --{part}.OPTION:")
            _show([f"--{part}.help", class_path])
    _show(["--help"])


def _show(arguments: list[str]) -> None:
    try:
        _cli(arguments)
    except SystemExit:  # how argparse ends a help text
        print()


def _cli(arguments: list[str]) -> TrainCLI:
    # Lightning takes the arguments for a mistake, because `zoo train` was started with some of its own.
    warnings.filterwarnings("ignore", message="LightningCLI's args parameter")
    return TrainCLI(
        model_class=SequenceModel,
        subclass_mode_model=True,
        datamodule_class=LightningDataModule,
        subclass_mode_data=True,
        seed_everything_default=1,
        save_config_callback=None,
        run=False,
        auto_configure_optimizers=False,  # `optimization` says it
        parser_kwargs={"exit_on_error": False, "allow_abbrev": False, "prog": "zoo train CONFIG", "description": None},
        args=arguments,
    )


def parse(arguments: Sequence[str]) -> TrainCLI:
    """The model, data and trainer that a configuration and options say; see `train`."""
    logging.getLogger("lightning.pytorch.utilities.rank_zero").addFilter(lambda said: "Tip:" not in said.getMessage())
    try:
        return _cli(["--config", *arguments])
    except (ArgumentError, MisconfigurationException, yaml.YAMLError, ValueError, TypeError) as error:
        raise ConfigError(f"{arguments[0]}: {one_line(error)[:600]}") from None


def _check_plan(config: Namespace, model: SequenceModel, data: GenomicDataModule) -> None:
    """Refuse before training what would spoil its end."""
    known = ["val_loss", *(f"val_{name}" for name in model.val_scores.names)]
    if config.monitor not in known:
        raise ConfigError(f"there is no metric {config.monitor!r} to monitor; there are {', '.join(known)}")
    data.check_model(model.output, model.loss)
    trainer = config.trainer
    every = trainer.check_val_every_n_epoch or 1
    if trainer.fast_dev_run or trainer.limit_val_batches == 0 or (trainer.max_epochs or every) < every:
        raise ConfigError("no epoch would be validated, so none could be chosen: look at the trainer's settings")
    if isinstance(trainer.val_check_interval, float) and trainer.val_check_interval < 1:
        raise ConfigError("val_check_interval below 1 saves within an epoch, where a run cannot be resumed")


def _fit(trainer: Trainer, model: SequenceModel, data: GenomicDataModule, run: Path, config: Namespace) -> None:
    last = run / f"{LAST}.ckpt"
    if last.exists() and config.overwrite:
        shutil.rmtree(run)
    if last.exists() and not config.resume:
        raise ConfigError(
            f"{run} holds a run of that name: add --resume true to go on with it, or --overwrite true to begin anew"
        )
    if config.resume and not last.exists():
        raise ConfigError(f"{run} holds no run to resume")
    try:
        with answer_between_batches(trainer):
            trainer.fit(model, datamodule=data, ckpt_path=last if config.resume else None, weights_only=True)
    except (SystemExit, KeyboardInterrupt):  # the first is what Lightning makes of Ctrl-C, having shut down in order
        cure = "add --resume true to go on from its last whole epoch" if last.exists() else "no epoch was finished yet"
        raise Interrupted(f"the run {run} was stopped: {cure}") from None
