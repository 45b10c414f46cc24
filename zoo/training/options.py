"""The options of `zoo train`: what a run has besides its model, its data and Lightning's Trainer."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import lightning
import torch
from jsonargparse import Namespace
from lightning import Trainer
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, Timer
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from zoo.data.base import GenomicDataModule
from zoo.hub.registry import split_name
from zoo.nn.optimization import Optimization
from zoo.training.finish import fill

__all__ = ["LAST", "CardText", "TrainCLI", "answer_between_batches", "run_folder"]

# The checkpoint of every epoch, better or not: where a resumed run goes on.
LAST = "last"


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


class StopBetweenBatches(Callback):
    """Ends a run before its next batch once Ctrl-C was pressed."""

    pressed = False

    def on_train_batch_start(self, trainer: Trainer, *_: Any) -> None:
        """See the class."""
        self.act()

    def on_validation_batch_start(self, trainer: Trainer, *_: Any) -> None:
        """See the class."""
        self.act()

    def act(self) -> None:
        """Raises: KeyboardInterrupt: Ctrl-C was pressed."""
        if self.pressed:
            raise KeyboardInterrupt


@contextmanager
def answer_between_batches(trainer: Trainer) -> Iterator[None]:
    """Let the trainer answer Ctrl-C between two batches; a second one acts at once.

    Python raises it wherever it happens to be: in a finaliser it would be printed and lost.
    """
    if threading.current_thread() is not threading.main_thread():  # which alone receives signals
        yield
        return
    stop = StopBetweenBatches()
    trainer.callbacks.append(stop)  # type: ignore[attr-defined]

    def note(number: int, frame: FrameType | None) -> None:
        """Remember that it was pressed, and let the next one act as always."""
        stop.pressed = True
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
        stop.act()  # it was pressed after the last batch
    finally:
        signal.signal(signal.SIGINT, before)
        trainer.callbacks.remove(stop)  # type: ignore[attr-defined]


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
            default="val_loss",
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
        # A model is given only those that its constructor has.
        linked = {"length": "length", "crop": "crop_bins", "strand_pairs": "strand_pairs", "diagonal": "diagonal"}
        for ours, theirs in linked.items():
            parser.link_arguments(f"data.{ours}", f"model.init_args.{theirs}", apply_on="instantiate")
        parser.link_arguments("data", "model.init_args.inputs", lambda data: asdict(data.spec().inputs), "instantiate")

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """The Trainer of the configuration, with the run's own checkpoints, logs and seeding."""
        config = self.config
        run = run_folder(config, self.datamodule)
        mode = "min" if config.monitor.endswith("loss") else "max"
        best = ModelCheckpoint(run, filename="best", monitor=config.monitor, mode=mode, enable_version_counter=False)
        # Of every epoch, better or not: where a resumed run goes on.
        last = ModelCheckpoint(
            run, filename=LAST, monitor=None, save_on_train_epoch_end=True, enable_version_counter=False
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


def run_folder(config: Namespace, data: GenomicDataModule) -> Path:
    """Where a run keeps what it needs to go on: `runs/<name>`; the name must be one."""
    name = fill(config.name, data)
    split_name(name)
    return Path(config.runs) / name
