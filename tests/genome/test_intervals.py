from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from zoo.errors import InputError
from zoo.formats.bed import read_bed
from zoo.genome.contigs import match_both_ways, match_contigs
from zoo.genome.intervals import Interval

HUMAN = ["chr1", "chr2", "chr10", "chrX", "chrY", "chrM"]
ENSEMBL = ["1", "2", "10", "X", "Y", "MT"]
YEAST = ["chrI", "chrII", "chrIV", "chrIX", "chrX", "chrXIV", "chrXVI", "chrM"]


def write(folder: Path, text: str | bytes, name: str = "a.bed") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_an_interval_is_half_open() -> None:
    assert len(Interval("chr1", 10, 12)) == 2
    assert str(Interval("chr1", 10, 12)) == "chr1:10-12"
    assert str(Interval("chr1", 10, 12, strand="-")) == "chr1:10-12(-)"


def test_a_label_is_the_name_or_else_the_coordinates() -> None:
    assert Interval("chr1", 10, 12, "peak").label == "peak"
    assert Interval("chr1", 10, 12).label == "chr1:10-12"


@pytest.mark.parametrize(
    ("length", "start", "end"),
    [(4, 13, 17), (10, 10, 20), (12, 9, 21), (40, -5, 35), (2, 14, 16)],
)
def test_resizing_keeps_the_centre(length: int, start: int, end: int) -> None:
    assert Interval("chr1", 10, 20, "peak", "-").resized(length) == Interval("chr1", start, end, "peak", "-")


def test_a_summit_stays_in_the_middle_of_an_odd_window() -> None:
    # 100 is one base; 50 bases lie on each side of it.
    assert Interval("chr1", 100, 101).resized(101) == Interval("chr1", 50, 151)


def test_bed_of_three_to_twelve_columns_is_read(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "chr1\t0\t5\nchr2\t7\t9\tb\nchr3\t1\t2\t.\t900\nchr4\t3\t8\td\t0\t-\nchr5\t2\t4\te\t0\t+\t2\t4\t0\t1\t2,\t0,\n",
    )
    assert read_bed(path) == [
        Interval("chr1", 0, 5),
        Interval("chr2", 7, 9, "b"),
        Interval("chr3", 1, 2),
        Interval("chr4", 3, 8, "d", "-"),
        Interval("chr5", 2, 4, "e", "+"),
    ]


def test_headers_blank_lines_and_windows_line_ends_are_passed_over(tmp_path: Path) -> None:
    text = '#chrom\tstart\tend\ntrack name="x"\nbrowser position chr1:1-2\n\r\nchr1\t1\t2\tp\t0\t+\r\n\n'
    assert read_bed(write(tmp_path, text)) == [Interval("chr1", 1, 2, "p", "+")]


def test_the_last_line_needs_no_line_end(tmp_path: Path) -> None:
    assert read_bed(write(tmp_path, "chr1\t1\t2\nchr1\t3\t4")) == [Interval("chr1", 1, 2), Interval("chr1", 3, 4)]


def test_gzip_is_told_by_its_first_bytes_not_its_name(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(b"chr1\t1\t2\nchr2\t3\t4\n"))
    assert read_bed(path) == [Interval("chr1", 1, 2), Interval("chr2", 3, 4)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("chr1\t5", "2 tab-separated columns"),
        ("chr1 5 9", "1 tab-separated columns"),
        ("chr1\tfive\t9", "'five'"),
        ("chr1\t5\t9.5", "'9.5'"),
        ("chr1\t5\t", "whole numbers"),
        ("chr1\t9\t5", "start 9 and end 5"),
        ("chr1\t5\t5", "start 5 and end 5"),
        ("chr1\t-1\t5", "start -1"),
        ("chr1\t1\t5\tn\t0\tx", "strand 'x'"),
    ],
)
def test_a_line_that_is_not_bed_is_named_by_its_number(tmp_path: Path, line: str, reason: str) -> None:
    path = write(tmp_path, f"# comment\nchr1\t1\t2\n\n{line}\nchr1\t1\t2\n")
    with pytest.raises(InputError, match=f"a.bed, line 4: .*{reason}"):
        read_bed(path)


@pytest.mark.parametrize("text", ["", "# only a comment\n\n"])
def test_a_file_without_intervals_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"a.bed: no interval"):
        read_bed(write(tmp_path, text))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.bed: no such file"):
        read_bed(tmp_path / "none.bed")


def damaged(kind: str) -> bytes:
    whole = gzip.compress("".join(f"chr{i % 7}\t{i * i}\t{i * i + 5}\n" for i in range(999)).encode())
    if kind == "cut short":
        return whole[: len(whole) // 2]
    if kind == "wrong checksum":
        return whole[:-8] + b"\0\0\0\0" + whole[-4:]
    # 0x07 after the ten bytes of the header: a last block of the type that deflate does not have.
    return whole[:10] + b"\x07" + whole[11:]


@pytest.mark.parametrize("kind", ["cut short", "wrong checksum", "wrong block"])
def test_a_damaged_gzip_file_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    with pytest.raises(InputError, match=r"a.bed"):
        read_bed(write(tmp_path, damaged(kind)))


def test_a_binary_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a.bed"):
        read_bed(write(tmp_path, b"\xff\xfe\x00\x80\x81"))


@pytest.mark.parametrize(
    ("wanted", "known", "found"),
    [
        ("chr1", HUMAN, "chr1"),
        ("1", HUMAN, "chr1"),
        ("10", HUMAN, "chr10"),
        ("X", HUMAN, "chrX"),
        ("MT", HUMAN, "chrM"),
        ("M", HUMAN, "chrM"),
        ("chr2", ENSEMBL, "2"),
        ("chrX", ENSEMBL, "X"),
        ("chrM", ENSEMBL, "MT"),
        ("chrMT", ENSEMBL, "MT"),
        ("I", YEAST, "chrI"),
        ("1", YEAST, "chrI"),
        ("chr4", YEAST, "chrIV"),
        ("9", YEAST, "chrIX"),
        ("10", YEAST, "chrX"),
        ("chr14", YEAST, "chrXIV"),
        ("XVI", YEAST, "chrXVI"),
        ("16", YEAST, "chrXVI"),
        ("Mito", YEAST, "chrM"),
        ("chr16", ["I", "II", "XVI", "Mito"], "XVI"),
        ("chrM", ["I", "II", "XVI", "Mito"], "Mito"),
    ],
)
def test_contigs_are_matched_across_conventions(wanted: str, known: list[str], found: str) -> None:
    assert match_contigs([wanted], known) == {wanted: found}


def test_the_same_name_wins_over_another_convention() -> None:
    assert match_contigs(["chr1", "1"], ["1", "chr1"]) == {"chr1": "chr1", "1": "1"}


def test_x_is_not_ten_where_chromosomes_have_numbers() -> None:
    with pytest.raises(InputError, match="'10'"):
        match_contigs(["10"], ["1", "2", "X"])


def test_a_name_that_could_be_two_is_refused_naming_both() -> None:
    with pytest.raises(InputError, match=r"'M'.*chrM or MT"):
        match_contigs(["M"], ["chr1", "chrM", "MT"])


def test_a_contig_that_is_not_there_is_refused_naming_those_that_are() -> None:
    with pytest.raises(
        InputError, match=r"'chr7' is not in the genome, which has chr1, chr2, chr10, chrX, chrY, \.\.\."
    ):
        match_contigs(["chr1", "chr7"], HUMAN)


def test_a_genome_of_one_chromosome_counts_in_roman_numerals_where_its_name_is_no_letter() -> None:
    assert match_both_ways(["chrXIV"], ["chr1", "chr14"]) == {"chrXIV": "chr14"}
    assert match_both_ways(["4", "7"], ["IV", "VI"]) == {"4": "IV", "7": None}
    # X may be the letter: nothing tells that it is ten.
    assert match_both_ways(["chrX"], ["chr10"]) == {"chrX": None}
    assert match_both_ways(["chrX", "chrXI"], ["chr10", "chr11"]) == {"chrX": "chr10", "chrXI": "chr11"}
