"""What a run costs: steps and memory as on paper, time from real steps."""

import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import torch
from lightning import Trainer

from zoo.data.samplers import EpochSampler
from zoo.models.basenji import Basenji
from zoo.models.mlp import MLP
from zoo.nn.trunk import TrunkConfig
from zoo.training.optimizers import OptimizerPlan
from zoo.training.preflight.memory import check_memory, step_bytes
from zoo.training.preflight.report import Report
from zoo.training.preflight.steps import Steps, check_steps
from zoo.training.preflight.timing import ReadTime, StepTimes, check_hours, time_reading
from zoo.training.preflight.values import Items

SGD = OptimizerPlan(optimizer={"class_path": "torch.optim.SGD", "init_args": {"lr": 0.1, "momentum": 0.9}})


def steps_of(
    train: int, batch: int, epoch_size: int | None = None, report: Report | None = None, **changes: Any
) -> Steps:
    settings = {
        "world_size": 1,
        "limit_train_batches": 1.0,
        "limit_val_batches": 1.0,
        "accumulate_grad_batches": 1,
        "max_epochs": 4,
        "max_steps": -1,
        "check_val_every_n_epoch": 1,
    }
    trainer: Any = SimpleNamespace(**{**settings, **changes})
    return check_steps(Items({"train": train, "val": 50, "test": 33}), batch, epoch_size, trainer, report or Report())


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (steps_of(100, 8), Steps(8, 12, 12, 4, 48, 7, 4, 5)),
        (steps_of(100, 8, 40), Steps(8, 5, 5, 4, 20, 7, 4, 5)),
        (steps_of(100, 8, world_size=3), Steps(8, 4, 4, 4, 16, 3, 4, 5)),  # 33 of each process
        (steps_of(100, 8, accumulate_grad_batches=5), Steps(8, 12, 3, 4, 12, 7, 4, 5)),
        (steps_of(100, 8, limit_train_batches=0.5), Steps(8, 6, 6, 4, 24, 7, 4, 5)),
        (steps_of(100, 8, limit_train_batches=3, limit_val_batches=2), Steps(8, 3, 3, 4, 12, 2, 4, 5)),
        (steps_of(100, 8, max_steps=30), Steps(8, 12, 12, 3, 30, 7, 2, 5)),
        (steps_of(100, 8, max_epochs=-1), Steps(8, 12, 12, None, None, 7, None, 5)),
        (steps_of(100, 8, check_val_every_n_epoch=2), Steps(8, 12, 12, 4, 48, 7, 2, 5)),
        (steps_of(5, 8), Steps(5, 1, 1, 4, 4, 7, 4, 5)),
    ],
)
def test_steps_are_counted_as_on_paper(found: Steps, wanted: Steps) -> None:
    assert found == wanted


@pytest.mark.parametrize(("stage", "batches", "least"), [("train", 12, "0.09"), ("val", 7, "0.15")])
def test_a_limit_that_leaves_no_batch_is_an_error(stage: str, batches: int, least: str) -> None:
    report = Report()
    limit: dict[str, Any] = {f"limit_{stage}_batches": 0.05}
    steps_of(100, 8, report=report, **limit)
    (error,) = (finding.detail for finding in report.findings if finding.level == "error")
    assert error.startswith(
        f"--trainer.limit_{stage}_batches 0.05 of {batches} batches leaves none: give {least} or more"
    )


def test_many_sequences_that_fill_no_batch_are_warned_of() -> None:
    report = Report()
    steps_of(13, 8, report=report)
    (warning,) = (finding for finding in report.findings if finding.level == "warning")
    assert warning.detail.startswith("5 of 13 training sequences are left out of each epoch")
    assert warning.cure == "set --data.batch_size to 6"  # two batches, and 1 of 13 is left out
    report = Report()
    steps_of(100, 8, report=report, limit_train_batches=3)
    assert not report.count("warning")


def test_a_share_is_that_of_the_sampler(monkeypatch: pytest.MonkeyPatch) -> None:
    for processes in (1, 2, 3, 7):
        monkeypatch.setattr("zoo.data.samplers._world", lambda processes=processes: (processes, 0))
        for size in (5, 23, 100):
            share = len(EpochSampler(size, 0))
            batch = min(8, share)
            counted = steps_of(size, 8, world_size=processes)
            assert (counted.batch, counted.batches) == (batch, share // batch)


def test_memory_of_a_dense_net_is_that_on_paper() -> None:
    model = MLP(["a"], 20, hidden=(8,), dropout=0.0)
    parameters = 80 * 8 + 8 + 8 + 1
    small, weights = step_bytes(model, 4, SGD)
    large, _ = step_bytes(model, 400, SGD)
    buffers = sum(one.numel() * one.element_size() for one in model.buffers())
    assert weights == 3 * 4 * parameters + buffers  # weights, gradients, momentum
    # At least the input of each layer is kept: 80 and 8 values of each sequence.
    assert large - small >= 396 * 4 * 88
    assert 0.98 < (large / small) / 100 <= 1.0
    assert all(one.device.type == "cpu" for one in model.parameters())
    assert step_bytes(model, 4)[1] >= 4 * 4 * parameters  # AdamW keeps two numbers of each


def test_checkpointing_keeps_less() -> None:
    trunk = TrunkConfig(stem_filters=8, tower_filters=[8], tower_pools=[2], residual_filters=8, dilations=[1] * 8)
    whole, kept = (Basenji(["a"], 1_024, replace(trunk, checkpointing=on), 8, crop_bins=0) for on in (False, True))
    assert step_bytes(kept, 2, SGD)[0] < 0.6 * step_bytes(whole, 2, SGD)[0]


def test_a_batch_that_does_not_fit_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    model = MLP(["a"], 20, hidden=(8,))
    activations, weights = step_bytes(model, 100, SGD)
    whole, half = activations + weights, activations // 2 + weights
    device = SimpleNamespace(root_device=torch.device("cpu"))
    for precision, processes, free, fits in [
        ("32-true", 1, 2 * whole, True),
        ("32-true", 1, whole, False),
        ("32-true", 2, 2 * whole, False),
        ("bf16-mixed", 2, 2.5 * half, True),
    ]:
        monkeypatch.setattr("zoo.training.preflight.memory.free_memory", lambda device, free=free: free)
        trainer: Any = SimpleNamespace(strategy=device, precision=precision, world_size=processes)
        report = Report()
        assert check_memory(model, 100, SGD, trainer, report) == fits
        (finding,) = report.findings
        assert (finding.level == "ok", "--data.batch_size" in finding.cure) == (fits, not fits)


def test_hours_are_the_time_of_a_batch_times_their_number() -> None:
    model, report = MLP(["a"], 20, hidden=(8,)), Report()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    trainer = Trainer(accelerator="cpu", devices=1, logger=False, enable_checkpointing=False)
    check_hours(model, Steps(8, 12, 12, 4, 48, 7, 4, 5), trainer, SGD, (), None, report)
    seconds = report.facts["seconds"]
    assert seconds["train_batch"] > 0 < seconds["val_batch"]
    wanted = 4 * 12 * seconds["train_batch"] + (4 * 7 + 5) * seconds["val_batch"]
    assert report.facts["hours"] == pytest.approx(wanted / 3600)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize(
    ("reading", "hours", "waits"),
    [
        (ReadTime(0.2, 0), 48 * 1.2 + 33 * 0.7, False),  # reading and computing take turns
        (ReadTime(3.0, 2), 48 * 1.5 + 33 * 1.5, True),  # two workers read a batch in 1.5 seconds
        (ReadTime(3.0, 4), 48 * 1.0 + 33 * 0.75, False),
    ],
)
def test_reading_counts_where_it_is_slower_than_the_step(
    reading: ReadTime, hours: float, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, report = MLP(["a"], 20, hidden=(8,)), Report()
    monkeypatch.setattr("zoo.training.preflight.timing.time_steps", lambda *_: StepTimes(1.0, 0.5, 8, None))
    trainer = Trainer(accelerator="cpu", devices=1, logger=False, enable_checkpointing=False)
    check_hours(model, Steps(8, 12, 12, 4, 48, 7, 4, 5), trainer, SGD, (), reading, report)
    assert report.facts["hours"] == pytest.approx(hours / 3600)
    assert [one.level for one in report.findings] == ["warning" if waits else "ok"]
    if waits:
        assert report.findings[0].cure == "set --data.num_workers to 3 or more"


def test_reading_is_timed_by_batches_of_the_run() -> None:
    class Data:
        sizes: ClassVar[list[int]] = []

        def __len__(self) -> int:
            return 30

        def __getitems__(self, rows: list[int]) -> None:
            assert max(rows) < 30
            self.sizes.append(len(rows))
            time.sleep(0.002 if len(self.sizes) > 1 else 0.2)

    result = time_reading(Data(), 8, 2)
    assert result is not None
    assert 0.002 <= result.batch < 0.1
    assert set(Data.sizes) == {8}
    assert time_reading(None, 8, 2) is None


def test_steps_that_end_before_the_first_validation_are_an_error() -> None:
    report = Report()
    steps_of(100, 8, report=report, max_steps=11)
    (finding,) = (one for one in report.findings if one.level == "error")
    assert "--trainer.max_steps 11 ends training before its first validation, after 12 steps: give 12" in str(finding)
