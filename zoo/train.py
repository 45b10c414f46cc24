"""`zoo train`: one YAML -> a trained checkpoint folder, on Lightning's Trainer through LightningCLI.

A run lives in `runs/<name>/`: logs, learning curves, `last.ckpt` to go on from and the best checkpoint so far. It ends
as a checkpoint folder: config, safetensors, targets, stored example, card with the metrics.
"""

import logging
import os
import platform
import shutil
import subprocess
import time
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
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from zoo.cards import CardFacts, RunFacts
from zoo.data.sequences import SequenceDataModule
from zoo.errors import ConfigError, Interrupted
from zoo.hub import TargetRow, save
from zoo.metrics import matthews_threshold
from zoo.model import Optimization, SequenceModel
from zoo.plots import draw_learning_curve

__all__ = ["CardText", "train"]

_LAST = "last.ckpt"
_EXAMPLES = 8


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
        best = ModelCheckpoint(
            run, filename="best", monitor=config.monitor, mode=mode, save_last=True, enable_version_counter=False
        )
        callbacks = [SeedEachEpoch(int(config.seed_everything)), best, *(self.config_init.trainer.callbacks or [])]
        # A resumed run logs beside what it logged before: CSVLogger would delete that.
        log = f"log_{len(list(run.glob('log_*')))}"
        loggers = [CSVLogger(run, name="", version=log), TensorBoardLogger(run, name="", version="")]
        return super().instantiate_trainer(callbacks=callbacks, logger=loggers, use_distributed_sampler=False, **kwargs)


def run_folder(config: Namespace, data: SequenceDataModule) -> Path:
    """Where a run keeps what it needs to go on: `runs/<name>`."""
    return Path(config.runs) / _filled(config.name, data)


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
    if not arguments or arguments[0].startswith("-"):
        raise ConfigError("name a configuration first: zoo train configs/NAME.yaml [--option value ...]")
    odd = next((option for option in arguments[1::2] if not option.startswith("--")), None)
    if odd is not None or len(arguments) % 2 == 0:
        raise ConfigError(f"options come in pairs, --key value; look at {odd or arguments[-1]!r}")
    if not Path(arguments[0]).is_file():
        raise ConfigError(f"{arguments[0]}: no such configuration file")
    started = time.monotonic()
    cli = _parse(arguments)
    config, model, data = cli.config, cli.model, cli.datamodule
    assert isinstance(model, SequenceModel)
    assert isinstance(data, SequenceDataModule)
    _check_monitor(config.monitor, model)
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
        model = _best_model(trainer, model)
        metrics = _final_metrics(trainer, model, data)
        facts = _facts(name, config, data, metrics, time.monotonic() - started, arguments)
        save(model, folder, facts, _target_rows(model, data, facts), _example(data))
    return folder


def _parse(arguments: Sequence[str]) -> TrainCLI:
    # Lightning takes the arguments for a mistake, because `zoo train` was started with some of its own.
    warnings.filterwarnings("ignore", message="LightningCLI's args parameter")
    logging.getLogger("lightning.pytorch.utilities.rank_zero").addFilter(lambda said: "Tip:" not in said.getMessage())
    try:
        return TrainCLI(
            model_class=SequenceModel,
            subclass_mode_model=True,
            datamodule_class=LightningDataModule,
            subclass_mode_data=True,
            seed_everything_default=1,
            save_config_callback=None,
            run=False,
            parser_kwargs={"exit_on_error": False, "allow_abbrev": False},
            args=["--config", *arguments],
        )
    except (ArgumentError, MisconfigurationException, yaml.YAMLError, ValueError, TypeError) as error:
        raise ConfigError(f"{arguments[0]}: {' '.join(str(error).split())[:600]}") from None


def _check_monitor(monitor: str, model: SequenceModel) -> None:
    known = ["valid_loss", *(f"valid_{name}" for name in model.valid_scores.scores)]
    if monitor not in known:
        raise ConfigError(f"there is no metric {monitor!r} to monitor; there are {', '.join(known)}")


def _fit(trainer: Trainer, model: SequenceModel, data: SequenceDataModule, run: Path, config: Namespace) -> None:
    last = run / _LAST
    if last.exists() and config.overwrite:
        shutil.rmtree(run)
    if last.exists() and not config.resume:
        raise ConfigError(
            f"{run} holds a run of that name: add --resume true to go on with it, or --overwrite true to begin anew"
        )
    if config.resume and not last.exists():
        raise ConfigError(f"{run} holds no run to resume")
    try:
        trainer.fit(model, datamodule=data, ckpt_path=last if config.resume else None, weights_only=False)
    except SystemExit:  # what Lightning makes of Ctrl-C, after it has shut down in order
        cure = "add --resume true to go on from its last whole epoch" if last.exists() else "no epoch was finished yet"
        raise Interrupted(f"the run {run} was stopped: {cure}") from None


def _best_model(trainer: Trainer, model: SequenceModel) -> SequenceModel:
    """The model with the weights of the best checkpoint.

    A new one, because under weight averaging the Trainer would load the weights that were not averaged: the averaged
    ones, which validation scored, are those under `state_dict`.
    """
    path = trainer.checkpoint_callback.best_model_path  # type: ignore[union-attr]
    best = type(model)(**model.arguments)
    best.load_state_dict(torch.load(path, map_location="cpu", weights_only=False)["state_dict"], strict=True)
    return best


def _final_metrics(trainer: Trainer, model: SequenceModel, data: SequenceDataModule) -> dict[str, dict[str, float]]:
    """Metrics of the final model, on validation and, once, on test data; one process, so that each counts once."""
    judge = Trainer(
        accelerator=trainer.accelerator,
        devices=1,
        precision=trainer.precision,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
    )
    (valid,) = judge.validate(model, datamodule=data, verbose=False)
    (test,) = judge.test(model, datamodule=data, verbose=False)
    return {
        part: {key.removeprefix(f"{part}_"): float(value) for key, value in values.items()}
        for part, values in (("valid", valid), ("test", test))
    }


def _filled(text: str, data: SequenceDataModule) -> str:
    try:
        return text.format(**data.card_values)
    except (KeyError, IndexError, ValueError) as error:
        raise ConfigError(
            f"{text!r}: the data has no value for {error}; it has {', '.join(data.card_values)}"
        ) from None


def _facts(
    name: str,
    config: Namespace,
    data: SequenceDataModule,
    metrics: dict[str, dict[str, float]],
    seconds: float,
    arguments: Sequence[str],
) -> CardFacts:
    headline = next(iter(key for key in metrics["test"] if key != "loss"))
    run = RunFacts(
        command="zoo train " + " ".join(_that_matter(arguments)),
        commit=_commit(),
        seed=int(config.seed_everything),
        hardware=_hardware(),
        seconds=round(seconds, 1),
        precision=str(config.trainer.precision or "32-true"),
        versions=f"Python {platform.python_version()}, torch {torch.__version__}, lightning {lightning.__version__}",
        data=data.describe(),
        metrics=metrics,
    )
    text = {key: _filled(value, data) for key, value in vars(config.card).items()}
    return CardFacts(name=name, metric=f"test {headline.upper()} {metrics['test'][headline]:.4f}", run=run, **text)


def _target_rows(model: SequenceModel, data: SequenceDataModule, facts: CardFacts) -> list[TargetRow]:
    thresholds: list[float | None] = [None] * len(model.output.targets)
    if model.loss.classifies:
        model.to("cpu").eval()
        with torch.inference_mode():
            batches = [(model.predict(batch.codes), batch.target) for batch in data.val_dataloader()]
        prediction, target = (torch.cat(part) for part in zip(*batches, strict=True))
        for index in range(len(thresholds)):
            there = ~torch.isnan(target[:, index])
            thresholds[index] = matthews_threshold(prediction[there, index], target[there, index])
    return [
        TargetRow(target, facts.summary, model.loss.unit, threshold)
        for target, threshold in zip(model.output.targets, thresholds, strict=True)
    ]


def _example(data: SequenceDataModule) -> torch.Tensor:
    """Made sequences, not measured ones: nothing of the public data enters a checkpoint."""
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 4, (_EXAMPLES, data.length), generator=generator).to(torch.uint8)


def _commit() -> str:
    found = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def _hardware() -> str:
    if torch.cuda.is_available():
        return f"{torch.cuda.device_count()} x {torch.cuda.get_device_name()}"
    return f"{torch.get_num_threads()} of {os.cpu_count()} {platform.machine()} CPU cores"


def _that_matter(arguments: Sequence[str]) -> list[str]:
    """The arguments without those that change only where a run lies and how it looks."""
    kept = list(arguments[:1])
    for option, value in zip(arguments[1::2], arguments[2::2], strict=False):
        if option not in ("--runs", "--checkpoints", "--resume", "--overwrite", "--trainer.enable_progress_bar"):
            kept += [option, value]
    return kept
