"""DNase QTLs: which allele is the reference one, and the list of those that are scored."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from zoo.datasets import dsqtl as module
from zoo.datasets.dsqtl import read_qtls, scored_names
from zoo.datasets.sources import files_of
from zoo.errors import IntegrityError
from zoo.genome.sequence import decode
from zoo.utils.download import PublicFile, fetch


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Two SNPs with sequences: the other allele of one raises accessibility, that of the other lowers it."""
    (tmp_path / "dsQTL.vcf").write_text(
        "Chr\tPos\tID\tRef\tAlt\tBeta\nchr1\t5\tchr1.5\tA\tG\t1.5\nchr1\t9\tchr1.9\tC\tT\t-0.5\nchr2\t3\tchr2.3\tC\tT\t2\n"
    )
    (tmp_path / "dsQTL_high.fa").write_text(">chr1.9\nAACAA\n>chr1.5\nTTGTT\n")
    (tmp_path / "dsQTL_low.fa").write_text(">chr1.9\nAATAA\n>chr1.5\nTTATT\n")

    def from_folder(file: PublicFile, progress: bool = True) -> Path:
        return tmp_path / file.name

    monkeypatch.setattr(module, "fetch", from_folder)
    read_qtls.cache_clear()
    yield tmp_path
    read_qtls.cache_clear()


def test_the_sign_of_the_effect_tells_which_allele_is_the_reference(made: Path) -> None:
    qtls = read_qtls()
    assert (qtls.names, qtls.without_sequence) == (["chr1.5", "chr1.9"], 1)
    assert [decode(codes) for codes in qtls.reference] == ["TTATT", "AACAA"]
    assert [decode(codes) for codes in qtls.alternative] == ["TTGTT", "AATAA"]
    assert qtls.select(["chr1.9"]).effect.tolist() == [-0.5]
    with pytest.raises(IntegrityError, match=r"no dsQTL 'chr2\.3'"):
        qtls.select(["chr2.3"])


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("dsQTL_low.fa", ">chr1.9\nAATAA\n", "do not hold the same SNPs"),
        ("dsQTL_low.fa", ">chr1.9\nAATAA\n>chr1.5\nTAATT\n", "differ in one base"),
        ("dsQTL.vcf", "Chr\tPos\tID\tRef\tAlt\tBeta\nchr1\t5\tchr1.5\tA\tG\t1.5\n", "lacks SNPs"),
    ],
)
def test_files_that_do_not_fit_each_other_are_refused(name: str, text: str, said: str, made: Path) -> None:
    (made / name).write_text(text)
    with pytest.raises(IntegrityError, match=said):
        read_qtls()


def test_the_scored_snps_are_573() -> None:
    assert len(set(scored_names())) == len(scored_names()) == 573


@pytest.mark.public_data
def test_alleles_are_those_of_the_table() -> None:
    read_qtls.cache_clear()
    qtls = read_qtls()
    assert (len(qtls.names), qtls.without_sequence) == (5_668, 3)
    table = next(file for file in files_of("dsqtl") if file.name == "dsQTL.vcf")
    with fetch(table).open(newline="") as file:
        rows = {row["ID"]: row for row in csv.DictReader(file, delimiter="\t")}
    bases = np.array(list("ACGT"))
    assert bases[qtls.reference[:, 49]].tolist() == [rows[name]["Ref"] for name in qtls.names]
    assert bases[qtls.alternative[:, 49]].tolist() == [rows[name]["Alt"] for name in qtls.names]
    assert all(float(rows[name]["Pr(>|t|)"]) < 1e-5 for name in qtls.select(scored_names()).names)
