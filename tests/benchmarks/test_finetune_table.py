"""The table of fine-tuning: its cells from small runs on synthetic loci, and what it takes for one run."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from accuracy import bench_finetune, finetune_runs, finetune_tracks
from accuracy.finetune_runs import BASES, run_key

from zoo.datasets import encode_sample
from zoo.datasets.encode_loci import Loci
from zoo.datasets.encode_tf import encode_experiments
from zoo.hub.checkpoint import save, verify_folder
from zoo.hub.config import read_config
from zoo.hub.example import example_for
from zoo.hub.facts import ModelFacts
from zoo.hub.targets import TargetRow
from zoo.models.basset import Basset
from zoo.nn.conv_stack import ConvStackConfig


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small base in a working folder, and 200 loci with a peak of the first held-out experiment."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    labels = np.zeros((200, 21), np.uint8)
    labels[:, list(encode_experiments()).index(bench_finetune.HELD_OUT[0])] = 1
    loci = Loci(rng.integers(0, 4, (200, 101)).astype(np.uint8), labels, np.arange(200))
    monkeypatch.setattr(encode_sample, "encode_loci", lambda: loci)
    torch.manual_seed(0)
    model = Basset(["one", "two"], 101, ConvStackConfig((4, 4), (8, 3), (4, 2)), (4,)).eval()
    rows = [TargetRow(name, name, "") for name in model.output.targets]
    facts = ModelFacts("basset.base", "Random weights")
    folder = save(model, "base/basset.base", facts, rows, example_for(model, 101))
    monkeypatch.setattr(bench_finetune, "base_folder", lambda: folder)
    monkeypatch.setattr(bench_finetune, "run_facts", lambda folder: {"folder": folder.name})
    return folder


@pytest.mark.slow
def test_a_cell_is_the_mean_over_seeds_of_the_runs_that_the_options_name(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_finetune, "TEST_PEAKS", 60)
    first = bench_finetune.HELD_OUT[0]
    words = f"--tables labels --sizes 40 --modes default scratch full --experiments {first} --seeds 1 2".split()
    bench_finetune.main(words)
    results = Path("runs/benchmark/results")
    header, row = list(csv.reader((results / "finetune_partial.csv").open()))
    assert header == ["training sequences", "default", "scratch", "full"]
    runs = json.loads((results / "finetune_partial.json").read_text())["runs"]["auroc"]
    scores = [runs[f"default, 40, {first}, seed {seed}"] for seed in (1, 2)]
    assert float(row[1]) == pytest.approx(np.mean(scores))
    assert row[3] == row[1], "the default, which is `full`, is not trained twice"
    folders = {path.parent.name: read_config(path.parent) for path in Path().rglob("checkpoints/*/config.json")}
    assert len(folders) == 4
    lineage = {name: config.facts.training.base for name, config in folders.items()}
    assert {name: bool(facts) for name, facts in lineage.items()} == {name: "full" in name for name in folders}
    table = (results / "finetune_partial.csv").read_text()
    shutil.rmtree("runs/benchmark/finetune")
    bench_finetune.main(words)  # all runs are recorded
    assert (results / "finetune_partial.csv").read_text() == table
    assert not list(Path("runs").rglob("checkpoints"))


def test_a_run_is_known_by_its_configuration_its_data_and_its_base_wherever_they_lie(
    base: Path, tmp_path: Path
) -> None:
    table = tmp_path / "table.tsv"
    table.write_text("sequence\tlabel\n")
    config = {
        "name": "one",
        "data": {"class_path": "zoo.data.sequences.SequenceDataModule", "init_args": {"table": str(table)}},
        "transfer": {"trunk_from": f"local-dir:{base}"},
    }
    known = run_key(base, config, ["--seed_everything", "1"])
    assert run_key(base, config, ["--seed_everything", "2"]) != known
    moved = shutil.copytree(base, tmp_path / "elsewhere")
    copy = shutil.copy(table, tmp_path / "other.tsv")
    text = json.dumps(config).replace(str(base), str(moved)).replace(str(table), str(copy))
    assert run_key(moved, json.loads(text), ["--seed_everything", "1"]) == known
    table.write_text("sequence\tlabel\nACGT\t1\n")
    assert run_key(base, config, ["--seed_everything", "1"]) != known
    weights = moved / "model.safetensors"
    weights.write_bytes(weights.read_bytes() + b" ")
    assert run_key(moved, json.loads(text), ["--seed_everything", "1"]) != known


@pytest.mark.parametrize("name", ["basset.encode_tf16s", "basenji.yeast_no_slic"])
def test_bases_of_the_project_are_whole(name: str) -> None:
    verify_folder(BASES / name, name)  # raises IntegrityError where one is not


@pytest.mark.public_data
def test_bases_of_the_project_are_what_their_commands_train(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finetune_runs, "train_if_missing", lambda *_: Path("not/there"))
    assert bench_finetune.base_folder().parent == BASES
    assert finetune_tracks.base_folder().parent == BASES
