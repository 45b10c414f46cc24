"""bigWigs that are written: values, totals, and summaries at every resolution, as pyBigWig and slow loops find them."""

import itertools
import struct
import zlib
from pathlib import Path

import numpy as np
import pyBigWig
import pytest
from numpy.typing import NDArray

from zoo.errors import OutputError
from zoo.formats.bigwig_writer import open_bigwig

Values = NDArray[np.float32]


def written(path: Path, contigs: dict[str, int], bin_size: int, gaps: float, seed: int = 0) -> dict[str, Values]:
    """Write random bins, in pieces; returns the values of bases."""
    rng = np.random.default_rng(seed)
    bases = {}
    with open_bigwig(path, contigs) as file:
        for name, length in contigs.items():
            bins = rng.normal(size=-(-length // bin_size)).astype(np.float32)
            bins[rng.random(len(bins)) < gaps] = np.nan
            cuts = [0, *sorted(rng.integers(0, len(bins) + 1, 2).tolist()), len(bins)]
            for first, last in itertools.pairwise(cuts):
                file.add_bins(name, first * bin_size, bins[first:last], bin_size)
            bases[name] = np.repeat(bins, bin_size)[:length]
    return bases


def summaries(path: Path) -> dict[int, list[tuple[float, ...]]]:
    """Read all summaries of a file, block after block, from its bytes: step -> (contig, start, end, covered, ...)."""
    raw = path.read_bytes()
    (levels,) = struct.unpack_from("<H", raw, 6)
    found = {}
    for level in range(levels):
        step, _, data, index = struct.unpack_from("<2I2Q", raw, 64 + 24 * level)
        found[step] = list(_summaries(raw, data + 4, index))
        assert struct.unpack_from("<I", raw, data) == (len(found[step]),)
    return found


def _summaries(raw: bytes, at: int, end: int):  # type: ignore[no-untyped-def]
    while at < end:
        reader = zlib.decompressobj()
        yield from struct.iter_unpack("<4I4f", reader.decompress(raw[at:end]))
        at = end - len(reader.unused_data)


def slow_summaries(bases: dict[str, Values], step: int) -> list[tuple[float, ...]]:
    rows: list[tuple[float, ...]] = []
    for number, values in enumerate(bases.values()):
        for start in range(0, len(values), step):
            window = values[start : start + step].astype(float)
            known = window[~np.isnan(window)]
            if len(known):
                end = start + len(window)
                rows.append((number, start, end, len(known), known.min(), known.max(), known.sum(), (known**2).sum()))
    return rows


@pytest.mark.parametrize("gaps", [0.0, 0.002, 0.3, 0.97])
@pytest.mark.parametrize("bin_size", [1, 7, 128])
def test_values_totals_and_summaries_are_those_of_slow_loops(bin_size: int, gaps: float, tmp_path: Path) -> None:
    contigs = {"b": 20_003, "a": 9_000, "none": 10}
    bases = written(tmp_path / "out.bw", contigs, bin_size, gaps)
    known = np.concatenate(list(bases.values())).astype(float)
    known = known[~np.isnan(known)]
    with pyBigWig.open(str(tmp_path / "out.bw")) as file:
        assert file.chroms() == contigs
        for name, values in bases.items():
            found = file.values(name, 0, contigs[name], numpy=True)
            np.testing.assert_array_equal(found, values)
            assert file.stats(name, 0, contigs[name], exact=True, type="coverage")[0] == np.mean(~np.isnan(values)) or (
                np.isnan(values).all()
            )
    totals = struct.unpack_from("<Q4d", (tmp_path / "out.bw").read_bytes(), 304)
    expected = (len(known), known.min(), known.max(), known.sum(), (known**2).sum())
    np.testing.assert_allclose(totals, expected, rtol=1e-9, atol=1e-6)
    levels = summaries(tmp_path / "out.bw")
    steps = list(levels)
    assert all(later == 4 * step for step, later in itertools.pairwise(steps))
    for step, rows in levels.items():
        np.testing.assert_allclose(rows, slow_summaries(bases, step), rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("count", [1, 255, 256, 257, 700])
def test_many_contigs_make_a_tree_of_several_levels(count: int, tmp_path: Path) -> None:
    contigs = {f"contig{(7 * i) % count}_{'x' * (i % 5)}": 50 + i for i in range(count)}
    bases = written(tmp_path / "out.bw", contigs, 5, 0.1)
    with pyBigWig.open(str(tmp_path / "out.bw")) as file:
        assert file.chroms() == contigs
        for name, values in bases.items():
            np.testing.assert_array_equal(file.values(name, 0, contigs[name], numpy=True), values)


def test_many_blocks_make_an_index_of_several_levels(tmp_path: Path) -> None:
    """More than 256 * 256 would take long to write: the tree is of two levels above the leaves with 300 blocks."""
    position = np.arange(0, 3 * 4096 * 300, 3)
    values = np.arange(len(position), dtype=np.float32)
    with open_bigwig(tmp_path / "out.bw", {"c": 3 * 4096 * 300}) as file:
        file.add_bases("c", position, values)
    with pyBigWig.open(str(tmp_path / "out.bw")) as file:
        for first in (0, 12_288 * 5 - 6, 12_288 * 255, 12_288 * 256 - 3, 12_288 * 299):
            found = file.intervals("c", first, first + 9)
            assert found == tuple((first + 3 * i, first + 3 * i + 1, float(first // 3 + i)) for i in range(3))


def test_runs_and_single_bins_follow_each_other(tmp_path: Path) -> None:
    values = np.ones(400, np.float32)
    values[[100, 102, 104, 300]] = np.nan  # a run, single bins, a run, a run that the contig's end cuts off
    with open_bigwig(tmp_path / "out.bw", {"c": 3_995}) as file:
        file.add_bins("c", 0, values, 10)
    with pyBigWig.open(str(tmp_path / "out.bw")) as file:
        expected = np.repeat(values, 10)[:3_995]
        np.testing.assert_array_equal(file.values("c", 0, 3_995, numpy=True), expected)


@pytest.mark.parametrize(
    ("position", "words"), [([5, 5], "are not sorted"), ([9, 3], "are not sorted"), ([3, 100], "out of order")]
)
def test_bases_out_of_order_are_refused(position: list[int], words: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=words), open_bigwig(tmp_path / "out.bw", {"c": 100}) as file:
        file.add_bases("c", np.array(position), np.ones(2, np.float32))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_an_infinite_value_is_refused_with_its_place(value: float, tmp_path: Path) -> None:
    for add in ("bins", "bases"):
        values = np.ones(5, np.float32)
        values[3] = value
        with (
            pytest.raises(OutputError, match=rf"c:23 is {value}"),
            open_bigwig(tmp_path / "out.bw", {"c": 100}) as file,
        ):
            if add == "bins":
                file.add_bins("c", 8, values, 5)
            else:
                file.add_bases("c", np.array([2, 9, 11, 23, 30]), values)
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("add", ["bins", "bases"])
def test_a_value_too_large_to_be_summed_is_refused_with_its_place(add: str, sign: int, tmp_path: Path) -> None:
    """Over 50,000 bases, 3.4e38 / 50,000 = 6.8e33 at most."""
    values = np.full(5_000, sign * 6.8e33, np.float32)
    values[7] = sign * 6.9001e33
    with (
        pytest.raises(
            OutputError, match=rf"the value of c:70 is {sign * 6.9:.1f}.*e\+33; at most 6\.8e\+33 can be summed"
        ),
        open_bigwig(tmp_path / "out.bw", {"c": 50_000}) as file,
    ):
        if add == "bins":
            file.add_bins("c", 0, values, 10)
        else:
            file.add_bases("c", np.arange(5_000) * 10, values)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("error")
def test_values_whose_squares_are_beyond_float32_are_written_with_their_means(tmp_path: Path) -> None:
    values = np.full(5_000, 6.8e33, np.float32)
    values[2_500:] = 3.4e33
    with open_bigwig(tmp_path / "out.bw", {"c": 50_000}) as file:
        file.add_bins("c", 0, values, 10)
    with pyBigWig.open(str(tmp_path / "out.bw")) as file:
        assert file.values("c", 0, 50_000) == np.repeat(values, 10).tolist()
        assert file.stats("c", type="max") == [float(np.float32(6.8e33))]
        # From the summaries: halves of the contig are of one value each.
        assert file.stats("c", type="mean", nBins=2) == pytest.approx([6.8e33, 3.4e33], rel=0.01)
    for step, rows in summaries(tmp_path / "out.bw").items():
        for _, start, end, covered, _, _, total, _ in rows:
            window = np.repeat(values.astype(float), 10)[int(start) : int(end)]
            assert covered == len(window), step
            assert total == pytest.approx(window.sum(), rel=1e-6), step
