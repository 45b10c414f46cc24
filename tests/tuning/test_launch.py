"""Processes of trials: what they report, how they end, and that none outlives its search."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from made.runs import make_runs

from zoo.tuning.launch import Slot, slots, start_process
from zoo.tuning.run import TuneOptions, tune
from zoo.tuning.trial import Report, Result


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return make_runs(tmp_path, epochs=2)["mlp"]


@pytest.mark.slow
def test_a_process_that_is_killed_is_a_failed_trial_and_the_search_goes_on(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reports = []

    def launch(slot: Slot, arguments: Sequence[str], monitor: str, folder: Path, report: Report) -> Result:
        def killing(epoch: int, value: float) -> str:
            reports.append((folder.name, epoch))
            if folder.name == "mlp.made.000":
                assert slot.process
                os.kill(slot.process.pid, signal.SIGKILL)
            return report(epoch, value)

        return start_process(slot, arguments, monitor, folder, killing)  # type: ignore[arg-type]

    best = tune([str(config)], TuneOptions("{optimizer.lr: {choices: [0.01, 0.02]}}", jobs=1, pruner="none"), launch)
    table = (best.parent / "trials.tsv").read_text().splitlines()
    assert "its process was ended by SIGKILL, as the system does where memory is short" in table[1]
    assert table[2].split("\t")[1:5:2] == ["complete", "2"]
    assert reports == [("mlp.made.000", 1), ("mlp.made.001", 1), ("mlp.made.001", 2)]
    assert "epoch 2/2" not in (best.parent / "trials/mlp.made.001.log").read_text()  # no line for each epoch
    assert not list(best.parent.glob("trials/*.json"))


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
    search.kill()
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
