"""Variants of yeast promoters: each is joined to its two oligos, on made R files and on the authors' own."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from made.promoter_variants import write_promoter_variants

from zoo.datasets import yeast_variants as module
from zoo.datasets.yeast_genome import CONTIGS, TEST, write_genome
from zoo.datasets.yeast_variants import LIBRARIES, read_variants
from zoo.errors import IntegrityError
from zoo.genome.sequence import decode, encode, reverse_complement
from zoo.utils.download import PublicFile

# On the genes' strands; YB is on the minus strand. GAAT of YA_0 has two variants, A>C and A>ACC.
OLIGOS = {"YA_0_11": "TGAATC", "YA_0_21": "TGCATC", "YA_0_12": "TGAACCTC", "YB_chr_1_1": "GGTT", "YB_chr_1_2": "GGCT"}
RESULTS = """
YA_0_21 1 chrI 101 A C YA TSS + 0.5 1.0 0.01 12
YA_0_12 2 chrI 102 A ACC YA TSS + -0.5 2.0 0.2 NA
YB_chr_1_2 1 chrIX 7 A G YB UpStream - 1.5 -1.0 0.04 200
"""


def write(folder: Path, results: str = RESULTS, oligos: dict[str, str] = OLIGOS) -> None:
    write_promoter_variants(folder, [line.split() for line in results.strip().split("\n")], oligos)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    def fetch(file: PublicFile, progress: bool = True) -> Path:
        return tmp_path / file.name

    monkeypatch.setattr(module, "fetch", fetch)
    read_variants.cache_clear()
    yield tmp_path
    read_variants.cache_clear()


def test_variants_are_joined_to_oligos_on_the_strand_of_the_gene(folder: Path) -> None:
    write(folder)
    variants = read_variants()
    assert variants.reference_oligo == ["TGAATC", "TGAATC", "GGTT"]
    assert variants.alternative_oligo == ["TGCATC", "TGAACCTC", "GGCT"]
    assert variants.position.tolist() == [100, 101, 6]
    assert [LIBRARIES[index] for index in variants.library] == ["TSS", "TSS", "UpStream"]
    assert variants.minus.tolist() == [False, False, True]
    assert variants.is_snv.tolist() == [True, False, True]
    assert variants.is_causal.tolist() == [True, False, True]
    assert variants.effect.tolist() == [0.5, -0.5, 1.5]
    assert np.isnan(variants.distance).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("YA_0_21 1", "YA_0_21 2", "does not have the other allele of its variant 2"),
        ("YA_0_12 2 chrI 102 A ACC", "YA_0_12 2 chrI 102 A AC", "do not differ in its alleles alone"),
        ("chrIX 7 A G YB UpStream -", "chrIX 7 A G YB UpStream +", "do not differ in its alleles alone"),
        ("YB UpStream", "YB Downstream", "'Downstream' is no library"),
    ],
)
def test_results_that_do_not_fit_the_oligos_are_refused(folder: Path, old: str, new: str, message: str) -> None:
    assert old in RESULTS
    write(folder, RESULTS.replace(old, new))
    with pytest.raises(IntegrityError, match=message):
        read_variants()


def test_a_missing_oligo_is_refused(folder: Path) -> None:
    write(folder, oligos={name: oligo for name, oligo in OLIGOS.items() if name != "YA_0_11"})
    with pytest.raises(IntegrityError, match="has no oligo YA_0_11"):
        read_variants()


@pytest.mark.public_data
def test_the_published_variants(tmp_path: Path) -> None:
    read_variants.cache_clear()
    variants = read_variants()
    snv, causal = variants.is_snv, variants.is_causal
    assert (len(variants.names), snv.sum(), (~snv).sum()) == (6_362, 5_312, 1_050)
    assert (causal.sum(), (causal & snv).sum()) == (459, 395)
    assert np.bincount(variants.library).tolist() == [2_179, 4_183]
    assert (causal & snv & (variants.library == 0)).sum() == 142  # those that others score
    write_genome(tmp_path / "genome.fa")
    contigs = (tmp_path / "genome.fa").read_text().split(">")[1:]
    genome = {record.split("\n")[0]: record.partition("\n")[2].replace("\n", "") for record in contigs}
    assert list(genome) == CONTIGS
    test = np.flatnonzero(np.isin(variants.contig, TEST))
    assert len(test) == 564
    for row in test:
        start, allele = variants.position[row], str(variants.reference[row])
        assert genome[str(variants.contig[row])][start : start + len(allele)] == allele
        oligo = variants.reference_oligo[row]
        plus = decode(reverse_complement(encode(oligo))) if variants.minus[row] else oligo
        assert plus in genome[str(variants.contig[row])][start - 150 : start + 150 + len(allele)]
