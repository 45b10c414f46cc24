"""A case for every argument of `zoo data`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from commands.desk import Desk, case
from made.models import CONTIGS

from zoo.datasets.sources import files_of


@case("name", "data get")
def name_is_the_data_set_that_is_fetched(desk: Desk) -> None:
    fetched: list[Any] = []

    def fetch(file: Any, progress: bool) -> Path:
        fetched.append(file)
        return Path("fetched")

    desk.monkeypatch.setattr("zoo.utils.download.fetch", fetch)
    desk.run("data", "get", "promoters")
    assert fetched == list(files_of("promoters"))


def peaks(desk: Desk, *options: str, source: str = "--genome", refused: bool = False) -> Any:
    """Rows of a table of made peaks: contig, start, end, split, labels; or the sentence of a refusal."""
    rng = np.random.default_rng(1)
    for name in ("one", "two"):
        rows = []
        for contig, length in (("chr1", 5_003), ("chr2", 1_280), ("chr4", 2_000)):
            rows += [
                f"{contig}\t{start}\t{start + 100}\tp\t0\t.\t1\t-1\t-1\t10\n"
                for start in rng.integers(0, length - 120, 8)
            ]
        Path(f"{name}.narrowPeak").write_text("".join(rows))
    Path("sizes").write_text("".join(f"{name}\t{length}\n" for name, length in CONTIGS.items()))
    words = ["data", "peaks", "one.narrowPeak", "two.narrowPeak", "--length", "100", "--block-size", "400"]
    if any(option in options for option in ("--length", "--block-size", "--val")):
        words = words[:4] + [w for i in (4, 6) for w in words[i : i + 2] if words[i] not in options]
        if "--val" in options and "--block-size" in words:
            del words[words.index("--block-size") : words.index("--block-size") + 2]
    words += [source, str(desk.made.genome) if source == "--genome" else "sizes", *options]
    if source == "--genome" and "--negatives" not in options:
        words += ["--negatives", "0"]
    if refused:
        return desk.refused(*words, "-o", "-")
    return [line.split("\t") for line in desk.run(*words, "-o", "-").splitlines()]


@case("files", "data peaks")
def files_are_the_targets(desk: Desk) -> None:
    header, *rows = peaks(desk)
    assert header[-2:] == ["one", "two"]
    assert {row[-1] for row in rows} == {row[-2] for row in rows} == {"0", "1"}


@case("--output", "data peaks")
def output_is_the_table(desk: Desk) -> None:
    rows = peaks(desk)
    options = ["one.narrowPeak", "two.narrowPeak", "--length", "100", "--block-size", "400", "--negatives", "0"]
    desk.run("data", "peaks", *options, "--genome", str(desk.made.genome), "-o", "table.tsv")
    assert [line.split("\t") for line in Path("table.tsv").read_text().splitlines()] == rows


@case("--genome", "data peaks")
def genome_gives_the_bases(desk: Desk) -> None:
    peaks(desk)
    options = ["one.narrowPeak", "--length", "100", "-o", "-"]
    assert "nothing.fa: no such file" in desk.refused("data", "peaks", *options, "--genome", "nothing.fa")
    err = desk.refused("data", "peaks", *options, "--genome", str(desk.made.genome), "--contig-lengths", "sizes")
    assert "--contig-lengths" in err


@case("--contig-lengths", "data peaks")
def contig_lengths_do_without_bases(desk: Desk) -> None:
    assert peaks(desk, source="--contig-lengths") == peaks(desk)
    for options in (["--min-unmasked", "0.5"], ["--soft-masked"], ["--negatives", "1"]):
        assert "lengths" in peaks(desk, *options, source="--contig-lengths", refused=True)


@case("--length", "data peaks")
def length_is_that_of_every_site(desk: Desk) -> None:
    assert {int(row[2]) - int(row[1]) for row in peaks(desk, "--length", "60")[1:]} == {60}


@case("--merge-overlap", "data peaks")
def merge_overlap_decides_which_peaks_are_one_site(desk: Desk) -> None:
    assert len(peaks(desk, "--merge-overlap", "1")) < len(peaks(desk)) < len(peaks(desk, "--merge-overlap", "100"))


@case("--middles", "data peaks")
def middles_are_not_summits(desk: Desk) -> None:
    ours, theirs = peaks(desk, "--middles", "--merge-overlap", "100"), peaks(desk, "--merge-overlap", "100")
    assert {row[1] for row in ours} != {row[1] for row in theirs}


@case("--blacklist", "data peaks")
def blacklist_removes_sites(desk: Desk) -> None:
    Path("black.bed").write_text("chr1\t0\t5003\n")
    assert {row[0] for row in peaks(desk, "--blacklist", "black.bed")[1:]} == {"chr2", "chr4"}


def masked(desk: Desk, letters: Callable[[str], str]) -> None:
    """Mask the first half of chr1."""
    lines = desk.made.genome.read_text().splitlines()
    lines[1] = letters(lines[1][:2_500]) + lines[1][2_500:]
    Path("masked.fa").write_text("\n".join(lines) + "\n")
    desk.made = desk.made._replace(genome=Path("masked.fa"))


@case("--min-unmasked", "data peaks")
def min_unmasked_removes_sites(desk: Desk) -> None:
    masked(desk, lambda bases: "N" * len(bases))
    first = [min(int(row[1]) for row in peaks(desk, "--min-unmasked", share)[1:] if row[0] == "chr1") for share in "01"]
    assert first[0] < 2_400 < 2_500 <= first[1]


@case("--soft-masked", "data peaks")
def soft_masked_letters_count_as_masked(desk: Desk) -> None:
    masked(desk, str.lower)
    assert len(peaks(desk, "--soft-masked")) < len(peaks(desk))


def splits(rows: list[list[str]]) -> dict[str, set[str]]:
    column = rows[0].index("split")
    return {split: {row[0] for row in rows[1:] if row[column] == split} for split in ("train", "val", "test")}


@case("--val", "data peaks")
def val_contigs_are_for_validation(desk: Desk) -> None:
    assert splits(peaks(desk, "--val", "chr2", "--test", "chr4")) == {
        "train": {"chr1"}, "val": {"chr2"}, "test": {"chr4"}
    }  # fmt: skip
    assert "`test` as well" in peaks(desk, "--val", "chr2", refused=True)


@case("--test", "data peaks")
def test_contigs_are_for_the_test(desk: Desk) -> None:
    assert splits(peaks(desk, "--test", "chr2", "--val", "chr4"))["test"] == {"chr2"}
    # Alone it leaves random blocks for validation; a BED file names regions.
    Path("test.bed").write_text("chr2\t0\t1280\nchr1\t0\t2000\n")
    found = splits(peaks(desk, "--test", "test.bed", "--val-fraction", "0.3"))
    assert (found["test"], found["train"]) == ({"chr1", "chr2"}, {"chr1", "chr4"})
    assert found["val"] <= {"chr1", "chr4"} and found["val"]
    err = peaks(desk, "--test", "test.bed", "--test-fraction", "0.1", refused=True)
    assert "--test-fraction is for random blocks" in err
    for option in ("--block-size", "--val-fraction", "--test-fraction", "--split-seed"):
        err = peaks(desk, "--test", "chr2", "--val", "chr4", option, "0", refused=True)
        assert f"{option} is for random blocks" in err


@case("--block-size", "data peaks")
def block_size_is_that_of_the_splits(desk: Desk) -> None:
    assert {row[3] for row in peaks(desk, "--block-size", "100000")[1:]} != set()
    assert len(peaks(desk, "--block-size", "100")) < len(peaks(desk)) < len(peaks(desk, "--block-size", "100000"))


def share_of(rows: list[list[str]], split: str) -> float:
    column = rows[0].index("split")
    return float(np.mean([row[column] == split for row in rows[1:]]))


@case("--val-fraction", "data peaks")
def val_fraction_is_the_share_of_validation(desk: Desk) -> None:
    assert share_of(peaks(desk, "--val-fraction", "0.6"), "val") > share_of(peaks(desk), "val") + 0.2


@case("--test-fraction", "data peaks")
def test_fraction_is_the_share_of_the_test(desk: Desk) -> None:
    assert share_of(peaks(desk, "--test-fraction", "0.6"), "test") > share_of(peaks(desk), "test") + 0.2


@case("--negatives", "data peaks")
def negatives_are_rows_without_a_peak(desk: Desk) -> None:
    assert not [row for row in peaks(desk)[1:] if row[-2:] == ["0", "0"]]
    assert [row for row in peaks(desk, "--negatives", "0.5")[1:] if row[-2:] == ["0", "0"]]


@case("--split-seed", "data peaks")
def split_seed_deals_the_blocks(desk: Desk) -> None:
    options = ["--test-fraction", "0.4"]
    assert peaks(desk, *options, "--split-seed", "1") != peaks(desk, *options)
