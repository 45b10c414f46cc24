"""bigWigs: read as pyBigWig reads them, written so that it reads them back, refused in one sentence when damaged."""

from __future__ import annotations

import gzip
import math
import struct
from pathlib import Path

import numpy as np
import pyBigWig
import pytest
from made.bombs import bombs
from numpy.typing import NDArray

from zoo.errors import InputError, OutputError
from zoo.formats import bigwig
from zoo.formats.bigwig import BigWig
from zoo.formats.bigwig_writer import open_bigwig
from zoo.formats.binning import Missing, Statistic, bin_values

Values = NDArray[np.float32]
CONTIGS = {"chr1": 20_003, "chr2": 507, "empty": 90}
NAN = math.nan


def some_values(length: int, seed: int, gaps: int = 8) -> Values:
    """Random values with stretches that have none."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=length).astype(np.float32)
    for start in rng.integers(0, length, gaps):
        values[start : start + rng.integers(1, max(2, length // gaps))] = np.nan
    return values


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Written by pyBigWig itself: dense values with gaps on two contigs, none on the third."""
    path = tmp_path_factory.mktemp("bigwig") / "made.bw"
    with pyBigWig.open(str(path), "w") as file:
        file.addHeader(list(CONTIGS.items()))
        for seed, name in enumerate(("chr1", "chr2")):
            values = some_values(CONTIGS[name], seed)
            there = np.flatnonzero(~np.isnan(values))
            file.addEntries(name, there.tolist(), values=values[there].tolist(), span=1)
    return path


def all_of(path: Path, contig: str, bin_size: int = 10) -> Values:
    with BigWig(path) as file:
        return np.concatenate(list(file.blocks(contig, 0, file.contigs[contig], bin_size)))


def as_pybigwig(path: Path, contig: str, start: int = 0, end: int | None = None) -> Values:
    with pyBigWig.open(str(path)) as file:
        values: Values = np.array(file.values(contig, start, end or file.chroms(contig)), dtype=np.float32)
    return values


def refused(path: Path) -> str:
    """What is said of a file that cannot be opened, or not be read to its end."""
    with pytest.raises(InputError) as error, BigWig(path) as file:
        for contig, length in file.contigs.items():
            list(file.blocks(contig, 0, length, 10))
    said = str(error.value)
    assert str(path) in said
    assert "\n" not in said
    return said


# Bins.


def slow_bins(values: Values, size: int, statistic: Statistic, missing: Missing) -> list[float]:
    bins = []
    for start in range(0, len(values), size):
        inside = [float(value) for value in values[start : start + size]]
        known = [value for value in inside if not math.isnan(value)]
        counted = len(known) if missing == "mask" else len(inside)
        mean = sum(known) / counted if counted else math.nan
        bins.append(mean if statistic == "mean" else mean * len(inside))
    return bins


@pytest.mark.parametrize("missing", ["zero", "mask"])
@pytest.mark.parametrize("statistic", ["mean", "sum"])
@pytest.mark.parametrize(("length", "size"), [(1, 1), (1, 5), (60, 1), (60, 7), (60, 12), (60, 61), (2_001, 16)])
def test_bins_are_those_of_a_slow_loop(length: int, size: int, statistic: Statistic, missing: Missing) -> None:
    for seed in range(5):
        values = some_values(length, seed)
        found = bin_values(values, size, statistic, missing)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, slow_bins(values, size, statistic, missing), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("statistic", "missing", "expected"),
    [
        ("mean", "zero", [4 / 3, 0, 3]),
        ("mean", "mask", [2, NAN, 6]),
        ("sum", "zero", [4, 0, 6]),
        # Two of three bases are known: their sum, 4, stands for 6; in the last bin one of two.
        ("sum", "mask", [6, NAN, 12]),
    ],
)
def test_bins_on_paper(statistic: Statistic, missing: Missing, expected: list[float]) -> None:
    values = np.array([1, NAN, 3, NAN, NAN, NAN, 6, NAN], dtype=np.float32)
    np.testing.assert_allclose(bin_values(values, 3, statistic, missing), expected, rtol=1e-6)


def test_wide_bins_keep_six_digits() -> None:
    values = np.random.default_rng(0).random(250_000).astype(np.float32)
    for statistic, exact in (("sum", np.sum), ("mean", np.mean)):
        expected = [exact(values[:200_000].astype(np.float64)), exact(values[200_000:].astype(np.float64))]
        np.testing.assert_allclose(bin_values(values, 200_000, statistic, "zero"), expected, rtol=1e-5)  # type: ignore[arg-type]


# Reading.


@pytest.mark.parametrize("contig", ["chr1", "chr2"])
def test_values_are_those_that_pybigwig_reads(written: Path, contig: str) -> None:
    with BigWig(written) as file:
        assert file.contigs == CONTIGS
    expected = as_pybigwig(written, contig)
    assert 0 < np.isnan(expected).sum() < len(expected)
    np.testing.assert_array_equal(all_of(written, contig), expected)


@pytest.mark.parametrize("start", [0, 333])
@pytest.mark.parametrize("bin_size", [1, 7, 16, 100, 30_000])
def test_blocks_follow_one_another_and_hold_whole_bins(
    written: Path, bin_size: int, start: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bigwig, "_BASES_AT_ONCE", 1_000)
    with BigWig(written) as file:
        blocks = list(file.blocks("chr1", start, 20_001, bin_size))
    assert len(blocks) == -(-(20_001 - start) // max(1_000 // bin_size * bin_size, bin_size))
    assert all(len(block) % bin_size == 0 for block in blocks[:-1])
    np.testing.assert_array_equal(np.concatenate(blocks), as_pybigwig(written, "chr1", start, 20_001))


def test_a_contig_without_values_is_all_nan(written: Path) -> None:
    assert np.isnan(all_of(written, "empty")).tolist() == [True] * CONTIGS["empty"]


def test_a_file_without_values_is_all_nan(tmp_path: Path) -> None:
    with pyBigWig.open(str(tmp_path / "none.bw"), "w") as file:
        file.addHeader([("chr1", 90)])
    assert np.isnan(all_of(tmp_path / "none.bw", "chr1")).tolist() == [True] * 90


@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_a_file_that_was_cut_off_is_refused_when_it_is_opened(tmp_path: Path, written: Path, share: float) -> None:
    path = tmp_path / "cut.bw"
    path.write_bytes(written.read_bytes()[: int(written.stat().st_size * share)])
    assert "was cut off" in refused(path)
    with pytest.raises(InputError):
        BigWig(path)


NO_BIGWIG = {
    "text": (b"chr1\t0\t10\t1.5\n" * 100, "does not begin as one"),
    "empty": (b"", "does not begin as one"),
    "four bytes": (struct.pack("<I", 0x888FFC26), "was cut off"),
    "bigBed": (struct.pack("<I", 0x8789F2EB) * 30, "no bigWig"),
    "zipped": (gzip.compress(b"a bigWig", mtime=0), "does not begin as one"),
}


@pytest.mark.parametrize(("data", "said"), NO_BIGWIG.values(), ids=NO_BIGWIG)
def test_what_is_no_bigwig_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "file.bw").write_bytes(data)
    assert said in refused(tmp_path / "file.bw")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "none.bw")
    assert "is a folder, not a file" in refused(tmp_path)


def test_damage_in_the_middle_is_found_when_it_is_read(tmp_path: Path, written: Path) -> None:
    raw = bytearray(written.read_bytes())
    data, index = struct.unpack("<QQ", raw[16:32])
    middle = (data + index) // 2
    raw[middle : middle + 100] = b"\xff" * 100
    path = tmp_path / "damaged.bw"
    path.write_bytes(raw)
    with BigWig(path) as file:
        assert file.contigs == CONTIGS
    assert "values of chr1:0-20003 are damaged" in refused(path)


def test_a_file_without_its_middle_is_refused(tmp_path: Path, written: Path) -> None:
    raw = written.read_bytes()
    (tmp_path / "short.bw").write_bytes(raw[: len(raw) // 3] + raw[-4:])
    assert "is damaged: its tables are not where its header says" in refused(tmp_path / "short.bw")


@pytest.mark.parametrize("place", [8, 24])
def test_a_header_that_leads_astray_is_refused_and_does_not_end_the_process(
    tmp_path: Path, written: Path, place: int
) -> None:
    raw = bytearray(written.read_bytes())
    for lie in (0 if place == 8 else 1, 77, len(raw) - 1, len(raw) + 1, 2**63 + 5):
        raw[place : place + 8] = struct.pack("<Q", lie)
        (tmp_path / "astray.bw").write_bytes(raw)
        assert "its tables are not where its header says" in refused(tmp_path / "astray.bw")


def test_a_header_of_very_many_zoom_levels_is_refused(tmp_path: Path, written: Path) -> None:
    raw = bytearray(written.read_bytes())
    raw[7] = 0xFF
    (tmp_path / "zooms.bw").write_bytes(raw)
    assert "zoom levels" in refused(tmp_path / "zooms.bw")


# Writing.


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("bin_size", [1, 10, 16, 128, 1_000])
def test_bins_are_read_back_by_pybigwig_base_by_base(tmp_path: Path, bin_size: int) -> None:
    bins = {name: some_values(-(-length // bin_size), length) for name, length in CONTIGS.items()}
    for values in bins.values():
        values[-1] = 0.25  # so that the one that the contig's end cuts off is there
    with open_bigwig(tmp_path / "out.bw", CONTIGS) as file:
        for name, values in bins.items():
            middle = len(values) // 3
            file.add_bins(name, 0, values[:middle], bin_size)
            file.add_bins(name, middle * bin_size, values[middle:], bin_size)
    for name, values in bins.items():
        expected = np.repeat(values, bin_size)[: CONTIGS[name]]
        np.testing.assert_array_equal(as_pybigwig(tmp_path / "out.bw", name), expected)
    with pyBigWig.open(str(tmp_path / "out.bw")) as file:
        assert file.isBigWig()
        assert file.chroms() == CONTIGS
    assert left_in(tmp_path) == ["out.bw"]


def test_bins_that_begin_within_a_contig_lie_there(tmp_path: Path) -> None:
    with open_bigwig(tmp_path / "out.bw", {"c": 95}) as file:
        file.add_bins("c", 33, np.array([NAN, 1, 2, NAN, 3, 4, 5], dtype=np.float32), 9)
    with pyBigWig.open(str(tmp_path / "out.bw")) as file:
        assert file.intervals("c") == ((42, 51, 1), (51, 60, 2), (69, 78, 3), (78, 87, 4), (87, 95, 5))


def test_single_bases_are_read_back(tmp_path: Path) -> None:
    values = some_values(500, 3)
    there = np.flatnonzero(~np.isnan(values))
    with open_bigwig(tmp_path / "out.bw", {"c": 500, "d": 10}) as file:
        file.add_bases("c", there, values[there])
        file.add_bases("d", np.array([], dtype=np.int64), np.array([], dtype=np.float32))
    np.testing.assert_array_equal(as_pybigwig(tmp_path / "out.bw", "c"), values)


def test_bins_without_any_value_make_a_bigwig_without_values(tmp_path: Path) -> None:
    with open_bigwig(tmp_path / "out.bw", {"c": 50}) as file:
        file.add_bins("c", 0, np.full(5, np.nan, dtype=np.float32), 10)
    with pyBigWig.open(str(tmp_path / "out.bw")) as file:
        assert (file.chroms(), file.intervals("c")) == ({"c": 50}, None)


@pytest.mark.parametrize("before", [None, b"what was there before"])
def test_nothing_is_left_behind_when_writing_stops_halfway(tmp_path: Path, before: bytes | None) -> None:
    path = tmp_path / "out.bw"
    if before is not None:
        path.write_bytes(before)
    with pytest.raises(KeyboardInterrupt), open_bigwig(path, {"c": 50}) as file:
        file.add_bins("c", 0, np.ones(2, dtype=np.float32), 10)
        raise KeyboardInterrupt
    assert left_in(tmp_path) == ([] if before is None else ["out.bw"])
    assert before is None or path.read_bytes() == before


def test_a_file_that_was_there_is_replaced_by_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "out.bw"
    path.write_bytes(b"what was there before")
    with open_bigwig(path, {"c": 50}) as file:
        file.add_bins("c", 10, np.array([2], dtype=np.float32), 10)
        assert path.read_bytes() == b"what was there before"
    with pyBigWig.open(str(path)) as read:
        assert read.intervals("c") == ((10, 20, 2),)
    assert left_in(tmp_path) == ["out.bw"]


def test_values_that_come_out_of_order_are_refused_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "out.bw"
    with (
        pytest.raises(OutputError, match="could not be written: c:0-20 comes out of order") as error,
        open_bigwig(path, {"c": 90}) as file,
    ):
        file.add_bins("c", 40, np.ones(2, dtype=np.float32), 10)
        file.add_bins("c", 0, np.ones(2, dtype=np.float32), 10)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert left_in(tmp_path) == []


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "no" / "out.bw"
    with pytest.raises(OutputError, match="there is no folder") as error, open_bigwig(path, {"c": 50}):
        pass
    assert str(tmp_path / "no") in str(error.value)


def test_what_is_a_folder_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "out.bw").mkdir()
    with pytest.raises(OutputError, match=r"out\.bw"), open_bigwig(tmp_path / "out.bw", {"c": 50}) as file:
        file.add_bins("c", 0, np.ones(2, dtype=np.float32), 10)
    assert left_in(tmp_path) == ["out.bw"]


def test_tables_that_lead_in_a_circle_or_out_of_the_file_are_refused(tmp_path: Path) -> None:
    for what, kind, write in bombs(0):
        if kind == "bigWig":
            write(tmp_path / "a.bw")
            with pytest.raises(InputError, match=r"a\.bw is damaged: .*; fetch it again$") as caught:
                BigWig(tmp_path / "a.bw")
            assert "\n" not in str(caught.value), what
