"""EpochEnd: the state of a run at the end of an epoch, from which it can be resumed."""

import sys
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import yaml
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback, EarlyStopping
from lightning.pytorch.callbacks.early_stopping import EarlyStoppingReason

from zoo.data.base import GenomicDataModule
from zoo.errors import ConfigError
from zoo.training.data_hashes import HashedFile, refuse_changed
from zoo.training.own_data import data_files
from zoo.training.processes import hardware
from zoo.utils.cache import content_hash
from zoo.utils.text import shorten

__all__ = ["CONFIG", "DATA", "EpochEnd", "describe_files", "epoch_end", "refuse_other_data"]

# In a checkpoint: the configuration of the run.
CONFIG = "zoo_config"
# In a checkpoint: lines on the data of the run.
DATA = "zoo_data"


class EpochEnd(Callback):
    """Bring a run to the state at each epoch's end from which a resumed run goes on as if it had not been stopped.

    Its checkpoints keep the configuration of the run, so that it is not resumed with another. Schedulers that follow a
    metric are stepped before the checkpoint is written; Lightning would step them after it, and a resumed run miss it.
    A run that `EarlyStopping` had ended is ended again.

    Args:
        config: the whole configuration, as YAML.

    Attributes:
        hardware: what the run was trained on; more than one where it was resumed on another.
        files: the user's files, hashed before they were read; none in processes but the first.
    """

    def __init__(self, config: str) -> None:
        self.config = config
        self.hardware: list[str] = []
        self.files: list[HashedFile] = []
        self._schedulers: list[tuple[Any, str]] = []
        self._is_validated = False
        self._data: list[str] | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take over the schedulers, and end what had ended."""
        if (now := hardware(trainer)) not in self.hardware[-1:]:
            self.hardware.append(now)
        configs = [config for config in trainer.lr_scheduler_configs if config.reduce_on_plateau]
        self._schedulers = [(config.scheduler, str(config.monitor)) for config in configs]
        for config in configs:
            config.frequency = sys.maxsize  # Lightning never does
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, EarlyStopping) and callback.stopping_reason != EarlyStoppingReason.NOT_STOPPED:
                trainer.should_stop = True

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note that the metrics of validation are of this epoch."""
        self._is_validated = not trainer.sanity_checking

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Step the schedulers whose metric is of this epoch."""
        for scheduler, monitor in self._schedulers:
            if self._is_validated or not monitor.startswith("val_"):
                scheduler.step(trainer.callback_metrics[monitor])
        self._is_validated = False

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run must know."""
        return {"hardware": self.hardware, "files": {file.name: file.sha256 for file in self.files}}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take it over.

        Raises:
            ConfigError: a file changed since the run began.
        """
        refuse_changed(state_dict.get("files", {}), self.files)
        self.hardware = list(state_dict["hardware"])

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Add the configuration, and what the data are."""
        checkpoint[CONFIG] = self.config
        checkpoint[DATA] = self._describe(trainer, pl_module)

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Refuse data that changed since the run began.

        Raises:
            ConfigError: a split, or the units of the targets, would be others.
        """
        before, now = checkpoint[DATA], self._describe(trainer, pl_module)
        refuse_other_data(before, now)

    def _describe(self, trainer: Trainer, pl_module: LightningModule) -> list[str]:
        """Lines on the data: their files, splits, and the units in which targets are learnt."""
        if self._data is None:
            files = describe_files(self.config)
            data = trainer.datamodule  # type: ignore[attr-defined]
            lines = data.describe() if isinstance(data, GenomicDataModule) else []
            self._data = [*files, *lines, f"units {pl_module.hparams.get('target_scale')}"]
        return self._data


def epoch_end(trainer: Trainer) -> EpochEnd:
    """The callback of a run, of which there is one."""
    (callback,) = (one for one in trainer.callbacks if isinstance(one, EpochEnd))  # type: ignore[attr-defined]
    return callback


def describe_files(config: str) -> list[str]:
    """A line on each data file of a configuration (YAML), with the hash of its content."""
    paths = data_files(yaml.safe_load(config))
    return [f"file {path.name} with the hash {content_hash(path)}" for path in paths]


def refuse_other_data(before: Sequence[str], now: Sequence[str]) -> None:
    """Refuse data that are not those with which a run began.

    Args:
        before: lines on them when it began.
        now: lines on them now.

    Raises:
        ConfigError: the first lines that differ.
    """
    for was, other in zip_longest(before, now, fillvalue="nothing"):
        if was != other:
            raise ConfigError(
                f"the data are not those with which the run began: {shorten(other, 200)}, where it was "
                f"{shorten(was, 200)}; give the same, or begin anew with --overwrite true"
            )
