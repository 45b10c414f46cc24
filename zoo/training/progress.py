"""What a run shows while it trains: a line for each epoch, and on a terminal a bar; all on standard error."""

import logging
import sys
import warnings
from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback, RichProgressBar

__all__ = ["PrintEpochs", "progress_bars", "quiet_lightning"]

# Of no use to who trains a model: advertisements, devices that are not there, and what `PrintEpochs` says too.
_NOTES = (
    "Tip:",
    "GPU available: False",
    "TPU available: False",
    "`Trainer.fit` stopped: `max_epochs=",
    "Seed set to",
    "Loading `train_dataloader` to estimate number of stepping batches",
)
_LOGGERS = (
    "lightning.pytorch.utilities.rank_zero",
    "lightning.fabric.utilities.rank_zero",
    "lightning.fabric.utilities.seed",
)
_WARNINGS = (
    # Lightning takes the arguments for a mistake, because `zoo train` was started with some of its own.
    "LightningCLI's args parameter",
    # A run's folder holds its logs, and those of the run that is resumed.
    "Checkpoint directory .* exists and is not empty",
    # Scores are computed from the values of all processes before they are logged.
    "It is recommended to use `self.log\\(.*sync_dist=True\\)`",
    # Metrics are logged for whole epochs alone.
    "The number of training batches .* is smaller than the logging interval",
    # Lightning calls what torch and jsonargparse are about to rename.
    "`isinstance\\(treespec, LeafSpec\\)` is deprecated",
    "\\s*``instantiate_classes`` was deprecated",
)


def quiet_lightning() -> None:
    """Hide what Lightning says that is of no use to who trains a model."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_is_useful)
    for message in _WARNINGS:
        warnings.filterwarnings("ignore", message=message)


def _is_useful(record: logging.LogRecord) -> bool:
    return not any(note in record.getMessage() for note in _NOTES)


class PrintEpochs(Callback):
    """Print the size of the model, then a line with the metrics of each epoch."""

    def __init__(self) -> None:
        self._is_validated = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print how many parameters there are, and how many of them are trained."""
        if trainer.is_global_zero:
            sizes = [(one.numel(), one.requires_grad) for one in pl_module.parameters()]
            total, trained = sum(size for size, _ in sizes), sum(size for size, is_trained in sizes if is_trained)
            frozen = f", {total - trained:,} of them frozen" if trained < total else ""
            print(f"model: {type(pl_module).__name__}, {total:,} parameters{frozen}", file=sys.stderr)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note that the metrics of validation are of this epoch."""
        self._is_validated = not trainer.sanity_checking

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print the line."""
        if trainer.is_global_zero:
            metrics = {
                name: f"{value:.3f}" if abs(value) >= 0.01 else f"{value:.2g}"
                for name, value in trainer.callback_metrics.items()
                if name.startswith("train_") or self._is_validated
            }
            last = trainer.max_epochs if trainer.max_epochs and trainer.max_epochs > 0 else "?"
            # The training loss comes first: the others are of the weights after the epoch.
            names = sorted(metrics, key=lambda name: not name.startswith("train_"))
            line = " ".join(f"{name} {metrics[name]}" for name in names)
            print(f"epoch {trainer.current_epoch + 1}/{last}: {line}", file=sys.stderr)
        self._is_validated = False


class _Bar(RichProgressBar):
    """A bar without metrics, which would wrap beside it: `PrintEpochs` has them."""

    def get_metrics(self, *_: Any, **__: Any) -> dict[str, Any]:
        """No metrics."""
        return {}


def progress_bars() -> list[Callback]:
    """The bar of a trainer on a terminal; none into pipes and files."""
    return [_Bar(console_kwargs={"stderr": True})] if sys.stderr.isatty() else []
