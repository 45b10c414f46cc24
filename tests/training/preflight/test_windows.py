"""Preflight of tracks and contacts: counts as training has them, without binning a file, and all problems at once."""

from pathlib import Path

import cooler
import numpy as np
import pandas as pd
import pyBigWig
import pytest
from made.contacts import bins_of
from made.preflight import checked, details

from zoo.data.contacts import ContactDataModule
from zoo.data.contacts.maps import MapRules
from zoo.data.genome_split import SplitRules
from zoo.data.splits import SPLITS
from zoo.data.tracks import TrackDataModule
from zoo.genome.sequence import decode
from zoo.utils.download import cache_folder

SIZES = {"chr1": 40_960, "chr2": 20_480, "chr3": 20_480}
TRUNK = "{stem_filters: 4, stem_pool: 4, tower_filters: [4], tower_pools: [4], residual_filters: 4, dilations: [1]}"
BASENJI = f"""name: basenji.x
model: {{class_path: zoo.models.basenji.Basenji, init_args: {{trunk: {TRUNK}, head_filters: 4}}}}"""
AKITA = f"""name: akita.x
model: {{class_path: zoo.models.akita.Akita, init_args: {{trunk: {TRUNK}}}}}"""
HELD_OUT = SplitRules(val=["chr2"], test=["chr3"])
PLAIN = MapRules(least_count=0)  # without coarse-graining, which takes seconds
SPLIT = "split: {val: [chr2], test: [chr3]}"
TRACKS = """data:
  class_path: zoo.data.tracks.TrackDataModule
  init_args: {genome: genome.fa, targets_table: t.tsv, length: 1024, bin_size: 16, crop: 0, %s, batch_size: 4%s}"""
CONTACTS = """data:
  class_path: zoo.data.contacts.ContactDataModule
  init_args: {genome: genome.fa, coolers: {%s}, length: 1024, crop: 4, %s%s}"""


@pytest.fixture(autouse=True)
def _genome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    codes = {name: rng.integers(0, 4, size).astype(np.uint8) for name, size in SIZES.items()}
    codes["chr1"][:5_120] = 4  # the first five windows of 1,024
    codes["chr2"][:256] = 4  # a quarter of the first window
    Path("genome.fa").write_text("".join(f">{name}\n{decode(one)}\n" for name, one in codes.items()))


def write_bigwig(path: str, sizes: dict[str, int], constant: tuple[str, ...] = (), factor: float = 1.0) -> None:
    with pyBigWig.open(path, "w") as file:
        file.addHeader(list(sizes.items()))
        for name, size in sizes.items():
            values = factor * (np.arange(size // 16) % 7 if name not in constant else np.ones(size // 16))
            file.addEntries(name, 0, values=values.astype(float), span=16, step=16)


def write_tracks(*names: str) -> None:
    Path("t.tsv").write_text("name\tpath\n" + "".join(f"{name}\t{name}.bw\n" for name in names))


def test_tracks_in_order_are_counted_as_training_counts_them() -> None:
    write_bigwig("one.bw", {"1": 40_960, "2": 20_480, "3": 20_480})  # named otherwise
    write_tracks("one")
    report = checked(BASENJI, TRACKS % (SPLIT, ""))
    assert report.count("error") == report.count("warning") == 0
    # 40 windows of 1,024 bases in chr1, of which five are N alone.
    assert report.facts["splits"] == {"train": 35, "val": 20, "test": 20}
    assert "5 windows dropped: over 50% of their bins are masked (5 of them completely)" in details(report, "ok")
    # 320 bins of chr1 and 16 of chr2 are N; of 20 windows in chr2, 256 bases of 20,480.
    assert "336 of 5,120 bins are masked: blacklisted, N, or without a value" in details(report, "ok")
    assert report.facts["fraction_unknown"] == {"train": 0.0, "val": 0.0125, "test": 0.0}
    assert report.facts["cache_bytes"] == 4 * 5_120
    assert report.facts["steps"]["batches"] == 8
    assert not (cache_folder() / "coverage").exists()
    data = TrackDataModule("genome.fa", "t.tsv", length=1024, bin_size=16, split=HELD_OUT, batch_size=4)
    data.prepare_data()
    assert {split: len(data.tiles(split)) for split in SPLITS} == report.facts["splits"]
    assert len(data.train_dataloader()) == 8
    assert checked(BASENJI, TRACKS % (SPLIT, "")).facts["cache_bytes"] == 0  # binned now


def test_many_masked_windows_and_left_out_contigs_are_warned_of() -> None:
    write_bigwig("one.bw", {"chr1": 40_960, "chr2": 20_480})
    write_tracks("one")
    Path("mask.bed").write_text("chr1\t5120\t20480\n")
    report = checked(BASENJI, TRACKS % ("split: {test: [chr2], block_size: 2048}", ", blacklist: [mask.bed]"))
    warnings = details(report, "warning")
    assert "1 contigs left out, which some bigWig does not have: chr3: 25.0% of the bases" in warnings
    assert any(one.startswith("20 windows dropped") and one.endswith("of 60") for one in warnings)


def test_targets_that_do_not_vary_are_named_by_split() -> None:
    write_bigwig("flat.bw", SIZES, constant=("chr2",))
    write_bigwig("ramp.bw", SIZES)
    write_bigwig("still.bw", SIZES, constant=("chr1", "chr2", "chr3"))
    write_tracks("flat", "ramp")
    report = checked(BASENJI, TRACKS % (SPLIT, ""))
    assert report.count("error") == 0
    assert report.facts["constant_targets"] == {"train": [], "val": ["flat"], "test": []}
    write_tracks("flat", "ramp", "still")
    report = checked(BASENJI, TRACKS % (SPLIT, ""))
    (error,) = details(report, "error")
    assert error.startswith("the target 'still' has the same value everywhere (1) in the train split")
    assert report.facts["constant_targets"]["val"] == ["flat", "still"]


def test_each_bigwig_that_does_not_fit_is_named() -> None:
    write_bigwig("good.bw", SIZES)
    write_bigwig("other.bw", {**SIZES, "chr2": 20_000})
    write_bigwig("lacking.bw", {"chr1": 40_960, "chr2": 20_480})
    Path("cut.bw").write_bytes(Path("good.bw").read_bytes()[:-100])
    write_tracks("good", "other", "lacking", "cut")
    report = checked(BASENJI, TRACKS % (SPLIT, ", blacklist: [gone.bed]"))
    errors = details(report, "error")
    assert len(errors) == 4, errors
    assert any("other.bw is of another assembly" in one and "20,000" in one for one in errors)
    assert any("lacking.bw has no contig 'chr3'" in one for one in errors)
    assert any("cut.bw was cut off" in one for one in errors)
    assert any("gone.bed: no such file" in one for one in errors)


def test_negative_values_and_a_model_of_other_bins_are_refused_together() -> None:
    write_bigwig("minus.bw", SIZES, factor=-1.0)
    write_tracks("minus")
    report = checked(BASENJI, TRACKS % (SPLIT, ""), "--model.trunk.tower_pools", "[2]")
    errors = details(report, "error")
    assert len(errors) == 2, errors
    assert any("the model's bins have 8 bases, the data's 16" in one for one in errors)
    assert any("'minus' has negative values" in one for one in errors)


def test_tracks_without_values_are_masked_where_the_table_says_so() -> None:
    with pyBigWig.open("some.bw", "w") as file:
        file.addHeader(list(SIZES.items()))
        file.addEntries("chr1", 5_120, values=(np.arange(1_000) % 7).astype(float), span=16, step=16)
        file.addEntries("chr2", 0, values=(np.arange(1_280) % 7).astype(float), span=16, step=16)
        file.addEntries("chr3", 0, values=(np.arange(1_280) % 7).astype(float), span=16, step=16)
    Path("t.tsv").write_text("name\tpath\tmissing\nsome\tsome.bw\tmask\n")
    report = checked(BASENJI, TRACKS % (SPLIT, ""))
    data = TrackDataModule("genome.fa", "t.tsv", length=1024, bin_size=16, split=HELD_OUT)
    data.prepare_data()
    # 16,000 bases of chr1 have values: 15.6 windows.
    assert report.facts["splits"] == {"train": 16, "val": 20, "test": 20}
    assert {split: len(data.tiles(split)) for split in SPLITS} == report.facts["splits"]


def write_cooler(
    path: str, sizes: dict[str, int], size: int = 16, empty: str = "", weights: bool = True, masked: int = 0
) -> None:
    bins = bins_of(sizes, size)
    if weights:
        bins["weight"] = np.where(np.arange(len(bins)) < masked, np.nan, 1.0)
    row = np.repeat(np.arange(len(bins)), 8)
    column = row + np.tile(np.arange(8), len(bins))
    inside = column < len(bins)
    row, column = row[inside], column[inside]
    same = (bins["chrom"].to_numpy()[row] == bins["chrom"].to_numpy()[column]) & (
        bins["chrom"].to_numpy()[row] != empty
    )
    count = 1 + (row + column) % 5
    cooler.create_cooler(
        path, bins, pd.DataFrame({"bin1_id": row, "bin2_id": column, "count": count})[same], ordered=True
    )


@pytest.mark.slow
def test_contacts_in_order_are_counted_as_training_counts_them() -> None:
    write_cooler("one.cool", SIZES, masked=1_000)
    report = checked(AKITA, CONTACTS % ("one: one.cool", SPLIT, ""), "--model.crop_bins", "4")
    assert "crop_bins follows from the data" in details(report, "error")[0]
    report = checked(AKITA, CONTACTS % ("one: one.cool", SPLIT, ""))
    assert report.count("error") == 0
    data = ContactDataModule("genome.fa", {"one": "one.cool"}, 1024, 4, split=HELD_OUT, maps=PLAIN)
    data.prepare_data()
    assert {split: len(data.tiles(split)) for split in SPLITS} == report.facts["splits"]
    # 2,560 bins of chr1, of which the first 1,000 are masked; windows of 56 predicted bins from bin 0 on: the first 17
    # are masked completely, number 17 to 48 of its 56 bins.
    assert "18 windows dropped: over 50% of their bins are masked (17 of them completely)" in str(report.findings)
    assert "1,000 of 5,120 bins are masked: blacklisted, N, or without a value" in details(report, "ok")


def test_each_cooler_that_does_not_fit_is_named() -> None:
    write_cooler("good.cool", SIZES, empty="chr3")
    write_cooler("coarse.cool", SIZES, size=32)
    write_cooler("other.cool", {**SIZES, "chr2": 40_000})
    write_cooler("raw.cool", SIZES, weights=False)
    Path("cut.cool").write_bytes(Path("good.cool").read_bytes()[:5_000])
    coolers = ", ".join(f"{name}: {name}.cool" for name in ("good", "coarse", "other", "raw", "cut"))
    report = checked(AKITA, CONTACTS % (coolers, SPLIT, ""))
    errors = details(report, "error")
    assert any("other.cool is of another assembly" in one for one in errors)
    assert any("raw.cool is not balanced" in one for one in errors)
    assert any("cut.cool is no cooler file that can be read" in one for one in errors)
    assert "bins of several sizes: 16 bases (good, other, raw), 32 bases (coarse)" in errors


def test_a_split_without_contacts_cannot_be_scored() -> None:
    write_cooler("good.cool", SIZES)
    write_cooler("empty.cool", SIZES, empty="chr3")
    report = checked(AKITA, CONTACTS % ("good: good.cool, empty: empty.cool", SPLIT, ""))
    assert report.facts["constant_targets"] == {"train": [], "val": [], "test": ["empty"]}
    report = checked(AKITA, CONTACTS % ("empty: empty.cool", SPLIT, ""))
    assert any("has no value in the test split: nothing can be scored" in one for one in details(report, "error"))


def test_windows_longer_than_the_contigs_are_refused_with_what_fits() -> None:
    write_bigwig("one.bw", SIZES)
    write_tracks("one")
    report = checked(BASENJI, TRACKS % (SPLIT, ""), "--data.length", "65536")
    assert any("--data.length" in one for one in details(report, "error", "windows"))


def test_bigwigs_without_a_table_and_a_damaged_block_among_them() -> None:
    write_bigwig("good.bw", SIZES)
    content = bytearray(Path("good.bw").read_bytes())
    start = content.index(b"x\x9c")  # the first packed block
    content[start + 20 : start + 40] = bytes(20)
    Path("bad.bw").write_bytes(content)
    data = TRACKS.replace("targets_table: t.tsv", "bigwigs: {good: good.bw, bad: bad.bw}")
    report = checked(BASENJI, data % (SPLIT, ""))
    (error,) = details(report, "error")
    assert error.startswith("bad.bw: the values of chr1:")
    assert report.facts["constant_targets"]["train"] == []
