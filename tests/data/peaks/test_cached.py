"""The cache of tables of peaks: each input alone, when it changes, gives the table that is built of it."""

import shutil
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.cached import assert_made_of

from zoo.data.peaks.build import build_peak_table
from zoo.data.peaks.cached import cached_peak_table
from zoo.data.peaks.rules import PeakRules
from zoo.formats.peaks import name_peak_files
from zoo.genome.fasta import Genome
from zoo.genome.sequence import decode

SIZES = {"chr1": 60_000, "chr2": 40_000, "chr3": 20_000}
RULES = PeakRules(length=100, block_size=1_000, negatives=0.5)
NAMED = replace(RULES, val=["chr2"], test=["chr3"])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A genome with N and lower-case letters, two peak files, regions for a blacklist and a split."""
    rng = np.random.default_rng(0)
    with (tmp_path / "genome.fa").open("w") as file:
        for name, size in SIZES.items():
            letters = decode(rng.integers(0, 4, size).astype(np.uint8))
            letters = "".join(  # of every 3,000 bases 40 are N and 60 in lower case
                letters[i : i + 1_000]
                + "N" * 40
                + letters[i + 1_040 : i + 1_100].lower()
                + letters[i + 1_100 : i + 3_000]
                for i in range(0, size, 3_000)
            )[:size]
            file.write(f">{name}\n{letters}\n")
    # Whole numbers in columns 7 to 9: narrowPeak if it is called so.
    rows = [
        f"{name}\t{start}\t{start + 600}\tp\t0\t.\t7\t5\t3\t50\n"
        for name, size in SIZES.items()
        for start in range(770, size - 700, 1_000)
    ]
    (tmp_path / "a.bed").write_text("".join(rows))
    starts = [*range(750, 59_000, 1_000), 10_570]  # some masked, one that overlaps a peak of a by half
    (tmp_path / "b.bed").write_text("".join(f"chr1\t{start}\t{start + 600}\n" for start in starts))
    (tmp_path / "regions.bed").write_text("chr1\t0\t20000\n")
    (tmp_path / "blacklist.bed").write_text("chr1\t0\t3000\n")
    return tmp_path


def table(home: Path, rules: PeakRules = RULES, files: list[str] | None = None) -> list[Any]:
    """The table of the cache, all of it, as values that can be compared."""
    named = {name: str(home / path) for name, path in (file.split("=") for file in files or ["a=a.bed", "b=b.bed"])}
    made, report = cached_peak_table(named, Genome(home / "genome.fa"), rules)
    columns = [getattr(made, name).tolist() for name in ("contig", "start", "labels", "split")]
    return [made.targets, made.contigs, made.length, *columns, report]


def test_a_file_that_is_renamed_to_narrow_peak_is_read_anew(home: Path) -> None:
    rules = PeakRules(length=200, val=["chr2"], test=["chr3"], negatives=0)
    genome = Genome(home / "genome.fa")
    before, _ = cached_peak_table(name_peak_files([str(home / "a.bed")]), genome, rules)
    assert before.start[:2].tolist() == [770 + 300 - 100, 1_770 + 300 - 100]  # on middles
    (home / "a.bed").rename(home / "a.narrowPeak")
    files = name_peak_files([str(home / "a.narrowPeak")])
    after, lines = cached_peak_table(files, genome, rules)
    assert after.start[:2].tolist() == [770 + 50 - 100, 1_770 + 50 - 100]  # on summits
    built, report = build_peak_table(files, genome, rules)
    assert (after.start.tolist(), lines) == (built.start.tolist(), report.lines)


# Each rule: before, and what it is changed to.
CHANGED_RULES: dict[str, tuple[PeakRules, Any]] = {
    "length": (RULES, 120),
    "merge_overlap": (RULES, 90),
    "summits": (RULES, False),
    "blacklist": (RULES, "blacklist.bed"),
    "min_unmasked": (RULES, 1.0),
    "soft_masked": (RULES, True),
    "negatives": (RULES, 1.0),
    "val": (NAMED, ["chr1"]),
    "test": (NAMED, ["chr1"]),
    "block_size": (RULES, 3_000),
    "val_fraction": (RULES, 0.3),
    "test_fraction": (RULES, 0.3),
    "split_seed": (RULES, 1),
}


def test_all_rules_are_changed() -> None:
    assert set(CHANGED_RULES) == {field.name for field in fields(PeakRules)}


@pytest.mark.parametrize("name", CHANGED_RULES)
def test_another_rule_gives_another_table(name: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    rules, value = CHANGED_RULES[name]
    files = ["a=a.narrowPeak", "b=b.bed"]
    (home / "a.bed").rename(home / "a.narrowPeak")
    assert_made_of(lambda: table(home, rules, files), lambda: table(home, replace(rules, **{name: value}), files), home)


@pytest.mark.parametrize("file", ["a.bed", "blacklist.bed", "regions.bed", "genome.fa"])
def test_other_content_of_a_file_gives_another_table(file: str, home: Path) -> None:
    rules = replace(RULES, blacklist=str(home / "blacklist.bed"), val=[str(home / "regions.bed")], test=["chr3"])

    contents = {
        "a.bed": "".join(f"{name}\t2000\t2600\n" for name in SIZES),
        "genome.fa": (home / "genome.fa").read_text().replace("N" * 40, "N" * 60),
    }

    def after() -> list[Any]:
        (home / file).write_text(contents.get(file, "chr1\t30000\t40000\n"))
        return table(home, rules)

    assert_made_of(lambda: table(home, rules), after, home)


@pytest.mark.parametrize(
    "files",
    [
        ["a=a.bed"],
        ["a=a.bed", "c=b.bed"],
        ["b=b.bed", "a=a.bed"],
        ["a=b.bed", "b=a.bed"],
        ["a=a.narrowPeak", "b=b.bed"],
    ],
)
def test_other_files_or_names_give_another_table(files: list[str], home: Path) -> None:
    shutil.copy(home / "a.bed", home / "a.narrowPeak")
    assert_made_of(lambda: table(home, NAMED), lambda: table(home, NAMED, files), home)
