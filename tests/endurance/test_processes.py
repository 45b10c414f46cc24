"""Two processes train what one does: losses, metrics and the epoch that is chosen, at the same global batch."""

import csv
import math
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from made.runs import ARCHITECTURES, make_runs

from zoo.hub.config import read_config
from zoo.training.run import train

TWO = ["--trainer.devices", "2", "--trainer.strategy", "ddp"]
# What is drawn at random differs between processes.
NOTHING_DRAWN = {
    "mlp": {"--model.dropout": "0"},
    "deepbind": {"--model.dropout": "0"},
    "basset": {"--model.dropout": "0", "--data.reverse_complement": "false"},
    "basenji": {"--model.trunk.dropout": "0", "--model.head_dropout": "0", "--data.reverse_complement": "false"},
    "basenji_labels": {"--model.trunk.dropout": "0", "--model.dropout": "0", "--data.reverse_complement": "false"},
    "akita": {"--model.trunk.dropout": "0", "--model.pair_map.dropout": "0", "--data.reverse_complement": "false"},
}


def logged(run: Path, log: str = "log_0") -> list[dict[str, float]]:
    """Metrics of each epoch."""
    with (run / log / "metrics.csv").open() as file:
        rows = [{key: float(value) for key, value in row.items() if value} for row in csv.DictReader(file)]
    epochs: dict[float, dict[str, float]] = {}
    for row in rows:
        epochs.setdefault(row["epoch"], {}).update(row)
    return [{key: value for key, value in row.items() if key != "step"} for _, row in sorted(epochs.items())]


MODES = ("full", "head", "last:1")
# How processes are started: by Lightning, or by torchrun.
STARTS = {
    "lightning": [sys.executable, "-m", "zoo.cli"],
    "torchrun": [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "-m",
        "zoo.cli",
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize(("start", "name"), [*(("lightning", one) for one in ARCHITECTURES), ("torchrun", "mlp")])
def test_two_processes_log_and_choose_what_one_does(
    start: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = make_runs(tmp_path, epochs=3)[name]
    size = yaml.safe_load(config.read_text())["data"]["init_args"]["batch_size"]
    same = [word for pair in NOTHING_DRAWN[name].items() for word in pair]
    # Adam would make whole steps of gradients that are 0 but for rounding, those of biases before a batch norm.
    same += ["--optimizer", "torch.optim.SGD", "--optimizer.lr", "0.05"]
    runs: dict[str, tuple[list[dict[str, float]], int]] = {}
    for processes in ("1", "2"):
        folder = ["--runs", f"runs{processes}", "--checkpoints", f"checkpoints{processes}"]
        batch = ["--data.batch_size", str(size // int(processes))]
        arguments = [str(config), *same, *folder, *batch]
        if processes == "1":
            train(arguments)
        else:
            command = [*STARTS[start], "train", *arguments, *TWO]
            subprocess.run(command, check=True, timeout=300, capture_output=True)
        run = Path(f"runs{processes}/{name}.made")
        runs[processes] = logged(run), torch.load(run / "best.ckpt", weights_only=True)["epoch"]
    (one, one_best), (two, two_best) = runs["1"], runs["2"]
    assert one_best == two_best
    assert len(one) == len(two) == 3
    for mine, other in zip(one, two, strict=True):
        assert mine.keys() == other.keys()
        for key, value in mine.items():
            limit = 2e-5 if key.endswith("loss") else 2e-4  # of scores by rank, which rounding may change
            assert math.isclose(value, other[key], rel_tol=limit, abs_tol=limit), (key, value, other[key])
    facts = [read_config(Path(f"checkpoints{processes}/{name}.made")).facts.training for processes in runs]
    for key, value in facts[0].metrics["test"].items():
        assert math.isclose(value, facts[1].metrics["test"][key], rel_tol=2e-4, abs_tol=2e-4), key
    assert facts[1].hardware.startswith("2 processes, each on 1 of ")


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["lora", *(pytest.param(one, marks=pytest.mark.long) for one in MODES)])
def test_a_fine_tuning_goes_on_with_another_number_of_processes(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = make_runs(tmp_path, epochs=1)["basset"]
    size = yaml.safe_load(config.read_text())["data"]["init_args"]["batch_size"]
    same = [str(config), *(word for pair in NOTHING_DRAWN["basset"].items() for word in pair)]
    same += ["--optimizer", "torch.optim.SGD", "--optimizer.lr", "0.05"]
    train([*same, "--runs", "base_runs", "--checkpoints", "base"])
    same += ["--transfer.trunk_from", "local-dir:base/basset.made", "--transfer.head", "layers"]
    same += ["--transfer.mode", mode, "--transfer.batch_statistics", "frozen"]
    places = {name: ["--runs", f"{name}/runs", "--checkpoints", f"{name}/checkpoints"] for name in ("one", "two")}
    train([*same, "--trainer.devices", "1", *places["one"]])
    shutil.copytree("one", "two")
    same += ["--trainer.max_epochs", "3", "--resume", "true"]
    train([*same, "--trainer.devices", "1", *places["one"]])
    command = [*STARTS["lightning"], "train", *same, *TWO, "--data.batch_size", str(size // 2), *places["two"]]
    done = subprocess.run(command, check=False, timeout=300, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    one, two = (logged(Path(name) / "runs/basset.made", "log_1") for name in ("one", "two"))
    assert len(one) == len(two) == 2
    for mine, other in zip(one, two, strict=True):
        for key, value in mine.items():
            assert math.isclose(value, other[key], rel_tol=2e-4, abs_tol=2e-4), (key, value, other[key])
