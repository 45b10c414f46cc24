"""The measurements of a GPU, rehearsed on the CPU with tiny networks; no result of a rehearsal is taken for one."""

import csv
import json
import subprocess
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import common
import pytest
import torch
from speed import bench_gpu
from speed.bench_gpu import Item
from speed.gpu_items import ARCHITECTURES, Machine, Row

from zoo.errors import ConfigError
from zoo.hub.architectures import architectures


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(common, "_output", [Path("results")])
    return Machine("cpu", True, tmp_path)


def test_what_is_measured_exists() -> None:
    assert set(ARCHITECTURES) <= set(architectures())


@pytest.mark.slow
def test_the_script_runs_to_its_end_and_writes_no_results_of_a_gpu(
    machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    names = ("mlp", "basenji", "akita")
    words = ["--sections", "parity", "training", "waiting", "--minutes", "3", "--architectures", *names]
    bench_gpu.main(["--device", "cpu", "--small", *words])
    assert "waiting akita: " in capfd.readouterr().err
    assert sorted(path.name for path in Path("results").iterdir()) == [
        f"gpu_rehearsal.{ending}" for ending in ("csv", "json", "md")
    ]
    with Path("results/gpu_rehearsal.csv").open() as file:
        table = list(csv.DictReader(file))
    expected = [
        *(("difference of a prediction", name) for name in ("float32", "bfloat16", "float16", "TensorFloat-32")),
        *(("training", name) for name in ("float32", "bfloat16")),
        *(
            (what, name)
            for name in ("float32", "bfloat16")
            for what in ("training on a DataModule", "waiting for data")
        ),
    ]
    for architecture in names:
        rows = [row for row in table if row["architecture"] == architecture]
        assert [(row["measurement"], row["precision"]) for row in rows] == expected
        assert rows[0]["value"] == rows[3]["value"] == "0"  # the same arithmetic
        assert all(0 < float(row["value"]) <= float(row["limit"]) and row["result"] == "passed" for row in rows[1:3])
        assert all(float(row["value"]) > 0 for row in rows[4:])
        assert all(float(row["value"]) < 1 for row in rows if row["measurement"] == "waiting for data")
    record = json.loads(Path("results/gpu_rehearsal.json").read_text())
    assert record["commit"] == common.CODE
    assert record["runs"]["failures"] == {}
    assert record["runs"]["torch"] == torch.__version__


def fake(monkeypatch: pytest.MonkeyPatch, *scripts: str) -> list[str]:
    """Let processes run other code, one after the other; returns the first item of each."""
    begun: list[str] = []

    def start(options: Namespace, items: Sequence[Item]) -> "subprocess.Popen[str]":
        begun.append(items[0].name)
        code = f"import json, os, time\nT = lambda **c: print(json.dumps(c), flush=True)\n{scripts[len(begun) - 1]}"
        return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)

    monkeypatch.setattr(bench_gpu, "_start", start)
    return begun


ROW: dict[str, Any] = vars(Row("mlp", "training", "float32", "no", 12345.678, "sequences per s"))
DONE = f"T(rows=[{ROW!r}], failure='', seconds=1.0)\n"


def test_what_crashes_or_fails_or_takes_too_long_is_reported_and_the_rest_is_measured(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(bench_gpu._LONGEST, "parity", 2.0)
    fails = "T(rows=[], failure='ValueError: no', seconds=1.0)\n"
    crash, hang = "os.abort()\n", "time.sleep(60)\n"
    begun = fake(monkeypatch, "T(begins=True)\n" + DONE + crash, fails + hang, DONE)
    with pytest.raises(SystemExit, match="0 comparisons failed, 3 measurements are missing"):
        bench_gpu.main(["--device", "cpu", "--small", "--sections", "parity"])
    assert begun == ["parity mlp", "parity basset", "parity akita"]
    assert json.loads(Path("results/gpu_rehearsal.json").read_text())["runs"]["failures"] == {
        "parity deepbind": "its process ended: see above",
        "parity basset": "ValueError: no",
        "parity basenji": "it took longer than 2 s",
    }
    out = capsys.readouterr().out
    assert out.count("| mlp | training | float32 | no | 12346 | sequences per s |") == 2
    assert "not measured: parity basenji: it took longer than 2 s" in out


def test_it_ends_by_itself_with_what_it_has(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, DONE + "time.sleep(60)\n")
    with pytest.raises(SystemExit, match="4 measurements are missing"):
        bench_gpu.main(["--device", "cpu", "--small", "--sections", "parity", "--minutes", "0.03"])
    failures = json.loads(Path("results/gpu_rehearsal.json").read_text())["runs"]["failures"]
    assert set(failures.values()) == {"the time was over"}


def test_a_comparison_beyond_its_limit_fails(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {**ROW, "value": 0.5, "limit": "0.1", "result": "failed"}
    fake(monkeypatch, f"T(rows=[{row!r}], failure='', seconds=1.0)\n" * 5)
    with pytest.raises(SystemExit, match="5 comparisons failed, 0 measurements are missing"):
        bench_gpu.main(["--device", "cpu", "--small", "--sections", "parity"])


def test_what_does_not_fit_is_refused(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="--record is for measurements of a GPU"):
        bench_gpu.main(["--device", "cpu", "--small", "--record"])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="there is no GPU here; --device cpu --small rehearses"):
        bench_gpu.main([])
