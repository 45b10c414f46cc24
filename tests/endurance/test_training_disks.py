"""Training on a disk that becomes full ends with one sentence, loses nothing, and goes on as it says."""

import ctypes
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from made.disks import SmallDisk
from made.endurance import Fault, amount
from made.runs import ARCHITECTURES, make_runs

from zoo.cli import main
from zoo.training.run import train
from zoo.utils.download import sha256_of

_NEW_MOUNTS = 0x00020000  # of Linux's unshare
FaultOf = Callable[[str], AbstractContextManager[Fault]]
# Bytes that are left for a run: none; some for its logs; then for one, two or three checkpoints.
ROOM = (0, 8_192, 90_000, 140_000, 200_000, 270_000, 330_000)


def train_in_fork(arguments: list[str], log: Path) -> tuple[int, str]:
    """Run the command line in a fork of this process; returns its exit status and what it said."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), log.read_text()
    status = 1
    try:
        with log.open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
            sys.stdout = sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
            status = main(["train", *arguments])
            sys.stderr.flush()
    finally:
        os._exit(status)


@pytest.mark.slow
def test_training_on_a_full_disk_ends_with_one_sentence_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: FaultOf
) -> None:
    monkeypatch.chdir(tmp_path)
    configs = make_runs(tmp_path, epochs=3)
    (tmp_path / "disk").mkdir()
    # All in a fork: the disk is mounted for it alone, and gone with it. (Checkpoints go to the real path of a run.)
    if child := os.fork():
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    else:
        status = 1
        try:
            trials = _try_all(configs, _own_disk(tmp_path / "disk"))
            (tmp_path / "trials.json").write_text(json.dumps(trials))
            status = 0
        finally:
            os._exit(status)
    with fault("disk full while a model is trained") as counts:
        for trial, problems, said in json.loads((tmp_path / "trials.json").read_text()):
            counts.survived(trial, not problems, f"{problems} {said}")


def _own_disk(mount: Path) -> SmallDisk:
    """Mount a small disk for this process alone; where that is not allowed, files in it will be limited in size."""
    is_mounted = ctypes.CDLL(None).unshare(_NEW_MOUNTS) == 0
    for command in (["--make-rprivate", "/"], ["-t", "tmpfs", "-o", "size=24m", "none", str(mount)]):
        is_mounted = is_mounted and subprocess.run(["mount", *command], capture_output=True).returncode == 0
    (mount / "home").mkdir()
    return SmallDisk(mount / "home", is_mounted)


def _try_all(configs: dict[str, Path], disk: SmallDisk) -> list[tuple[str, list[str], str]]:
    """Train on a disk with little room, then with enough: name of each trial, its problems, and what was said."""
    whole: dict[str, str] = {}
    trials = []
    for index in range(amount(2, 14)):
        name, room = ARCHITECTURES[-1 - index % 5], ROOM[(3 * index + 1) % len(ROOM)]
        if name not in whole:
            folder = train([str(configs[name]), "--runs", "whole_runs", "--checkpoints", "whole"])
            whole[name] = sha256_of(folder / "model.safetensors")
        home, status = disk.folder / str(index), 0
        arguments = [str(configs[name]), "--runs", f"{home}/runs", "--checkpoints", f"{home}/checkpoints"]
        while not status:  # with so much room the disk did not become full
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir()
            with disk.filled(room):
                status, said = train_in_fork(arguments, Path("log"))
            tried, room = room, room * 2 // 3
        problems = _problems(status, said, home)
        if "--resume true" in said:
            arguments += ["--resume", "true"]
        folder = train(arguments)
        if sha256_of(folder / "model.safetensors") != whole[name]:
            problems.append("the weights differ")
        trials.append((f"{name} with {tried} bytes", problems, said[-1000:]))
    return trials


def _problems(status: int, said: str, home: Path) -> list[str]:
    """What a full disk must not do to a run."""
    sentences = [line for line in said.splitlines() if line.startswith("zoo: ")]
    is_right = len(sentences) == 1 and f"{home}" in sentences[0] and "is full" in sentences[0]
    # Where no small disk could be mounted, the size of files is limited.
    is_right = is_right or (len(sentences) == 1 and "may not become so large" in sentences[0])
    found = {
        "not one sentence": not is_right or status != 2,
        "a traceback": "Traceback" in said,
        "a draft": bool(list(home.rglob("*.draft*"))),
    }
    return [problem for problem, is_so in found.items() if is_so]
