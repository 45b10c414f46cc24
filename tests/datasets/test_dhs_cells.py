"""The DNase sites of four cell lines: splits, and where shuffles are added; on a made table and on the real one."""

from pathlib import Path

import numpy as np
import pytest

from zoo.datasets import dhs_cells as module
from zoo.datasets.dhs_cells import CELLS, DhsCellsDataModule
from zoo.errors import IntegrityError
from zoo.genome.sequence import decode
from zoo.utils.download import PublicFile

SPLITS = ["training"] * 12 + ["validation"] * 8 + ["test"] * 4


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """24 sites, each open in one cell line in turn."""
    path = tmp_path / "sites.txt"
    rng = np.random.default_rng(0)
    lines = ["\t".join(["dhs_id", "sequence", *CELLS.values(), "TAG", "data_label"])]
    for row, split in enumerate(SPLITS):
        cells = ["1" if row % 4 == cell else "0" for cell in range(4)]
        sequence = decode(rng.integers(0, 4, 200).astype(np.uint8))
        lines.append("\t".join([f"site{row}", sequence, *cells, "tag", split]))
    path.write_text("\n".join(lines) + "\n")

    def fetch(file: PublicFile, progress: bool = True) -> Path:
        return path

    monkeypatch.setattr(module, "fetch", fetch)
    return path


def test_sites_have_their_published_splits(table: Path) -> None:
    data = DhsCellsDataModule()
    assert data.targets == ["GM12878", "hESC", "K562", "HepG2"]
    assert [len(data.subset(split)) for split in ("train", "val", "test")] == [12, 8, 4]
    assert np.array_equal(data.subset("test").labels, np.eye(4))
    assert data.target_facts["K562"] == ("DNase-seq in K562 (chronic myeloid leukaemia)", "probability")


def test_shuffles_are_negatives_of_training_alone(table: Path) -> None:
    data = DhsCellsDataModule(shuffles=1)
    data.setup("fit")
    assert [len(data.dataset(split)) for split in ("train", "val", "test")] == [24, 8, 4]
    batch = data.dataset("train").__getitems__([12, 13])
    assert not batch.target.any()
    site = data.subset("train").codes[0]
    assert sorted(batch.codes[0].tolist()) == sorted(site.tolist())
    assert batch.codes[0].tolist() != site.tolist()
    assert "every sequence of val and test is a positive of some target" in data.describe()[-1]


@pytest.mark.parametrize("column", ["none", "two"])
def test_a_site_that_is_not_open_in_exactly_one_cell_line_is_refused(column: str, table: Path) -> None:
    lines = table.read_text().splitlines()
    cells = lines[5].split("\t")
    cells[2:6] = ["0"] * 4 if column == "none" else ["1", "1", "0", "0"]
    lines[5] = "\t".join(cells)
    table.write_text("\n".join(lines) + "\n")
    with pytest.raises(IntegrityError, match="exactly one of GM12878, hESC, K562, HepG2"):
        _ = DhsCellsDataModule().data


@pytest.mark.public_data
def test_the_published_table_is_split_by_chromosome() -> None:
    data = DhsCellsDataModule()
    assert [len(data.subset(split)) for split in ("train", "val", "test")] == [39_254, 4_053, 4_565]
    assert data.data.labels.sum(0).tolist() == [11_968] * 4
