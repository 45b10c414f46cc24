"""Hostile configurations from a checkpoint: each is refused in one sentence, and nothing of it runs."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from made.endurance import Fault
from made.hostile import HOSTILE, HOSTILE_TEXTS, hostile_text, write_hostile_module

from zoo.cli import main


@pytest.mark.slow
def test_hostile_configurations(
    fault: Callable[[str], AbstractContextManager[Fault]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    write_hostile_module(tmp_path)
    Path("theirs").mkdir()
    Path("theirs/config.json").write_text("{}")
    Path("t.tsv").write_text("sequence\ty\nACGT\t1\n")
    with fault("hostile configuration from a checkpoint") as counts:
        for name in [*HOSTILE, *HOSTILE_TEXTS]:
            Path("theirs/recipe.yaml").write_text(hostile_text(name))
            before = set(tmp_path.rglob("*"))
            try:
                status: object = main(["train", "theirs"])
            except Exception as error:
                status = repr(error)
            lines = capsys.readouterr().err.splitlines()
            held = status == 2 and len(lines) == 1 and lines[0].startswith("zoo: ") and "hostile" not in sys.modules
            held = held and set(tmp_path.rglob("*")) == before
            counts.survived(name, held, (status, lines[-1:]))
    sys.modules.pop("hostile", None)
