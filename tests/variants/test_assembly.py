"""Contigs of a VCF's header and of a genome: which are the same, and when it is another assembly."""

from pathlib import Path

import pytest

from zoo.errors import InputError
from zoo.formats.alleles import Variant
from zoo.genome.contigs import find_by_length, find_contigs
from zoo.genome.fasta import Genome
from zoo.genome.intervals import is_region, parse_region
from zoo.variants.api import score_variants
from zoo.variants.assembly import match_assembly
from zoo.variants.changes import Change, Unscored
from zoo.variants.sources import GenomeSource

LENGTHS = {"chr1": 500, "chr2": 400, "chrM": 71}


@pytest.fixture
def genome(tmp_path: Path) -> Genome:
    path = tmp_path / "genome.fa"
    path.write_text(
        "".join(f">{name}\n{'ACGT' * length}"[: length + len(name) + 2] + "\n" for name, length in LENGTHS.items())
    )
    return Genome(path)


def calls(folder: Path, contigs: dict[str, int], records: list[tuple[str, int]]) -> str:
    head = "".join(f"##contig=<ID={name},length={length}>\n" for name, length in contigs.items())
    body = "".join(f"{name}\t{position}\t.\tA\tC\t.\t.\t.\n" for name, position in records)
    columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    (folder / "v.vcf").write_text(f"##fileformat=VCFv4.2\n{head}{columns}{body}")
    return str(folder / "v.vcf")


def test_the_contigs_that_differ_have_notes_where_most_are_the_same(genome: Genome, tmp_path: Path) -> None:
    path = calls(tmp_path, {"1": 500, "2": 400, "MT": 69}, [("MT", 1), ("1", 1), ("MT", 5), ("2", 5)])
    (block,) = GenomeSource.of_file(path, genome).blocks(20)
    lengths = "by their header, MT has 69 bases, in the genome 71"
    note = Unscored("the contig has another length in the genome", lengths)
    assert [one if isinstance(one, Unscored) else one.contig for one in block.changes] == [note, "chr1", note, "chr2"]
    assert isinstance(block.changes[1], Change)


def test_python_reads_the_header_too(genome: Genome, tmp_path: Path) -> None:
    path = calls(tmp_path, {"1": 500, "2": 401, "MT": 69}, [("1", 1)])
    with pytest.raises(InputError, match="of another assembly"):
        score_variants("deepbind.encode_usf1_h1hesc", path, genome)


def test_an_empty_ref_is_no_insertion(genome: Genome) -> None:
    (block,) = GenomeSource([Variant(1, "chr1", 5, "", ref, "C") for ref in ("", "-")], genome).blocks(20)
    assert [str(one).startswith("REF is empty") for one in block.changes] == [True, True]


@pytest.mark.parametrize(
    ("contigs", "is_other"),
    [
        ({"1": 500, "2": 401}, False),  # half of them
        ({"1": 500, "2": 401, "MT": 69}, True),
        ({"1": 501}, True),
        ({"1": 501, "2": None, "chr9": 7}, True),  # one of one whose lengths both have
        ({"1": None}, False),
        ({}, False),
    ],
)
def test_another_assembly_is_one_of_which_most_contigs_differ(
    contigs: dict[str, int | None], is_other: bool, genome: Genome
) -> None:
    if is_other:
        with pytest.raises(InputError, match=r"of another assembly than .*: by their header, "):
            match_assembly(contigs, genome)
    else:
        match_assembly(contigs, genome)


def test_of_two_mitochondria_the_length_tells(tmp_path: Path) -> None:
    known = {"chr1": 500, "chrM": 71, "chrMT": 69}
    assert find_by_length({"MT": 69, "1": 3, "chr9": 2}, known) == {"MT": "chrMT", "1": "chr1", "chr9": None}
    assert find_by_length({"MT": 71}, known) == {"MT": "chrM"}
    assert find_by_length({"MT": None}, known) == find_by_length({"MT": 70}, known) == {}
    assert find_by_length({"chrM": 69}, known) == {"chrM": "chrM"}
    with pytest.raises(InputError, match="the contig 'MT' could be chrM or chrMT"):
        find_contigs(["MT"], known)
    (tmp_path / "two.fa").write_text(
        "".join(f">{name}\n{'ACGTA' * 200}"[: n + len(name) + 2] + "\n" for name, n in known.items())
    )
    path = calls(tmp_path, {"1": 500, "MT": 69}, [("MT", 6), ("1", 1)])
    (block,) = GenomeSource.of_file(path, Genome(tmp_path / "two.fa")).blocks(20)
    assert [one.contig for one in block.changes if isinstance(one, Change)] == ["chrMT", "chr1"]


def test_a_region_is_known_by_its_form() -> None:
    assert all(map(is_region, ["chr1:1,000-2,000", "1:5-7", "HLA:a:1-2", "chr1:9-3"]))
    assert not any(map(is_region, ["chr1:302-A-C", "chr1:302-A", "rs1:a-b", "chr1", "1-2:3"]))
    with pytest.raises(InputError, match="empty or reversed"):
        parse_region("chr1:9-3")
