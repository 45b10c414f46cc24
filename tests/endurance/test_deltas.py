"""Checkpoints that are stored as a delta, changed at random: used right or refused in one sentence, within bounds."""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, seed, settings
from made.delta_verbs import DELTA
from made.deltas import fine_tuned, save_delta, save_whole
from made.endurance import Fault, amount
from made.folder_changes import Change, changed, changes
from made.folders import FILES, WEIGHTS, Files, change_values, is_changed, sealed, write_folder
from made.sandbox import call_in_child, describe, report

from zoo.models.mlp import MLP

BASE, TUNED = "mlp.base", "mlp.tuned"


def renamed(files: Files, old: str, new: str) -> Files:
    """The same folder with another name of the file of weights, so that changes of weights are those of the delta."""

    def rename(config: Any) -> None:
        config["sha256"] = {new if name == old else name: value for name, value in config["sha256"].items()}

    files = {new if name == old else name: content for name, content in files.items()}
    try:
        return change_values(files, rename)
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return files


def drawn_changes(count: int, files: Files) -> list[tuple[list[Change], Files]]:
    kept: list[tuple[list[Change], Files]] = []

    @seed(1)
    @settings(max_examples=count, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(changes())
    def draw(one: tuple[list[Change], bool]) -> None:
        steps, is_sealed = one
        result = files
        for step in steps:
            result = changed(result, step, [files])
        if is_changed(result, files):
            kept.append((steps, sealed(result) if is_sealed else result))

    draw()
    return kept


@pytest.mark.slow
def test_a_changed_delta_is_used_right_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Callable[[str], AbstractContextManager[Fault]]
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    source = MLP(["one", "two"], 40, hidden=(20,)).eval()
    base = save_whole(source, Path(BASE))
    save_delta(fine_tuned(source, "lora"), Path(TUNED), base, "lora")
    names = [DELTA if name == WEIGHTS else name for name in FILES]
    files = renamed({name: (Path(TUNED) / name).read_bytes() for name in names}, DELTA, WEIGHTS)
    trials, arguments = drawn_changes(amount(60, 1_500), files), []
    for number, (_, content) in enumerate(trials):
        home = tmp_path / "homes" / str(number)
        write_folder(home / TUNED, renamed(content, WEIGHTS, DELTA))
        (home / BASE).symlink_to(tmp_path / BASE)
        arguments.append([str(home), TUNED, str(tmp_path / TUNED)])
    (warm := tmp_path / "homes" / "whole").mkdir()
    shutil.copytree(TUNED, warm / TUNED)
    (warm / BASE).symlink_to(tmp_path / BASE)
    with fault("delta changed: bytes, values, headers, links") as counts:
        outcomes = call_in_child("made.delta_verbs:use_delta", arguments, [str(warm), TUNED, str(tmp_path / TUNED)])
        for (steps, _), outcome in zip(trials, outcomes, strict=True):
            reason = describe(outcome)
            counts.survived(f"change {str(steps)[:300]}", not reason, reason)
    report(outcomes)
