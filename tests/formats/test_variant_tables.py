"""Tables of variants and of pairs of sequences, cell by cell; quotes are compared with Python's csv module."""

import csv
import io
from pathlib import Path

import pytest

from zoo.errors import InputError
from zoo.formats.alleles import Variant
from zoo.formats.cells import read_rows
from zoo.formats.variants import read_variants
from zoo.variants.sources import PairSource

HEADER = "chrom\tpos\tref\talt\tcomment\n"
A, B, C = ("chr1\t5\tA\tC\t", "chr1\t6\tG\tT\t", "chr1\t7\tT\tA\t")
LONGER_THAN_CSV_TAKES = "ACGT" * 50_000


def read(folder: Path, text: str, name: str = "v.tsv") -> list[Variant]:
    (folder / name).write_text(text)
    return list(read_variants(folder / name))


def pairs(folder: Path, text: str) -> list[tuple[str, int, int]]:
    (folder / "pairs.tsv").write_text(text)
    rows = PairSource(str(folder / "pairs.tsv"))._rows()
    return [(name, len(ref), len(alt)) for name, ref, alt in rows]


@pytest.mark.parametrize("cell", ['"5 UTR', '5" UTR', '"5\' UTR" of two', '"', '5 UTR"'])
def test_between_tabs_a_quote_hides_no_row(cell: str, tmp_path: Path) -> None:
    rows = read(tmp_path, f"{HEADER}{A}{cell}\n{B}x\n{C}{cell}\n")
    assert [one.position for one in rows] == [5, 6, 7]
    head = "ref_sequence\talt_sequence\tname\n"
    some = pairs(tmp_path, f"{head}ACGT\tACCT\t{cell}\nACGTA\tACCTA\ty\nACGTAC\tACCTAC\t{cell}\n")
    assert [length for _, length, _ in some] == [4, 5, 6]
    assert [name for name, _, _ in some] == [cell, "y", cell]


def test_quotes_of_a_spreadsheet_are_read_as_csv_reads_them(tmp_path: Path) -> None:
    table = [
        ["chrom", "pos", "ref", "alt", "id"],
        ["chr1", "5", "A", "C,G", 'a "b" c'],
        ["chr1", "6", "G", "T", "x\ty"],
    ]
    for name, separator in (("v.tsv", "\t"), ("v.csv", ",")):
        text = io.StringIO()
        csv.writer(text, delimiter=separator, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(table)
        alleles = read(tmp_path, text.getvalue(), name)
        assert [(one.position, one.ref, one.alt) for one in alleles] == [(5, "A", "C"), (5, "A", "G"), (6, "G", "T")]
        assert [one.name for one in alleles] == ['a "b" c', 'a "b" c', "x\ty"]
    # One whole cell in quotes beside one that only begins with one.
    assert read(tmp_path, f'{HEADER}"chr1"\t"5"\t"A"\t"C"\t"5 UTR\n')[0][:6] == (1, "chr1", 5, "", "A", "C")


def test_a_cell_with_a_line_break_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"v\.tsv, line 3: 1 cells where the header has 5"):
        read(tmp_path, f'{HEADER}{A}"two\nlines"\n{B}x\n')
    header, first, second = (line.replace("\t", ",") for line in (HEADER, A, B))
    with pytest.raises(InputError, match=r"v\.csv, line 2: a quote that is not closed at the end of its cell and line"):
        read(tmp_path, f'{header}{first}"5 UTR\n{second}3 UTR"\n', "v.csv")


def test_empty_rows_are_skipped_and_lines_are_counted_with_them(tmp_path: Path) -> None:
    rows = read(tmp_path, f"{HEADER}\n{A}x\n \n\t\t\t\t\n{B}x\n\n")
    assert [(one.record, one.position) for one in rows] == [(1, 5), (2, 6)]
    head = "name\tref_sequence\talt_sequence\n"
    assert pairs(tmp_path, f"{head}\na\tAC\tAG\n\n\n") == [("a", 2, 2)]
    with pytest.raises(InputError, match=r"v\.tsv, line 5: the position 'x' is no whole number"):
        read(tmp_path, f"{HEADER}\n{A}x\n\nchr1\tx\tA\tC\tx\n")


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_cell_may_be_a_sequence_of_any_model(quote: str, tmp_path: Path) -> None:
    cell = f"{quote}{LONGER_THAN_CSV_TAKES}{quote}"
    assert read(tmp_path, f"{HEADER}chr1\t5\tA\t{cell}\tx\n")[0].alt == LONGER_THAN_CSV_TAKES
    text = f"ref_sequence\talt_sequence\n{cell}\t{cell}\n"
    assert pairs(tmp_path, text) == [("", len(LONGER_THAN_CSV_TAKES), len(LONGER_THAN_CSV_TAKES))]


def test_of_id_and_name_the_id_is_taken(tmp_path: Path) -> None:
    rows = read(tmp_path, "chrom\tpos\tref\talt\tname\tid\nchr1\t5\tA\tC\tb\ta\n")
    assert [one.name for one in rows] == ["a"]
    with pytest.raises(InputError, match="the columns 'id' and 'id' are both its name"):
        read(tmp_path, "chrom\tpos\tref\talt\tid\tid\nchr1\t5\tA\tC\tb\ta\n")


def test_an_empty_ref_is_the_sign_for_one_and_an_empty_alt_is_none(tmp_path: Path) -> None:
    rows = read(tmp_path, f"{HEADER}chr1\t5\t\tC\tx\nchr1\t5\tA\t\tx\n")
    assert [(one.ref, one.alt) for one in rows] == [("-", "C"), ("A", ".")]


def test_a_vcf_of_another_name_is_told_from_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    with pytest.raises(InputError, match=r"v.vcf.txt begins like a VCF, .* let its name end in .vcf"):
        read(tmp_path, text, "v.vcf.txt")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(text.encode()))))
    with pytest.raises(InputError, match=r"standard input begins like a VCF, .*: save it as a file"):
        list(read_rows("-"))
