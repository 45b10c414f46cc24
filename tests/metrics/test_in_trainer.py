"""Scores in a Trainer: what is logged and what is warned of, in validation and test."""

import logging
import math
from pathlib import Path

import pytest
import torch
from lightning import LightningDataModule, Trainer
from torch import Tensor
from torch.utils.data import DataLoader

from zoo.batch import Batch
from zoo.models.mlp import MLP

MESSAGE = "val split: target 'constant' has one class only: auroc, auprc not defined, the mean leaves it out"


class LabelData(LightningDataModule):
    """Random sequences; one of the two targets has a single class in the first rows of the validation split."""

    def __init__(self, constant_rows: int = 40) -> None:
        super().__init__()
        self.constant_rows = constant_rows

    def batches(self, constant_rows: int) -> DataLoader[Batch]:
        random = torch.Generator().manual_seed(1)
        codes = torch.randint(0, 4, (40, 10), generator=random).to(torch.uint8)
        target = torch.rand(40, 2, generator=random).round()
        target[:constant_rows, 1] = 1.0
        rows = [Batch(codes[start : start + 4], target[start : start + 4]) for start in range(0, 40, 4)]
        return DataLoader(rows, batch_size=None)  # type: ignore[arg-type]

    def train_dataloader(self) -> DataLoader[Batch]:
        return self.batches(0)

    def val_dataloader(self) -> DataLoader[Batch]:
        return self.batches(self.constant_rows)

    def test_dataloader(self) -> DataLoader[Batch]:
        return self.batches(0)


def trainer(folder: Path) -> Trainer:
    return Trainer(
        max_epochs=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
    )


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("zoo.")]


def test_a_target_with_one_class_is_named_once_in_a_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    model = MLP(["varied", "constant"], 10, hidden=[4])
    fit = trainer(tmp_path)
    fit.fit(model, datamodule=LabelData())
    assert warnings_of(caplog) == [MESSAGE]
    assert math.isfinite(fit.callback_metrics["val_auroc"])
    fit.test(model, datamodule=LabelData(), verbose=False)
    assert warnings_of(caplog) == [MESSAGE]
    assert all(None not in scores for scores in model.target_scores.values())


def test_the_few_batches_that_are_validated_before_training_give_no_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = LabelData(constant_rows=8)  # as many as Lightning's sanity check reads
    trainer(tmp_path).fit(MLP(["varied", "constant"], 10, hidden=[4]), datamodule=data)
    assert warnings_of(caplog) == []


def test_a_model_that_predicts_nan_has_nan_as_its_scores(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = MLP(["one", "two"], 10, hidden=[4])
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(torch.nan)
    (scores,) = trainer(tmp_path).test(model, datamodule=LabelData(), verbose=False)
    assert math.isnan(scores["test_auroc"])
    assert math.isnan(scores["test_auprc"])
    assert model.target_scores == {"auroc": [None, None], "auprc": [None, None]}
    (message,) = warnings_of(caplog)
    assert message.startswith("test split: each of 2 targets (one, two) has a prediction that is NaN or infinite")


def test_scores_of_the_last_epoch_are_not_kept(tmp_path: Path) -> None:
    model = MLP(["varied", "constant"], 10, hidden=[4])
    test = trainer(tmp_path)
    first: list[dict[str, Tensor | float]] = [dict(test.test(model, datamodule=LabelData(), verbose=False)[0])]
    first.append(dict(test.test(model, datamodule=LabelData(), verbose=False)[0]))
    assert first[0] == first[1]
    assert not model.test_scores.ranges.counts.any()
