"""Preflight of labelled sequences: values that can be computed on paper, and all problems in one report."""

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from made.preflight import REST, checked, details

from zoo.genome.sequence import decode
from zoo.training.preflight.report import Report

LENGTH = 40
RNG = np.random.default_rng(0)
TEXTS = [decode(RNG.integers(0, 4, LENGTH).astype(np.uint8)) for _ in range(400)]
MODEL = "name: mlp.x\nmodel: {class_path: zoo.models.mlp.MLP, init_args: {hidden: [4]}}"
SEQUENCES = "data: {class_path: zoo.data.sequences.SequenceDataModule, init_args: {%s}}"
PEAKS = "data: {class_path: zoo.data.peaks.PeakDataModule, init_args: {%s}}"
TABLE = "table: t.tsv, label_columns: [a, b], split_column: split, batch_size: 32"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def check(data: str, arguments: str, *options: str) -> Report:
    return checked(MODEL, data % arguments, *options)


def write_table(path: str, rows: Sequence[tuple[object, ...]], header: str = "sequence\ta\tb\tsplit") -> None:
    Path(path).write_text("\n".join([header, *("\t".join(map(str, row)) for row in rows)]) + "\n")


def rows_of(counts: dict[str, int], positives: dict[str, int]) -> list[tuple[object, ...]]:
    """Distinct sequences of each split, of which the first few are positive for `a`, and every other for `b`."""
    texts = iter(TEXTS)
    return [
        (next(texts), int(index < positives[split]), index % 2, split)
        for split, count in counts.items()
        for index in range(count)
    ]


def test_a_table_in_order(tmp_path: Path) -> None:
    rows = rows_of({"train": 100, "val": 60, "test": 50}, {"train": 25, "val": 12, "test": 20})
    rows[0] = ("N" * 10 + str(rows[0][0])[10:], *rows[0][1:])  # 10 of 100 x 40 bases
    write_table("t.tsv", rows)
    report = check(SEQUENCES, TABLE)
    assert report.count("error") == report.count("warning") == report.exit_code(strict=True) == 0
    assert report.facts["splits"] == {"train": 100, "val": 60, "test": 50}
    assert report.facts["fraction_unknown"] == {"train": 0.0025, "val": 0.0, "test": 0.0}
    assert report.facts["targets"]["val"] == {
        "a": {"positives": 12, "negatives": 48},
        "b": {"positives": 30, "negatives": 30},
    }
    assert details(report, "ok", "classes")[0] == "train: 25.00% positive (a: 25) to 50.00% (b: 50)"
    steps = report.facts["steps"]
    assert (steps["batches"], steps["total"], steps["val"], steps["test"]) == (3, 9, 2, 2)
    assert "3 steps per epoch: 3 batches of 32, 4 left out of each epoch; at most 9 steps in 3 epochs" in details(
        report, "ok", "steps"
    )


def test_copies_conflicts_and_near_duplicates_are_counted() -> None:
    rows = rows_of({"train": 100, "val": 60, "test": 60}, {"train": 30, "val": 20, "test": 20})
    rows[50] = (rows[0][0], 0, 0, "train")  # a copy of a positive, labelled 0
    rows[51] = (rows[1][0], rows[1][1], rows[1][2], "train")
    rows[100] = (str(rows[2][0])[:30] + str(rows[100][0])[:10], *rows[100][1:])  # val shares 30 bases with train
    write_table("t.tsv", rows)
    report = check(SEQUENCES, TABLE)
    assert report.facts["duplicates"] == 2
    assert report.facts["near_duplicates"] == 1
    assert details(report, "warning") == [
        "1 group of identical sequences has both labels of a target",
        "1 of 120 held-out sequences share 24 bases with one of an earlier split, directly or through others",
    ]
    assert report.exit_code() == 0
    assert report.exit_code(strict=True) == 2


def test_all_problems_of_a_table_are_in_one_report() -> None:
    rows = rows_of({"train": 60, "val": 60, "test": 60}, {"train": 5, "val": 60, "test": 20})
    rows = [(text, a, 1 if split == "train" else b, split) for text, a, b, split in rows]
    rows[60] = (rows[0][0], *rows[60][1:])  # a leak
    write_table("t.tsv", rows)
    report = check(
        SEQUENCES,
        TABLE,
        *("--param_groups.rates", "{nothing: 0.1}", "--monitor", "val_nothing"),
    )
    errors = details(report, "error")
    assert len(errors) == 4
    assert any("no parameter begins with 'nothing'" in one for one in errors)
    assert any("there is no metric 'val_nothing'" in one for one in errors)
    assert any("1 groups of identical sequences are in more than one split" in one for one in errors)
    assert any("the target 'b' has the same value everywhere (1) in the train split" in one for one in errors)
    warnings = details(report, "warning")
    assert "val: not scored, for want of two different values: 1 of 2 targets (a)" in warnings
    assert "train: fewer than 10 of a class of a (5 positives, 55 negatives)" in warnings


@pytest.mark.parametrize(("on_leak", "treated"), [("drop", "they are dropped"), ("warn", "they are kept")])
def test_a_leak_that_is_dealt_with_is_a_warning(on_leak: str, treated: str) -> None:
    rows = rows_of({"train": 60, "val": 60, "test": 60}, {"train": 20, "val": 20, "test": 20})
    rows[60] = (rows[0][0], *rows[60][1:])
    write_table("t.tsv", rows)
    report = check(SEQUENCES, f"{TABLE}, on_leak: {on_leak}")
    assert report.count("error") == 0
    assert any(treated in one for one in details(report, "warning", "leaks"))
    assert report.facts["splits"]["train"] == (59 if on_leak == "drop" else 60)


def test_each_file_of_several_is_read_alone() -> None:
    Path("short.fa").write_text(">a\nACGT\n>b\nACG\n")
    Path("letters.fa").write_text(f">a\n{TEXTS[0]}\n>b\nACGZ\n")
    Path("good.fa").write_text("".join(f">{text}\n{text}\n" for text in TEXTS[:70]))
    report = check(SEQUENCES, "fasta: {s: short.fa, l: letters.fa, g: good.fa, m: missing.fa}")
    errors = details(report, "error")
    assert any("short.fa: sequences of one length are needed" in one for one in errors)
    assert any("letters.fa, record 'b'" in one for one in errors)
    assert any(one == "data.fasta: missing.fa: no such file" for one in errors)
    assert "good.fa: 70 sequences of 40 bases" in details(report, "ok")
    assert report.exit_code() == 2


def test_data_are_checked_where_the_model_cannot_be_built() -> None:
    write_table("t.tsv", rows_of({"train": 60, "val": 60, "test": 60}, {"train": 20, "val": 20, "test": 60}))
    report = check(SEQUENCES, "table: t.tsv, label_columns: [a, b], split_column: split", "--model.hidden", "[0]")
    assert any("hidden" in one for one in details(report, "error", "configuration"))
    assert report.facts["splits"] == {"train": 60, "val": 60, "test": 60}
    assert "test: not scored, for want of two different values: 1 of 2 targets (a)" in details(report, "warning")


def test_positives_alone_are_told_from_nothing() -> None:
    for name, texts in (("one", TEXTS[:80]), ("two", TEXTS[80:160])):
        Path(f"{name}.fa").write_text("".join(f">{text}\n{text}\n" for text in texts))
    report = check(SEQUENCES, "fasta: {one: one.fa, two: two.fa}, val_fraction: 0.3, test_fraction: 0.3")
    assert any("every sequence is a positive of some target" in one for one in details(report, "warning"))
    with_shuffles = check(
        SEQUENCES, "fasta: {one: one.fa, two: two.fa}, val_fraction: 0.3, test_fraction: 0.3, shuffles: 1"
    )
    assert not any("every sequence" in one for one in details(with_shuffles, "warning"))
    assert with_shuffles.facts["splits"] == {split: 2 * size for split, size in report.facts["splits"].items()}


@pytest.fixture
def genome() -> dict[str, int]:
    sizes = {"chr1": 60_000, "chr2": 30_000, "chr3": 30_000}
    rng = np.random.default_rng(1)
    texts = {name: decode(rng.integers(0, 4, size).astype(np.uint8)) for name, size in sizes.items()}
    texts["chr2"] = "N" * 10_000 + texts["chr2"][10_000:]
    Path("genome.fa").write_text("".join(f">{name}\n{text}\n" for name, text in texts.items()))
    return sizes


def write_bed(path: str, places: Sequence[tuple[str, int]]) -> None:
    Path(path).write_text("".join(f"{chrom}\t{start}\t{start + 100}\n" for chrom, start in places))


RULES = "rules: {length: 40, val: [chr2], test: [chr3]}"


@pytest.mark.usefixtures("genome")
def test_peaks_in_order() -> None:
    sites = [
        (name, start)
        for name, first in (("1", 0), ("2", 10_000), ("3", 0))
        for start in range(first, first + 20_000, 200)
    ]
    write_bed("a.bed", sites[::2])
    write_bed("b.bed", sites[1::2])
    report = check(PEAKS, f"genome: genome.fa, peaks: [a.bed, b.bed], batch_size: 32, {RULES}")
    assert report.count("error") == report.count("warning") == 0
    assert "have other names in the genome: 1 is chr1, 2 is chr2, 3 is chr3" in details(report, "ok", "contigs")
    assert "300 peaks in 2 files" in details(report, "ok", "peak files")
    assert report.facts["splits"] == {"train": 200, "val": 200, "test": 200}  # a negative for each of 100 sites
    assert report.facts["targets"]["test"]["a"] == {"positives": 50, "negatives": 150}
    assert set(report.facts["fraction_unknown"].values()) == {0.0}


@pytest.mark.usefixtures("genome")
def test_each_peak_file_that_does_not_fit_is_named() -> None:
    good = [("chr1", start) for start in range(0, 20_000, 400)] + [("chr2", 15_000), ("chr3", 15_000)]
    write_bed("good.bed", good)
    write_bed("past.bed", [*good, *(("chr3", 40_000 + start) for start in range(0, 2_600, 100))])
    write_bed("other.bed", [("scaffold_9", start) for start in range(0, 1_000, 200)])
    Path("broken.bed").write_text("chr1\t100\t200\nchr1\tx\t300\n")
    report = check(PEAKS, f"genome: genome.fa, peaks: [good.bed, past.bed, other.bed, broken.bed], {RULES}")
    assert "past.bed: of 78 peaks, 26 past the end of their contig, which are dropped" in details(report, "warning")
    errors = details(report, "error")
    assert any(
        one.startswith("other.bed: of 5 peaks, 5 on contigs that the genome does not have (scaffold_9)")
        for one in errors
    )
    assert any("broken.bed, line 2" in one for one in errors)
    assert report.exit_code() == 2


@pytest.mark.usefixtures("genome")
def test_a_table_of_peaks_of_another_genome_and_a_genome_that_is_none() -> None:
    rows = [("chr1", start, start + 40, int(start % 400 == 0), "train") for start in range(0, 20_000, 200)]
    header = "chrom\tstart\tend\tsplit\ta"
    write_table("p.tsv", [(*row[:3], row[4], row[3]) for row in [*rows, ("chr3", 29_990, 30_030, 1, "test")]], header)
    report = check(PEAKS, "genome: genome.fa, table: p.tsv")
    assert any("the site chr3:29990-30030 reaches past the end" in one for one in details(report, "error"))
    Path("genome.fa").write_bytes(gzip.compress(b">chr1\nACGT\n"))
    report = check(PEAKS, "genome: genome.fa, table: p.tsv")
    assert any("genome.fa is compressed" in one for one in details(report, "error", "genome"))


@pytest.mark.usefixtures("genome")
def test_sites_that_are_mostly_n_are_warned_of() -> None:
    rows = [(name, start, start + 40, split, start // 200 % 2)
            for name, split in (("chr1", "train"), ("chr2", "val"), ("chr3", "test"))
            for start in range(0, 20_000, 200)]  # fmt: skip
    write_table("p.tsv", rows, "chrom\tstart\tend\tsplit\ta")
    report = check(PEAKS, "genome: genome.fa, table: p.tsv, on_leak: warn")
    assert report.facts["fraction_unknown"] == {"train": 0.0, "val": 0.5, "test": 0.0}  # half of chr2's first 20 kb
    assert "many are N: train 0.00%, val 50.00%, test 0.00%" in details(report, "warning")


def test_separate_test_data_are_read_too() -> None:
    for name, texts in (("bound", TEXTS[:90]), ("held", TEXTS[90:150])):
        Path(f"{name}.fa").write_text("".join(f">{text}\n{text}\n" for text in texts))
    fasta = "fasta: {a: bound.fa}, test_fasta: {a: held.fa}, shuffles: 1, val_fraction: 0.4, batch_size: 16"
    report = check(SEQUENCES, fasta)
    assert report.count("error") == 0
    assert report.facts["splits"] == {"train": 108, "val": 72, "test": 120}  # 54, 36, 60, with as many shuffles
    Path("held.fa").write_text(f">{TEXTS[0]}\n{TEXTS[0]}\n>x\nACGZ\n")
    report = check(SEQUENCES, fasta)
    assert any("held.fa, record 'x'" in one for one in details(report, "error"))


@pytest.mark.usefixtures("genome")
def test_peaks_of_test_data_are_compared_with_the_genome() -> None:
    write_bed("a.bed", [("chr1", start) for start in range(0, 40_000, 200)])
    write_bed("held.bed", [("chr4", 0), ("chr3", 400)])
    report = check(PEAKS, "genome: genome.fa, peaks: {a: a.bed}, test_peaks: {a: held.bed}")
    assert any(
        one.startswith("held.bed: of 2 peaks, 1 on contigs that the genome does not have (chr4)")
        for one in details(report, "warning")
    )


def test_the_command(run_zoo: Callable[..., tuple[int, str, str]]) -> None:
    write_table("t.tsv", rows_of({"train": 100, "val": 60, "test": 9}, {"train": 25, "val": 12, "test": 4}))
    Path("run.yaml").write_text(f"{REST}{MODEL}\n{SEQUENCES % TABLE}\n")
    code, out, err = run_zoo("check", "run.yaml", "--time", "false", "-o", "report.tsv")
    assert code == 0, err
    assert out.splitlines()[0] == "level\twhat\tdetail\tto do"
    assert out == Path("report.tsv").read_text()
    code, _, err = run_zoo("check", "run.yaml", "--time=false", "--strict", "--data.batch_size", "7")
    assert (code, err.count("warnings")) == (2, 1)
    code, out, err = run_zoo("check", "run.yaml", "--time", "false", "--data.table", "gone.tsv", "-o", "r.json")
    assert code == 2
    assert "error\tfiles\tdata.table: gone.tsv: no such file" in out
    assert '"error": ' in Path("r.json").read_text()
    assert run_zoo("check", "run.yaml", "-o", "report.txt")[0] == 2
    assert not Path("runs").exists()
