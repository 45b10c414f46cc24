"""Every benchmark can be started, and commands are measured in processes of their own."""

import json
import sys
from pathlib import Path

import common
import numpy as np
import pytest
from common import table_name
from speed.child_process import run_measured
from speed.timing import time_in_turns

from zoo.cli import main
from zoo.errors import ConfigError
from zoo.hub.registry import shipped_folder
from zoo.utils import version

NAMES = sorted(path.stem.removeprefix("bench_") for path in shipped_folder("benchmarks").glob("*/bench_*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_says_how_it_is_run(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["benchmark", name, "--help"])
    assert not exit_.value.code
    assert f"zoo benchmark {name}" in capsys.readouterr().out


def test_functions_take_turns() -> None:
    calls: list[str] = []
    seconds = time_in_turns([lambda: calls.append("a"), lambda: calls.append("b")], 2)
    assert calls == ["a", "b", "a", "b"]
    assert seconds.shape == (2, 2)
    assert (seconds >= 0).all()


def test_a_command_is_measured_and_its_failure_is_shown() -> None:
    code = "import sys; sys.stderr.write('done'); b = bytearray(200_000_000); time = sum(b[::4096])"
    result = run_measured([sys.executable, "-c", code])
    assert result.errors == "done"
    assert 0.2 < result.gigabytes < 0.5
    assert np.isfinite(result.seconds)
    with pytest.raises(SystemExit, match="no table"):
        run_measured([sys.executable, "-c", "raise SystemExit('no table')"])


def test_a_table_of_a_part_of_the_rows_has_its_own_name() -> None:
    assert table_name("basenji_yeast", complete=True) == "basenji_yeast"
    assert table_name("basenji_yeast", complete=True, split="val") == "basenji_yeast_val"
    assert table_name("basenji_yeast", complete=False, seed=2) == "basenji_yeast_seed2_partial"


def test_results_are_written_to_the_working_folder_unless_they_are_to_be_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(common, "_output", [Path("runs/benchmark/results")])
    monkeypatch.setattr(common, "RECORDED", tmp_path / "recorded")
    parser = common.make_parser("made", "Made.")
    assert "record" not in vars(parser.parse_args([]))
    table = common.write_results("made", ["a", "b"], [[1, 0.5]], {"seed": 1})
    assert table.startswith("| a | b |\n|---|---|\n| 1 | 0.5000 |\n\nCode: ")
    assert Path("runs/benchmark/results/made.csv").read_text() == "a,b\n1,0.5\n"
    assert json.loads(Path("runs/benchmark/results/made.json").read_text())["runs"] == {"seed": 1}
    assert not (tmp_path / "recorded").exists()
    monkeypatch.setattr(version, "commit", lambda: "1234567")
    parser.parse_args(["--record"])
    common.write_results("made", ["a"], [[1]], {})
    assert (tmp_path / "recorded" / "made.md").is_file()
    monkeypatch.setattr(version, "commit", lambda: "")
    with pytest.raises(ConfigError, match="this is an installation"):
        parser.parse_args(["--record"])
