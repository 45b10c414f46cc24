"""A loss that is no number and memory that ends: a run ends with one sentence, and the batch is kept."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from zoo.cli import main
from zoo.errors import ConfigError
from zoo.genome.sequence import decode
from zoo.models.mlp import MLP
from zoo.training.faults import explaining_memory

CONFIG = """
name: mlp.made
model: {class_path: zoo.models.mlp.MLP, init_args: {hidden: [8], loss: mean_squared_error}}
data:
  class_path: zoo.data.sequences.SequenceDataModule
  init_args:
    {table: table.tsv, label_columns: [a], classify: false, val_fraction: 0.2, test_fraction: 0.2, batch_size: 16}
optimizer: {class_path: torch.optim.SGD, init_args: {lr: 0.01}}
trainer: {max_epochs: 3, accelerator: cpu, devices: 1, enable_progress_bar: false, enable_model_summary: false}
"""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    rows = [(decode(rng.integers(0, 4, 12).astype(np.uint8)), rng.normal()) for _ in range(80)]
    Path("table.tsv").write_text("sequence\ta\n" + "".join(f"{s}\t{a}\n" for s, a in rows))
    Path("made.yaml").write_text(CONFIG)
    return tmp_path


@pytest.mark.usefixtures("desk")
def test_a_loss_that_overflows_ends_the_run_and_its_batch_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "made.yaml", "--optimizer.lr", "1e30"]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("zoo: the loss of batch ")
    assert "in epoch 1 is not finite: the batch is in runs/mlp.made.invalid_batch.safetensors" in error
    batch = load_file("runs/mlp.made.invalid_batch.safetensors")
    assert batch["codes"].shape == (16, 12)
    assert batch["target"].isfinite().all()
    assert not Path("runs/mlp.made").exists()
    assert not Path("checkpoints").exists()


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        # 48 of 80 sequences are for training, 16 for validation.
        ("limit_train_batches", "0.2", "limit_train_batches 0.2 of 3 batches leaves none: give 0.34 or more, or a num"),
        ("limit_val_batches", "0.5", "limit_val_batches 0.5 of 1 batch leaves none: give 1 or more"),
        ("overfit_batches", "0.1", "overfit_batches 0.1 of 1 batch leaves none"),
        ("limit_train_batches", "0", "limit_train_batches 0 leaves no batch to train on"),
        ("limit_test_batches", "2", "limit_test_batches 2 has no use here: final scores are of the whole test split"),
    ],
)
def test_limits_that_leave_no_batch_or_have_no_use_are_one_sentence(
    option: str, value: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "made.yaml", f"--trainer.{option}", value]) == 2
    assert f"zoo: --trainer.{message}" in capsys.readouterr().err.strip().splitlines()[-1]
    assert not Path("runs/mlp.made").exists()


@pytest.mark.usefixtures("desk")
def test_the_last_batch_of_an_epoch_is_looked_at_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    step = MLP.training_step

    def third(self: MLP, batch: Any, index: int) -> torch.Tensor:
        loss = step(self, batch, index)
        return loss * float("nan") if index == 2 else loss

    monkeypatch.setattr(MLP, "training_step", third)
    assert main(["train", "made.yaml"]) == 2  # 48 training sequences: three batches
    assert "the loss of batch 3 in epoch 1 is not finite" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "where"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), "the GPU"),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
            "the computer",
        ),
        (MemoryError(), "the computer"),
    ],
)
def test_memory_that_ends_comes_with_advice(error: Exception, where: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught, explaining_memory(tmp_path, 9):
        raise error
    message = str(caught.value)
    assert message.startswith(f"the memory of {where} does not hold a batch of 9: begin anew with --data.batch_size 4")
    assert "--trainer.accumulate_grad_batches 3" in message


def test_other_errors_are_left_alone(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="shapes"), explaining_memory(tmp_path, 9):
        raise RuntimeError("shapes cannot be multiplied")


@pytest.mark.usefixtures("desk")
def test_memory_that_ends_in_training_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def step(self: MLP, batch: Any, index: int) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(MLP, "training_step", step)
    assert main(["train", "made.yaml"]) == 2
    assert "does not hold a batch of 16: begin anew with --data.batch_size 8" in capsys.readouterr().err
