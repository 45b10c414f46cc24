"""What a run shows while it trains: a line for each epoch, on standard error."""

import sys

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

__all__ = ["PrintEpochs"]


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
