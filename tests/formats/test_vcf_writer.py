"""Records of a VCF written again: what was there stays byte for byte; pysam reads what was added."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pysam
import pytest

from zoo.errors import InputError
from zoo.formats.alleles import Variant
from zoo.formats.vcf import read_calls
from zoo.formats.vcf_writer import InfoField, WrittenCalls, annotate_calls
from zoo.variants.scored import ScoredAlleles
from zoo.variants.table import write_calls

HEAD = '##fileformat=VCFv4.2\n##contig=<ID=chr1>\n##INFO=<ID=AF,Number=A,Type=Float,Description="a, ID=ZOO_x">\n'
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tone\n"
# Numbers that 32 bits do not hold, keys that no line declares, and INFO that is empty.
RECORDS = [
    "chr1\t302\trs1\tA\tC,G\t1234567.89\tPASS\tAF=0.0001234567891,1e-50;BIG=3000000000;END=10\tGT:XY\t0|1:1\n",
    "chr1\t303\t.\tAC\t<DEL>\t1e300\tq10;s50\t.\tGT\t./.\n",
    "chr2\t4\t.\tA\t.\t007.10\t.\tSOMATIC;DP=03\tGT\t0/0\n",
]
TEXT = HEAD + COLUMNS + "".join(RECORDS)
FIELDS = [InfoField("ZOO_x", False, 'a "score"'), InfoField("ZOO_note", True, "why")]
ROWS = [{"ZOO_x": ["0.25", "."], "ZOO_note": [".", "long"]}, {"ZOO_x": ["2"], "ZOO_note": ["."]}, {}]
ADDED = [";ZOO_x=0.25,.;ZOO_note=.,long", "ZOO_x=2;ZOO_note=.", ""]


def annotated(path: Path, output: Path, rows: list[Any] = ROWS, fields: list[InfoField] = FIELDS) -> WrittenCalls:
    return annotate_calls(path, output, fields, iter(rows))


def packed(text: bytes, path: Path) -> Path:
    """Write text as its ending says: `.vcf`, `.gz` by gzip, `.bgz` by bgzip."""
    if path.suffix == ".bgz":
        with pysam.BGZFile(str(path), "wb") as file:  # type: ignore[call-arg]
            file.write(text)
    else:
        path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def content(path: Path) -> bytes:
    raw = path.read_bytes()
    return gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw


@pytest.mark.parametrize("source", ["a.vcf", "a.vcf.gz", "a.vcf.bgz"])
@pytest.mark.parametrize("output", ["b.vcf", "B.VCF", "b.vcf.gz"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_other_byte_of_a_text_stays(source: str, output: str, end: str, tmp_path: Path) -> None:
    path = packed(TEXT.replace("\n", end).encode("latin-1").replace(b"rs1", b"rs\xe9"), tmp_path / source)
    result = tmp_path / output
    assert annotated(path, result) == WrittenCalls(3, [])
    text = content(result).decode("latin-1")
    assert (result.read_bytes()[:2] == b"\x1f\x8b") == output.endswith(".gz")
    header, _, rest = text.partition("#CHROM")
    new = [line for line in header.splitlines(keepends=True) if line.startswith("##INFO=<ID=ZOO_")]
    assert [line.count(end) for line in new] == [1, 1]
    for added in [*new, *ADDED]:
        text = text.replace(added, "." if added.startswith("ZOO_") else "", 1)
    assert text.encode("latin-1") == content(path)
    assert rest.count("ZOO_x") == 2


def test_what_is_added_is_read_by_pysam(tmp_path: Path) -> None:
    path = packed(TEXT.encode(), tmp_path / "a.vcf")
    for name in ("b.vcf", "b.vcf.gz", "b.bcf"):
        annotated(path, tmp_path / name)
        with pysam.VariantFile(str(tmp_path / name)) as file:
            records = list(file)
            assert file.header.info["ZOO_x"].description == "a 'score'"
        assert records[0].info["ZOO_x"] == (0.25, None)
        assert records[0].info["ZOO_note"][1] == "long"
        assert "ZOO_x" not in records[2].info


def test_keys_that_no_line_declares_are_declared_in_a_bcf(tmp_path: Path) -> None:
    path = packed(TEXT.encode(), tmp_path / "a.vcf")
    annotated(path, tmp_path / "b.bcf")
    with pysam.VariantFile(str(tmp_path / "b.bcf")) as file:
        header, records = file.header, list(file)
        assert set(header.filters) == {"PASS", "q10", "s50"}
        assert [(header.formats[key].number, header.formats[key].type) for key in ("GT", "XY")] == [
            (1, "String"),
            (".", "String"),
        ]
        assert list(header.contigs) == ["chr1", "chr2"]
        assert [header.info[key].type for key in ("BIG", "SOMATIC", "DP")] == ["String"] * 3
    assert [list(record.filter) for record in records] == [["PASS"], ["q10", "s50"], []]
    assert records[0].info["BIG"] == ("3000000000",)
    assert records[2].info["DP"] == ("03",)
    assert str(records[2]).split("\t")[7] == "SOMATIC;DP=03"
    assert (records[0].samples["one"]["GT"], records[0].samples["one"]["XY"]) == ((0, 1), ("1",))


@pytest.mark.parametrize("name", ["b.vcf", "b.vcf.gz", "b.bcf"])
def test_fields_that_are_there_are_replaced_and_others_stay(name: str, tmp_path: Path) -> None:
    path, once, twice, thrice = packed(TEXT.encode(), tmp_path / "a.vcf"), *(tmp_path / f"{i}{name}" for i in "123")
    annotated(path, once)
    other = [InfoField("ZOO_y", False, "another"), FIELDS[1]]
    rows = [{"ZOO_y": ["5", "6"], "ZOO_note": ["new", "new"]}, {"ZOO_y": ["7"], "ZOO_note": ["."]}, {}]
    assert annotated(once, twice, rows, other) == WrittenCalls(3, ["ZOO_note"])
    assert annotated(twice, thrice) == WrittenCalls(3, ["ZOO_x", "ZOO_note"])
    with pysam.VariantFile(str(twice)) as file:
        records = list(file)
    assert [one.info["ZOO_x"][0] for one in records[:2]] == [0.25, 2]
    assert [one.info["ZOO_y"][0] for one in records[:2]] == [5, 7]
    assert records[0].info["ZOO_note"] == ("new", "new")
    with pysam.VariantFile(str(thrice)) as file:
        assert sorted(key for key in file.header.info if "ZOO" in key) == ["ZOO_note", "ZOO_x", "ZOO_y"]
        assert [str(one).count("ZOO_x=") for one in file] == [1, 1, 0]


def test_the_same_again_is_the_same_file(tmp_path: Path) -> None:
    path = packed(TEXT.encode(), tmp_path / "a.vcf")
    annotated(path, tmp_path / "b.vcf")
    annotated(tmp_path / "b.vcf", tmp_path / "c.vcf")
    assert content(tmp_path / "b.vcf") == content(tmp_path / "c.vcf")


def test_targets_that_differ_only_in_signs_have_keys_of_their_own(tmp_path: Path) -> None:
    path = packed((HEAD + COLUMNS + "chr1\t302\t.\tA\tC\t.\t.\t.\tGT\t0/1\n").encode(), tmp_path / "a.vcf")
    every = ["cage+", "cage-", "cage__2", "cage"]

    def values(chosen: list[str]) -> dict[str, tuple[float, ...]]:
        row = np.array([[[every.index(target) for target in chosen]]], float)
        block = ScoredAlleles([Variant(1, "chr1", 302, "", "A", "C")], [""], row)
        write_calls(str(path), tmp_path / "b.vcf", [block], {"ref": "reference"}, chosen, every)
        with pysam.VariantFile(str(tmp_path / "b.vcf")) as file:
            return {key: value for key, value in next(iter(file)).info.items() if key != "ZOO_note"}

    keys = ["ZOO_ref_cage_", "ZOO_ref_cage__3", "ZOO_ref_cage__2", "ZOO_ref_cage"]
    assert values(every) == {key: (float(index),) for index, key in enumerate(keys)}
    assert values(["cage-"]) == {"ZOO_ref_cage__3": (1.0,)}  # whichever are chosen


def test_a_record_that_is_none_is_named_by_the_one_before(tmp_path: Path) -> None:
    path = packed(f"{TEXT}chr1\tx\t.\tA\tC\t.\t.\t.\tGT\t0/1\n".encode(), tmp_path / "a.vcf")
    with pytest.raises(InputError, match=r"after 3 records: .*; the last one before it is at chr2:4$"):
        list(read_calls(path))
