"""Training end to end on made data: the result, resuming, stopping, and what is refused."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from zoo.cli import main
from zoo.data.shuffle import dinucleotide_shuffle
from zoo.errors import ConfigError, Interrupted, OutputError
from zoo.genome.sequence import decode, encode
from zoo.hub.config import read_config
from zoo.hub.load import load, verify
from zoo.hub.targets import read_targets
from zoo.plots.training import _read_curves, draw_learning_curve
from zoo.training.run import train

CONFIG = """
name: deepbind.made
monitor: val_auroc
model:
  class_path: zoo.models.deepbind.DeepBind
  init_args: {{motifs: {{filters: 8, width_bases: 10}}, hidden: 4, dropout: 0.1}}
data:
  class_path: zoo.data.sequences.SequenceDataModule
  init_args:
    fasta: {{bound: {folder}/bound.fa}}
    shuffles: 1
    batch_size: 32
    val_fraction: 0.2
    test_fraction: 0.2
optimizer: {{class_path: torch.optim.AdamW, init_args: {{lr: 0.02, weight_decay: 0.0}}}}
lr_scheduler:
  class_path: torch.optim.lr_scheduler.OneCycleLR
  init_args: {{pct_start: 0.1, cycle_momentum: false}}
trainer:
  max_epochs: 4
  accelerator: cpu
  devices: 1
  enable_progress_bar: false
  enable_model_summary: false
  callbacks:
    - class_path: lightning.pytorch.callbacks.EMAWeightAveraging
      init_args: {{decay: 0.9}}
card: {{summary: "Made sites of {{targets}}", species: none, assay: made, use: tests, limits: all, data: made}}
"""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rng = np.random.default_rng(0)
    with (tmp_path / "bound.fa").open("w") as file:
        for number in range(400):
            codes = rng.integers(0, 4, 40).astype(np.uint8)
            place = rng.integers(0, 31)
            codes[place : place + 10] = encode("GTCACGTGAC")
            file.write(f">site{number}\n{decode(codes)}\n")
    config = tmp_path / "made.yaml"
    config.write_text(CONFIG.format(folder=tmp_path))
    monkeypatch.chdir(tmp_path)
    return config


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


@pytest.mark.slow
def test_a_run_ends_as_a_checkpoint_that_has_learnt_the_motif(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.training.run.draw_learning_curve", draw_learning_curve)
    folder = train([str(made), "--trainer.max_epochs", "8"])
    config = read_config(folder)
    assert config.facts.metric.startswith("test AUROC 0.9") or config.facts.metric == "test AUROC 1.0000"
    assert config.facts.summary == "Made sites of bound"
    assert verify(f"local-dir:{folder}").difference == 0
    (row,) = read_targets(folder)
    assert row.unit == "probability"
    assert row.threshold is not None and 0 < row.threshold < 1
    assert (Path("runs/deepbind.made/learning_curve.png")).read_bytes().startswith(b"\x89PNG")
    assert list(Path("runs/deepbind.made").glob("events.out.tfevents*"))
    with Path("runs/deepbind.made/log_0/metrics.csv").open() as file:
        logged = [row for row in csv.DictReader(file) if row["val_auroc"]]
    # What the card says of validation is what the best epoch logged: the averaged weights were saved.
    best = max(float(row["val_auroc"]) for row in logged)
    assert config.facts.training.metrics["val"]["auroc"] == pytest.approx(best, abs=1e-6)
    model = load(f"local-dir:{folder}")
    site = "A" * 15 + "GTCACGTGAC" + "A" * 15
    shuffled = decode(dinucleotide_shuffle(encode(site)[None], np.random.default_rng(1))[0])
    with torch.inference_mode():
        high, low = (float(model.predict(torch.from_numpy(encode(t).copy())[None])) for t in (site, shuffled))
    assert high > 0.5 > low


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(made: Path) -> None:
    first, again, other = (
        weights(train([str(made), "--checkpoints", name, "--runs", f"runs_{name}", "--seed_everything", seed]))
        for name, seed in (("a", "1"), ("b", "1"), ("c", "2"))
    )
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["trunk.filters"], other["trunk.filters"])


@pytest.mark.slow
def test_a_run_that_was_stopped_and_resumed_ends_as_one_that_was_not(made: Path) -> None:
    whole = weights(train([str(made), "--checkpoints", "whole", "--runs", "runs_whole"]))
    script = (
        "import sys, zoo.training.run as t, zoo.training.options as o\n"
        "from lightning.pytorch.callbacks import Callback\n"
        "class Stop(o.SeedEachEpoch):\n"
        "    def on_train_batch_start(self, trainer, module, batch, index):\n"
        "        super().on_train_batch_start(trainer, module, batch, index)\n"
        "        if trainer.current_epoch == 2 and index == 1: import os; os._exit(9)\n"
        "o.SeedEachEpoch = Stop\n"
        "t.train(sys.argv[1:])\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(made), "--runs", "part"], capture_output=True)
    assert killed.returncode == 9
    assert not Path("checkpoints").exists()
    with pytest.raises(ConfigError, match="--resume true"):
        train([str(made), "--runs", "part"])
    resumed = weights(train([str(made), "--runs", "part", "--resume", "true"]))
    curves = _read_curves(Path("part/deepbind.made"))
    assert list(curves["val_auroc"]) == [1, 2, 3, 4]  # as the lines of epochs count
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)


@pytest.mark.slow
def test_ctrl_c_stops_with_one_sentence_and_leaves_a_run_that_can_be_resumed(made: Path) -> None:
    command = [sys.executable, "-m", "zoo.cli", "train", str(made), "--trainer.max_epochs", "1000"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        while not Path("runs/deepbind.made/last.ckpt").exists() and process.poll() is None:
            time.sleep(0.1)
        os.kill(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said.splitlines()[-1].startswith("zoo: the run runs/deepbind.made was stopped: add --resume true")
    assert "Traceback" not in said
    assert not Path("checkpoints").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model.init_args.detektors", "8"], ["detektors"]),
        (["--trainer.max_epoch", "3"], ["max_epoch"]),
        (["--data.batch_size", "many"], ["batch_size"]),
        (["--optimizer", "Adamm"], ["Adamm"]),
        (["--monitor", "val_nothing"], ["val_nothing"]),
        (["--name", "deepbind.{cell}"], ["cell"]),
        (["--data.batch_size"], ["pairs"]),
        (["--resume", "true"], ["no run to resume"]),
        (["--data.shuffles", "0"], ["all 400 labels", "bound", "shuffles: 1"]),
        (["--data.fasta.bound", "nothing.fa"], ["nothing.fa", "no such file"]),
        (["--model.motifs.pooling", "positions"], ["one strand"]),
    ],
)
def test_what_does_not_fit_is_named_in_one_sentence(
    made: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], words: list[str]
) -> None:
    assert main(["train", str(made), *arguments]) == 2
    said = capfd.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("zoo: ")
    assert all(word in said for word in words)
    assert not Path("checkpoints").exists()


def test_a_misspelt_key_in_the_file_is_named(made: Path, capfd: pytest.CaptureFixture[str]) -> None:
    made.write_text(made.read_text().replace("shuffles: 1", "shufles: 1"))
    assert main(["train", str(made)]) == 2
    said = capfd.readouterr().err.strip().splitlines()[-1]
    assert "shufles" in said
    assert "made.yaml" in said


def test_a_class_that_no_checkpoint_could_name_is_refused_before_training(
    made: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (made.parent / "own_net.py").write_text("from zoo.models.deepbind import DeepBind\n\nclass OwnNet(DeepBind): ...\n")
    monkeypatch.syspath_prepend(made.parent)
    made.write_text(made.read_text().replace("zoo.models.deepbind.DeepBind", "own_net.OwnNet"))
    assert main(["train", str(made)]) == 2
    assert "OwnNet is defined in own_net, outside zoo.models" in capfd.readouterr().err.splitlines()[-1]
    assert not Path("runs").exists()


@pytest.mark.slow
def test_two_processes_train_one_model(made: Path) -> None:
    options = ["--trainer.strategy", "ddp", "--trainer.devices", "2"]
    subprocess.run(
        [sys.executable, "-m", "zoo.cli", "train", str(made), *options], check=True, timeout=240, capture_output=True
    )
    config = read_config(Path("checkpoints/deepbind.made"))
    assert config.facts.training.metrics["test"]["auroc"] > 0.9
    assert verify("local-dir:checkpoints/deepbind.made").difference == 0
    with Path("runs/deepbind.made/log_0/metrics.csv").open() as file:
        logged = [float(row["val_auroc"]) for row in csv.DictReader(file) if row["val_auroc"]]
    # Gathered from both processes, the epochs' scores are those of the whole validation set.
    assert config.facts.training.metrics["val"]["auroc"] == pytest.approx(max(logged), abs=1e-6)


def test_a_run_is_resumed_from_its_last_epoch_and_not_from_its_best(made: Path) -> None:
    # The learning rate is so high that validation gets worse: the best epoch is an early one.
    options = ["--optimizer.lr", "5", "--lr_scheduler", "null"]
    train([str(made), *options])
    run = Path("runs/deepbind.made")
    last = torch.load(run / "last.ckpt", weights_only=True)
    best = torch.load(run / "best.ckpt", weights_only=True)
    assert last["epoch"] == 3
    assert best["epoch"] < 3


@pytest.mark.parametrize("name", ["..", "made", "../deepbind.made", "deepbind/made"])
def test_a_name_that_is_none_is_refused_before_training(
    made: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(["train", str(made), "--name", name]) == 2
    assert "name" in capfd.readouterr().err.splitlines()[-1]
    assert not Path("runs").exists()


def test_a_folder_that_is_no_checkpoint_is_not_replaced(made: Path) -> None:
    kept = Path("checkpoints/deepbind.made/data.csv")
    kept.parent.mkdir(parents=True)
    kept.write_text("mine")
    with pytest.raises(OutputError, match="exists and is not whole: it is not replaced"):
        train([str(made), "--trainer.max_epochs", "1"])
    assert kept.read_text() == "mine"


def test_every_option_is_listed(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", str(made), "--help"]) == 0
    said = capsys.readouterr().out
    for option in (
        "--model.motifs.filters",
        "--data.shuffles",
        "--trainer.precision",
        "--transfer.trunk_from",
        "--resume",
    ):
        assert option in said
    made.write_text("model: 3")
    assert main(["train", str(made), "--help"]) == 2
    assert "class_path" in capsys.readouterr().err
    assert main(["train", "--help"]) == 0
    assert "--trainer.devices" in capsys.readouterr().out


def test_a_value_may_follow_an_equals_sign_and_a_logger_joins_the_run_s_own(made: Path) -> None:
    words = ["--trainer.max_epochs=1", "--trainer.logger=lightning.pytorch.loggers.CSVLogger"]
    train([str(made), *words, "--trainer.logger.save_dir=mine"])
    assert read_config(Path("checkpoints/deepbind.made")).facts.training.command.endswith(
        "--trainer.logger.save_dir mine"
    )
    assert list(Path("mine").rglob("metrics.csv"))
    assert Path("runs/deepbind.made/log_0/metrics.csv").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_a_run_that_was_stopped_while_it_was_scored_can_be_finished(
    made: Path, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]
) -> None:
    def interrupted(*_: object) -> None:
        raise stop

    with monkeypatch.context() as patch:
        patch.setattr("zoo.training.finish._final_metrics", interrupted)
        with pytest.raises(Interrupted, match="--resume true"):
            train([str(made)])
    assert not Path("checkpoints").exists()
    finished = train([str(made), "--resume", "true"])
    whole = train([str(made), "--checkpoints", "whole", "--runs", "runs_whole"])
    assert read_config(finished).facts.training.metrics == read_config(whole).facts.training.metrics
    assert all(torch.equal(weights(finished)[key], value) for key, value in weights(whole).items())
