"""CheckData: what cannot be trained on is refused once the data are prepared, before training."""

import sys
from copy import deepcopy

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

from zoo.data.base import GenomicDataModule
from zoo.data.sequences import SequenceDataModule
from zoo.errors import ConfigError, one_line
from zoo.models._base import SequenceModel
from zoo.training.faults import check_max_steps
from zoo.training.near_duplicates import cure_near_duplicates, find_near_duplicates, has_given_test, is_split_by_kmer
from zoo.utils.progress import spinner

__all__ = ["CheckData"]


class CheckData(Callback):
    """Check the data once they are prepared, and print what they hold: better known before training than after."""

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Check the data against the model, and that no split is empty.

        Raises:
            ConfigError: the model cannot learn from these data.
        """
        data = trainer.datamodule  # type: ignore[attr-defined]
        if stage == "fit" and isinstance(data, GenomicDataModule) and isinstance(pl_module, SequenceModel):
            data.check_model(pl_module.output, pl_module.loss)
            _refuse_batches_of_one(pl_module, data)
            data.check_targets(["test"])  # the DataModule itself checks the others
            lines = [line for line in data.describe() if line not in data.logged]
            if trainer.is_global_zero:
                for line in [*lines, *_on_near_duplicates(data)]:
                    print(line, file=sys.stderr)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Check that an epoch is validated before the last step.

        Raises:
            ConfigError: none is.
        """
        steps = -(-int(trainer.num_training_batches) // trainer.accumulate_grad_batches)
        if trainer.val_check_batch == trainer.num_training_batches:
            check_max_steps(trainer.max_steps, steps * (trainer.check_val_every_n_epoch or 1))


def _on_near_duplicates(data: GenomicDataModule) -> list[str]:
    """A warning of test sequences of a user's files that are near duplicates of those of training or validation."""
    if type(data) is not SequenceDataModule or is_split_by_kmer(data):
        return []
    with spinner("near duplicates of the test data"):
        near = find_near_duplicates(data, data.data)
    if near is None or not near.near["test"]:
        return []
    effect = "leaves those of earlier splits out" if has_given_test(data) else "draws splits without them"
    return [
        f"WARNING: {near.describe('test')}, so that test scores may be too high: {cure_near_duplicates(data)} {effect}"
    ]


def _refuse_batches_of_one(model: SequenceModel, data: GenomicDataModule) -> None:
    """Refuse batches of one sequence where a normalization needs more.

    Raises:
        ConfigError: the training batches have one sequence, and the model cannot be trained on it.
    """
    if data.train_dataloader().batch_size != 1:
        return
    inputs = model.inputs
    codes = torch.zeros(1, model.length, dtype=torch.uint8)
    tracks = torch.zeros(1, len(inputs.names), model.length // inputs.size) if inputs.names else None
    try:
        with torch.no_grad():
            deepcopy(model).train().raw(codes, tracks)  # a copy: batch statistics of the model stay as they are
    except ValueError as error:  # "Expected more than 1 value per channel when training"
        raise ConfigError(
            "a training batch has one sequence, of which batch normalization cannot compute a variance: set "
            f"--data.batch_size to 2 or more, and train on as many sequences ({one_line(error)})"
        ) from None
