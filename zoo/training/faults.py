"""What ends a run in one sentence: an invalid loss, limits that leave no batch, and no memory left."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from lightning import LightningModule, Trainer
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback
from safetensors.torch import save_file
from torch import Tensor

from zoo.batch import Batch
from zoo.errors import ConfigError
from zoo.training.checkpoint_io import LAST
from zoo.utils.atomic import whole_path
from zoo.utils.text import counted

__all__ = [
    "StopAtInvalidLoss",
    "check_max_steps",
    "explaining_limits",
    "explaining_memory",
    "invalid_batch_path",
    "no_batch",
]

# What Lightning says of a fraction of the batches that is less than one.
_NO_BATCH = re.compile(r"You requested to check \S+ of the `(\w+)_dataloader` but \S+ \* (\d+) < 1")
# What torch says where memory of the computer ends; of a GPU it has an error class.
_CPU_MEMORY = ("DefaultCPUAllocator", "not enough memory", "Cannot allocate memory")


def invalid_batch_path(run: Path) -> Path:
    """The file of the batch whose loss was no number; beside the folder of a run, which a new run may remove."""
    return run.with_name(f"{run.name}.invalid_batch.safetensors")


class StopAtInvalidLoss(Callback):
    """End a run whose loss is NaN or infinite, and save the batch.

    A loss is looked at one step later, so that a GPU never waits for it.

    Args:
        run: folder of the run.
    """

    def __init__(self, run: Path) -> None:
        self._path = invalid_batch_path(run)
        self._before: tuple[Tensor, Batch, int, int] | None = None

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Look at the loss of the batch before.

        Raises:
            ConfigError: it is NaN or infinite.
        """
        loss = outputs["loss"] if isinstance(outputs, dict) else outputs
        self._look()
        self._before = (loss.detach().isfinite(), batch, trainer.current_epoch, batch_idx)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look at the last loss of the epoch. Raises: ConfigError: it is NaN or infinite."""
        self._look()
        self._before = None

    def _look(self) -> None:
        if self._before is None or bool(self._before[0]):
            return
        _, batch, epoch, index = self._before
        tensors = {name: value.cpu().contiguous() for name, value in batch._asdict().items() if value is not None}
        with whole_path(self._path) as draft:
            save_file(tensors, draft)
        raise ConfigError(
            f"the loss of batch {index + 1} in epoch {epoch + 1} is not finite: the batch is in {self._path}; a lower "
            "learning rate (--optimizer.lr), --trainer.gradient_clip_val 1 or another --trainer.precision than 16 "
            "helps where its targets are as they should be"
        )


@contextmanager
def explaining_memory(run: Path, batch_size: int) -> Iterator[None]:
    """Turn errors of a device or computer without memory into a sentence with advice.

    Args:
        run: folder of the run.
        batch_size: sequences or windows per batch.

    Raises:
        ConfigError: memory ended.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        raise _advice(run, "the GPU", batch_size) from None
    except MemoryError:
        raise _advice(run, "the computer", batch_size) from None
    except RuntimeError as error:
        if not any(words in str(error) for words in _CPU_MEMORY):
            raise
        raise _advice(run, "the computer", batch_size) from None


@contextmanager
def explaining_limits(trainer: Trainer) -> Iterator[None]:
    """Turn Lightning's error on a limit that leaves no batch into a sentence.

    Raises:
        ConfigError: no batch is left.
    """
    try:
        yield
    except MisconfigurationException as error:
        refused = _NO_BATCH.match(str(error))
        if refused is None:
            raise
        raise ConfigError(no_batch(trainer, refused[1], int(refused[2]))) from None


def no_batch(trainer: Trainer, stage: str, batches: int) -> str:
    """A sentence on a limit of a Trainer that leaves no batch.

    Args:
        trainer: the trainer.
        stage: `train` or `val`.
        batches: number of batches without the limit.
    """
    option = "overfit_batches" if getattr(trainer, "overfit_batches", 0) else f"limit_{stage}_batches"
    given, least = getattr(trainer, option), math.ceil(100 / batches) / 100
    of_all = counted(batches, "batch")
    return f"--trainer.{option} {given:g} of {of_all} leaves none: give {least:g} or more, or a number of batches"


def check_max_steps(most: int, first: int) -> None:
    """Check that training does not end before its first validation.

    Args:
        most: number of steps after which it ends; -1 for none.
        first: number of steps after which it is validated.

    Raises:
        ConfigError: it does.
    """
    if 0 <= most < first:
        raise ConfigError(
            f"--trainer.max_steps {most:,} ends training before its first validation, after {counted(first, 'step')}: "
            f"give {first:,} or more"
        )


def _advice(run: Path, where: str, batch_size: int) -> ConfigError:
    smaller = max(1, batch_size // 2)
    accumulate = -(-batch_size // smaller)
    resume = " and --overwrite true" if (run / f"{LAST}.ckpt").exists() else ""
    return ConfigError(
        f"the memory of {where} does not hold a batch of {batch_size}: begin anew{resume} with --data.batch_size "
        f"{smaller} --trainer.accumulate_grad_batches {accumulate}, which trains the same, with --trainer.precision "
        "bf16-mixed, or, for Basenji and Akita, with --model.trunk.checkpointing true"
    )
