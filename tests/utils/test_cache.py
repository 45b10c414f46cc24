"""Results in the cache are those of the files as they are now."""

import os
from pathlib import Path

import numpy as np
import pytest

from zoo.utils.cache import cached_arrays, fingerprint

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
