"""Two processes train what one does: losses, metrics and the epoch that is chosen, at the same global batch."""

import csv
import json
import math
import os
import shutil
import socket
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


MODES = ("lora", "full", "head", "last:1")
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
STARTS = {"lightning": [sys.executable, "-m", "zoo.cli", "train"], "torchrun": [*TORCHRUN, "-m", "zoo.cli", "train"]}
SGD = ["--optimizer", "torch.optim.SGD", "--optimizer.lr", "0.05"]


def train_in_two(runs: list[list[str]], folder: Path) -> None:
    """Train each of several runs in the same two processes."""
    sockets = [socket.socket() for _ in runs]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    (file := folder / "runs.json").write_text(json.dumps(list(zip(ports, runs, strict=True))))
    script = Path(__file__).parents[1] / "made" / "train_each.py"
    both = []
    for rank in ("0", "1"):
        log = (folder / f"log{rank}").open("w")
        environment = os.environ | {"LOCAL_RANK": rank}
        both.append(subprocess.Popen([sys.executable, script, file], stdout=log, stderr=log, env=environment))
    statuses = [one.wait(timeout=600) for one in both]
    assert statuses == [0, 0], (folder / "log0").read_text() + (folder / "log1").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("start", ["together", *STARTS])
def test_two_processes_log_and_choose_what_one_does(
    start: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = ARCHITECTURES if start == "together" else ["mlp"]
    configs, by_two = make_runs(tmp_path, epochs=2), []
    for name in names:
        size = yaml.safe_load(configs[name].read_text())["data"]["init_args"]["batch_size"]
        # Adam would make whole steps of gradients that are 0 but for rounding, those of biases before a batch norm.
        same = [str(configs[name]), *(word for pair in NOTHING_DRAWN[name].items() for word in pair), *SGD]
        train([*same, "--runs", "runs1", "--checkpoints", "checkpoints1"])
        by_two.append([*same, "--runs", "runs2", "--checkpoints", "checkpoints2", *TWO])
        by_two[-1] += ["--data.batch_size", str(size // 2)]
    if start == "together":
        train_in_two(by_two, tmp_path)
    else:
        subprocess.run([*STARTS[start], *by_two[0]], check=True, timeout=300, capture_output=True)
    for name in names:
        compare_runs(f"{name}.made")


def compare_runs(name: str) -> None:
    """Losses, metrics and the epoch that is chosen are the same in one process and in two."""
    one, two = (logged(Path(f"runs{processes}") / name) for processes in (1, 2))
    best = [torch.load(f"runs{processes}/{name}/best.ckpt", weights_only=True)["epoch"] for processes in (1, 2)]
    assert best[0] == best[1], name
    assert len(one) == len(two) == 2
    for mine, other in zip(one, two, strict=True):
        assert mine.keys() == other.keys()
        for key, value in mine.items():
            limit = 2e-5 if key.endswith("loss") else 2e-4  # of scores by rank, which rounding may change
            assert math.isclose(value, other[key], rel_tol=limit, abs_tol=limit), (name, key, value, other[key])
    facts = [read_config(Path(f"checkpoints{processes}/{name}")).facts.training for processes in (1, 2)]
    for key, value in facts[0].metrics["test"].items():
        assert math.isclose(value, facts[1].metrics["test"][key], rel_tol=2e-4, abs_tol=2e-4), (name, key)
    assert facts[1].hardware.startswith("2 processes, each on 1 of ")


@pytest.mark.slow
def test_a_fine_tuning_in_each_mode_goes_on_with_another_number_of_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = make_runs(tmp_path, epochs=1)["basset"]
    size = yaml.safe_load(config.read_text())["data"]["init_args"]["batch_size"]
    same = [str(config), *(word for pair in NOTHING_DRAWN["basset"].items() for word in pair), *SGD]
    train([*same, "--runs", "base_runs", "--checkpoints", "base"])
    same += ["--transfer.trunk_from", "local-dir:base/basset.made", "--transfer.head", "layers"]
    same += ["--transfer.batch_statistics", "frozen"]
    rest = ["--trainer.max_epochs", "3", "--resume", "true"]
    by_two = []
    for mode in MODES:
        one, two = (["--runs", f"{name}/{mode}/runs", "--checkpoints", f"{name}/{mode}"] for name in ("one", "two"))
        here = [*same, "--transfer.mode", mode]
        train([*here, "--trainer.devices", "1", *one])
        shutil.copytree(f"one/{mode}", f"two/{mode}")
        train([*here, *rest, "--trainer.devices", "1", *one])
        by_two.append([*here, *rest, *TWO, "--data.batch_size", str(size // 2), *two])
    train_in_two(by_two, tmp_path)
    for mode in MODES:
        mine, other = (logged(Path(name) / mode / "runs/basset.made", "log_1") for name in ("one", "two"))
        assert len(mine) == len(other) == 2
        for one_epoch, same_epoch in zip(mine, other, strict=True):
            for key, value in one_epoch.items():
                assert math.isclose(value, same_epoch[key], rel_tol=2e-4, abs_tol=2e-4), (mode, key, value)
        facts = read_config(Path("two") / mode / "basset.made").facts.training
        assert "; then 2 processes, each on 1 of " in facts.hardware
