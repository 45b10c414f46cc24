"""Checksums of blocks and records: every damage is found when what is damaged is read, and only then."""

import itertools
import zlib
from pathlib import Path

import numpy as np
import pytest

from zoo.errors import IntegrityError
from zoo.utils.blocks import BLOCK_BYTES, CheckedMap, block_sums, reserve
from zoo.utils.records import file_sums, folder_is_whole, read_record, recorded_sums, write_folder_record, write_record

PER_BLOCK = BLOCK_BYTES // 4


def write(path: Path, rows: int = 3, columns: int = 2 * PER_BLOCK + 100) -> np.ndarray:
    values = np.random.default_rng(0).normal(size=(rows, columns)).astype(np.float32)
    path.write_bytes(values.tobytes())
    return values


def open_map(path: Path, values: np.ndarray, discarded: list[int]) -> CheckedMap:
    sums = np.stack([block_sums(row.view(np.uint8)) for row in values])
    return CheckedMap(path, sums, values.shape[1], discarded.append)


def test_sums_are_those_of_zlib_of_each_block(tmp_path: Path) -> None:
    data = np.arange(2 * BLOCK_BYTES + 5).astype(np.uint8)
    expected = [zlib.crc32(data.tobytes()[i : i + BLOCK_BYTES]) for i in (0, BLOCK_BYTES, 2 * BLOCK_BYTES)]
    assert block_sums(data).tolist() == expected
    (tmp_path / "file").write_bytes(data.tobytes() * 40)  # more than is read at once
    whole = data.tobytes() * 40
    assert file_sums(tmp_path / "file").tolist() == block_sums(np.frombuffer(whole, np.uint8)).tolist()


@pytest.mark.parametrize("column", [0, PER_BLOCK - 1, PER_BLOCK, 2 * PER_BLOCK + 99])
def test_a_damaged_block_is_found_when_it_is_read_and_only_then(column: int, tmp_path: Path) -> None:
    path = tmp_path / "values.f32"
    values = write(path)
    damaged = values.copy()
    damaged[1, column] = np.nextafter(damaged[1, column], np.float32(9))  # one bit
    path.write_bytes(damaged.tobytes())
    for block in range(3):
        discarded: list[int] = []
        opened = open_map(path, values, discarded)
        first, last = np.array([block * PER_BLOCK]), np.array([min((block + 1) * PER_BLOCK, values.shape[1])])
        if block == column // PER_BLOCK:
            with pytest.raises(IntegrityError, match=r"values\.f32 is damaged near byte .* run the same command again"):
                opened.check(first, last)
            assert discarded == [1]
        else:
            opened.check(first, last)
            assert discarded == []
    with pytest.raises(IntegrityError):
        open_map(path, values, []).check_all()


def test_windows_over_the_borders_of_blocks_check_all_that_they_touch(tmp_path: Path) -> None:
    path = tmp_path / "values.f32"
    values = write(path)
    starts = [0, PER_BLOCK - 50, PER_BLOCK - 49, PER_BLOCK - 25, PER_BLOCK - 1, PER_BLOCK, 2 * PER_BLOCK - 50]
    starts += [2 * PER_BLOCK - 49, 2 * PER_BLOCK - 1, 2 * PER_BLOCK, values.shape[1] - 50]
    crossed = 0
    for pair in itertools.combinations_with_replacement(starts, 2):
        opened, first = open_map(path, values, []), np.array(pair)
        opened.check(first, first + 50)
        touched = [{column // PER_BLOCK for column in range(start, start + 50)} for start in pair]
        crossed += sum(len(blocks) > 1 for blocks in touched)
        for row in ~opened._unchecked:
            assert set(np.flatnonzero(row).tolist()) == touched[0] | touched[1], pair
        opened.check_all()
        assert opened._left == 0
    assert crossed > 50


@pytest.mark.parametrize("border", [PER_BLOCK, 2 * PER_BLOCK])
@pytest.mark.parametrize("before", range(1, 50, 12))
def test_damage_to_either_side_of_a_border_is_found_by_a_window_over_it(
    border: int, before: int, tmp_path: Path
) -> None:
    path = tmp_path / "values.f32"
    values = write(path)
    for column in (border - 1, border):
        damaged = values.copy()
        damaged[2, column] += 1
        path.write_bytes(damaged.tobytes())
        first = np.array([border - before])
        with pytest.raises(IntegrityError, match="is damaged near byte"):
            open_map(path, values, []).check(first, first + 50)


def test_room_is_reserved(tmp_path: Path) -> None:
    for size in (0, 1, 3 * BLOCK_BYTES + 7):
        reserve(tmp_path / "file", size)
        status = (tmp_path / "file").stat()
        assert status.st_size == size
        assert status.st_blocks * 512 >= size


def test_every_damage_to_a_record_is_found(tmp_path: Path) -> None:
    path = tmp_path / "done.json"
    value = {"a": [1, 2.5, "ü"], "b": None}
    write_record(path, value)
    assert read_record(path) == value
    whole = path.read_bytes()
    for i in range(len(whole)):
        path.write_bytes(whole[:i])
        assert read_record(path) in (None, value)  # all but the last line break is there
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :])
        assert read_record(path) in (None, value)
        path.write_bytes(whole[:i] + bytes(len(whole) - i))
        assert read_record(path) in (None, value)
    path.unlink()
    assert read_record(path) is None


def test_a_folder_is_whole_as_long_as_its_files_are_as_they_were_written(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * (BLOCK_BYTES + 1))
    (tmp_path / "b").write_bytes(b"")
    write_folder_record(tmp_path)
    assert folder_is_whole(tmp_path)
    assert recorded_sums(tmp_path, "a").tolist() == [zlib.crc32(b"x" * BLOCK_BYTES), zlib.crc32(b"x")]
    (tmp_path / "more").touch()  # an index that another program writes
    assert folder_is_whole(tmp_path)
    for damage in (b"x" * BLOCK_BYTES, b"x" * BLOCK_BYTES + b"y", b"x" * (BLOCK_BYTES + 2)):
        (tmp_path / "a").write_bytes(damage)
        assert not folder_is_whole(tmp_path)
    (tmp_path / "a").unlink()
    assert not folder_is_whole(tmp_path)
