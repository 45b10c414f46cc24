"""The Basset tables: their rows from synthetic data, and a regression on 6-mers that finds a planted word."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accuracy import bench_basset
from accuracy.kmer_regression import predict_by_kmers

from zoo.batch import DataSpec
from zoo.data.labelled import LabelledSequences
from zoo.data.labels import LabelsDataModule
from zoo.datasets.encode_loci import EncodeLociDataModule, Loci
from zoo.datasets.encode_tf import encode_experiments
from zoo.datasets.plant_terminators import Terminators
from zoo.genome.sequence import Codes, encode
from zoo.hub.registry import shipped_folder
from zoo.models.basset import Basset
from zoo.nn.conv_stack import ConvStackConfig
from zoo.training.parse import parse


class Planted(LabelsDataModule[Codes]):
    """Half of the sequences hold GATTAC, on either strand."""

    def spec(self) -> DataSpec:
        return DataSpec("labels", ("planted",), 40)

    def read(self) -> LabelledSequences:
        rng = np.random.default_rng(1)
        codes = rng.integers(0, 4, (18_000, 40)).astype(np.uint8)
        for row in range(0, 18_000, 2):
            start = int(rng.integers(0, 34))
            codes[row, start : start + 6] = encode("GATTAC" if row % 4 else "GTAATC")
        label = (np.arange(18_000) % 2 == 0).astype(np.float32)
        return LabelledSequences(codes, label[:, None], np.repeat([0, 1, 2], 6000))


@pytest.fixture
def planted() -> Any:
    """Data that the benchmark takes for its own, of another class."""
    return Planted()


def stub(monkeypatch: pytest.MonkeyPatch, **functions: Any) -> None:
    """Replace functions that the script imported."""
    for name, function in functions.items():
        monkeypatch.setattr(bench_basset, name, function)


def test_the_regression_finds_a_planted_word(planted: Any) -> None:
    prediction = predict_by_kmers(planted, 1)
    label = torch.from_numpy(planted.subset("test").labels)
    assert float(bench_basset.score(prediction, label)["auroc"]) > 0.9


@pytest.mark.slow
def test_the_encode_table_compares_one_network_with_one(planted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    requested: list[list[str]] = []
    written: list[tuple[str, Any, Any, Any]] = []

    def folder(name: str, options: list[str], seed: int, task: str = "") -> Path:
        requested.append(options)
        return Path(name + task)

    def load(folder: Path) -> Basset:
        torch.manual_seed(len(str(folder)))
        members = 2 if str(folder) == "basset.encode_tf" else 1
        return Basset(["planted"], 40, ConvStackConfig((4,), (6,), (35,)), (), ensemble_members=members).eval()

    def write(*table: Any) -> str:
        written.append(table)
        return "a table"

    stub(monkeypatch, EncodeLociDataModule=lambda: planted, checkpoint_folder=folder, load_folder=load)
    stub(monkeypatch, write_results=write, run_facts=str)
    assert bench_basset.encode_table(1) == "a table"
    ((name, header, rows, facts),) = written
    assert (name, facts) == (
        "basset_encode_tf",
        {"multitask": "basset.encode_tf", "planted": "basset.encode_tfplanted"},
    )
    row, means, wins = (dict(zip(header, row, strict=True)) for row in rows)
    assert (row["experiment"], row["training peaks"], row["test peaks"]) == ("planted", 3000, 3000)
    assert list(means.values())[1:] == list(row.values())[1:]  # of one experiment
    label = torch.from_numpy(planted.subset("test").labels)
    single = bench_basset.predict(load(Path("basset.encode_tfplanted")), planted.subset("test").codes)
    assert row["single task auroc"] == pytest.approx(float(bench_basset.score(single, label)["auroc"]))
    assert row["6-mers auroc"] > 0.9
    assert row["multitask auroc"] != row["one member auroc"]
    better = row["one member auprc"] > row["single task auprc"]
    assert (wins["one member auprc"], wins["single task auprc"]) == (float(better), float(not better))
    assert (wins["multitask auprc"], wins["6-mers auprc"]) == ("", "")
    assert requested == [[], bench_basset.single_task_options(planted, "planted")]


def test_the_options_of_a_single_task_are_options_of_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    loci = Loci(rng.integers(0, 4, (200, 101)).astype(np.uint8), np.eye(200, 21, dtype=np.uint8), np.arange(200))
    loci.labels[:, list(encode_experiments()).index("usf1_hepg2")] = np.arange(200) % 2
    monkeypatch.setattr("zoo.datasets.encode_loci.encode_loci", lambda: loci)
    options = bench_basset.single_task_options(EncodeLociDataModule(), "usf1_hepg2")
    cli = parse([str(shipped_folder("configs") / "basset.encode_tf.yaml"), *options])
    assert isinstance(cli.model, Basset)
    assert isinstance(cli.datamodule, EncodeLociDataModule)
    assert (cli.model.output.targets, cli.model.arguments["ensemble_members"]) == (("usf1_hepg2",), 1)
    drawn = 2 * int(cli.datamodule.subset("train").labels.sum())
    assert (cli.datamodule.positive_share, cli.datamodule.epoch_size) == (0.5, drawn)
    assert cli.options.target_weights is None


def test_the_terminator_table_squares_pearson_and_leaves_out_overlaps(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (60, 170)).astype(np.uint8)
    codes[:5, :30] = codes[-5:, 50:80]  # train, test
    is_test = np.arange(60) >= 30
    labels = rng.normal(size=(60, 2)).astype(np.float32)
    predicted = np.where(is_test[:, None], -2 * labels + 1, np.nan)
    data = Terminators([str(i) for i in range(60)], codes, labels, predicted, is_test, 0, 0)
    model = Basset(["a", "b"], 170, ConvStackConfig((4,), (6,), (165,)), ()).eval()
    written: list[tuple[str, Any, Any, Any]] = []
    stub(monkeypatch, read_terminators=lambda: data, checkpoint_folder=lambda *options: Path(), run_facts=str)
    stub(monkeypatch, load_folder=lambda folder: model, write_results=lambda *table: written.append(table))
    bench_basset.terminator_table(1)
    ((_, header, rows, _),) = written
    table = [dict(zip(header, row, strict=True)) for row in rows]
    assert [row["sequences"] for row in table] == [30, 30, 30, 30, 25, 25, 25, 25]
    for row in table:
        if row["model"] == "DenseNet of the authors":  # a falling line: r is -1
            assert row["squared Pearson"] == pytest.approx(1, abs=1e-4)
            assert row["Spearman"] == pytest.approx(-1)
            assert row["R2"] < 0
