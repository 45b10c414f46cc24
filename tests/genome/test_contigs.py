"""Names of contigs: conventions that are matched, and names that are refused."""

from pathlib import Path

import pytest

from zoo.errors import InputError
from zoo.genome.contigs import match_both_ways, match_contigs, read_contig_lengths

HUMAN = ["chr1", "chr2", "chr10", "chrX", "chrY", "chrM"]
ENSEMBL = ["1", "2", "10", "X", "Y", "MT"]
YEAST = ["chrI", "chrII", "chrIV", "chrIX", "chrX", "chrXIV", "chrXVI", "chrM"]


@pytest.mark.parametrize(
    ("name", "known", "expected"),
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
def test_contigs_are_matched_across_conventions(name: str, known: list[str], expected: str) -> None:
    assert match_contigs([name], known) == {name: expected}


def test_an_equal_name_is_preferred_to_one_of_another_convention() -> None:
    assert match_contigs(["chr1", "1"], ["1", "chr1"]) == {"chr1": "chr1", "1": "1"}


def test_x_is_a_letter_where_chromosomes_have_arabic_numbers() -> None:
    with pytest.raises(InputError, match="'10'"):
        match_contigs(["10"], ["1", "2", "X"])


def test_an_ambiguous_name_is_refused_naming_both_contigs() -> None:
    with pytest.raises(InputError, match=r"'M'.*chrM or MT"):
        match_contigs(["M"], ["chr1", "chrM", "MT"])


def test_an_unknown_contig_is_refused_naming_the_known_ones() -> None:
    with pytest.raises(
        InputError, match=r"'chr7' is not in the genome, which has chr1, chr2, chr10, chrX, chrY, \.\.\."
    ):
        match_contigs(["chr1", "chr7"], HUMAN)


def test_roman_numerals_of_few_chromosomes_are_matched_unless_they_may_be_letters() -> None:
    assert match_both_ways(["chrXIV"], ["chr1", "chr14"]) == {"chrXIV": "chr14"}
    assert match_both_ways(["4", "7"], ["IV", "VI"]) == {"4": "IV", "7": None}
    # X alone may be the chromosome X; with XI beside it, it is ten.
    assert match_both_ways(["chrX"], ["chr10"]) == {"chrX": None}
    assert match_both_ways(["chrX", "chrXI"], ["chr10", "chr11"]) == {"chrX": "chr10", "chrXI": "chr11"}


def test_a_contig_longer_than_any_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sizes").write_text(f"chr1\t{2**31 - 1}\n")
    assert read_contig_lengths(tmp_path / "sizes") == {"chr1": 2**31 - 1}
    (tmp_path / "sizes").write_text(f"chr1\t9\nchr2\t{2**31}\n")
    with pytest.raises(InputError, match="sizes, line 2: 2147483648 bases are more than any contig has"):
        read_contig_lengths(tmp_path / "sizes")
