"""Kinds of data files by their names."""

import pytest

from zoo.formats.kinds import file_kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a/bound.fa", "fasta"),
        ("bound.FASTA.gz", "fasta"),
        ("labels.tsv", "table"),
        ("labels.csv.bgz", "table"),
        ("x.bed", "peaks"),
        ("x.narrowPeak.gz", "peaks"),
        ("x.broadPeak", "peaks"),
        ("x.bw", "bigwig"),
        ("x.bigWig", "bigwig"),
        ("x.cool", "cooler"),
        ("x.mcool::resolutions/2000", "cooler"),
        ("x.cool.txt", None),
        ("fa", None),
        ("x.bam", None),
    ],
)
def test_the_end_of_a_name_tells_the_kind(name: str, kind: str | None) -> None:
    assert file_kind(name) == kind
