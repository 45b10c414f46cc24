"""The DNase sites of four cell lines: splits, and where shuffles are added; on a made table and on the real one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoo.datasets import dhs_cells as module
from zoo.datasets.dhs_cells import CELLS, DhsCellsDataModule
from zoo.errors import ConfigError, IntegrityError
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


def test_negatives_are_fresh_shuffles_of_some_training_sites(table: Path) -> None:
    data = DhsCellsDataModule(negatives=0.4, batch_size=12)
    data.setup("fit")
    sites = {codes.tobytes(): label for codes, label in zip(*training(data), strict=True)}
    loader = data.train_dataloader()
    seen, negatives = set(), 0
    for epoch in range(30):
        loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
        (batch,) = list(loader)
        for codes, target in zip(batch.codes.numpy(), batch.target.numpy(), strict=True):
            if target.any():
                assert np.array_equal(target, sites[codes.tobytes()])
                continue
            negatives += 1
            assert codes.tobytes() not in sites
            assert any(sorted(codes.tolist()) == sorted(site) for site in sites)
            seen.add(codes.tobytes())
    assert len(seen) == negatives  # none is there twice
    assert 0.3 < negatives / (30 * 12) < 0.5
    assert [len(data.dataset(split)) for split in ("val", "test")] == [8, 4]
    assert data.describe()[-1].startswith("of each training epoch 40% of the sequences are shuffles")
    assert "Negatives are shuffles of the sequences" in data.limits[0]


def test_without_negatives_every_site_is_drawn_once(table: Path) -> None:
    data = DhsCellsDataModule(batch_size=12)
    data.setup("fit")
    (batch,) = list(data.train_dataloader())
    assert sorted(batch.codes.numpy().tolist()) == sorted(training(data)[0].tolist())
    assert data.limits == []
    assert "every sequence is a positive of some target" in data.describe()[-1]


def test_open_targets_tell_the_sites_of_a_cell_line_from_shuffles(table: Path) -> None:
    data = DhsCellsDataModule(negatives=0.5, open_targets=True, batch_size=12)
    data.setup("fit")
    assert data.targets == [*CELLS, "GM12878_open", "hESC_open", "K562_open", "HepG2_open"]
    assert data.target_facts["K562_open"][0] == "DNase-seq in K562 (chronic myeloid leukaemia), against shuffled DNA"
    missing = np.full((4, 4), np.nan)
    site_labels = np.concatenate([np.eye(4), np.where(np.eye(4) == 1, 1, missing)], axis=1)
    assert np.array_equal(data.subset("train").labels, np.tile(site_labels, (3, 1)), equal_nan=True)
    test = data.subset("test")
    shuffle_labels = np.concatenate([missing, np.zeros((4, 4))], axis=1)
    assert np.array_equal(test.labels, np.concatenate([site_labels, shuffle_labels]), equal_nan=True)
    for site, shuffle in zip(test.codes[:4], test.codes[4:], strict=True):
        assert not np.array_equal(site, shuffle)
        counts, shuffled = (np.bincount(codes[:-1] * 4 + codes[1:], minlength=16) for codes in (site, shuffle))
        assert np.array_equal(counts, shuffled)
    again = DhsCellsDataModule(negatives=0.2, open_targets=True, seed=3).subset("test")
    assert np.array_equal(test.codes, again.codes)  # held-out shuffles depend on no option
    assert np.array_equal(np.concatenate(list(data.sequences_of(["test"]))), test.codes[:4])
    (batch,) = list(data.train_dataloader())
    negative = (batch.target[:, :4] == 0).all(1)
    assert 0 < int(negative.sum()) < 12
    assert bool((batch.target[negative] == 0).all())


@pytest.mark.parametrize("options", [{"negatives": 1.0}, {"negatives": -0.1}, {"shuffles": 1}, {"open_targets": True}])
def test_negatives_are_asked_for_in_one_way(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="negative"):
        DhsCellsDataModule(**options)


def training(data: DhsCellsDataModule) -> tuple[Any, Any]:
    train = data.subset("train")
    return train.codes, train.labels


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
