"""What shipped checkpoints and data sets say of their targets."""

from pathlib import Path

import pytest

from zoo.datasets.encode_loci import EncodeLociDataModule
from zoo.datasets.encode_tf import encode_experiments
from zoo.datasets.plant_terminators import TerminatorDataModule
from zoo.hub.cards import describe
from zoo.hub.registry import shipped_folder
from zoo.hub.targets import read_targets

FOLDERS = sorted(path.parent for path in shipped_folder("checkpoints").glob("*/targets.tsv"))


@pytest.mark.parametrize("folder", FOLDERS, ids=[folder.name for folder in FOLDERS])
def test_every_target_has_a_description_of_its_own_and_a_unit(folder: Path) -> None:
    rows = read_targets(folder)
    assert len({row.description for row in rows}) == len(rows)
    assert all(row.unit for row in rows)


def test_each_experiment_names_its_protein_and_cell_line() -> None:
    rows = {row.name: row for row in read_targets(shipped_folder("checkpoints") / "basset.encode_tf")}
    for key, experiment in encode_experiments().items():
        assert rows[key].description == f"ChIP-seq peak of {experiment.protein} in {experiment.cell} cells"
    assert {key: (row.description, row.unit) for key, row in rows.items()} == EncodeLociDataModule().target_facts


def test_terminators_are_in_log2() -> None:
    rows = read_targets(shipped_folder("checkpoints") / "basset.plant_terminators")
    assert {row.unit for row in rows} == {"log2 enrichment"}
    assert {row.name: (row.description, row.unit) for row in rows} == TerminatorDataModule().target_facts


def test_a_card_explains_the_threshold_where_there_is_one() -> None:
    assert "best Matthews correlation in the validation split" in describe("basset.encode_tf")
    assert "`threshold`" not in describe("basset.plant_terminators")
