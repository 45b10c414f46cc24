"""The memory map of binned bigWigs: its values, what it is known by, and how it is made by several, or after a stop."""

from __future__ import annotations

import errno
import math
import multiprocessing
import os
import pickle
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyBigWig
import pytest
from numpy.typing import NDArray

from zoo.data.tracks.coverage import Coverage
from zoo.data.tracks.coverage_folder import DoneTrack, _sync
from zoo.data.tracks.table import Track
from zoo.errors import InputError, OutputError
from zoo.formats.bigwig import BigWig
from zoo.formats.binning import Missing, Statistic, pool_bins
from zoo.genome.fasta import Genome

Values = NDArray[np.float32]
SIZES = {"chr1": 3_007, "chr2": 1_500, "chr3": 995}
# Each track, with bins of its own kind.
KINDS: list[tuple[Statistic, Missing]] = [("mean", "zero"), ("sum", "mask"), ("mean", "mask"), ("sum", "zero")]


def write_fasta(path: Path, contigs: Mapping[str, str]) -> Path:
    lines = (
        f">{name}\n" + "".join(f"{text[i : i + 60]}\n" for i in range(0, len(text), 60))
        for name, text in contigs.items()
    )
    path.write_text("".join(lines))
    return path


def write_bigwig(path: Path, contigs: Mapping[str, Values]) -> str:
    """Values of all bases of contigs; none where they are NaN."""
    with pyBigWig.open(str(path), "w") as file:
        file.addHeader([(name, len(values)) for name, values in contigs.items()])
        for name, values in contigs.items():
            there = np.flatnonzero(~np.isnan(values))
            if len(there):
                file.addEntries(name, there.tolist(), values=values[there].tolist(), span=1)
    return str(path)


def some_values(length: int, seed: int) -> Values:
    """Random values; none in many short stretches and a long one."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=length).astype(np.float32)
    for start in rng.integers(0, length, length // 30):
        values[start : start + rng.integers(1, 12)] = np.nan
    values[300:420] = np.nan
    return values


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> Genome:
    rng = np.random.default_rng(0)
    contigs = {name: "".join(rng.choice(list("ACGT"), size)) for name, size in SIZES.items()}
    return Genome(write_fasta(tmp_path_factory.mktemp("genome") / "genome.fa", contigs))


@pytest.fixture(scope="module")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> list[Track]:
    """Four tracks; the second calls its contigs 1, 2, 3, and has them in another order."""
    folder = tmp_path_factory.mktemp("tracks")
    made = []
    for seed, (statistic, missing) in enumerate(KINDS):
        values = {name: some_values(size, 10 * seed + i) for i, (name, size) in enumerate(SIZES.items())}
        if seed == 1:
            values = {name[3:]: values[name] for name in reversed(SIZES)}
        path = write_bigwig(folder / f"{seed}.bw", values)
        made.append(Track(f"track{seed}", path, statistic=statistic, missing=missing))
    return made


def slow_row(track: Track, contigs: Mapping[str, int], bin_size: int) -> list[float]:
    """Bin by bin with pyBigWig; `contigs` as the file names them."""
    row = []
    with pyBigWig.open(track.path) as file:
        for name, length in contigs.items():
            values = file.values(name, 0, length)
            for start in range(0, length, bin_size):
                inside = values[start : start + bin_size]
                known = [value for value in inside if not math.isnan(value)]
                counted = len(known) if track.missing == "mask" else len(inside)
                mean = sum(known) / counted if counted else math.nan
                row.append(mean * len(inside) if track.statistic == "sum" else mean)
    return row


def slow_map(tracks: list[Track], bin_size: int, sizes: Mapping[str, int] = SIZES) -> list[list[float]]:
    short = {name[3:]: size for name, size in sizes.items()}
    return [slow_row(track, short if track.name == "track1" else sizes, bin_size) for track in tracks]


def assert_right(found: Values, tracks: list[Track], bin_size: int, sizes: Mapping[str, int] = SIZES) -> None:
    np.testing.assert_allclose(found, slow_map(tracks, bin_size, sizes), rtol=1e-5, atol=1e-6)


def bases(track: Track) -> Values:
    """The values of all bases."""
    with BigWig(track.path) as file:
        return np.concatenate([block for name, size in file.contigs.items() for block in file.blocks(name, 0, size, 1)])


def one_track(tmp_path: Path, contigs: Mapping[str, Values], **cells: Any) -> Track:
    return Track("one", write_bigwig(tmp_path / "one.bw", contigs), **cells)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the bigWigs of which values are read, once for each contig."""
    found: list[str] = []
    blocks = BigWig.blocks

    def noted(self: BigWig, *arguments: Any, **options: Any) -> Iterator[Values]:
        found.append(self.path.name)
        return blocks(self, *arguments, **options)

    monkeypatch.setattr(BigWig, "blocks", noted)
    return found


# What is in it.


@pytest.mark.parametrize("bin_size", [1, 10, 64, 1_500])
def test_every_bin_is_that_of_a_slow_loop(genome: Genome, tracks: list[Track], bin_size: int) -> None:
    coverage = Coverage(tracks, genome, genome.contigs, bin_size)
    assert coverage.absent == []
    assert coverage.contigs == SIZES
    bins = [-(-size // bin_size) for size in SIZES.values()]
    assert coverage.first.tolist() == [0, bins[0], bins[0] + bins[1]]
    assert coverage.values.shape == coverage.shape == (4, sum(bins))
    assert np.isnan(coverage.values[1:3]).any() == (bin_size < 100)
    assert_right(coverage.values, tracks, bin_size)


def test_it_is_read_block_by_block_alike(genome: Genome, tracks: list[Track], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.formats.bigwig._BASES_AT_ONCE", 100)
    monkeypatch.setattr("zoo.data.tracks.coverage._BASES_AT_ONCE", 100)
    coverage = Coverage(tracks, genome, genome.contigs, 16)
    assert_right(coverage.values, tracks, 16)
    assert coverage.observed.shape == coverage.shape[1:]


def test_contigs_are_those_that_were_asked_for_in_their_order(genome: Genome, tracks: list[Track]) -> None:
    wanted = {name: SIZES[name] for name in ("chr3", "chr1")}
    assert_right(Coverage(tracks, genome, wanted, 10).values, tracks, 10, wanted)


def test_facts_are_the_bases_without_a_value_and_the_extremes_of_bins(genome: Genome, tracks: list[Track]) -> None:
    coverage = Coverage(tracks, genome, genome.contigs, 10)
    for track, fact, row in zip(tracks, coverage.facts(), slow_map(tracks, 10), strict=True):
        with pyBigWig.open(track.path) as file:
            missing = sum(np.isnan(file.values(name, 0, size)).sum() for name, size in file.chroms().items())
        assert fact.missing == missing > 0
        np.testing.assert_allclose([fact.lowest, fact.highest], [np.nanmin(row), np.nanmax(row)], rtol=1e-5)


@pytest.mark.parametrize("at_once", [4_000_000, 20])
def test_a_bin_is_usable_with_half_of_its_bases_and_a_value_in_some_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("zoo.data.tracks.coverage._BASES_AT_ONCE", at_once)
    bases = "A" * 100
    bases = bases[:12] + "N" * 5 + bases[17:33] + "N" * 6 + bases[39:]  # 5 of bin 1, 6 of bin 3
    genome = Genome(write_fasta(tmp_path / "genome.fa", {"before": "C" * 25, "c": bases[:95], "after": "N" * 12}))
    one, two = np.ones((2, 95), dtype=np.float32)
    one[50:80] = np.nan  # bins 5, 6 and 7
    two[60:70] = two[90:] = np.nan  # bins 6 and 9
    two[71:80] = np.nan  # bin 7 has one base
    rest = {"before": np.ones(25, np.float32), "after": np.ones(12, np.float32)}
    paths = [write_bigwig(tmp_path / f"{i}.bw", {"c": values, **rest}) for i, values in enumerate((one, two))]
    masked = [Track(f"t{i}", path, missing="mask") for i, path in enumerate(paths)]
    # The contig before has 3 bins, the one after begins with the bin 13.
    coverage = Coverage(masked, genome, genome.contigs, 10)
    assert np.flatnonzero(~coverage.observed).tolist() == [3 + 3, 3 + 6, 13, 14]
    as_zero = [replace(track, missing="zero") for track in masked]
    assert np.flatnonzero(~Coverage(as_zero, genome, genome.contigs, 10).observed).tolist() == [3 + 3, 13, 14]


def test_a_bigwig_without_any_value_does_not_count_as_measured(
    tmp_path: Path, genome: Genome, tracks: list[Track]
) -> None:
    empty = one_track(
        tmp_path, {name: np.full(size, np.nan, np.float32) for name, size in SIZES.items()}, missing="mask"
    )
    with pytest.raises(InputError, match=r"one\.bw: no value on the contigs"):
        Coverage([tracks[0], empty], genome, genome.contigs, 10).build()


# Contigs.


def test_contigs_that_some_bigwig_lacks_are_left_out_and_listed(
    tmp_path: Path, genome: Genome, tracks: list[Track]
) -> None:
    values = {name: some_values(SIZES[name], 5) for name in ("chr3", "chr1")}
    mine = [tracks[1], one_track(tmp_path, values)]
    coverage = Coverage(mine, genome, genome.contigs, 10)
    assert coverage.absent == ["chr2"]
    left = {name: SIZES[name] for name in ("chr1", "chr3")}
    assert coverage.contigs == left
    assert_right(coverage.values, mine, 10, left)


def test_a_contig_that_is_needed_is_not_left_out(tmp_path: Path, genome: Genome, tracks: list[Track]) -> None:
    lacking = one_track(tmp_path, {"chr1": some_values(SIZES["chr1"], 5)})
    with pytest.raises(InputError, match=r"one\.bw has no contig 'chr2', which is wanted; it has chr1") as error:
        Coverage([tracks[0], lacking], genome, genome.contigs, 10, required=["chr1", "chr2"])
    assert str(tmp_path) in str(error.value)
    assert Coverage([tracks[0], lacking], genome, genome.contigs, 10, required=["chr1"]).absent == ["chr2", "chr3"]


def test_a_bigwig_of_another_assembly_is_refused(tmp_path: Path, genome: Genome) -> None:
    other = one_track(tmp_path, {"1": some_values(SIZES["chr1"], 5), "2": some_values(1_499, 5)})
    with pytest.raises(InputError, match=r"one\.bw is of another assembly") as error:
        Coverage([other], genome, genome.contigs, 10)
    assert "2 has 1,499 bases there and 1,500 in the FASTA" in str(error.value)


def test_a_bigwig_of_other_contigs_is_refused(tmp_path: Path, genome: Genome) -> None:
    other = one_track(tmp_path, {"chr9": some_values(100, 5)})
    with pytest.raises(InputError, match=r"one\.bw has none of the genome's contigs chr1, chr2, chr3; it has chr9"):
        Coverage([other], genome, genome.contigs, 10)


def test_bigwigs_without_a_contig_in_common_are_refused(tmp_path: Path, genome: Genome) -> None:
    paths = [write_bigwig(tmp_path / name, {name: some_values(SIZES[name], 5)}) for name in ("chr1", "chr2")]
    with pytest.raises(InputError, match="no contig is in every bigWig; the genome has chr1, chr2, chr3"):
        Coverage([Track(path, path) for path in paths], genome, genome.contigs, 10)


@pytest.mark.parametrize("names", [("chrI", "chrII"), ("1", "2"), ("I", "II")])
@pytest.mark.parametrize("theirs", [("chrI", "chrII"), ("1", "2"), ("chr1", "chr2")])
def test_roman_and_arabic_names_are_matched_either_way(
    tmp_path: Path, names: tuple[str, str], theirs: tuple[str, str]
) -> None:
    genome = Genome(write_fasta(tmp_path / "genome.fa", {names[0]: "A" * 40, names[1]: "C" * 30}))
    values = {theirs[0]: np.full(40, 1, np.float32), theirs[1]: np.full(30, 2, np.float32)}
    coverage = Coverage([one_track(tmp_path, values)], genome, genome.contigs, 10)
    assert coverage.absent == []
    assert coverage.values.tolist() == [[1, 1, 1, 1, 2, 2, 2]]


# Values that cannot be.


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_infinite_values_are_refused(tmp_path: Path, genome: Genome, value: float) -> None:
    values = some_values(SIZES["chr2"], 5)
    values[700] = value
    track = one_track(tmp_path, {"chr2": values})
    with pytest.raises(InputError, match=r"one\.bw: infinite values between chr2:0 and 1500"):
        Coverage([track], genome, genome.contigs, 10).build()


def test_infinite_values_that_cancel_are_refused_too(tmp_path: Path, genome: Genome) -> None:
    values = some_values(SIZES["chr2"], 5)
    values[700:702] = math.inf, -math.inf
    track = one_track(tmp_path, {"chr2": values})
    with pytest.raises(InputError, match=r"one\.bw: infinite values between chr2:0 and 1500"):
        Coverage([track], genome, genome.contigs, 10).build()


def test_a_track_without_any_value_on_the_contigs_is_refused(tmp_path: Path, genome: Genome) -> None:
    values = {"chr1": some_values(SIZES["chr1"], 5), "chr2": np.full(SIZES["chr2"], np.nan, dtype=np.float32)}
    track = one_track(tmp_path, values, missing="mask")
    with pytest.raises(InputError, match=r"one\.bw: no value on the contigs chr2"):
        Coverage([track], genome, {"chr2": SIZES["chr2"]}, 10).build()


# Found again.


def test_it_is_found_again_without_reading(
    genome: Genome, tracks: list[Track], reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Coverage(tracks, genome, genome.contigs, 10)
    first.build()
    assert Counter(reads) == {f"{i}.bw": len(SIZES) for i in range(4)}

    def failing(*_: Any) -> None:
        raise AssertionError("it was read again")

    monkeypatch.setattr(BigWig, "blocks", failing)
    monkeypatch.setattr(Genome, "windows", failing)
    monkeypatch.setattr(Genome, "codes", failing)
    reopened = Coverage(tracks, Genome(genome.path), genome.contigs, 10)
    assert reopened.build() == first.folder
    np.testing.assert_array_equal(reopened.values, first.values)
    np.testing.assert_array_equal(reopened.observed, first.observed)
    assert reopened.facts() == first.facts()


def test_files_that_were_moved_are_the_same(tmp_path: Path, genome: Genome, tracks: list[Track]) -> None:
    moved = []
    for track in tracks:
        path = tmp_path / f"moved{Path(track.path).name}"
        shutil.copy2(track.path, path)  # with its time of change
        moved.append(replace(track, name=f"moved{track.name}", path=str(path), scale=3, clip=5, unit="another"))
    assert folder_of(moved, genome) == folder_of(tracks, genome)


def folder_of(tracks: list[Track], genome: Genome, bin_size: int = 10, contigs: Mapping[str, int] = SIZES) -> Path:
    return Coverage(tracks, genome, contigs, bin_size).folder


def test_whatever_changes_the_bins_gives_another_folder(tmp_path: Path, genome: Genome, tracks: list[Track]) -> None:
    other = Genome(write_fasta(tmp_path / "other.fa", {name: "A" * size for name, size in SIZES.items()}))
    folders = [
        folder_of(tracks, genome),
        folder_of(tracks, genome, bin_size=11),
        folder_of(tracks, genome, contigs={name: SIZES[name] for name in ("chr1", "chr2")}),
        folder_of(tracks, genome, contigs={name: SIZES[name] for name in reversed(SIZES)}),
        folder_of(tracks, other),
        folder_of(tracks[:3], genome),
        folder_of(tracks[::-1], genome),
        folder_of([replace(tracks[0], statistic="sum"), *tracks[1:]], genome),
        folder_of([replace(tracks[0], missing="mask"), *tracks[1:]], genome),
    ]
    assert len(set(folders)) == len(folders)


def test_another_content_under_the_same_path_is_another_map(tmp_path: Path, genome: Genome) -> None:
    values = np.full(SIZES["chr2"], 3, dtype=np.float32)
    track = one_track(tmp_path, {"chr2": values})
    before = Coverage([track], genome, genome.contigs, 10)
    assert set(before.values[0].tolist()) == {3.0}
    one_track(tmp_path, {"chr2": values + 2})
    after = Coverage([track], genome, genome.contigs, 10)
    assert after.folder != before.folder
    assert set(after.values[0].tolist()) == {5.0}
    assert set(before.values[0].tolist()) == {3.0}


def test_one_byte_of_a_bigwig_or_of_the_genome_makes_another_map(
    tmp_path: Path, genome: Genome, tracks: list[Track]
) -> None:
    before = folder_of(tracks, genome)
    raw = bytearray(Path(tracks[3].path).read_bytes())
    raw[len(raw) // 2] ^= 1
    (tmp_path / "other.bw").write_bytes(raw)
    assert folder_of([*tracks[:3], replace(tracks[3], path=str(tmp_path / "other.bw"))], genome) != before
    bases = bytearray(genome.path.read_bytes())
    bases[2_000] = ord("N")
    (tmp_path / "other.fa").write_bytes(bases)
    assert folder_of(tracks, Genome(tmp_path / "other.fa")) != before


# Stopped halfway, and by several at once.


def test_an_interrupted_one_goes_on_with_the_track_that_it_was_at(
    genome: Genome, tracks: list[Track], reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = BigWig.blocks

    def stopped(self: BigWig, contig: str, *arguments: Any) -> Iterator[Values]:
        found = blocks(self, contig, *arguments)
        if self.path.name == "1.bw" and contig == "2":  # its second contig: the first is in the map already
            raise KeyboardInterrupt
        return found

    mine = tracks[:3]
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(BigWig, "blocks", stopped)
        Coverage(mine, genome, genome.contigs, 10).build()
    assert {"0.bw", "1.bw"} <= set(reads)
    reads.clear()
    coverage = Coverage(mine, genome, genome.contigs, 10)
    assert_right(coverage.values, mine, 10)
    assert Counter(reads) == {"1.bw": len(SIZES), "2.bw": len(SIZES)}
    assert len(coverage.facts()) == 3
    assert coverage.observed.all()


def build_in_worker(coverage: Coverage, barrier: Any, log: str) -> None:
    """Build slowly, and note each track that is read."""
    read = Coverage._read

    def slow_read(self: Coverage, index: int) -> tuple[DoneTrack, Any]:
        with Path(log).open("a") as file:
            file.write(f"{index}\n")
        time.sleep(0.05)
        return read(self, index)

    Coverage._read = slow_read  # type: ignore[method-assign]  # this process is a fork
    barrier.wait(60)
    coverage.build()


def test_processes_that_build_at_once_make_one_right_map(
    tmp_path: Path, genome: Genome, tracks: list[Track], reads: list[str]
) -> None:
    context = multiprocessing.get_context("fork")
    coverage, barrier = Coverage(tracks, genome, genome.contigs, 10), context.Barrier(2)
    log = tmp_path / "log"
    workers = [context.Process(target=build_in_worker, args=(coverage, barrier, str(log))) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert sorted(log.read_text().split()) == ["0", "1", "2", "3"]
    assert_right(coverage.values, tracks, 10)
    assert reads == []  # in this process


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_make_the_same_map(genome: Genome, tracks: list[Track], workers: int) -> None:
    coverage = Coverage(tracks, genome, genome.contigs, 10, workers=workers)
    assert_right(coverage.values, tracks, 10)
    assert coverage.observed.all()
    facts = coverage.facts()
    assert [fact.missing for fact in facts] == [int(np.isnan(bases(track)).sum()) for track in tracks]


def test_what_a_worker_finds_wrong_is_said(tmp_path: Path, genome: Genome, tracks: list[Track]) -> None:
    values = some_values(SIZES["chr1"], 5)
    values[7] = math.inf
    wrong = one_track(tmp_path, {"chr1": values})
    with pytest.raises(InputError, match=r"^\S*one\.bw: infinite values between chr1:0 and 3007$"):
        Coverage([*tracks, wrong], genome, {"chr1": SIZES["chr1"]}, 10, workers=2).build()


def test_a_worker_that_the_system_ends_is_a_sentence(
    genome: Genome, tracks: list[Track], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BigWig, "blocks", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(InputError, match="was ended by the system: memory ran out, a file is damaged"):
        Coverage(tracks, genome, genome.contigs, 10, workers=2).build()


# Where it cannot be written.


def test_a_map_for_which_there_is_no_room_is_a_sentence(genome: Genome, tracks: list[Track]) -> None:
    coverage = Coverage(tracks, genome, genome.contigs, 1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(
            OutputError,
            match=r"could not be written: a file in \S+ may not become so large .*ZOO_CACHE",
        ):
            coverage.build()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert_right(coverage.values, tracks, 1)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_disk_that_fills_up_is_a_sentence_and_can_be_gone_on_with(
    genome: Genome, tracks: list[Track], reads: list[str], monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:

    def full(file: Any) -> None:
        if file.name.endswith("values.f32") and file.tell() > 4 * 3 * coverage.shape[1] - 4:  # behind the third track
            raise OSError(errno.ENOSPC, "No space left on device")
        _sync(file)

    coverage = Coverage(tracks, genome, genome.contigs, 10, workers=workers)
    with (
        monkeypatch.context() as patch,
        pytest.raises(OutputError, match=r"the disk of \S+ is full: .*ZOO_CACHE"),
    ):
        patch.setattr("zoo.data.tracks.coverage_folder._sync", full)
        coverage.build()
    assert multiprocessing.active_children() == []
    assert {path.name for path in coverage.folder.iterdir()} <= {
        *("values.f32", "sums.u32", "usable.u8", "done.json", ".values.f32.lock")
    }
    reads.clear()
    reopened = Coverage(tracks, genome, genome.contigs, 10)
    assert_right(reopened.values, tracks, 10)
    assert {"2.bw", "3.bw"} <= set(reads)
    assert "0.bw" not in reads


@pytest.mark.slow
def test_workers_end_with_their_parent(genome: Genome, tracks: list[Track], tmp_path: Path) -> None:
    """A parent that is killed leaves none behind."""
    script = """
import os, sys, time
from zoo.utils.parallel import mapped
def wait(number):
    open(f"{sys.argv[1]}/{os.getpid()}", "w").close()
    time.sleep(60)
with mapped(wait, range(8), 2) as found:
    list(found)
"""
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)]) as parent:
        wait_until(lambda: len(list(tmp_path.iterdir())) == 2)
        parent.kill()
    workers = [int(path.name) for path in tmp_path.iterdir()]
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))


def wait_until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_cache_that_cannot_be_made_is_a_sentence(
    tmp_path: Path, genome: Genome, tracks: list[Track], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(OutputError, match=r"could not be written: Not a directory: set ZOO_CACHE to"):
        Coverage(tracks, genome, genome.contigs, 10).build()


def test_a_map_of_another_size_is_made_anew(genome: Genome, tracks: list[Track]) -> None:
    coverage = Coverage(tracks, genome, genome.contigs, 10)
    path = coverage.build() / "values.f32"
    path.write_bytes(path.read_bytes()[:-4])
    assert_right(Coverage(tracks, genome, genome.contigs, 10).values, tracks, 10)


def test_it_survives_pickling_and_its_values_do_not_travel(genome: Genome, tracks: list[Track]) -> None:
    coverage = Coverage(tracks, genome, genome.contigs, 1)
    values = coverage.values
    packed = pickle.dumps(coverage)
    assert len(packed) < values.nbytes / 10
    reopened = pickle.loads(packed)
    np.testing.assert_array_equal(reopened.values, values)
    np.testing.assert_array_equal(reopened.observed, coverage.observed)
    assert (reopened.contigs, reopened.shape, reopened.folder) == (coverage.contigs, coverage.shape, coverage.folder)


def test_values_cannot_be_changed_by_who_reads_them(genome: Genome, tracks: list[Track]) -> None:
    with pytest.raises(ValueError, match="read-only"):
        Coverage(tracks, genome, genome.contigs, 10).values[0, 0] = 1


# Coarser bins of finer ones.


def test_bins_are_pooled_on_paper() -> None:
    nan = math.nan
    bins = np.array([1, 2, 3, 6, nan, 2, 3, 7, nan, nan, 5, 1, nan, nan, nan, nan], dtype=np.float32)
    tracks = [Track("mean", ""), Track("sum", "", statistic="sum")]
    found = pool_bins(np.tile(bins, (2, 3, 1)), 4, [track.statistic for track in tracks])
    assert found.dtype == np.float32
    # One of four that is not known counts as the mean of the others; where two are, nothing is known.
    np.testing.assert_array_equal(found[0], [[3, 4, nan, nan]] * 3)
    np.testing.assert_array_equal(found[1], [[12, 16, nan, nan]] * 3)
    odd = pool_bins(bins[None, None, :9], 3, [tracks[0].statistic])
    np.testing.assert_array_equal(odd[0, 0], [2, 4, 5])


def test_bins_without_gaps_are_pooled_to_what_a_coarser_coverage_has(genome: Genome, tmp_path: Path) -> None:
    values = {"chr2": np.random.default_rng(0).normal(size=SIZES["chr2"]).astype(np.float32)}
    tracks = [one_track(tmp_path, values, statistic=statistic) for statistic in ("mean", "sum")]
    fine, coarse = (Coverage(tracks, genome, genome.contigs, bin_size).values for bin_size in (5, 20))
    np.testing.assert_allclose(
        pool_bins(fine[:, None], 4, [track.statistic for track in tracks])[:, 0], coarse, rtol=1e-4, atol=1e-5
    )
