"""`zoo train`: one YAML -> a trained checkpoint folder, on Lightning's Trainer through LightningCLI.

A run lives in `runs/<name>/`: logs, learning curves, `last.ckpt` to go on from and the best checkpoint so far. It ends
as a checkpoint folder: config, safetensors, targets, stored example, card with the metrics.
"""

import logging
import shutil
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
import yaml
from jsonargparse import ArgumentError, Namespace
from lightning import LightningDataModule, Trainer
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, Timer
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from zoo.data.module import SequenceData
from zoo.errors import ConfigError, Interrupted
from zoo.finish import fill, finish_run
from zoo.hub import read_config
from zoo.model import Optimization, SequenceModel
from zoo.plots import draw_learning_curve
from zoo.registry import split_name

__all__ = ["CardText", "show_options", "train"]

_LAST = "last"


@dataclass
class CardText:
    """What the card says in words. `{key}` of any placeholder is filled from the data module's `card_values`.

    Args:
        summary: one line: what the model predicts.
        species: Latin name.
        assay: what the training data measured.
        licence: of the weights.
        use: what it is meant for.
        limits: where it fails, and what it must not be used for.
        data: where the training data comes from, with its reference and licence.
    """

    summary: str = "{targets}"
    species: str = ""
    assay: str = ""
    licence: str = "Apache-2.0"
    use: str = ""
    limits: str = ""
    data: str = ""


class SeedEachEpoch(Callback):
    """Seeds torch at each epoch from the run's seed and the epoch's number.

    So an epoch is the same whether the run got there in one go or was killed and resumed.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_epoch_start(self, trainer: Trainer, pl_module: lightning.LightningModule) -> None:
        """Seed dropout and whatever else draws from torch."""
        torch.manual_seed(self.seed * 100_003 + trainer.current_epoch * 1_009 + trainer.global_rank)


class TrainCLI(LightningCLI):
    """Every option of Trainer, model, data and optimisation, in YAML and on the command line."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """What a run has besides model, data and trainer."""
        parser.add_argument(
            "--name",
            type=str,
            required=True,
            help="the checkpoint's name, `architecture.tag`; `{key}` is filled from the data",
        )
        parser.add_argument(
            "--checkpoints",
            type=str,
            default="checkpoints",
            help="folder in which the checkpoint folder is made",
        )
        parser.add_argument("--runs", type=str, default="runs", help="folder of the runs: logs, curves, what resumes")
        parser.add_argument(
            "--monitor",
            type=str,
            default="valid_loss",
            help="the validation metric that chooses the best checkpoint; a loss is to be low, all else high",
        )
        parser.add_argument(
            "--resume", type=bool, default=False, help="go on with the run of that name from its last epoch"
        )
        parser.add_argument("--overwrite", type=bool, default=False, help="begin the run of that name anew")
        parser.add_dataclass_arguments(Optimization, "optimization")
        parser.add_dataclass_arguments(CardText, "card")
        parser.link_arguments("seed_everything", "data.init_args.seed")
        parser.link_arguments("data.targets", "model.init_args.targets", apply_on="instantiate")
        parser.link_arguments("data.length", "model.init_args.length", apply_on="instantiate")

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """The Trainer of the configuration, with the run's own checkpoints, logs and seeding."""
        config = self.config
        run = run_folder(config, self.datamodule)
        mode = "min" if config.monitor.endswith("loss") else "max"
        best = ModelCheckpoint(run, filename="best", monitor=config.monitor, mode=mode, enable_version_counter=False)
        # Of every epoch, better or not: where a resumed run goes on.
        last = ModelCheckpoint(
            run, filename=_LAST, monitor=None, save_on_train_epoch_end=True, enable_version_counter=False
        )
        seeding = SeedEachEpoch(int(config.seed_everything))
        # The timer is part of what a run resumes from: it goes on counting.
        callbacks = [seeding, Timer(), *(self.config_init.trainer.callbacks or []), best, last]
        # A resumed run logs beside what it logged before: CSVLogger would delete that.
        log = f"log_{len(list(run.glob('log_*')))}"
        loggers: list[Any] = [CSVLogger(run, name="", version=log), TensorBoardLogger(run, name="", version="")]
        given = self.config_init.trainer.logger
        if given is not None and not isinstance(given, bool):
            loggers += given if isinstance(given, list) else [given]
        return super().instantiate_trainer(callbacks=callbacks, logger=loggers, use_distributed_sampler=False, **kwargs)


def run_folder(config: Namespace, data: SequenceData) -> Path:
    """Where a run keeps what it needs to go on: `runs/<name>`; the name must be one."""
    name = fill(config.name, data)
    split_name(name)
    return Path(config.runs) / name


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
    cli = _parse(arguments)
    config, model, data = cli.config, cli.model, cli.datamodule
    assert isinstance(model, SequenceModel)
    assert isinstance(data, SequenceData)
    _check_plan(config, model)
    data.describe()  # an empty part is better known before training than after
    trainer = cli.trainer
    run = run_folder(config, data)
    name = run.name
    model.optimization = Optimization(**config.optimization)
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
            print(f"{name}: {read_config(folder)['metric']}", file=sys.stderr)
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


def _parse(arguments: Sequence[str]) -> TrainCLI:
    logging.getLogger("lightning.pytorch.utilities.rank_zero").addFilter(lambda said: "Tip:" not in said.getMessage())
    try:
        return _cli(["--config", *arguments])
    except (ArgumentError, MisconfigurationException, yaml.YAMLError, ValueError, TypeError) as error:
        raise ConfigError(f"{arguments[0]}: {' '.join(str(error).split())[:600]}") from None


def _check_plan(config: Namespace, model: SequenceModel) -> None:
    """Refuse before training what would spoil its end."""
    known = ["valid_loss", *(f"valid_{name}" for name in model.valid_scores.scores)]
    if config.monitor not in known:
        raise ConfigError(f"there is no metric {config.monitor!r} to monitor; there are {', '.join(known)}")
    trainer = config.trainer
    every = trainer.check_val_every_n_epoch or 1
    if trainer.fast_dev_run or trainer.limit_val_batches == 0 or (trainer.max_epochs or every) < every:
        raise ConfigError("no epoch would be validated, so none could be chosen: look at the trainer's settings")
    if isinstance(trainer.val_check_interval, float) and trainer.val_check_interval < 1:
        raise ConfigError("val_check_interval below 1 saves within an epoch, where a run cannot be resumed")


def _fit(trainer: Trainer, model: SequenceModel, data: SequenceData, run: Path, config: Namespace) -> None:
    last = run / f"{_LAST}.ckpt"
    if last.exists() and config.overwrite:
        shutil.rmtree(run)
    if last.exists() and not config.resume:
        raise ConfigError(
            f"{run} holds a run of that name: add --resume true to go on with it, or --overwrite true to begin anew"
        )
    if config.resume and not last.exists():
        raise ConfigError(f"{run} holds no run to resume")
    try:
        trainer.fit(model, datamodule=data, ckpt_path=last if config.resume else None, weights_only=True)
    except SystemExit:  # what Lightning makes of Ctrl-C, after it has shut down in order
        cure = "add --resume true to go on from its last whole epoch" if last.exists() else "no epoch was finished yet"
        raise Interrupted(f"the run {run} was stopped: {cure}") from None
