"""What a run is resumed from: `last.ckpt`, whole or not there, of the same model and the same options.

Lightning writes a checkpoint to the temporary folder and moves it, which across file systems is no single step, and it
saves before it has stepped the schedulers that follow a metric.
"""

import zipfile
from pathlib import Path
from typing import Any

import torch
import yaml
from lightning import LightningModule, Trainer
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from lightning.pytorch.callbacks.early_stopping import EarlyStoppingReason
from typing_extensions import override

from zoo.errors import ConfigError, IntegrityError, one_line
from zoo.models._base import SequenceModel
from zoo.training.given import Given
from zoo.utils.atomic import whole_path

__all__ = ["LAST", "EpochEnd", "RunCheckpoint", "WholeCheckpointIO", "check_resumable", "read_checkpoint"]

# The checkpoint of every epoch, better or not: where a resumed run goes on.
LAST = "last"
# In a checkpoint: the configuration of the run.
_CONFIG = "zoo_config"
# Options that may change when a run is resumed: where files lie, how long it trains, what is shown.
_MAY_CHANGE = (
    *("resume", "overwrite", "trust", "config", "checkpoints", "runs", "card"),
    *(f"trainer.{name}_{unit}" for name in ("max", "min") for unit in ("epochs", "steps", "time")),
    *("trainer.enable_progress_bar", "trainer.enable_model_summary", "trainer.profiler", "trainer.log_every_n_steps"),
    *("trainer.default_root_dir", "trainer.logger", "data.init_args.num_workers"),
)
# Options that may change too, but then sums are added in another order, or other processes draw random numbers.
_OTHER_DIGITS = ("trainer.accelerator", "trainer.devices", "trainer.num_nodes", "trainer.strategy")


class WholeCheckpointIO(TorchCheckpointIO):
    """Checkpoints that replace the one before only when they are on the disk, and that are checked when they are read.

    A checkpoint is a zip file with a checksum of each of its records.
    """

    @override
    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write a checkpoint beside the one before, then replace it.

        Raises:
            OutputError: it cannot be written; the one before is kept.
        """
        if "://" in str(path):  # of a callback of the user's, in the cloud
            super().save_checkpoint(checkpoint, path, storage_options)
            return
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with whole_path(target) as draft:
            torch.save(checkpoint, draft)

    @override
    def load_checkpoint(self, path: Any, map_location: Any = "cpu", weights_only: bool | None = True) -> dict[str, Any]:
        """Read a checkpoint; nothing in it is executed.

        Raises:
            IntegrityError: a file that is cut, damaged or no checkpoint.
        """
        if "://" in str(path):
            return super().load_checkpoint(path, map_location, weights_only)
        return read_checkpoint(Path(path))


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint of a run.

    Raises:
        IntegrityError: a file that is cut, damaged or no checkpoint of Lightning.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        content = None if damaged else torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or foreign file can fail in any step of these readers
        raise _not_whole(path, one_line(error)[:100]) from None
    if damaged:
        raise _not_whole(path, f"the checksum of {damaged} differs")
    if not isinstance(content, dict) or not {"state_dict", "epoch", "global_step", "loops"} <= content.keys():
        raise _not_whole(path, "it holds something else")
    return content


def _not_whole(path: Path, reason: str) -> IntegrityError:
    return IntegrityError(
        f"{path} is not a whole checkpoint of a run ({reason}): put a copy of it in its place, or begin anew with "
        "--overwrite true"
    )


class EpochEnd(Callback):
    """Bring a run to the state at each epoch's end from which a resumed run goes on as if it had not been stopped.

    Its checkpoints keep the configuration of the run, so that it is not resumed with another. Schedulers that follow a
    metric are stepped before the checkpoint is written; Lightning would step them after it, and a resumed run miss it.
    A run that `EarlyStopping` had ended is ended again.

    Args:
        config: the whole configuration, as YAML.
    """

    def __init__(self, config: str) -> None:
        self.config = config
        self._schedulers: list[tuple[Any, str]] = []
        self._is_validated = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take over the schedulers, and end what had ended."""
        configs = [config for config in trainer.lr_scheduler_configs if config.reduce_on_plateau]
        self._schedulers = [(config.scheduler, str(config.monitor)) for config in configs]
        for config in configs:
            config.interval = "by zoo"  # neither of Lightning's two
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

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Add the configuration."""
        checkpoint[_CONFIG] = self.config


def check_resumable(run: Path, model: SequenceModel, config: str) -> list[str]:
    """Check that a run can go on where it ended.

    Args:
        run: folder of the run.
        model: the model that the configuration describes.
        config: the whole configuration, as YAML.

    Returns:
        Sentences on differences with which the run can go on, but not as if it had not been stopped.

    Raises:
        IntegrityError: a checkpoint that is missing or damaged.
        ConfigError: it is of another model, or of a run with other options.
    """
    path = run / f"{LAST}.ckpt"
    content = read_checkpoint(path)
    if _CONFIG not in content:
        raise ConfigError(f"{path} is not of this version of zoo: --overwrite true begins the run anew")
    _check_best(run, content)
    before, now = (_flat(yaml.safe_load(text)) for text in (content[_CONFIG], config))
    differing = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
    if refused := [key for key in differing if key not in _OTHER_DIGITS]:
        raise ConfigError(
            f"{run} is a run with {_named(refused[0], before)}, not {_named(refused[0], now)}: a run is resumed with "
            "the options that it began with; --overwrite true begins anew"
        )
    _check_model(path, content.get("current_model_state", content["state_dict"]), model.state_dict())
    _check_end(path, content, yaml.safe_load(config)["trainer"])
    return [
        f"the run goes on with {_named(key, now)}, where it had {_named(key, before)}: its weights will not be those "
        "that it would have had"
        for key in differing
    ]


def _check_best(run: Path, content: dict[str, Any]) -> None:
    """Refuse a run whose best weights so far are lost: the later epochs alone may have none that are as good."""
    states = [state for key, state in content.get("callbacks", {}).items() if key.startswith(RunCheckpoint.__name__)]
    for path in (Path(str(state["best_model_path"])) for state in states if state.get("best_model_path")):
        if not (run / path.name).is_file():
            raise IntegrityError(f"{run / path.name} is missing: put it back, or begin anew with --overwrite true")
        read_checkpoint(run / path.name)


def _check_model(path: Path, state: dict[str, Any], own: dict[str, Any]) -> None:
    """Refuse tensors that are not those of the model."""
    wrong = [name for name in own if name not in state or state[name].shape != own[name].shape]
    wrong += [name for name in state if name not in own]
    if wrong:
        raise ConfigError(
            f"{path} is of another model (look at {wrong[0]}): give the model that the run began with, or "
            "--overwrite true to begin anew"
        )


def _check_end(path: Path, content: dict[str, Any], trainer: dict[str, Any]) -> None:
    """Refuse to go on from the middle of an epoch, whose remaining batches are not known."""
    progress = content["loops"]["fit_loop"]["epoch_loop.batch_progress"]
    most = trainer.get("max_steps", -1)
    if not progress["is_last_batch"] and (most == -1 or most > content["global_step"]):
        raise ConfigError(
            f"{path} was written within an epoch, where trainer.max_steps ended it: a run goes on from the end of an "
            "epoch only; --overwrite true begins anew"
        )


def _flat(tree: Given, above: str = "") -> dict[str, Any]:
    """Options as key -> value, without those that may change."""
    values: dict[str, Any] = {}
    for name, value in tree.items():
        key = f"{above}{name}"
        if key in _MAY_CHANGE:
            continue
        if isinstance(value, dict) and value:
            values |= _flat(value, f"{key}.")
        else:
            values[key] = value
    return values


def _named(key: str, values: dict[str, Any]) -> str:
    """An option with its value, as it is written on the command line."""
    return f"--{key.replace('.init_args', '')} {values.get(key)}"


class RunCheckpoint(ModelCheckpoint):
    """A checkpoint in the folder of a run, which may be moved between a stop and `--resume true`."""

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the best score, with the folder as it is called now."""
        before, now = str(state_dict.get("dirpath", self.dirpath)), str(self.dirpath)

        def moved(value: Any) -> Any:
            """The same value with paths in the folder of now."""
            if isinstance(value, dict):
                return {moved(key): moved(inner) for key, inner in value.items()}
            is_inside = isinstance(value, str) and value.startswith(before)
            return now + value[len(before) :] if is_inside else value

        super().load_state_dict(moved(state_dict))
