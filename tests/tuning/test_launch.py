"""Processes of trials: what they report, how they end, and that none outlives its search."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from made.runs import make_runs

from zoo.tuning import launch
from zoo.tuning.launch import Slot, slots, start_process
from zoo.tuning.trial import Answer, Report, Result


def start(script: str, folder: Path, monkeypatch: pytest.MonkeyPatch, report: Report) -> Result:
    """Start a process of a script in the place of a trial's."""
    head = "import json, os, signal, sys, time\nT = lambda **c: print(json.dumps(c), flush=True)\n"
    monkeypatch.setattr(launch, "WORKER", (sys.executable, "-c", head + script))
    return start_process(Slot({"SLOT": "2"}, ""), ["mine.yaml"], "val_loss", folder, report)


def test_a_process_reports_is_answered_and_has_a_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reports: list[tuple[int, float]] = []

    def report(epoch: int, value: float) -> Answer:
        reports.append((epoch, value))
        return "go on" if epoch < 2 else "prune"

    script = """
request = json.loads(open(sys.argv[1]).read())
assert request == {"arguments": ["mine.yaml"], "monitor": "val_loss"} and os.environ["SLOT"] == "2"
for epoch in (1, 2, 3):
    T(epoch=epoch, value=epoch / 4)
    if sys.stdin.readline() == "prune\\n":
        break
print("a log", file=sys.stderr)
T(result={"state": "pruned", "value": 0.25, "epochs": epoch, "seconds": 1.5, "message": ""})
"""
    assert start(script, tmp_path / "a.000", monkeypatch, report) == Result("pruned", 0.25, 2, 1.5)
    assert reports == [(1, 0.25), (2, 0.5)]
    assert (tmp_path / "a.000.log").read_text() == "a log\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a.000.log"]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            "os.kill(os.getpid(), signal.SIGKILL)",
            "its process was ended by SIGKILL, as the system does where memory is",
        ),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "its process was ended by SIGSEGV"),
        ("sys.exit('no such thing')", "its process ended with status 1: no such thing"),
        ("os._exit(3)", "its process ended with status 3: it printed nothing"),
    ],
)
def test_a_process_that_ends_without_a_result_is_a_failed_trial(
    script: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = start(f"T(epoch=1, value=1.0)\n{script}", tmp_path / "a.000", monkeypatch, lambda *_: "go on")
    assert (result.state, result.value) == ("failed", None)
    assert result.message.startswith(message)


def test_a_search_that_is_stopped_ends_its_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def press(epoch: int, value: float) -> Answer:
        raise KeyboardInterrupt

    monkeypatch.setattr(launch, "_GRACE", 0.5)
    script = "T(epoch=os.getpid(), value=1.0)\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(60)"
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        start(script, tmp_path / "a.000", monkeypatch, press)
    assert time.monotonic() - began < 20
    assert [path.name for path in tmp_path.iterdir()] == ["a.000.log"]


def test_gpus_and_cores_are_divided_among_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert [slot.environment for slot in slots(1, 4)] == [{}]  # as the configuration says
    assert [slot.environment["CUDA_VISIBLE_DEVICES"] for slot in slots(2, 4)] == ["0,1", "2,3"]
    assert [slot.environment["CUDA_VISIBLE_DEVICES"] for slot in slots(3, 2)] == ["0", "1", "0"]
    assert [slot.text for slot in slots(2, 2)] == ["GPU 0", "GPU 1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-a,GPU-b")
    assert [slot.environment["CUDA_VISIBLE_DEVICES"] for slot in slots(2, 2)] == ["GPU-a", "GPU-b"]
    assert [slot.environment for slot in slots(4, 0)] == [{"OMP_NUM_THREADS": "2"}] * 4
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert [slot.environment for slot in slots(2, 0)] == [{}] * 2


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return make_runs(tmp_path, epochs=2)["mlp"]


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("ENDURANCE") != "full", reason="starts six processes: a minute")
def test_a_killed_search_leaves_no_process_and_goes_on(config: Path) -> None:
    space = "{optimizer.lr: {low: 1e-4, high: 1e-1, log: true}, model.dropout: {low: 0.0, high: 0.5}}"
    words = ["tune", str(config), "--space", space, "--trials", "3", "--trainer.max_epochs", "40"]
    command = [sys.executable, "-m", "zoo.cli", *words]
    subprocess.run([*command, "--name", "mlp.whole"], check=True, capture_output=True)
    search = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    folder = Path("runs/tune/mlp.made/trials")
    while not (folder / "mlp.made.001/last.ckpt").exists():
        time.sleep(0.01)
    search.kill()  # and with it the process of its trial
    search.wait()
    time.sleep(1)
    processes = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(folder) not in processes
    assert "mlp.made.001.json" not in processes
    subprocess.run([*command, "--resume", "true"], check=True, capture_output=True)
    whole, again = (
        [line.split("\t") for line in Path(f"runs/tune/{name}/trials.tsv").read_text().splitlines()]
        for name in ("mlp.whole", "mlp.made")
    )
    assert [row[:4] + row[5:] for row in again] == [row[:4] + row[5:] for row in whole]  # but for the seconds
