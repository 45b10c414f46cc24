"""Results in the cache are those of the files as they are now."""

import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
import pytest

from zoo.utils.cache import cached_arrays, cached_folder, fingerprint

SIZE = 4_000_000  # more than all samples


def write(path: Path, position: int | None = None) -> Path:
    content = bytearray(SIZE)
    if position is not None:
        content[position] = 1
    path.write_bytes(content)
    os.utime(path, ns=(1_000_000_000, 1_000_000_000))
    return path


def test_an_edit_between_two_samples_changes_the_fingerprint(tmp_path: Path) -> None:
    path = write(tmp_path / "genome.fa")
    before = fingerprint(path)
    assert fingerprint(path) == before
    with path.open("r+b") as file:
        file.seek(150_000)  # between the first two samples
        file.write(b"N")
    assert fingerprint(path) != before


@pytest.mark.parametrize("position", [0, SIZE - 1])
def test_another_head_or_tail_of_the_same_time_changes_the_fingerprint(tmp_path: Path, position: int) -> None:
    assert fingerprint(write(tmp_path / "one")) != fingerprint(write(tmp_path / "other", position))


def test_arrays_are_computed_once_and_again_where_the_file_is_damaged() -> None:
    calls = []

    def build() -> dict[str, np.ndarray]:
        calls.append(1)
        return {"x": np.arange(3)}

    for _ in range(2):
        assert cached_arrays("kind", ["key"], build)["x"].tolist() == [0, 1, 2]
    assert len(calls) == 1
    (path,) = (Path(os.environ["ZOO_CACHE"]) / "kind").glob("*.npz")
    path.write_bytes(path.read_bytes()[:20])
    assert cached_arrays("kind", ["key"], build)["x"].tolist() == [0, 1, 2]
    assert len(calls) == 2


@pytest.mark.parametrize("damage", ["cut", "zeros", "one byte"])
def test_a_damaged_folder_is_built_again(damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    calls = []

    def build(folder: Path) -> None:
        calls.append(1)
        (folder / "file").write_bytes(b"content" * 100)

    path = tmp_path / "kind" / "folder"
    for _ in range(2):
        assert cached_folder(path, build) == path
    assert len(calls) == 1
    content = bytearray((path / "file").read_bytes())
    if damage == "cut":
        del content[-1:]
    else:
        content[300:] = bytes(len(content) - 300) if damage == "zeros" else b"X" + content[301:]
    (path / "file").write_bytes(content)
    cached_folder(path, build)
    assert (len(calls), (path / "file").read_bytes()) == (2, b"content" * 100)
    assert [record.message for record in caplog.records] == [
        f"{path} is damaged or of an older version: it is made anew"
    ]


def test_arrays_of_which_one_is_missing_are_computed_again(tmp_path: Path) -> None:
    def build() -> dict[str, np.ndarray]:
        return {"x": np.arange(3), "y": np.arange(4)}

    cached_arrays("kind", ["key"], build)
    (path,) = (Path(os.environ["ZOO_CACHE"]) / "kind").glob("*.npz")
    with np.load(path) as file:
        np.savez(path, **{name: file[name] for name in file if name != "y"})
    assert sorted(cached_arrays("kind", ["key"], build)) == ["x", "y"]


def build_slowly(path: Path, log: Path) -> None:
    def build(draft: Path) -> None:
        with log.open("a") as file:
            file.write("built\n")
        time.sleep(0.5)
        (draft / "file").write_text("content")

    cached_folder(path, build)


def test_of_two_processes_one_builds_and_the_other_waits_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("zoo.utils.locks._SAY_SO_AFTER_SECONDS", 0.05)
    path, log = tmp_path / "kind" / "folder", tmp_path / "log"
    other = multiprocessing.get_context("fork").Process(target=build_slowly, args=(path, log))
    other.start()
    while not log.exists():
        time.sleep(0.01)
    build_slowly(path, log)
    other.join()
    assert log.read_text() == "built\n"
    assert [record.message for record in caplog.records] == [f"another process is building {path}: waiting for it"]
