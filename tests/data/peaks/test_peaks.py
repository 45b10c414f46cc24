"""From peak files to a trained model: what is read, merged, dropped, split and drawn, on a made genome."""

import gzip
import pickle
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from zoo.data.peaks.build import _report_splits, _Sites, build_peak_table
from zoo.data.peaks.module import PeakDataModule
from zoo.data.peaks.rules import PeakRules, Report
from zoo.data.peaks.table import PeakTable
from zoo.data.splits import SPLITS
from zoo.errors import ConfigError, InputError
from zoo.formats.bed import read_bed
from zoo.formats.peaks import name_peak_files, read_blacklist, read_peak_file
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import decode, reverse_complement

SIZES = {"chr1": 60_000, "chr2": 40_000, "chr3": 20_000}
RULES = PeakRules(length=100, negatives=0, val=["chr2"], test=["chr3"])


@pytest.fixture(scope="module")
def fasta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random letters; chr1 is masked: N in 10,000-10,300, lower case in 20,000-20,300."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    with path.open("w") as file:
        for name, size in SIZES.items():
            letters = decode(rng.integers(0, 4, size).astype(np.uint8))
            if name == "chr1":
                letters = letters[:10_000] + "N" * 300 + letters[10_300:]
                letters = letters[:20_000] + letters[20_000:20_300].lower() + letters[20_300:]
            file.write(f">{name}\n" + "\n".join(letters[i : i + 61] for i in range(0, size, 61)) + "\n")
    return path


def bed(path: Path, *rows: tuple[Any, ...]) -> str:
    path.write_text("".join("\t".join(str(cell) for cell in row) + "\n" for row in rows))
    return str(path)


def narrow(chrom: str, start: int, end: int, summit: int) -> tuple[Any, ...]:
    return (chrom, start, end, ".", 0, ".", 7.25, -1, 1.5, summit)


def build(
    files: Mapping[str, str], genome: Path | Mapping[str, int] = SIZES, rules: PeakRules = RULES
) -> tuple[PeakTable, Report]:
    return build_peak_table(files, Genome(genome) if isinstance(genome, Path) else genome, rules)


def sites(table: PeakTable) -> list[tuple[str, int, str, list[int]]]:
    rows = zip(table.contig.tolist(), table.start.tolist(), table.split.tolist(), table.labels.tolist(), strict=True)
    return [(table.contigs[contig], start, SPLITS[split], labels) for contig, start, split, labels in rows]


# Reading.


def test_a_narrow_peak_is_centred_on_its_summit_and_a_bed_on_its_middle(tmp_path: Path) -> None:
    path = bed(tmp_path / "a.narrowPeak", narrow("chr1", 100, 200, 10), narrow("chr1", 300, 401, -1))
    assert read_peak_file(path)["centre"].tolist() == [110, 350]
    assert read_peak_file(path, summits=False)["centre"].tolist() == [150, 350]
    assert read_peak_file(bed(tmp_path / "b.bed", ("chr1", 100, 200)))["centre"].tolist() == [150]


WHOLE = "columns 7 to 9 are whole numbers in all lines, as thickStart, thickEnd and itemRgb of BED are"
# Ten columns, none of them a summit: centred on middles, with a note why. Middles of 1000-1350 and 1000-1201.
OTHER_BED10 = {
    "ENCODE's cCREs": (
        [("chr1", 1000, 1350, "E1", 0, ".", 1000, 1350, "225,225,225", "dELS"), ("chr1", 1000, 1201, "E2", *"0.9999")],
        "line 1: '225,225,225' is no signal, p or q value",
    ),
    "ENCODE's cCREs without colours": (
        [
            ("chr1", 1000, 1350, "E1", 0, ".", 1000, 1350, 0, "pELS"),
            ("chr1", 1000, 1201, "E2", 0, ".", 1000, 1201, 0, "x"),
        ],
        "line 1: the summit 'pELS' must be a whole number, or -1 for none",
    ),
    "blocks": (
        [("chr1", 1000, 1350, "x", 0, "+", 1000, 1350, 0, 2), ("chr1", 1000, 1201, "y", 0, "-", 1050, 1100, 0, 3)],
        WHOLE,
    ),
    "no thick part": (
        [("chr1", 1000, 1350, "x", 0, "+", 0, 0, 0, 2), ("chr1", 1000, 1201, "y", 0, "-", 0, 0, 0, 3)],
        WHOLE,
    ),
    "a thick part in one of two lines": (
        [("chr1", 1000, 1350, "x", 0, "+", 1000, 1350, 0, 2), ("chr1", 1000, 1201, "y", 0, "-", 0, 0, 0, 3)],
        WHOLE,
    ),
    "no thick part, but a colour": (
        [("chr1", 1000, 1350, "x", 0, "+", 0, 0, 5, 2), ("chr1", 1000, 1201, "y", 0, "-", 0, 0, 0, 3)],
        WHOLE,
    ),
    "a thick part that ends past the interval": (
        [("chr1", 1000, 1350, "x", 0, "+", 1000, 1351, 0, 2), ("chr1", 1000, 1201, "y", 0, "-", 999, 1201, 0, 3)],
        WHOLE,
    ),
    "no thick part, written -1": (
        [("chr1", 1000, 1350, "x", 0, "+", 1000, 1350, 0, 2), ("chr1", 1000, 1201, "y", 0, "-", -1, -1, 0, 3)],
        "columns 7 and 8 lie between start and end in some lines, as thickStart and thickEnd of BED do",
    ),
    "whole numbers as a table of decimals": (
        [("chr1", 1000, 1350, "x", 0, "+", "1000.0", "1350.0", "0.0", 2), ("chr1", 1000, 1201, *"y0+000", 3)],
        WHOLE,
    ),
    "a class for a strand": (
        [narrow("chr1", 1000, 1350, 5), (*narrow("chr1", 1000, 1201, 5)[:5], "CTCF", 1.5, -1, 1, 5)],
        "line 2: the strand 'CTCF' is none of +, - and .",
    ),
    "numbers past the peak": (
        [narrow("chr1", 1000, 1350, 5), narrow("chr1", 1000, 1201, 201)],
        "line 2: the summit 201 lies outside the peak's 201 bases",
    ),
    "less than -1": (
        [narrow("chr1", 1000, 1350, 5), narrow("chr1", 1000, 1201, -2)],
        "line 2: the summit '-2' must be a whole number, or -1 for none",
    ),
    "fractions": (
        [narrow("chr1", 1000, 1350, 5), (*narrow("chr1", 1000, 1201, 5)[:9], 0.5)],
        "line 2: the summit '0.5' must be a whole number, or -1 for none",
    ),
}


@pytest.mark.parametrize(("rows", "reason"), OTHER_BED10.values(), ids=OTHER_BED10)
def test_ten_columns_that_are_no_narrow_peak_are_centred_on_middles_and_that_is_said(
    tmp_path: Path, rows: list[tuple[Any, ...]], reason: str
) -> None:
    path = bed(tmp_path / "a.bed", *rows)
    notes: list[str] = []
    assert read_peak_file(path, notes=notes)["centre"].tolist() == [1175, 1100]
    said = "its peaks are centred on their middles; if column 10 holds summits, call it .narrowPeak"
    assert notes == [f"a.bed is not narrowPeak ({reason}): {said}"]
    assert read_peak_file(path, summits=False, notes=notes)["centre"].tolist() == [1175, 1100]
    assert len(notes) == 1
    called_so = bed(tmp_path / "a.narrowPeak", *rows)
    if reason.startswith("line"):
        with pytest.raises(InputError, match=re.escape(f"{called_so}, {reason}")):
            read_peak_file(called_so)
    else:  # nothing in it says that it is none
        assert read_peak_file(called_so)["centre"].tolist() == [1000 + rows[0][9], 1000 + rows[1][9]]


@pytest.mark.parametrize("name", ["a.bed", "ENCFF001XYZ.bed.gz", "a.narrowPeak.gz", "peaks"])
@pytest.mark.parametrize("header", ["", "track type=narrowPeak\n#comment\n", "\n"])
@pytest.mark.parametrize("comment", ["", "# between\n"])
def test_narrow_peak_is_known_by_its_lines_whatever_it_is_called(
    tmp_path: Path, name: str, header: str, comment: str
) -> None:
    lines = ["chr1\t100\t200\t.\t0\t+\t5.1\t-1\t3.2e-4\t10\n", "chr1\t300\t401\tx\t7\t.\t0.5\t12\tinf\t-1\n"]
    path, notes = tmp_path / name, list[str]()
    path.write_text(header + lines[0] + comment + lines[1])
    assert read_peak_file(str(path), notes=notes)["centre"].tolist() == [110, 350]
    so = "is narrowPeak by its lines, though not by its name: its peaks are centred on the summits of column 10"
    assert notes == ([] if "narrowPeak" in name else [f"{name} {so}; if that holds none, leave it out (cut -f1-9)"])


@pytest.mark.parametrize(
    "values",
    [
        ("7.1", "-1", "3.2"),
        ("32", "-1", "-1"),
        ("5", "12", "-1"),
        ("0", "0.5", "0"),
        ("1", "inf", "2"),
        ("9", "4", ".1"),
    ],
)
@pytest.mark.parametrize("other", [("50", "12", "8"), ("0", "0", "0")])
def test_one_fraction_or_missing_value_tells_narrow_peak(
    tmp_path: Path, values: tuple[str, ...], other: tuple[str, ...]
) -> None:
    path = bed(tmp_path / "a.bed", ("chr1", 1000, 1200, *"x0+", *other, 7), ("chr1", 2000, 2200, *"x0+", *values, 9))
    assert read_peak_file(path)["centre"].tolist() == [1007, 2009]


def test_a_file_called_narrow_peak_has_ten_columns(tmp_path: Path) -> None:
    path = bed(tmp_path / "a.narrowPeak", ("chr1", 5, 9))
    with pytest.raises(InputError, match=r"narrowPeak has ten columns, not 3; call a file without summits .bed"):
        read_peak_file(path)
    assert read_peak_file(path, summits=False)["centre"].tolist() == [7]


def test_a_blacklist_of_any_columns_is_three(tmp_path: Path) -> None:
    rows = [("chr1", 5, 9, "x", 0, "pELS", 5, 9, "1,2,3", 77), ("chr2", 6, 10, "y", 0, "PLS", 6, 10, "1,2,3", "z")]
    table = read_blacklist(bed(tmp_path / "a.bed", *rows), ["chr1", "chr2"])
    assert table.to_numpy().tolist() == [["chr1", 5, 9], ["chr2", 6, 10]]


def test_contigs_may_be_called_as_lines_of_headers(tmp_path: Path) -> None:
    path = tmp_path / "a.bed"
    path.write_text("track name=x\ntrack\nbrowser\tposition\tchr1:1-2\ntrack1\t5\t9\ntrack\t5\t9\nbrowserA\t6\t10\n")
    expected = [["track1", 5, 9], ["track", 5, 9], ["browserA", 6, 10]]
    assert read_peak_file(str(path))[["chrom", "start", "end"]].to_numpy().tolist() == expected
    assert [[i.chrom, i.start, i.end] for i in read_bed(path)] == expected


def test_the_report_says_what_centres_are_from(tmp_path: Path) -> None:
    summits = [narrow(name, 100, 200, 7) for name in SIZES]
    other = [(name, 100, 200, "x", 0, "+", 100, 200, 0, 2) for name in SIZES]
    files = {"a": bed(tmp_path / "a.bed", *summits), "b": bed(tmp_path / "b.bed", *other)}
    table, report = build(files)
    assert report.lines[0].startswith("a.bed is narrowPeak by its lines")
    assert report.lines[1].startswith("b.bed is not narrowPeak (columns 7 to 9")
    assert (
        report.lines[2] == "6 peaks in 2 files, centred on their summits in 1 of these, on their middles in the others"
    )
    assert [start for _, start, _, _ in sites(table)] == [78, 78, 78]  # windows at 57 and 100 are one site
    assert build({"a": files["a"]})[1].lines[1] == "3 peaks in 1 file, centred on their summits"
    assert build({"b": files["b"]})[1].lines[1] == "3 peaks in 1 file, centred on their middles"


@pytest.mark.parametrize("columns", [3, 4, 6, 9, 11, 12, 13, 15, 20])
def test_bed_of_any_width_is_read(tmp_path: Path, columns: int) -> None:
    path = bed(tmp_path / "a.bed", ("chr1", 5, 9, *["."] * (columns - 3)), ("chr2", 6, 10, *["."] * (columns - 3)))
    assert read_peak_file(path).to_numpy().tolist() == [["chr1", 5, 9, 7], ["chr2", 6, 10, 8]]


def test_headers_blank_lines_gzip_and_line_ends_change_nothing(tmp_path: Path) -> None:
    clean = "chr1\t5\t9\nchr2\t6\t10\n"
    texts = [
        clean,
        clean.replace("\n", "\r\n"),
        clean.rstrip("\n"),
        "track name=x\n#c\n" + clean,
        "browser position chr1\nchr1\t5\t9\n\n# between\nchr2\t6\t10\n",
    ]
    expected = [["chr1", 5, 9, 7], ["chr2", 6, 10, 8]]
    for index, text in enumerate(texts):
        path = tmp_path / f"{index}.bed"
        path.write_bytes(text.encode())
        assert read_peak_file(str(path)).to_numpy().tolist() == expected
        path.write_bytes(gzip.compress(text.encode()))  # by its bytes, whatever it is called
        assert read_peak_file(str(path)).to_numpy().tolist() == expected


def test_names_are_the_files_without_their_endings(tmp_path: Path) -> None:
    for name in ("K562.CTCF.narrowPeak.gz", "liver.bed", "a=b.bed"):
        (tmp_path / name).write_text("chr1\t1\t2\n")
    paths = [str(tmp_path / "K562.CTCF.narrowPeak.gz"), f"other={tmp_path / 'liver.bed'}", str(tmp_path / "a=b.bed")]
    assert list(name_peak_files(paths)) == ["K562.CTCF", "other", "a=b"]
    assert name_peak_files({"x": paths[0]}) == {"x": paths[0]}


# Splits by random blocks.


@pytest.mark.parametrize("seed", range(5))
def test_blocks_that_hold_sites_are_shared_out_among_all_splits(seed: int, tmp_path: Path) -> None:
    contigs = {f"chr{number}": 400_000 for number in range(1, 9)}
    one = bed(tmp_path / "one.bed", *(("chr1", start, start + 10) for start in range(1_000, 399_000, 3_000)))
    table, report = build_peak_table({"one": one}, contigs, PeakRules(length=100, split_seed=seed))
    assert np.bincount(table.split, minlength=3).min() >= 20  # a block of 100,000 bases each for val and test, at least
    block = table.start // 100_000
    assert all(len(np.unique(table.split[block == number])) == 1 for number in range(4))
    assert "splits: random blocks of 100,000 bases, 10% of them for validation and 10% for test" in report.lines


# Merging and filtering.


def test_overlapping_peaks_of_two_files_become_one_site_with_both_labels(tmp_path: Path) -> None:
    a = bed(tmp_path / "a.bed", ("chr1", 990, 1010), ("chr1", 5000, 5010))
    b = bed(tmp_path / "b.bed", ("chr1", 1030, 1050), ("chr2", 990, 1010))
    table, report = build({"a": a, "b": b})
    assert sites(table) == [
        ("chr1", 970, "train", [1, 1]),
        ("chr1", 4955, "train", [1, 0]),
        ("chr2", 950, "val", [0, 1]),
    ]
    assert report.lines[0] == "4 peaks in 2 files, centred on their middles"
    assert "3 sites of 100 bases: windows that overlap by 33 or more are one site" in report.lines


def test_windows_that_overlap_by_less_than_asked_stay_apart(tmp_path: Path) -> None:
    a = bed(tmp_path / "a.bed", ("chr1", 1000, 1002), ("chr1", 1060, 1062))
    for overlap, count in ((40, 1), (41, 2)):
        table, _ = build({"a": a}, rules=PeakRules(length=100, merge_overlap=overlap, val=["chr2"], test=["chr3"]))
        assert len(table) == count


def test_a_window_that_would_pass_an_end_of_its_contig_is_moved_inside(tmp_path: Path) -> None:
    a = bed(tmp_path / "a.bed", ("chr1", 0, 10), ("chr1", 59_990, 60_000))
    assert [site[1] for site in sites(build({"a": a})[0])] == [0, 59_900]


def test_windows_that_are_moved_to_the_same_place_become_one_site(tmp_path: Path) -> None:
    one, two = bed(tmp_path / "l.bed", ("chr1", 5, 15)), bed(tmp_path / "m.bed", ("chr1", 190, 210))
    rules = PeakRules(length=600, merge_overlap=500, val=[], test=[])
    table, _ = build_peak_table({"l": one, "m": two}, {"chr1": 5000}, rules)
    assert table.start.tolist() == [0]
    assert table.labels.tolist() == [[1, 1]]


def test_what_is_dropped_is_counted_with_its_reason(tmp_path: Path, fasta: Path) -> None:
    a = bed(
        tmp_path / "a.bed",
        ("chr1", 1000, 1010),  # kept
        ("chr1", 3000, 3010),  # blacklisted
        ("chr1", 10_100, 10_110),  # N
        ("chr1", 59_995, 60_005),  # past the end
        ("chrUn_1", 5, 9),  # elsewhere
        ("chrUn_2", 5, 9),
    )
    black = bed(tmp_path / "black.bed", ("1", 3049, 3060), ("chr9", 1, 2))
    rules = PeakRules(length=100, blacklist=black, negatives=0, val=["chr2"], test=["chr3"])
    table, report = build({"a": a}, fasta, rules)
    assert [site[1] for site in sites(table)] == [955]
    assert [line for line in report.lines if "dropped" in line] == [
        "2 peaks dropped: on contigs that the genome does not have (chrUn_1, chrUn_2)",
        "1 peaks dropped: past the end of their contig (are they of this genome?)",
        f"1 sites dropped: on the blacklist {black}",
        "1 sites dropped: with less than 50% of their bases unmasked",
    ]


def test_lower_case_is_masked_only_where_that_is_asked_for(tmp_path: Path, fasta: Path) -> None:
    a = bed(tmp_path / "a.bed", ("chr1", 20_100, 20_110), ("chr1", 30_000, 30_010))
    kept = [build({"a": a}, fasta, PeakRules(length=100, negatives=0, soft_masked=soft))[0] for soft in (False, True)]
    assert [len(table) for table in kept] == [2, 1]


def test_contigs_by_another_name_are_mapped_and_said(tmp_path: Path) -> None:
    table, report = build({"a": bed(tmp_path / "a.bed", ("1", 100, 200), ("2", 100, 200))})
    assert [site[0] for site in sites(table)] == ["chr1", "chr2"]
    assert "contigs have other names in the genome: 1 is chr1, 2 is chr2" in report.lines


# Splitting.


def test_blocks_are_dealt_whole_and_no_site_crosses_a_border(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    a = bed(tmp_path / "a.bed", *(("chr1", s, s + 2) for s in sorted(rng.integers(0, 59_000, 2000).tolist())))
    rules = PeakRules(length=100, merge_overlap=100, block_size=1000, val_fraction=0.2, test_fraction=0.2)
    table, report = build({"a": a}, rules=rules)
    block = table.start // 1000
    crossing = block != (table.start + 99) // 1000
    split_of = dict(zip(block.tolist(), table.split.tolist(), strict=True))
    assert all(split_of[b] == p for b, p in zip(block.tolist(), table.split.tolist(), strict=True))
    assert crossing.any()  # within one split they may
    assert all(split_of[b + 1] == split_of[b] for b in block[crossing].tolist() if b + 1 in split_of)
    assert any("across a border" in line for line in report.lines)
    # No base is in two splits.
    covered = [set() for _ in SPLITS]  # type: list[set[int]]
    for start, split in zip(table.start.tolist(), table.split.tolist(), strict=True):
        covered[split] |= set(range(start, start + 100))
    assert not covered[0] & covered[1]
    assert not covered[0] & covered[2]
    assert not covered[1] & covered[2]
    assert (np.bincount(table.split) > 100).all()
    again, _ = build({"a": a}, rules=rules)
    assert (again.split == table.split).all()


def test_copies_of_a_sequence_stay_in_one_split(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    letters = rng.integers(0, 4, 3000).astype(np.uint8)
    other = rng.integers(0, 4, 3000).astype(np.uint8)
    other[1000:1200] = reverse_complement(letters[500:700])
    path = tmp_path / "copies.fa"
    path.write_text(f">chr1\n{decode(letters)}\n>chr2\n{decode(other)}\n>chr3\n{decode(letters)}\n")
    rows = [("chr1", 590, 610), ("chr2", 1090, 1110), ("chr3", 1500, 1510), ("chr3", 590, 610)]
    files = {"a": bed(tmp_path / "a.bed", *rows), "b": bed(tmp_path / "b.bed", ("chr2", 2000, 2010))}
    table, report = build(files, path)
    assert [site[:3] for site in sites(table)] == [
        ("chr1", 550, "train"),
        ("chr2", 1955, "val"),
        ("chr3", 1455, "test"),
    ]
    assert "2 sites dropped: with the bases of one of another split, which keeps them" in report.lines
    # Without the genome nobody can know; the bases tell when the table is used.
    table, report = build(files, {"chr1": 3000, "chr2": 3000, "chr3": 3000})
    assert len(table) == 5
    assert any("nor copies of one sequence in two splits were looked for" in line for line in report.lines)
    table.write(tmp_path / "table.tsv")
    with pytest.raises(InputError, match=r"leaks: 0 sites overlap .* 1 groups of sites with the same bases"):
        _ = PeakDataModule(str(path), table=str(tmp_path / "table.tsv")).data


def test_copies_among_negatives_stay_in_one_split(tmp_path: Path) -> None:
    path = tmp_path / "tiled.fa"
    path.write_text("".join(f">{name}\n{'ACGT' * 1000}\n" for name in SIZES))
    a = bed(tmp_path / "a.bed", *((name, 500, 510) for name in SIZES))
    rules = PeakRules(length=100, negatives=5.0, val=["chr2"], test=["chr3"])
    table, report = build({"a": a}, path, rules)
    assert any("with the bases of one of another split" in line for line in report.lines)
    table.write(tmp_path / "table.tsv")
    assert len(PeakDataModule(str(path), table=str(tmp_path / "table.tsv")).data) == len(table)


def test_a_table_whose_sites_overlap_between_splits_is_refused(tmp_path: Path, fasta: Path) -> None:
    path = tmp_path / "table.tsv"
    path.write_text("chrom\tstart\tend\tsplit\ta\nchr1\t1\t31\ttrain\t1\nchr1\t30\t60\ttest\t0\n")
    with pytest.raises(InputError, match="the given split leaks: 1 sites overlap one of another split"):
        _ = PeakDataModule(str(fasta), table=str(path)).data


def test_training_sites_within_a_shift_of_another_split_are_dropped(tmp_path: Path, fasta: Path) -> None:
    path = tmp_path / "table.tsv"
    rows = [(10, "train"), (40, "test"), (75, "train"), (120, "train"), (155, "val"), (186, "train")]
    text = "".join(f"chr1\t{start}\t{start + 30}\t{split}\t{i % 2}\n" for i, (start, split) in enumerate(rows))
    path.write_text(
        "chrom\tstart\tend\tsplit\ta\n"
        + text
        + "chr2\t41\t71\ttrain\t0\nchr2\t90\t120\ttrain\t1\nchr3\t1\t31\tvalid\t1\n"
    )
    data = PeakDataModule(str(fasta), table=str(path), shift=5)
    # 10-40 touches the test site; 75 begins 5 bases after its end, 120 ends 5 bases before 155, 186 begins 1 after it.
    assert data.data.codes.start[data.data.split == 0].tolist() == [75, 120, 41, 90]
    assert data.describe()[0] == "2 training sites dropped: a shift of 5 bases could reach another split's site"
    assert len(PeakDataModule(str(fasta), table=str(path)).data) == 9


# Negatives.


def test_negatives_touch_no_peak_and_have_the_sites_gc_and_splits(tmp_path: Path, fasta: Path) -> None:
    genome = Genome(fasta)
    rng = np.random.default_rng(2)
    rows = [
        (chrom, s, s + 50) for chrom, size in SIZES.items() for s in rng.integers(0, size - 60, size // 1000).tolist()
    ]
    a = bed(tmp_path / "a.bed", *rows)
    table, report = build({"a": a}, fasta, PeakRules(length=100, negatives=1.0, val=["chr2"], test=["chr3"]))
    positive = table.labels[:, 0] == 1
    assert positive.sum() == (~positive).sum()
    assert any("negatives of the sites' GC content" in line for line in report.lines)
    for row in np.flatnonzero(~positive):
        name, start = table.contigs[table.contig[row]], int(table.start[row])
        assert all(not (name == chrom and start < end and s < start + 100) for chrom, s, end in rows)
        assert genome.sequence(Interval(name, start, start + 100)).count("N") <= 50
    assert (np.bincount(table.split[positive]) == np.bincount(table.split[~positive])).all()

    def gc(rows: Any) -> list[int]:
        letters = [
            genome.sequence(Interval(table.contigs[c], int(s), int(s) + 100))
            for c, s in zip(table.contig[rows], table.start[rows], strict=True)
        ]
        return sorted(round(50 * sum(text.count(x) for x in "GC") / len(text.replace("N", ""))) for text in letters)

    assert gc(positive) == gc(~positive)


@pytest.mark.slow
def test_no_negative_is_drawn_twice(tmp_path: Path) -> None:
    path = tmp_path / "poor.fa"
    path.write_text(">chr1\n" + "AT" * 5000 + "GC" * 100 + "AT" * 5000 + "GC" * 101 + "\n")
    a = bed(tmp_path / "a.bed", ("chr1", 10_000, 10_200))
    table, report = build({"a": a}, path, PeakRules(length=200, negatives=50.0, val=[], test=[]))
    negative = table.start[table.labels[:, 0] == 0]
    # What has the site's GC content to 1 %: the three windows inside the second stretch, and two on each side of it.
    assert sorted(negative.tolist()) == list(range(20_198, 20_203))
    assert "45 negatives dropped: no window has their GC content" in report.lines


@pytest.mark.slow
def test_negatives_that_a_genome_has_too_few_of_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "poor.fa"
    path.write_text(">chr1\n" + "AT" * 5000 + "GC" * 100 + "AT" * 5000 + "\n")
    a = bed(tmp_path / "a.bed", ("chr1", 10_000, 10_200))
    rules = PeakRules(length=100, negatives=3.0, val=[], test=[])
    table, report = build({"a": a}, path, rules)
    assert len(table) == 1
    assert "3 negatives dropped: no window has their GC content" in report.lines


@pytest.mark.slow
def test_windows_of_a_rare_gc_content_are_found(tmp_path: Path) -> None:
    # One window in five thousand is like the peak: a few thousand candidates would hardly hold one.
    path = tmp_path / "rare.fa"
    path.write_text(">chr1\n" + "AT" * 500_000 + "GC" * 100 + "AT" * 500_000 + "GC" * 120 + "\n")
    a = bed(tmp_path / "a.bed", *(("chr1", 1_000_000 + i, 1_000_100 + i) for i in range(20, 80, 20)))
    rules = PeakRules(length=100, merge_overlap=100, negatives=2.0, val=[], test=[], min_unmasked=0)
    table, _ = build({"a": a}, path, rules)
    assert (table.labels[:, 0] == 0).sum() == 2 * (table.labels[:, 0] == 1).sum() == 6


def test_negatives_by_half_are_spread_over_all_splits(tmp_path: Path, fasta: Path) -> None:
    rows = [(chrom, s, s + 50) for chrom in SIZES for s in range(1000, 19_000, 1000)]
    rules = PeakRules(length=100, negatives=1.5, val=["chr2"], test=["chr3"])
    table, _ = build({"a": bed(tmp_path / "a.bed", *rows)}, fasta, rules)
    positive = table.labels[:, 0] == 1
    assert (~positive).sum() == round(1.5 * positive.sum())
    assert (np.bincount(table.split[~positive]) > np.bincount(table.split[positive])).all()


def test_negatives_keep_off_sites_that_were_moved_inside_a_contig(tmp_path: Path) -> None:
    path = tmp_path / "short.fa"
    path.write_text(">chr1\n" + "ACGT" * 150 + "\n")
    rules = PeakRules(length=200, negatives=50.0, val=[], test=[], split_seed=1)
    table, _ = build({"a": bed(tmp_path / "a.bed", ("chr1", 0, 10))}, path, rules)
    assert len(table) > 1
    assert table.start[table.labels[:, 0] == 0].min() >= 200


# The table and the DataModule.


def made_table(folder: Path, fasta: Path) -> tuple[PeakTable, str]:
    rng = np.random.default_rng(3)
    files = {}
    for name in ("a", "b"):
        rows = [(c, s, s + 20) for c, size in SIZES.items() for s in rng.integers(0, size - 30, size // 500).tolist()]
        files[name] = bed(folder / f"{name}.bed", *rows)
    table, _ = build(files, fasta, PeakRules(length=100, negatives=0.5, val=["chr2"], test=["chr3"]))
    table.write(folder / "table.tsv")
    return table, str(folder / "table.tsv")


def test_a_table_is_read_back_as_it_was_written(tmp_path: Path, fasta: Path) -> None:
    table, path = made_table(tmp_path, fasta)
    again = PeakTable.read(path)
    assert sites(again) == sites(table)
    assert (again.targets, again.length) == (["a", "b"], 100)
    frame = pd.read_csv(path, sep="\t")
    assert list(frame.columns) == ["chrom", "start", "end", "split", "a", "b"]
    assert (frame["end"] - frame["start"] == 100).all()
    zipped = tmp_path / "table.tsv.gz"
    zipped.write_bytes(gzip.compress(Path(path).read_bytes()))
    assert sites(PeakTable.read(zipped)) == sites(table)


def test_batches_hold_the_genome_s_bases(tmp_path: Path, fasta: Path) -> None:
    table, path = made_table(tmp_path, fasta)
    genome = Genome(fasta)
    data = PeakDataModule(str(fasta), table=path, batch_size=32)
    assert (data.length, data.targets) == (100, ["a", "b"])
    rows = np.flatnonzero(table.split == 2)
    batches = list(data.test_dataloader())
    codes, target = torch.cat([b.codes for b in batches]), torch.cat([b.target for b in batches])
    expected = [
        genome.codes(Interval(table.contigs[table.contig[r]], int(table.start[r]), int(table.start[r]) + 100))
        for r in rows
    ]
    assert np.array_equal(codes.numpy(), np.stack(expected))
    assert np.array_equal(target.numpy(), table.labels[rows])
    assert data.describe()[2].startswith(f"test: {len(rows)} sequences")


def test_shifts_move_over_the_genome_and_strands_are_turned(tmp_path: Path, fasta: Path) -> None:
    table, path = made_table(tmp_path, fasta)
    genome = Genome(fasta)
    data = PeakDataModule(str(fasta), table=path, shift=2, reverse_complement=True, batch_size=16)
    train = set()
    for row in np.flatnonzero(table.split == 0):
        for shift in range(-2, 3):
            start = int(table.start[row]) + shift
            for strand in "+-":
                train.add(
                    genome.sequence(Interval(table.contigs[table.contig[row]], start, start + 100, strand=strand))
                )
    plain = {genome.sequence(Interval("chr1", int(s), int(s) + 100)) for s in table.start[table.split == 0]}
    seen = [decode(row) for batch in data.train_dataloader() for row in batch.codes.numpy()]
    assert set(seen) <= train
    assert len(set(seen) & plain) < len(seen) / 4


def test_shuffles_are_added_where_there_are_no_negatives(tmp_path: Path, fasta: Path) -> None:
    rng = np.random.default_rng(4)
    rows = [(c, s, s + 20) for c, size in SIZES.items() for s in rng.integers(0, size - 30, size // 500).tolist()]
    data = PeakDataModule(str(fasta), peaks=bed(tmp_path / "a.bed", *rows), rules=RULES, shuffles=1, batch_size=8)
    target = torch.cat([batch.target for batch in data.val_dataloader()])
    assert float(target.mean()) == 0.5
    assert data.describe()[0].endswith("peaks in 1 file, centred on their middles")


def test_without_any_negative_one_experiment_teaches_nothing(tmp_path: Path, fasta: Path) -> None:
    rules = PeakRules(length=100, negatives=0)
    data = PeakDataModule(str(fasta), peaks=[bed(tmp_path / "a.bed", ("chr1", 5, 20))], rules=rules)
    with pytest.raises(InputError, match="labels of the target 'a' are 1; give negatives"):
        _ = data.data


def test_a_module_can_be_sent_to_a_worker(tmp_path: Path, fasta: Path) -> None:
    _, path = made_table(tmp_path, fasta)
    data = PeakDataModule(str(fasta), table=path, batch_size=32, num_workers=2)
    pickle.loads(pickle.dumps(data.dataset("train")))
    alone = PeakDataModule(str(fasta), table=path, batch_size=32)
    for here, there in zip(alone.train_dataloader(), data.train_dataloader(), strict=True):
        assert torch.equal(here.codes, there.codes)


# Bad input: one sentence each, by the command line, and nothing written.

GOOD = ("chr1", 100, 200)
BAD_LINES = {
    "reversed": (("chr1", 300, 200), "line 2: start 300 and end 200 are reversed"),
    "negative": (("chr1", -5, 200), "line 2: start -5 and end 200 are negative"),
    "empty": (("chr1", 200, 200), "line 2: start 200 and end 200 are empty"),
    "no number": (("chr1", "x", 200), "line 2: start 'x' and end '200' must be whole numbers"),
    "a fraction": (("chr1", "1.5", 200), "line 2: start '1.5' and end '200' must be whole numbers"),
    "a column less": (("chr1", 100), "line 2: 2 tab-separated columns where line 1 has 3"),
    "a column more, then less": (
        ("chr1", 100, 200, "x\nchr1\t5"),
        "line 2: 4 tab-separated columns where line 1 has 3",
    ),
    "a column more": (("chr1", 100, 200, "x"), "line 2: 4 tab-separated columns where line 1 has 3"),
    "past 64 bits": (
        ("chr1", 100, 10**30),
        "line 2: the end '1000000000000000000000000000000' lies past any chromosome",
    ),
    "too far": (("chr1", 100, 2**40), "line 2: the end '1099511627776' lies past any chromosome"),
}


@pytest.fixture
def refused(run_zoo: Callable[..., tuple[int, str, str]], tmp_path: Path, fasta: Path) -> Callable[..., str]:
    def run(*arguments: str, genome: str | None = None) -> str:
        out = tmp_path / "out.tsv"
        code, said, error = run_zoo("data", "peaks", *arguments, "--genome", genome or str(fasta), "-o", str(out))
        assert code == 2
        assert said == ""
        assert error.startswith("zoo: ")
        assert error.count("\n") == 1
        assert not out.exists()
        return error

    return run


@pytest.mark.parametrize(("row", "said"), BAD_LINES.values(), ids=BAD_LINES)
def test_a_bad_line_is_named(refused: Callable[..., str], tmp_path: Path, row: tuple[Any, ...], said: str) -> None:
    path = bed(tmp_path / "a.bed", GOOD, row)
    assert f"{path}, {said}" in refused(path)


def test_more_bad_files(refused: Callable[..., str], tmp_path: Path) -> None:
    assert "line 1: 2 tab-separated columns where BED has at least three" in refused(
        bed(tmp_path / "a.bed", ("chr1", 5))
    )
    assert "line 1: the summit 150 lies outside the peak's 100 bases" in refused(
        bed(tmp_path / "b.narrowPeak", narrow("chr1", 100, 200, 150))
    )
    assert "no peak in it" in refused(bed(tmp_path / "c.bed", ("# nothing",)))
    assert "no peak in it" in refused(bed(tmp_path / "d.bed"))
    broken = tmp_path / "e.bed.gz"
    broken.write_bytes(gzip.compress(b"chr1\t1\t2\n" * 1000)[:30])
    assert "cannot be read" in refused(str(broken)) or "can be read as peaks" in refused(str(broken))
    assert "nowhere.bed: no such file" in refused(str(tmp_path / "nowhere.bed"))


def test_two_files_of_one_name_are_refused_with_the_cure(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    one, two = bed(tmp_path / "a.bed", GOOD), bed(tmp_path / "x" / "a.narrowPeak", narrow("chr1", 5, 9, 1))
    assert f"{one} and {two} would both be the target 'a'; say NAME={two}" in refused(one, two)


def test_contigs_of_which_none_matches_are_refused_with_both_lists(refused: Callable[..., str], tmp_path: Path) -> None:
    path = bed(tmp_path / "a.bed", *((f"scaffold{i}", 5, 9) for i in range(7)))
    error = refused(path)
    assert "the peaks have scaffold0, scaffold1, scaffold2, scaffold3, scaffold4, ..." in error
    assert "the genome chr1, chr2, chr3" in error


def test_zero_peaks_left_are_refused_with_the_count_of_every_filter(
    refused: Callable[..., str], tmp_path: Path
) -> None:
    path = bed(tmp_path / "a.bed", ("chr1", 10_100, 10_110), ("chr1", 70_000, 70_010), ("chrX", 1, 2))
    error = refused(path, "--length", "100")
    assert "no site is left: 3 peaks in 1 file, centred on their middles; 1 peaks dropped: on contigs" in error
    assert "1 peaks dropped: past the end" in error
    assert "1 sites dropped: with less than 50%" in error


def test_a_file_of_which_nothing_is_left_is_named(refused: Callable[..., str], tmp_path: Path) -> None:
    one, two = bed(tmp_path / "a.bed", GOOD), bed(tmp_path / "b.bed", ("chrX", 1, 2))
    assert "no peak is left of b: " in refused(one, two)


def test_a_target_of_which_no_site_is_left_is_named(refused: Callable[..., str], tmp_path: Path) -> None:
    one, two = bed(tmp_path / "a.bed", GOOD), bed(tmp_path / "b.bed", ("chr1", 10_100, 10_110))
    assert "no site is left of b: " in refused(one, two, "--length", "100")


def test_a_split_without_a_target_is_said_and_a_validation_without_any_refused(tmp_path: Path, fasta: Path) -> None:
    a = bed(tmp_path / "a.bed", ("chr1", 100, 200), ("chr2", 100, 200), ("chr3", 100, 200))
    b = bed(tmp_path / "b.bed", ("chr1", 5000, 5100), ("chr2", 5000, 5100))
    table, report = build({"a": a, "b": b}, fasta)
    assert report.lines[-1] == "test: 1 sites, 1 with a peak; none of b"
    table.write(tmp_path / "table.tsv")
    data = PeakDataModule(str(fasta), table=str(tmp_path / "table.tsv"))
    assert data.describe()[2] == "test: 1 sequence, 1 positive; not scored, for want of two different values: a, b"
    table, _ = build({"a": a, "b": bed(tmp_path / "b.bed", ("chr1", 5000, 5100))}, fasta)
    table.write(tmp_path / "table.tsv")
    with pytest.raises(ConfigError, match=r"'a' has the same value everywhere \(1\) in the val split, and 1"):
        PeakDataModule(str(fasta), table=str(tmp_path / "table.tsv")).setup("fit")


@pytest.mark.parametrize("on_leak", ["drop", "warn"])
def test_sites_of_a_table_that_leak_are_dropped_or_kept_where_that_is_asked_for(
    tmp_path: Path, fasta: Path, on_leak: Any
) -> None:
    a = bed(tmp_path / "a.bed", *[("chr1", start, start + 10) for start in range(1_000, 9_000, 400)])
    table, _ = build({"a": a}, fasta, PeakRules(length=100, val=[], test=[]))
    split = np.zeros(len(table), np.int64)
    split[2:4], split[4:6] = 1, 2
    # The sites 1 (train) and 3 (val) begin 30 bases before a site of another split.
    start = table.start.copy()
    start[1], start[3] = start[2] - 30, start[4] - 30
    moved = replace(table, start=start, split=split)
    moved.write(tmp_path / "table.tsv")
    data = PeakDataModule(str(fasta), table=str(tmp_path / "table.tsv"), on_leak=on_leak)
    kept = np.setdiff1d(np.arange(len(table)), [1, 3]) if on_leak == "drop" else np.arange(len(table))
    assert data.data.codes.start.tolist() == start[kept].tolist()
    assert "2 sites overlap one of another split" in data.describe()[0]
    assert ("1 of train and 1 of val left out" if on_leak == "drop" else "all are kept") in data.describe()[0]
    assert not any("a shift of 0 bases" in line for line in data.describe())


def test_a_table_for_each_split_and_validation_drawn_from_train(tmp_path: Path, fasta: Path) -> None:
    places = [(contig, start, start + 20) for contig in SIZES for start in range(500, 8_000, 500)]
    a, b = bed(tmp_path / "a.bed", *places[::2]), bed(tmp_path / "b.bed", *places[1::2])
    rules = PeakRules(length=100, negatives=0, val=[], test=["chr3"])
    table, _ = build({"a": a, "b": b}, fasta, rules)
    names = np.array(table.contigs)[table.contig]
    for split, keep in (("train", names != "chr3"), ("test", names == "chr3")):
        rows = {name: getattr(table, name)[keep] for name in ("contig", "start", "labels", "split")}
        replace(table, **rows).write(tmp_path / f"{split}.tsv")
    files = {split: str(tmp_path / f"{split}.tsv") for split in ("train", "test")}
    data = PeakDataModule(str(fasta), table=files)
    assert data.spec().targets == ("a", "b")
    found = {split: data.subset(split).codes.start.tolist() for split in SPLITS}
    assert found["test"] == table.start[names == "chr3"].tolist()
    # Blocks of 100,000 bases: each contig is one, of which one is for validation.
    assert sorted(found["train"] + found["val"]) == sorted(table.start[names != "chr3"].tolist())
    assert found["val"]
    assert found["train"]
    assert data.describe()[0].startswith(f"no sites for validation are given: {len(found['val'])} of train are taken")
    by_names = PeakDataModule(str(fasta), table={"train": files["train"], "val": files["test"], "test": files["test"]})
    with pytest.raises(InputError, match="leaks"):
        _ = by_names.data


APART = "every site has a peak: a model of them tells these files apart, not peaks from other DNA"
TELLS_APART = "every sequence is a positive of some target: a model of them tells the targets apart, not positives"


def test_negatives_are_the_default_where_bases_are_known_and_their_absence_is_said(tmp_path: Path, fasta: Path) -> None:
    places = [(contig, start, start + 20) for contig in SIZES for start in range(500, 8_000, 1_000)]
    files = {"a": bed(tmp_path / "a.bed", *places[::2]), "b": bed(tmp_path / "b.bed", *places[1::2])}
    rules = PeakRules(length=100, val=["chr2"], test=["chr3"])
    table, report = build(files, fasta, rules)
    assert (~table.labels.any(1)).sum() == table.labels.any(1).sum() == len(places)
    assert not any(APART in line for line in report.lines)
    for genome, negatives in ((fasta, 0.0), (SIZES, None)):
        table, report = build(files, genome, PeakRules(length=100, negatives=negatives, val=["chr2"], test=["chr3"]))
        assert table.labels.any(1).all()
        assert any(line.startswith(APART) for line in report.lines)
    table.write(tmp_path / "table.tsv")
    data = PeakDataModule(str(fasta), table=str(tmp_path / "table.tsv"))
    assert data.describe()[-1].startswith(TELLS_APART)
    with_negatives = PeakDataModule(str(fasta), peaks=files, rules=rules)
    assert not any(TELLS_APART in line for line in with_negatives.describe())


def test_rules_that_do_not_fit_are_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    path = bed(tmp_path / "a.bed", GOOD)
    assert "windows of 100 bases cannot overlap by 101" in refused(path, "--length", "100", "--merge-overlap", "101")
    assert "`test` as well as those of `val`" in refused(path, "--val", "chr1")
    assert "the contig 'chr9' of the test split is not in the genome" in refused(path, "--val", "1", "--test", "chr9")
    assert "cannot be in both the val and the test split" in refused(path, "--val", "1", "--test", "chr1")
    assert "blocks of 50 bases are shorter" in refused(path, "--block-size", "50")
    assert PeakRules(length=131_072, val=["chr8"], test=["chr9"]).length == 131_072  # no blocks, no limit
    assert "leave nothing" in refused(path, "--val-fraction", "0.5", "--test-fraction", "0.5")
    assert "leave nothing" in refused(path, "--val-fraction", "nan")
    assert "min_unmasked must lie in [0, 1]" in refused(path, "--min-unmasked", "2")
    for option, value in (("--negatives", "inf"), ("--negatives", "nan"), ("--split-seed", "-1")):
        assert "from 0 up" in refused(path, option, value)
    assert "the target 'X' needs a file" in refused("X=")
    assert "black.bed: no such file" in refused(path, "--blacklist", str(tmp_path / "black.bed"))
    black = bed(tmp_path / "black.bed", ("scaffold", 1, 2))
    assert "no contig of it is in the genome" in refused(path, "--blacklist", black)


def test_an_input_is_not_written_over(run_zoo: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    path, sizes = bed(tmp_path / "a.bed", GOOD), bed(tmp_path / "sizes", *SIZES.items())
    before = Path(path).read_text()
    (tmp_path / "x").mkdir()
    for output in (path, str(tmp_path / "x" / ".." / "a.bed"), sizes):
        code, _, error = run_zoo("data", "peaks", path, "--contig-lengths", sizes, "-o", output)
        assert (code, "is one of the files to be read" in error, error.count("\n")) == (2, True, 1)
    assert Path(path).read_text() == before


def test_what_needs_bases_needs_a_genome(run_zoo: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    path, sizes, out = bed(tmp_path / "a.bed", GOOD), bed(tmp_path / "sizes", *SIZES.items()), str(tmp_path / "o.tsv")
    options = ("data", "peaks", path, "--contig-lengths", sizes, "-o", out, "--length", "100")
    code, _, error = run_zoo(*options, "--negatives", "1")
    assert (code, "need the bases of the genome" in error) == (2, True)
    code, _, error = run_zoo(*options, "--min-unmasked", "0.9")
    assert (code, "--min-unmasked needs the bases" in error) == (2, True)
    assert run_zoo(*options)[0] == 0
    assert PeakTable.read(out).length == 100
    bed(tmp_path / "sizes", ("chr1", "long"))
    code, _, error = run_zoo(*options)
    assert (code, "sizes, line 1: a contig's name and its length were expected" in error) == (2, True)
    (tmp_path / "sizes").write_bytes(b"chr1\t100\nchr\xff\t7\n")
    code, _, error = run_zoo(*options)
    message = "not a text file of contigs and lengths (line 2: the byte 0xff is not UTF-8)"
    assert (code, message in error, error.count("\n")) == (2, True, 1)


BAD_TABLES = {
    "no such file": (None, "no such file"),
    "other columns": ("a\tb\nx\ty\n", "is no table of peaks: its columns are a, b"),
    "no target": ("chrom\tstart\tend\tsplit\nchr1\t1\t2\ttrain\n", "at least one target"),
    "no site": ("chrom\tstart\tend\tsplit\ta\n", "no site in it"),
    "lengths": ("chrom\tstart\tend\tsplit\ta\nchr1\t1\t3\ttrain\t1\nchr1\t1\t4\ttrain\t0\n", "sites of 2, 3 bases"),
    "split": ("chrom\tstart\tend\tsplit\ta\nchr1\t1\t3\ttrian\t1\n", "the split 'trian' is none of"),
    "label": (
        "chrom\tstart\tend\tsplit\ta\nchr1\t1\t3\ttrain\t2\n",
        "line 2: the target 'a' has the label '2', not 0 or 1",
    ),
    "cells": ("chrom\tstart\tend\tsplit\ta\nchr1\t1\t3\ttrain\t1\t0\n", "line 2: 6 cells under 5 columns"),
    "few cells": ("chrom\tstart\tend\tsplit\ta\nchr1\t1\t3\ttrain\t1\nchr1\t1\n", "line 3: 2 cells under 5 columns"),
    "large label": (
        "chrom\tstart\tend\tsplit\ta\nchr1\t1\t3\ttrain\t256\n",
        "line 2: the target 'a' has the label '256'",
    ),
    "no number": (
        "chrom\tstart\tend\tsplit\ta\nchr1\tone\t3\ttrain\t1\n",
        "line 2: the start 'one' is not a whole number",
    ),
    "one name twice": ("chrom\tstart\tend\tsplit\ta\ta\nchr1\t1\t3\ttrain\t1\t0\n", "two columns are called 'a'"),
    "text": ("chrom\tstart\tend\tsplit\ta\nchr1\tx\t3\ttrain\t1\n", "line 2: the start .x. is not a whole number"),
}


@pytest.mark.parametrize(("text", "said"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_a_table_that_does_not_fit_is_refused(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "table.tsv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=said):
        PeakTable.read(path)


def test_a_zipped_table_that_is_broken_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.tsv.gz"
    zipped = bytearray(gzip.compress(b"chrom\tstart\tend\tsplit\ta\n" + b"chr1\t1\t3\ttrain\t1\n" * 1000))
    zipped[20:30] = b"\xff" * 10
    path.write_bytes(zipped)
    with pytest.raises(InputError, match="cannot be read as a table of peaks"):
        PeakTable.read(path)


def test_contigs_of_a_table_by_another_name_are_mapped_and_said(
    tmp_path: Path, fasta: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "table.tsv"
    path.write_text("chrom\tstart\tend\tsplit\ta\n1\t1\t31\ttrain\t1\n3\t5\t35\ttrain\t0\n")
    data = PeakDataModule(str(fasta), table=str(path))
    genome = Genome(fasta)
    expected = [genome.sequence(Interval("chr1", 1, 31)), genome.sequence(Interval("chr3", 5, 35))]
    assert [decode(row) for row in data.data.codes[[0, 1]]] == expected
    assert f"have other names in {fasta}: 1 is chr1, 3 is chr3" in caplog.text


def test_a_table_of_another_genome_is_refused(tmp_path: Path, fasta: Path) -> None:
    path = tmp_path / "table.tsv"
    path.write_text("chrom\tstart\tend\tsplit\ta\nchr1\t1\t3\ttrain\t1\nchr3\t19999\t20001\ttrain\t1\n")
    with pytest.raises(InputError, match=r"chr3:19999-20001 reaches past the end .* another genome"):
        _ = PeakDataModule(str(fasta), table=str(path)).data


def test_a_module_wants_a_table_or_files_and_no_rules_for_a_table(fasta: Path) -> None:
    with pytest.raises(ConfigError, match="either the `table`"):
        PeakDataModule(str(fasta))
    with pytest.raises(ConfigError, match="either the `table`"):
        PeakDataModule(str(fasta), table="a", peaks="b")
    with pytest.raises(ConfigError, match="a table has its sites already"):
        PeakDataModule(str(fasta), table="a", rules=PeakRules())


def test_splits_without_a_negative_are_named(tmp_path: Path, fasta: Path) -> None:
    places = [(contig, start, start + 20) for contig in SIZES for start in range(500, 8_000, 1_000)]
    files = {"a": bed(tmp_path / "a.bed", *places[::2]), "b": bed(tmp_path / "b.bed", *places[1::2])}
    table, _ = build(files, fasta, PeakRules(length=100, val=["chr2"], test=["chr3"]))
    keep = (table.split == 0) | table.labels.any(1)  # negatives of train alone
    columns = {name: getattr(table, name)[keep] for name in ("contig", "start", "labels", "split")}
    replace(table, **columns).write(tmp_path / "table.tsv")
    told = PeakDataModule(str(fasta), table=str(tmp_path / "table.tsv")).describe()
    assert told[-1].startswith("every sequence of val and test is a positive of some target")
    sites = _Sites(*(columns[name] for name in ("contig", "start", "labels", "split")))
    _report_splits(sites, table.targets, report := Report())
    assert report.lines[0].startswith("every site of val and test has a peak: a model of them tells these files apart")
