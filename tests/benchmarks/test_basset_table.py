"""The Basset tables: their rows from made data, counts of 6-mers against a slow loop, a regression that finds one."""

import runpy
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from zoo.data.base import LabelsDataModule
from zoo.data.labelled import LabelledSequences
from zoo.datasets.encode_loci import EncodeLociDataModule, Loci
from zoo.datasets.encode_tf import encode_experiments
from zoo.datasets.plant_terminators import Terminators
from zoo.genome.sequence import Codes, decode, encode
from zoo.hub.registry import shipped_folder
from zoo.models.basset import Basset
from zoo.training.run import parse


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(shipped_folder("benchmarks") / "accuracy" / "bench_basset.py"))


def other_strand(word: str) -> str:
    return word[::-1].translate(str.maketrans("ACGT", "TGCA"))


def test_six_mers_are_counted_on_both_strands_and_those_with_n_left_out(script: dict[str, Any]) -> None:
    codes = np.random.default_rng(0).integers(0, 5, (5, 40)).astype(np.uint8)
    found = script["count_kmers"](codes)
    words = sorted({min(word, other_strand(word)) for word in map("".join, product("ACGT", repeat=6))})
    assert found.shape == (5, len(words)) == (5, 2080)
    for row, counts in zip(codes, found, strict=True):
        text = decode(row)
        expected = dict.fromkeys(words, 0)
        for word in (text[i : i + 6] for i in range(35)):
            if "N" not in word:
                expected[min(word, other_strand(word))] += 1
        assert counts.tolist() == list(expected.values())


class Planted(LabelsDataModule[Codes]):
    """Half of the sequences hold GATTAC, on either strand."""

    @property
    def targets(self) -> list[str]:
        return ["planted"]

    def read(self) -> LabelledSequences:
        rng = np.random.default_rng(1)
        codes = rng.integers(0, 4, (18_000, 40)).astype(np.uint8)
        for row in range(0, 18_000, 2):
            start = int(rng.integers(0, 34))
            codes[row, start : start + 6] = encode("GATTAC" if row % 4 else "GTAATC")
        label = (np.arange(18_000) % 2 == 0).astype(np.float32)
        return LabelledSequences(codes, label[:, None], np.repeat([0, 1, 2], 6000))


def test_the_regression_finds_a_planted_word(script: dict[str, Any]) -> None:
    data = Planted()
    prediction = script["kmer_predictions"](data, 1)
    label = torch.from_numpy(data.subset("test").labels)
    assert float(script["score"](prediction, label)["auroc"]) > 0.9


def test_the_encode_table_compares_net_with_net(script: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    data = Planted()
    asked: list[list[str]] = []
    written: list[tuple[str, Any, Any, Any]] = []

    def folder(name: str, options: list[str], seed: int, tag: str = "") -> Path:
        asked.append(options)
        return Path(name + tag)

    def load(folder: Path) -> Basset:
        torch.manual_seed(len(str(folder)))
        members = 2 if str(folder) == "basset.encode_tf" else 1
        return Basset(["planted"], 40, filters=(4,), widths=(6,), pools=(35,), hidden=(), members=members).eval()

    def write(*result: Any) -> str:
        written.append(result)
        return "a table"

    stubs = {"EncodeLociDataModule": lambda: data, "model_folder": folder, "load_folder": load, "write_results": write}
    for name, stub in {**stubs, "run_facts": str}.items():
        monkeypatch.setitem(script["encode_table"].__globals__, name, stub)
    assert script["encode_table"](1) == "a table"
    ((name, header, rows, facts),) = written
    assert (name, facts) == (
        "basset_encode_tf",
        {"multitask": "basset.encode_tf", "planted": "basset.encode_tfplanted"},
    )
    row, means, wins = (dict(zip(header, row, strict=True)) for row in rows)
    assert (row["experiment"], row["training peaks"], row["test peaks"]) == ("planted", 3000, 3000)
    assert list(means.values())[1:] == list(row.values())[1:]  # of one experiment
    label = torch.from_numpy(data.subset("test").labels)
    single = script["predicted"](load(Path("basset.encode_tfplanted")), data.subset("test").codes)
    assert row["single auroc"] == pytest.approx(float(script["score"](single, label)["auroc"]))
    assert row["6-mers auroc"] > 0.9
    assert row["multitask auroc"] != row["one net auroc"]
    better = row["one net auprc"] > row["single auprc"]
    assert (wins["one net auprc"], wins["single auprc"]) == (float(better), float(not better))
    assert (wins["multitask auprc"], wins["6-mers auprc"]) == ("", "")
    assert asked == [[], script["single_task_options"](data, "planted")]


def test_the_options_of_a_single_task_are_options(script: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    loci = Loci(rng.integers(0, 4, (200, 101)).astype(np.uint8), np.eye(200, 21, dtype=np.uint8), np.arange(200))
    loci.labels[:, list(encode_experiments()).index("usf1_hepg2")] = np.arange(200) % 2
    monkeypatch.setattr("zoo.datasets.encode_loci.encode_loci", lambda: loci)
    options = script["single_task_options"](EncodeLociDataModule(), "usf1_hepg2")
    cli = parse([str(shipped_folder("configs") / "basset.encode_tf.yaml"), *options])
    assert isinstance(cli.model, Basset)
    assert isinstance(cli.datamodule, EncodeLociDataModule)
    assert (cli.model.output.targets, len(cli.model.members)) == (("usf1_hepg2",), 1)
    drawn = 2 * int(cli.datamodule.subset("train").labels.sum())
    assert (cli.datamodule.positive_share, cli.datamodule.epoch_size) == (0.5, drawn)
    assert cli.config.optimization.target_weights is None


def test_the_terminator_table_squares_pearson_and_sets_apart_what_overlaps(
    script: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (60, 170)).astype(np.uint8)
    codes[:5, :30] = codes[-5:, 50:80]  # of train, of test
    is_test = np.arange(60) >= 30
    labels = rng.normal(size=(60, 2)).astype(np.float32)
    predicted = np.where(is_test[:, None], -2 * labels + 1, np.nan)
    found = Terminators([str(i) for i in range(60)], codes, labels, predicted, is_test, 0, 0)
    written: list[tuple[str, Any, Any, Any]] = []
    stubs = {
        "read_terminators": lambda: found,
        "model_folder": lambda *options: Path(),
        "load_folder": lambda folder: Basset(
            ["a", "b"], 170, filters=(4,), widths=(6,), pools=(165,), hidden=()
        ).eval(),
        "run_facts": str,
        "write_results": lambda *result: written.append(result),
    }
    for name, stub in stubs.items():
        monkeypatch.setitem(script["terminator_table"].__globals__, name, stub)
    script["terminator_table"](1)
    ((_, header, rows, _),) = written
    table = [dict(zip(header, row, strict=True)) for row in rows]
    assert [row["sequences"] for row in table] == [30, 30, 30, 30, 25, 25, 25, 25]
    for row in table:
        if row["model"] == "DenseNet of the authors":  # a line that falls: r is -1
            assert row["squared Pearson"] == pytest.approx(1, abs=1e-4)
            assert row["Spearman"] == pytest.approx(-1)
            assert row["R2"] < 0
