"""Saturation mutagenesis: elements are rebuilt from their variants; what is left out is counted."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from zoo.datasets import satmut_mpra as module
from zoo.datasets.satmut_mpra import DELETED, read_experiments
from zoo.errors import IntegrityError
from zoo.genome.sequence import decode
from zoo.utils.download import PublicFile

HEADER = "Chrom Pos Ref Alt Barcodes DNA RNA Coefficient pValue Element Release"
# ACGTA at chr7:101, without chr7:103.
ROWS = """
7 101 A C 10 1 1 0.5 0.1 made GRCh38
7 102 C - 12 1 1 -1.5 0.1 made GRCh38
7 104 T G 11 1 1 0.25 0.1 made GRCh38
7 105 A T 9 1 1 3.0 0.1 made GRCh38
NA NA G T 50 1 1 3.0 0.1 made GRCh38
7 901 A C 10 1 1 0.5 0.1 made GRCh37
X 11 G A 10 1 1 0.5 0.1 another GRCh38
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The path of the made table, which is written before it is read."""
    path = tmp_path / "elements.tsv.gz"

    def fetch(file: PublicFile, progress: bool = True) -> Path:
        return path

    monkeypatch.setattr(module, "fetch", fetch)
    read_experiments.cache_clear()
    yield path
    read_experiments.cache_clear()


def write_rows(path: Path, rows: str) -> None:
    lines = [HEADER, *rows.strip().split("\n")]
    with gzip.open(path, "wt") as file:
        file.write("\n".join(line.replace(" ", "\t") for line in lines) + "\n")


def test_an_element_is_rebuilt_and_what_is_left_out_is_counted(write: Path) -> None:
    write_rows(write, ROWS)
    experiments = read_experiments()
    assert list(experiments) == ["another", "made"]
    one = experiments["made"]
    assert (one.contig, one.start, decode(one.codes)) == ("chr7", 100, "ACNTA")
    assert one.position.tolist() == [0, 1, 3]
    assert one.alternative.tolist() == [1, DELETED, 2]
    assert one.is_deletion.tolist() == [False, True, False]
    assert one.effect.tolist() == [0.5, -1.5, 0.25]
    assert (one.gaps, one.few_barcodes, one.no_position) == (1, 1, 1)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("7 101 G T 10 1 1 0.5 0.1 made GRCh38", "another reference base, G, at 7:101"),
        ("8 101 A T 10 1 1 0.5 0.1 made GRCh38", "lies on 2 chromosomes"),
        ("7 101 A TT 10 1 1 0.5 0.1 made GRCh38", "alleles other than A, C, G, T and -"),
    ],
)
def test_rows_that_contradict_each_other_are_refused(row: str, said: str, write: Path) -> None:
    write_rows(write, ROWS + row)
    with pytest.raises(IntegrityError, match=said):
        read_experiments()


@pytest.mark.public_data
def test_the_published_table_has_its_29_experiments() -> None:
    read_experiments.cache_clear()
    experiments = read_experiments()
    assert len(experiments) == 29
    counted = sum(len(one.effect) + one.few_barcodes + one.no_position for one in experiments.values())
    assert counted == 44_647 + 11  # of eleven more the position is not known
    assert {name: one.gaps for name, one in experiments.items() if one.gaps} == {"TCF7L2": 1}
    tcf7l2 = experiments["TCF7L2"]
    assert tcf7l2.start + 1 + int(np.flatnonzero(tcf7l2.codes == 4)[0]) == 112_998_251
    assert {name: one.no_position for name, one in experiments.items() if one.no_position} == {
        "MSMB": 7,
        "MYCrs11986220": 4,
    }
    assert (len(experiments["F9"].codes), len(experiments["HBB"].codes)) == (303, 187)
