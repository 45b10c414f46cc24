"""A separate test set of peaks: sites of other files or of another table, on the same genome."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoo.data.peaks.build import build_peak_table
from zoo.data.peaks.module import PeakDataModule
from zoo.data.peaks.rules import PeakRules
from zoo.data.splits import SPLITS
from zoo.errors import ConfigError, InputError
from zoo.genome.fasta import Genome
from zoo.genome.sequence import decode

SIZES = {"chr1": 60_000, "chr2": 40_000}
LENGTH = 100
RULES = PeakRules(length=LENGTH, block_size=2_000, val_fraction=0.2)


@pytest.fixture(scope="module")
def fasta(tmp_path_factory: pytest.TempPathFactory) -> str:
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    path.write_text(
        "".join(f">{name}\n{decode(rng.integers(0, 4, size).astype(np.uint8))}\n" for name, size in SIZES.items())
    )
    return str(path)


def bed(path: Path, *starts: tuple[str, int]) -> str:
    path.write_text("".join(f"{contig}\t{start}\t{start + 20}\n" for contig, start in starts))
    return str(path)


TRAIN = [(contig, start) for contig in SIZES for start in range(1_000, 38_000, 700)]
TEST = [(contig, start + 350) for contig, start in TRAIN[::3]]


def split_sites(data: PeakDataModule) -> dict[str, list[tuple[str, int]]]:
    """First bases of the sites of each split that have a peak."""
    sites: dict[str, list[tuple[str, int]]] = {}
    for split in SPLITS:
        subset = data.subset(split)
        pairs = zip(
            subset.codes.contig.tolist(), subset.codes.start.tolist(), np.any(subset.labels, 1).tolist(), strict=True
        )
        sites[split] = sorted((list(SIZES)[contig], start) for contig, start, positive in pairs if positive)
    return sites


def site_of(contig: str, start: int) -> tuple[str, int]:
    """The site around a peak of 20 bases."""
    return contig, start + 10 - LENGTH // 2


def test_all_peaks_of_the_test_files_are_test_and_all_others_train_or_val(tmp_path: Path, fasta: str) -> None:
    train, test = bed(tmp_path / "a.bed", *TRAIN), bed(tmp_path / "b.bed", *TEST)
    data = PeakDataModule(fasta, peaks={"a": train}, test_peaks={"a": test}, rules=RULES)
    sites = split_sites(data)
    assert sites["test"] == sorted(site_of(*peak) for peak in TEST)
    # Those across a border between train and val are left out.
    assert set(sites["train"] + sites["val"]) <= {site_of(*peak) for peak in TRAIN}
    assert len(sites["train"] + sites["val"]) > 0.9 * len(TRAIN)
    assert sites["val"]
    # Each split has as many negatives as sites with peaks, and they touch no peak of either file.
    windows, labels = data.data.codes, data.data.labels
    negative = ~labels.any(1)
    assert abs(int(negative.sum()) - int((~negative).sum())) <= 4
    peaks = {(contig, start + shift) for contig, start in [*TRAIN, *TEST] for shift in range(20)}
    names = list(SIZES)
    for contig, start in zip(windows.contig[negative], windows.start[negative], strict=True):
        assert not {(names[contig], start + shift) for shift in range(LENGTH)} & peaks
    lines = data.describe()
    assert any(line.startswith(f"test_peaks: test: {2 * len(TEST)} sites, {len(TEST)} with a peak") for line in lines)
    assert PeakDataModule(fasta, peaks=train, test_peaks=[test], rules=RULES).targets == ["a"]  # one file needs no name


def test_test_peaks_that_overlap_training_peaks_are_a_leak(tmp_path: Path, fasta: str) -> None:
    train = bed(tmp_path / "a.bed", *TRAIN)
    test = bed(tmp_path / "b.bed", *TEST, (TRAIN[0][0], TRAIN[0][1] + 30))
    options: dict[str, Any] = {"peaks": {"a": train}, "test_peaks": {"a": test}, "rules": RULES}
    with pytest.raises(InputError, match="1 sites overlap one of another split"):
        _ = PeakDataModule(fasta, **options).data
    dropped = split_sites(PeakDataModule(fasta, on_leak="drop", **options))
    assert site_of(*TRAIN[0]) not in dropped["train"] + dropped["val"]
    assert site_of(TRAIN[0][0], TRAIN[0][1] + 30) in dropped["test"]


def test_a_test_table_is_the_same_as_a_table_by_split(tmp_path: Path, fasta: str) -> None:
    paths = {}
    for name, places in (("train", TRAIN), ("test", TEST)):
        rules = PeakRules(length=LENGTH, negatives=0, val=["chr2"], test=[])
        table, _ = build_peak_table({"a": bed(tmp_path / f"{name}.bed", *places)}, Genome(fasta), rules)
        paths[name] = str(tmp_path / f"{name}.tsv")
        table.write(paths[name])
    options: dict[str, Any] = {"shuffles": 1, "on_leak": "drop"}
    one = PeakDataModule(fasta, table=paths["train"], test_table=paths["test"], **options)
    other = PeakDataModule(fasta, table=paths, **options)
    assert split_sites(one) == split_sites(other)
    assert len(split_sites(one)["test"]) == len(TEST)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"table": "t.tsv", "test_peaks": "b.bed"}, "test_peaks goes with training data of its form: give `peaks` too"),
        ({"peaks": ["a.bed"], "test_table": "t.tsv"}, "give `table` too"),
        ({"table": {"train": "a", "test": "b"}, "test_table": "t.tsv"}, "given twice"),
    ],
)
def test_a_test_set_of_another_form_is_refused(fasta: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        PeakDataModule(fasta, **options)


def test_other_targets_and_a_second_test_set_are_refused(tmp_path: Path, fasta: str) -> None:
    a, b = bed(tmp_path / "a.bed", *TRAIN), bed(tmp_path / "b.bed", *TEST)
    with pytest.raises(ConfigError, match="test_peaks has the targets a, c, and peaks a, b: name each file"):
        PeakDataModule(fasta, peaks={"a": a, "b": b}, test_peaks={"a": a, "c": b}).spec()
    with pytest.raises(ConfigError, match=r"test_peaks and rules\.test both name the test data"):
        PeakDataModule(fasta, peaks=[a], test_peaks=[b], rules=PeakRules(val=["chr1"], test=["chr2"])).spec()
