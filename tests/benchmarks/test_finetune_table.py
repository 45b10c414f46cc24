"""The table of fine-tuning: its cells from small runs on synthetic loci, and what it takes for one run."""

import csv
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from accuracy import bench_finetune, finetune_far, finetune_runs, finetune_tracks
from accuracy.finetune_runs import BASES, run_key, run_mode

from zoo.datasets import encode_sample
from zoo.datasets.encode_loci import Loci
from zoo.datasets.encode_tf import encode_experiments
from zoo.errors import InputError
from zoo.hub.checkpoint import save
from zoo.hub.config import read_config
from zoo.hub.example import example_for
from zoo.hub.facts import ModelFacts
from zoo.hub.targets import TargetRow
from zoo.hub.verification import verify_folder
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
    monkeypatch.setattr(finetune_runs, "CODE", "0123abc")
    first = bench_finetune.HELD_OUT[0]
    monkeypatch.setitem(finetune_runs._LARGEST, "full, one rate", 39)
    words = f"--tables labels --sizes 40 --experiments {first} --seeds 1 2 --modes default scratch full".split()
    words.append("full, one rate")
    bench_finetune.main(words)
    results = Path("runs/benchmark/results")
    header, row = list(csv.reader((results / "finetune_partial.csv").open()))
    assert header == ["training sequences", "default", "scratch", "full", "full, one rate"]
    assert row[4] == "", "this mode is not tried with so many sequences"
    facts = json.loads((results / "finetune_partial.json").read_text())["runs"]
    scores = [facts["auroc"][f"default, 40, {first}, seed {seed}"] for seed in (1, 2)]
    ((hardware, seconds),) = facts["seconds"]["0123abc"].items()
    assert list(seconds) == list(facts["auroc"])
    assert f"\nCode of the runs: 0123abc; hardware: {hardware}.\n" in (results / "finetune_partial.md").read_text()
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
    table.write_text("sequence\tlabel\n" + "N" * 3_000_000)
    config = {
        "name": "one",
        "data": {"class_path": "zoo.data.sequences.SequenceDataModule", "init_args": {"table": str(table)}},
        "transfer": {"trunk_from": f"local-dir:{base}"},
        "card": {"summary": f"fine-tuned from local-dir:{base}"},
    }
    known = run_key(base, config, ["--seed_everything", "1"])
    assert run_key(base, config, ["--seed_everything", "2"]) != known
    assert run_key(base, {**config, "name": "two"}, ["--seed_everything", "1"]) != known
    assert run_key(base, {**config, "card": {"summary": "other words"}}, ["--seed_everything", "1"]) == known
    moved = shutil.copytree(base, tmp_path / "größer als" / "elsewhere")
    copy = shutil.copy(table, tmp_path / "größer als" / "other.tsv")
    text = json.dumps(config, ensure_ascii=False).replace(str(base), str(moved)).replace(str(table), str(copy))
    assert run_key(moved, json.loads(text), ["--seed_everything", "1"]) == known
    with table.open("r+b") as file:
        file.seek(1_500_000)
        file.write(b"A")
    assert run_key(base, config, ["--seed_everything", "1"]) != known
    weights = moved / "model.safetensors"
    weights.write_bytes(weights.read_bytes() + b" ")
    assert run_key(moved, json.loads(text), ["--seed_everything", "1"]) != known


def test_the_tracks_that_a_table_names_decide_a_run(base: Path, tmp_path: Path) -> None:
    (tmp_path / "tracks.tsv").write_text("name\tpath\none\tone.bw\n")
    track = tmp_path / "one.bw"
    track.write_bytes(b"one")
    arguments = {"targets_table": str(tmp_path / "tracks.tsv")}
    config = {"name": "one", "data": {"class_path": "zoo.data.tracks.TrackDataModule", "init_args": arguments}}
    known = run_key(base, config, [])
    track.write_bytes(b"two")
    assert run_key(base, config, []) != known


@pytest.mark.parametrize(
    "line", ['{"key": "791d0951', "[]", '{"key": "791d0951"}', '{"val": {"auroc": "x"}, "test": {}}']
)
def test_a_line_that_is_no_record_is_named(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    whole = (BASES.parent / "results" / "finetune_runs.jsonl").read_text().splitlines()[0]
    (tmp_path / "finetune_runs.jsonl").write_text(f"{whole}\n{line}\n")
    monkeypatch.setattr(finetune_runs, "RECORDED", tmp_path)
    monkeypatch.setattr(finetune_runs, "_configuration", lambda *_: ({"name": "one"}, []))
    with pytest.raises(InputError, match=r"finetune_runs\.jsonl, line 2: not the whole record of a run"):
        run_mode(base, "full", [], "one", 0.01)


def test_a_sample_of_terminators_is_whole_and_known_by_what_decides_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    data = SimpleNamespace(codes=rng.integers(0, 4, (300, 60)).astype(np.uint8), labels=rng.random((300, 2)))
    monkeypatch.setattr(finetune_far, "read_terminators", lambda: data)
    with monkeypatch.context() as patch:
        patch.setattr(finetune_far, "decode", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            finetune_far._sample(40, 1)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()], "an interrupted file is not taken for whole"
    sample = finetune_far._sample(40, 1)
    splits = [row["split"] for row in csv.DictReader(sample.open(), delimiter="\t")]
    assert (splits.count("train"), splits.count("val")) == (40, 20)
    others = [finetune_far._sample(40, 2), finetune_far._sample(41, 1)]
    for name, value in (("_OVERLAP", 30), ("_TEST_SHARE", 0.2), ("_TEST_SIZE", 10)):
        with monkeypatch.context() as patch:
            patch.setattr(finetune_far, name, value)
            others.append(finetune_far._sample(40, 1))
    assert len({sample, *others}) == 6
    assert finetune_far._sample(40, 1) == sample


def test_a_table_of_some_runs_does_not_replace_the_whole_one(monkeypatch: pytest.MonkeyPatch) -> None:
    tables: list[str] = []
    record = (BASES.parent / "results" / "finetune_runs.jsonl").read_text().splitlines()[0]
    run = finetune_runs.Run(**{**json.loads(record), "test": {"r2": 0.5, "pearson": 0.5, "auroc": 0.5}})
    for module in (bench_finetune, finetune_far):
        monkeypatch.setattr(module, "run_mode", lambda *_: run)
        monkeypatch.setattr(module, "run_facts", lambda _: {})
        monkeypatch.setattr(module, "write_results", lambda name, *_: tables.append(name))
    monkeypatch.setattr(bench_finetune, "base_folder", lambda: Path("base"))
    monkeypatch.setattr(finetune_far, "_sample", lambda *_: Path("sample.tsv"))
    for words in ("", "--sizes 100", "--modes full", "--seeds 1"):
        bench_finetune.main(["--tables", "labels", "far", *words.split()])
    assert tables == ["finetune", "finetune_far", *["finetune_partial", "finetune_far_partial"] * 3]


def test_a_track_without_a_score_is_no_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    targets = [f"{finetune_tracks.ASSAY}_plus", f"{finetune_tracks.ASSAY}_minus"]
    model = SimpleNamespace(output=SimpleNamespace(targets=targets), target_scores={"pearson_log1p": [None, 0.5]})
    monkeypatch.setattr(finetune_tracks, "load_folder", lambda _: model)
    monkeypatch.setattr(finetune_tracks, "Trainer", lambda **_: SimpleNamespace(test=lambda *_, **__: None))
    scores = finetune_tracks._scores(Path("folder"))
    assert np.isnan(scores[targets[0]])
    assert scores[targets[1]] == 0.5


@pytest.mark.parametrize("name", ["basset.encode_tf16s", "basenji.yeast_no_slic"])
def test_bases_of_the_project_are_whole(name: str) -> None:
    verify_folder(BASES / name, name)  # raises IntegrityError where one is not


@pytest.mark.public_data
def test_bases_of_the_project_are_what_their_commands_train(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finetune_runs, "train_if_missing", lambda *_: Path("not/there"))
    assert bench_finetune.base_folder().parent == BASES
    assert finetune_tracks.base_folder().parent == BASES
