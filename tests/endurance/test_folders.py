"""Checkpoint folders changed at random, by hypothesis: right predictions or one sentence, within bounds."""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings
from made.endurance import Fault, amount
from made.folder_bombs import BOMBS, drop_bomb
from made.folder_changes import Change, changed, changes
from made.folders import FILES, FORMAT_1, GOOD, Files, is_changed, read_folder, sealed, write_folder
from made.sandbox import call_in_child, describe, report
from safetensors.torch import load_file

from zoo.hub.checkpoint import save
from zoo.hub.config import read_config
from zoo.hub.loading import load_folder
from zoo.hub.targets import read_targets

Faults = Callable[[str], AbstractContextManager[Fault]]
FAULT = "checkpoint folder changed: bytes, values, headers, links, files of another"
_BATCH = 500  # folders on the disk at once


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Folders of format 1, and the same saved in the current format: each architecture in both."""
    current, home = [], tmp_path_factory.mktemp("current")
    for folder in FORMAT_1:
        example = load_file(folder / "example.safetensors")
        example.pop("expected")
        facts = read_config(folder).facts
        current.append(save(load_folder(folder), home / folder.name, facts, read_targets(folder), example))
    return [*FORMAT_1, *current]


def drawn_changes(part: int, count: int, contents: list[Files]) -> list[tuple[tuple[list[Change], bool], Files]]:
    """That many changes, the same in each run, of one folder after the other, and the changed folders.

    Those that change nothing are left out.

    Args:
        part: number of the part.
        count: number of changes.
        contents: the folders.
    """
    drawn: list[tuple[list[Change], bool]] = []

    @seed(part)
    @settings(max_examples=count + count // 4, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(changes())
    def draw(one: tuple[list[Change], bool]) -> None:
        drawn.append(one)

    draw()
    kept: list[tuple[tuple[list[Change], bool], Files]] = []
    for steps, is_sealed in drawn:
        files = original = contents[len(kept) % len(contents)]
        for step in steps:
            files = changed(files, step, contents)
        if len(kept) < count and is_changed(files, original):
            kept.append(((steps, is_sealed), sealed(files) if is_sealed else files))
    assert len(kept) == count
    return kept


@pytest.mark.slow
@pytest.mark.parametrize("part", range(amount(1, 10)))
def test_a_changed_folder_is_used_right_or_refused(
    part: int, originals: list[Path], tmp_path: Path, fault: Faults
) -> None:
    contents = [read_folder(folder) for folder in originals]
    trials = list(enumerate(drawn_changes(part, amount(500, 1_000), contents)))
    good, outcomes = good_checkpoint(tmp_path), []
    with fault(FAULT) as counts:
        for start in range(0, len(trials), _BATCH):
            batch = trials[start : start + _BATCH]
            homes = (tmp_path / "homes" / str(number) for number, _ in batch)
            arguments = [
                _write(home, number % len(originals), files, originals, contents, good)
                for home, (number, (_, files)) in zip(homes, batch, strict=True)
            ]
            warm, before = _warm(tmp_path, good, originals[0]), _files(tmp_path)
            done = call_in_child("made.folder_verbs:use_folder", arguments, warm)
            assert _files(tmp_path) == before
            for (number, (trial, _)), outcome in zip(batch, done, strict=True):
                name, reason = originals[number % len(originals)].name, describe(outcome)
                counts.survived(f"{name}, change {part}.{number}: {str(trial)[:300]}", not reason, reason)
            outcomes += done
            shutil.rmtree(tmp_path / "homes")
    report(outcomes)


@pytest.mark.slow
def test_a_folder_that_would_exhaust_memory_or_time_is_refused(tmp_path: Path, fault: Faults) -> None:
    good = good_checkpoint(tmp_path)
    names = list(BOMBS)[:: amount(3, 1)]
    with fault("small files made to exhaust memory or time") as counts:
        arguments = []
        for number, what in enumerate(names):
            home = tmp_path / "homes" / str(number)
            name = drop_bomb(home, what)
            (home / "checkpoints" / GOOD).symlink_to(good)
            arguments.append([str(home), name, str(FORMAT_1[-1])])
        outcomes = call_in_child("made.folder_verbs:use_folder", arguments, _warm(tmp_path, good, FORMAT_1[-1]))
        for what, outcome in zip(names, outcomes, strict=True):
            reason = describe(outcome) or ("" if outcome.kind == "refused" else outcome.message)
            counts.survived(what, not reason and "alloc" not in outcome.message, reason or outcome.message)
    report(outcomes)


def good_checkpoint(tmp_path: Path) -> Path:
    """A checkpoint that nobody changes, named `GOOD`."""
    good = shutil.copytree(FORMAT_1[-1], tmp_path / "good")
    config = (good / "config.json").read_text().replace(FORMAT_1[-1].name, GOOD)
    (good / "config.json").write_text(config)
    return good


def _write(home: Path, index: int, files: Files, originals: list[Path], contents: list[Files], good: Path) -> list[str]:
    """Write a changed folder next to a good one; returns the arguments of `use_folder`."""
    original = originals[index]
    write_folder(home / "checkpoints" / original.name, files)
    (home / "checkpoints" / GOOD).symlink_to(good)
    for folder, content in zip(originals, contents, strict=True):
        if all(files.get(name) == content[name] for name in FILES[:4]):
            return [str(home), original.name, str(folder)]  # all files that matter are another's: it is that one, whole
    return [str(home), original.name, str(original)]


def _warm(tmp_path: Path, good: Path, original: Path) -> list[str]:
    """Arguments of a first call, with a whole folder."""
    home = tmp_path / "homes" / "whole" / "checkpoints"
    home.mkdir(parents=True)
    shutil.copytree(original, home / original.name)
    (home / GOOD).symlink_to(good)
    return [str(home.parent), original.name, str(original)]


def _files(folder: Path) -> set[tuple[str, int]]:
    """All files below a folder, with the time of their last change."""
    return {(str(path), path.lstat().st_mtime_ns) for path in folder.rglob("*")}
