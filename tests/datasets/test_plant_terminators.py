"""The terminators: both assays joined, on made R files and on the authors' own."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rdata
import torch

from zoo.data.splits import SPLITS
from zoo.datasets import plant_terminators as module
from zoo.datasets.plant_terminators import TARGETS, TerminatorDataModule, read_terminators
from zoo.errors import IntegrityError
from zoo.genome.sequence import decode
from zoo.metrics.labels import REGRESSION, per_target
from zoo.utils.download import PublicFile

MAIZE = np.linspace(-2, 0, 29)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pd.DataFrame]:
    """30 terminators in tobacco, of which maize lacks the first and one is short; the last ten are the test set."""
    rng = np.random.default_rng(0)
    rows = [decode(row) for row in rng.integers(0, 4, (30, 170)).astype(np.uint8)]
    rows[1] = rows[1][:-3]
    rows[2] = rows[25]  # a training sequence that are in the test set too
    table = pd.DataFrame(
        {"id": [f"t{i:02d}" for i in range(30)], "seq": rows, "mean_enrichment": rng.normal(-3, 1, 30)}
    ).astype({"id": object, "seq": object})  # rdata cannot write the strings that pandas makes with pyarrow
    rdata.write_rda(tmp_path / "data_seq.Rdata", {"data_seq": table})
    rdata.write_rda(tmp_path / "data_seq_proto.Rdata", {"data_seq_proto": table[1:].assign(mean_enrichment=MAIZE)})
    names = ["enrichment_tobacco_predictions", "enrichment_maize_predictions"]
    predicted = pd.DataFrame(rng.normal(-3, 1, (10, 2)), columns=names, index=table["id"][20:])
    predicted.to_csv(tmp_path / "terminator_data_predictions.tsv", sep="\t", index_label="id")

    def fetch(file: PublicFile, progress: bool = True) -> Path:
        return tmp_path / file.name

    monkeypatch.setattr(module, "fetch", fetch)
    read_terminators.cache_clear()
    yield table.set_index("id")
    read_terminators.cache_clear()


def test_assays_are_joined_by_id_and_what_is_left_out_is_counted(made: pd.DataFrame) -> None:
    found = read_terminators()
    assert (found.other_length, found.repeated) == (1, 1)
    assert found.names == [f"t{i:02d}" for i in range(3, 30)]
    assert [decode(row) for row in found.codes] == made["seq"][found.names].tolist()
    assert np.allclose(found.labels[:, 0], made["mean_enrichment"][found.names])
    assert np.allclose(found.labels[:, 1], MAIZE[2:])
    assert found.is_test.tolist() == [False] * 17 + [True] * 10
    assert np.isnan(found.predicted[~found.is_test]).all()
    data = TerminatorDataModule(val_fraction=0.3)
    assert (data.data.split == SPLITS.index("test")).tolist() == found.is_test.tolist()
    assert "1 that do not have 170 bases, 1 of train that are in the test set too" in data.describe()[-1]


def test_training_sequences_that_share_bases_with_the_test_set_are_left_out(made: pd.DataFrame) -> None:
    data = TerminatorDataModule(val_fraction=0.3, shared_kmer=24)
    before = len(data.data)
    found = read_terminators()
    found.codes[0, 10:40] = found.codes[-1, 100:130]  # of train, of test
    data = TerminatorDataModule(val_fraction=0.3, shared_kmer=24)
    assert len(data.data) == before - 1
    assert (data.data.split == SPLITS.index("test")).sum() == found.is_test.sum()
    assert data.describe()[-1].endswith(", 1 of train that share a 24-mer with the test set")


def test_predictions_of_sequences_that_are_not_there_are_refused(made: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "terminator_data_predictions.tsv"
    path.write_text(path.read_text().replace("t29", "t99"))
    with pytest.raises(IntegrityError, match="predicts sequences that"):
        read_terminators()


@pytest.mark.slow
@pytest.mark.public_data
def test_the_authors_predictions_have_the_authors_figures() -> None:
    read_terminators.cache_clear()
    found = read_terminators()
    assert (len(found.names), int(found.is_test.sum())) == (53_409, 5_309)
    predicted, measured = (torch.from_numpy(values[found.is_test]) for values in (found.predicted, found.labels))
    squared = per_target(REGRESSION["pearson"], predicted, measured) ** 2
    assert dict(zip(TARGETS, squared.tolist(), strict=True)) == pytest.approx(
        {"tobacco": 0.762, "maize": 0.672}, abs=5e-4
    )
    spearman = per_target(REGRESSION["spearman"], predicted, measured)
    assert spearman.tolist() == pytest.approx([0.851, 0.819], abs=5e-4)
