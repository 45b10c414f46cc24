"""What Lightning says and draws: what is of no use is hidden, and a bar is drawn on a terminal alone."""

import logging
import sys
import warnings
from typing import Any

from lightning.pytorch.callbacks import Callback, RichProgressBar

__all__ = ["progress_bars", "quiet_lightning"]

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


class _Bar(RichProgressBar):
    """A bar without metrics, which would wrap beside it: `PrintEpochs` has them."""

    def get_metrics(self, *_: Any, **__: Any) -> dict[str, Any]:
        """No metrics."""
        return {}


def progress_bars() -> list[Callback]:
    """The bar of a trainer on a terminal; none into pipes and files."""
    return [_Bar(console_kwargs={"stderr": True})] if sys.stderr.isatty() else []
