"""A run that was killed and resumed ends with the bytes of one that was not, wherever it was killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import product
from pathlib import Path

import pytest
import torch
import yaml
from made.endurance import Fault, amount
from made.runs import ARCHITECTURES, KILLS, killing, make_runs

from zoo.hub.config import read_config
from zoo.training.run import train

EPOCHS = 4
SCRIPT = Path(__file__).parent.parent / "made" / "runs.py"
TWO = ["--trainer.strategy", "ddp", "--trainer.devices", "2"]
MODES = ("lora", "full", "head", "last:1")
FaultOf = Callable[[str], AbstractContextManager[Fault]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the data and configurations of all runs."""
    folder = tmp_path_factory.mktemp("made")
    make_runs(folder, EPOCHS)
    return folder


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZOO_CACHE", str(made / "cache"))


def options(made: Path, name: str, folder: str, *more: str) -> list[str]:
    """Arguments of a run whose files lie below a folder."""
    return [str(made / f"{name}.yaml"), "--runs", f"{folder}/runs", "--checkpoints", f"{folder}/checkpoints", *more]


def kill_in_fork(kill: str, arguments: list[str]) -> int:
    """Train in a fork of this process, which is killed; returns its exit status as `subprocess` counts it."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        with killing(kill):
            train(arguments)
        status = 0
    finally:
        os._exit(status)


def run_as_process(kill: str, rank: int, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Train in processes of their own; the one of a rank is killed."""
    environment = {**os.environ, "RANK_TO_KILL": str(rank), "OMP_NUM_THREADS": "1"}
    path = os.pathsep.join([str(SCRIPT.parent.parent), str(SCRIPT.parent.parent.parent)])
    environment["PYTHONPATH"] = os.pathsep.join([path, environment.get("PYTHONPATH", "")])
    command = [sys.executable, str(SCRIPT), kill, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)


def outcome(folder: str, name: str) -> tuple[bytes, bytes, object]:
    """What must be the same: bytes of weights and targets, and all metrics."""
    checkpoint = Path(folder) / "checkpoints" / f"{name}.made"
    run = read_config(checkpoint).facts.training
    weights, targets = (checkpoint / file for file in ("model.safetensors", "targets.tsv"))
    return weights.read_bytes(), targets.read_bytes(), (run.metrics, run.target_metrics)


def is_after(folder: str, name: str, kill: str) -> bool:
    """Whether the best epoch came with or after the kill: the weights depend on how the run went on."""
    best = torch.load(f"{folder}/runs/{name}.made/best.ckpt", weights_only=True)
    return bool(best["epoch"] >= int(kill.split()[0]))


def cases(count: int) -> list[tuple[str, str]]:
    """Architectures and kills, each architecture in turn at another place and epoch."""
    places = [f"{epoch} {place}" for epoch, place in product(range(1, EPOCHS), KILLS)]
    step = 7  # no divisor of their number: neighbours differ in place and epoch
    return [(ARCHITECTURES[index % len(ARCHITECTURES)], places[step * index % len(places)]) for index in range(count)]


@pytest.mark.slow
def test_a_killed_and_resumed_run_has_the_weights_of_an_undisturbed_one(made: Path, fault: FaultOf) -> None:
    whole = {}
    for name in ARCHITECTURES:
        train(options(made, name, "whole"))
        whole[name] = outcome("whole", name)
    with fault("training of one process killed, then resumed") as counts:
        for index, (name, kill) in enumerate(cases(amount(len(ARCHITECTURES), 24))):
            folder = f"killed{index}"
            assert kill_in_fork(kill, options(made, name, folder)) == -signal.SIGKILL
            train(options(made, name, folder, "--resume", "true"))
            same = outcome(folder, name) == whole[name]
            drafts = [path.name for path in Path(folder).rglob("*draft*")]
            counts.survived(f"{name} killed at {kill}", same and not drafts, drafts or "the result differs")
            assert is_after(folder, name, kill)


@pytest.mark.slow
def test_so_has_a_run_that_was_killed_twice(made: Path, fault: FaultOf) -> None:
    train(options(made, "deepbind", "whole"))
    with fault("training of one process killed, then resumed") as counts:
        arguments = options(made, "deepbind", "killed")
        assert kill_in_fork("1 write best", arguments) == -signal.SIGKILL
        assert kill_in_fork("2 write last", [*arguments, "--resume", "true"]) == -signal.SIGKILL
        train([*arguments, "--resume", "true"])
        counts.survived("deepbind killed twice", outcome("killed", "deepbind") == outcome("whole", "deepbind"))


@pytest.mark.slow
def test_so_has_a_fine_tuning_in_every_mode(made: Path, fault: FaultOf) -> None:
    train(options(made, "basset", "base"))
    base = ["--transfer.trunk_from", "local-dir:base/checkpoints/basset.made", "--transfer.head", "layers"]
    places = [kill for _, kill in cases(amount(8, 40)) if not kill.endswith("best")][: amount(2, 24)]
    whole = {}
    with fault("fine-tuning killed, then resumed") as counts:
        for index, kill in enumerate(places):
            mode = MODES[index % len(MODES)]
            more = [*base, "--transfer.mode", mode, "--transfer.batch_statistics", "frozen"]
            if mode not in whole:
                train(options(made, "basset", f"whole_{mode}", *more))
                whole[mode] = outcome(f"whole_{mode}", "basset")
            folder = f"killed{index}"
            assert kill_in_fork(kill, options(made, "basset", folder, *more)) == -signal.SIGKILL
            train(options(made, "basset", folder, *more, "--resume", "true"))
            counts.survived(f"{mode} killed at {kill}", outcome(folder, "basset") == whole[mode])


@pytest.mark.slow
def test_two_processes_of_which_one_is_killed_end_with_one_sentence_and_resume(made: Path, fault: FaultOf) -> None:
    whole = {}
    with fault("training of two processes, one of them killed, then resumed") as counts:
        for index, (name, kill) in enumerate(cases(amount(1, 16))):
            # As many at a time as one process has, of whose runs the last epoch is the best.
            size = yaml.safe_load((made / f"{name}.yaml").read_text())["data"]["init_args"]["batch_size"]
            two = [*TWO, "--data.batch_size", str(size // 2)]
            if name not in whole:
                assert run_as_process("", 0, options(made, name, "whole", *two)).returncode == 0
                whole[name] = outcome("whole", name)
            rank = 1 - index % 2 if kill.split()[1] in ("train", "validate") else 0  # files are rank 0's
            folder = f"killed{index}"
            killed = run_as_process(kill, rank, options(made, name, folder, *two))
            resumed = run_as_process("", 0, options(made, name, folder, *two, "--resume", "true"))
            same = resumed.returncode == 0 and outcome(folder, name) == whole[name]
            sentences = [line for line in killed.stderr.splitlines() if line.startswith("zoo: ")]
            is_one = len(sentences) == 1 and "lost" in sentences[0] and "--resume true" in sentences[0]
            is_one = is_one and "Traceback" not in killed.stderr
            trial = f"{name}, process {rank + 1} killed at {kill}"
            counts.survived(trial, same and is_one, killed.stderr[-2000:] + resumed.stderr[-2000:])
            assert is_after(folder, name, kill)
