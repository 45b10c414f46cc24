"""From a genome and bigWigs to a model and a bigWig, in one command each; and by two processes as by one."""

import csv
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import pyBigWig
import pytest
import torch
from numpy.typing import NDArray

from zoo.data.splits import SPLITS
from zoo.data.tracks import TrackDataModule
from zoo.errors import ConfigError
from zoo.genome.sequence import decode, encode
from zoo.hub.config import read_config
from zoo.hub.load import load
from zoo.hub.registry import shipped_folder
from zoo.training.parse import parse
from zoo.training.run import train

CONTIGS = {"chr1": 120_000, "chr2": 40_000, "chr3": 40_000}
MOTIF = encode("TGACTCAGGC")
CONFIG = str(shipped_folder("configs") / "basenji.tracks.yaml")
# A net that two minutes on a laptop are enough for.
SMALL = {
    "--data.genome": "genome.fa",
    "--data.targets_table": "targets.tsv",
    "--model.trunk.stem_filters": "32",
    "--model.trunk.stem_pool": "4",
    "--model.trunk.tower_filters": "[32]",
    "--model.trunk.tower_pools": "[4]",
    "--model.trunk.dilations": "[1, 2]",
    "--model.trunk.dropout": "0.1",
    "--data.length": "1024",
    "--data.bin_size": "16",
    "--data.crop": "8",
    "--data.shift": "256",
    "--data.jitter": "0",
    "--data.split.val": "[chr2]",
    "--data.split.test": "[chr3]",
    "--optimizer.lr": "0.01",
    "--trainer.max_epochs": "5",
    "--trainer.accelerator": "cpu",
    "--trainer.enable_progress_bar": "false",
    "--name": "basenji.made",
}


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A motif every 300 bases or so, on either strand; a track of its strand gives 20 over it, and counts beside it."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    tracks: dict[str, dict[str, NDArray[np.float64]]] = {"plus": {}, "minus": {}}
    sequences = []
    for name, length in CONTIGS.items():
        codes = rng.integers(0, 4, length).astype(np.uint8)
        for strand in tracks:
            tracks[strand][name] = rng.poisson(0.3, length // 16 + 1).repeat(16)[:length].astype(float)
        for place in range(100, length - 100, 300):
            minus = rng.random() < 0.5
            codes[place : place + 10] = (3 - MOTIF)[::-1] if minus else MOTIF
            tracks["minus" if minus else "plus"][name][place - 8 : place + 18] += 20
        sequences.append(f">{name}\n{decode(codes)}\n")
    Path("genome.fa").write_text("".join(sequences))
    for strand, values in tracks.items():
        with pyBigWig.open(f"{strand}.bw", "w") as file:
            file.addHeader(list(CONTIGS.items()))
            for name in CONTIGS:
                file.addEntries(name, 0, values=values[name], span=1, step=1)
    Path("targets.tsv").write_text("name\tpath\tstrand_partner\nplus\tplus.bw\tminus\nminus\tminus.bw\tplus\n")
    return tmp_path


def words(options: dict[str, str]) -> list[str]:
    return [word for pair in options.items() for word in pair]


@pytest.mark.slow
def test_bigwigs_to_a_model_to_bigwigs(made: Path, run_zoo: Callable[..., tuple[int, str, str]]) -> None:
    code, _, said = run_zoo("train", CONFIG, *words(SMALL))
    assert code == 0, said
    run = read_config(Path("checkpoints/basenji.made")).facts.training
    assert run.metrics["test"]["pearson"] > 0.8
    assert list(run.target_metrics) == ["pearson_log1p", "pearson", "r2_log1p", "r2", "spearman"]
    for name, scores in run.target_metrics.items():
        assert np.mean(np.array(scores, float)) == pytest.approx(run.metrics["test"][name], abs=1e-4)
    card = Path("checkpoints/basenji.made/README.md").read_text()
    assert "Test scores of each target:" in card
    low, high = run.intervals["pearson_log1p"][0] or (np.nan, np.nan)
    assert f"| plus | {run.target_metrics['pearson_log1p'][0]:.4f} ({low:.3f} to {high:.3f}) |" in card
    assert run.data[-1].startswith("targets are scaled in training, and predicted in their own units: plus: spread ")
    assert run.data[-4:-1] == [
        "train: 157 windows, 7,500 bins of 16 bases",
        "val: 53 windows, 2,500 bins of 16 bases",
        "test: 53 windows, 2,500 bins of 16 bases",
    ]
    options = ["local-dir:checkpoints/basenji.made", "genome.fa", "--contigs", "chr3", "-o", "tracks"]
    code, _, said = run_zoo("predict", *options)
    assert code == 0, said
    correlations = {}
    for predicted in ("plus", "minus"):
        for measured in ("plus", "minus"):
            values = []
            for path in (f"tracks/{predicted}.bw", f"{measured}.bw"):
                with pyBigWig.open(path) as file:
                    values.append(file.values("chr3", 0, 40_000, numpy=True).reshape(-1, 16).mean(1))
            correlations[predicted, measured] = np.corrcoef(values)[0, 1]
    assert min(correlations["plus", "plus"], correlations["minus", "minus"]) > 0.8
    assert max(correlations["plus", "minus"], correlations["minus", "plus"]) < 0.1


@pytest.mark.slow
def test_two_processes_score_every_bin_once(made: Path) -> None:
    """What two processes log together is what one gives for the same weights: 53 windows are no even number."""
    options = SMALL | {"--trainer.max_epochs": "1", "--trainer.strategy": "ddp", "--trainer.devices": "2"}
    command = [sys.executable, "-m", "zoo.cli", "train", CONFIG, *words(options)]
    subprocess.run(command, check=True, timeout=240, capture_output=True)
    with Path("runs/basenji.made/log_0/metrics.csv").open(newline="") as file:
        (logged,) = (row for row in csv.DictReader(file) if row["val_pearson"])
    alone = read_config(Path("checkpoints/basenji.made")).facts.training.metrics["val"]
    for name in ("pearson", "pearson_log1p", "r2", "r2_log1p"):
        assert float(logged[f"val_{name}"]) == pytest.approx(alone[name], abs=1e-6)


def test_a_model_whose_bins_are_not_the_data_s_is_refused(made: Path) -> None:
    with pytest.raises(ConfigError, match=r"the model's bins have 32 bases, the data's 16"):
        train([CONFIG, *words(SMALL | {"--model.trunk.tower_pools": "[8]"})])


def test_negative_values_are_refused_for_a_loss_of_counts(made: Path) -> None:
    Path("targets.tsv").write_text("name\tpath\tscale\nplus\tplus.bw\t1\nminus\tminus.bw\t-1\n")
    with pytest.raises(ConfigError, match=r"'minus' has negative values.*a scale of -1"):
        train([CONFIG, *words(SMALL)])


def test_the_same_configuration_gives_the_same_batches(made: Path) -> None:
    first, second = (cast(TrackDataModule, parse([CONFIG, *words(SMALL)]).datamodule) for _ in range(2))
    for one, other in zip(first.train_dataloader(), second.train_dataloader(), strict=True):
        assert torch.equal(one.codes, other.codes)
        assert torch.equal(one.target.nan_to_num(-1), other.target.nan_to_num(-1))
    assert {SPLITS[split] for split in np.unique(first.selected[0].split)} == set(SPLITS)


def test_a_loaded_model_pairs_the_strands_as_the_table_does(made: Path) -> None:
    train([CONFIG, *words(SMALL | {"--trainer.max_epochs": "1"})])
    assert load("local-dir:checkpoints/basenji.made").arguments["strand_pairs"] == [1, 0]
