"""Two trainings of one name that are started together: one runs, the other is refused, and nothing is mixed."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from made.endurance import Fault, amount
from made.runs import ARCHITECTURES, make_runs

from zoo.errors import ConfigError
from zoo.hub.config import read_config
from zoo.hub.load import verify
from zoo.training.lock import lock_run
from zoo.utils.download import sha256_of

# Imports of training are done before the twins start, so that they start together. The one that has the lock holds it
# until the other has ended, so that they meet.
SCRIPT = """
import sys, time
from contextlib import contextmanager
from pathlib import Path
import torch, zoo.training.run
from zoo.cli import main
lock_run = zoo.training.run.lock_run
@contextmanager
def held(run):
    with lock_run(run):
        end = time.monotonic() + 40
        while not Path("ended").exists() and time.monotonic() < end: time.sleep(.01)
        yield
zoo.training.run.lock_run = held
torch.set_num_threads(1)
Path(sys.argv[1]).touch()
while len(list(Path().glob("ready*"))) < 2: time.sleep(.01)
code = main(["train", *sys.argv[2:]])
Path("ended").touch()
sys.exit(code)
"""
FaultOf = Callable[[str], AbstractContextManager[Fault]]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def start_twin(ready: str, config: Path, *options: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", SCRIPT, ready, str(config), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_of_twins_one_runs_and_the_other_is_refused(tmp_path: Path, fault: FaultOf) -> None:
    configs = make_runs(tmp_path, epochs=3)
    with fault("two trainings of one name started together") as counts:
        for pair in range(amount(1, 10)):
            name = ARCHITECTURES[pair % len(ARCHITECTURES)]
            for mark in (*tmp_path.glob("ready*"), *tmp_path.glob("ended")):
                mark.unlink()
            places = ["--runs", f"runs{pair}", "--checkpoints", f"checkpoints{pair}"]
            twins = {
                seed: start_twin(f"ready{seed}", configs[name], *places, "--seed_everything", seed) for seed in "12"
            }
            said = {seed: twin.communicate(timeout=200)[1] for seed, twin in twins.items()}
            winners = [seed for seed, twin in twins.items() if twin.returncode == 0]
            trial = f"pair {pair} of {name}"
            if len(winners) != 1:
                counts.survived(trial, False, said)
                continue
            (winner,) = winners
            (loser,) = {"1", "2"} - {winner}
            other = f"process {twins[winner].pid} on {re.escape(socket.gethostname())}"
            sentence = rf"zoo: runs{pair}/{name}.made is being trained by {other}: wait .*\n"
            last = said[loser].splitlines(keepends=True)[-1]
            folder = Path(f"checkpoints{pair}/{name}.made")
            config = read_config(folder)
            whole = config.facts.training.seed == int(winner) and verify(f"local-dir:{folder}").difference == 0
            whole = whole and all(sha256_of(folder / file) == value for file, value in config.sha256.items())
            refused = twins[loser].returncode == 2 and re.fullmatch(sentence, last)
            counts.survived(trial, bool(whole and refused and "Traceback" not in said[loser]), said[loser][-500:])


def test_a_lock_is_held_while_a_run_lives_and_its_owner_is_named(tmp_path: Path) -> None:
    run = tmp_path / "deepbind.made"
    with lock_run(run):
        refused = f"being trained by process {os.getpid()} on {socket.gethostname()}"
        with pytest.raises(ConfigError, match=re.escape(refused)), lock_run(run):
            pass
        with lock_run(tmp_path / "deepbind.other"):
            pass
    assert not list(tmp_path.iterdir())  # no run came of it
    with lock_run(run):
        run.mkdir()
    with lock_run(run):
        pass


def test_links_to_one_folder_have_one_lock(tmp_path: Path) -> None:
    for name in ("real", "a", "b"):
        (tmp_path / name).mkdir()
    for name in ("a", "b"):
        (tmp_path / name / "mlp.made").symlink_to(tmp_path / "real")
    with (
        lock_run(tmp_path / "a" / "mlp.made"),
        pytest.raises(ConfigError, match="is being trained"),
        lock_run(tmp_path / "b" / "mlp.made"),
    ):
        pass


@pytest.mark.parametrize("owner", ['{"process": 99999999999999999999, "host": "%s"}', "[" * 100_000, "", "\x00"])
def test_an_owner_that_cannot_be_read_is_another_process(
    tmp_path: Path, owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.training.lock._PATIENCE", 0.3)
    run = tmp_path / "mlp.made"
    with lock_run(run):
        (tmp_path / ".mlp.made.owner").write_text(owner.replace("%s", socket.gethostname()))
        with pytest.raises(ConfigError, match=r"is being trained by (another )?process"), lock_run(run):
            pass


def test_the_lock_of_a_process_that_was_killed_is_free(tmp_path: Path) -> None:
    run = tmp_path / "deepbind.made"
    child = os.fork()
    if not child:
        with lock_run(run):
            (tmp_path / "held").touch()
            time.sleep(60)
        os._exit(0)
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    begun = time.monotonic()
    with lock_run(run):
        assert time.monotonic() - begun < 5
