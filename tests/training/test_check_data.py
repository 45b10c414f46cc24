"""What cannot be trained on is refused once the data are prepared, and what they hold is printed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from zoo.errors import ConfigError
from zoo.genome.sequence import decode
from zoo.training.run import train

BASSET = {"conv": {"filters": [4], "widths": [5], "pools": [4]}, "hidden": [4]}


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    texts = [decode(rng.integers(0, 4, 24).astype(np.uint8)) for _ in range(30)]
    Path("table.tsv").write_text("sequence\ty\n" + "".join(f"{text}\t{i % 2}\n" for i, text in enumerate(texts)))


def run(architecture: str, arguments: dict[str, Any], **data: Any) -> Path:
    options = {"table": "table.tsv", "label_columns": ["y"], "val_fraction": 0.2, "test_fraction": 0.2, **data}
    config = {
        "name": f"{architecture.lower()}.a",
        "seed_everything": 1,
        "trainer": {"max_epochs": 1, "accelerator": "cpu", "enable_progress_bar": False, "enable_model_summary": False},
        "model": {"class_path": f"zoo.models.{architecture.lower()}.{architecture}", "init_args": arguments},
        "data": {"class_path": "zoo.data.sequences.SequenceDataModule", "init_args": options},
    }
    Path("config.yaml").write_text(yaml.safe_dump(config))
    return train(["config.yaml"])


@pytest.mark.parametrize("data", [{"batch_size": 1}, {"epoch_size": 1}])
def test_batches_of_one_are_refused_where_a_norm_needs_two(data: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=r"a training batch has one sequence, .* set --data\.batch_size to 2 or more"):
        run("Basset", BASSET, **data)
    assert not Path("checkpoints").exists()


def test_batches_of_one_train_what_has_no_norm(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("MLP", {"hidden": [4]}, batch_size=1) == Path("checkpoints/mlp.a")
    said = capsys.readouterr().err
    assert "train: 18 sequences, 9 positive\nval: 6 sequences, 3 positive\ntest: 6 sequences, 3 positive\n" in said


def test_a_run_of_ten_steps_goes_through() -> None:
    run("MLP", {"hidden": [4]}, batch_size=9)  # writes the configuration: two steps an epoch
    options = ["--lr_scheduler", "torch.optim.lr_scheduler.OneCycleLR", "--lr_scheduler.pct_start", "0.1"]
    options += ["--optimizer", "torch.optim.SGD", "--optimizer.lr", "0.01", "--lr_scheduler.cycle_momentum", "false"]
    assert train(["config.yaml", *options, "--trainer.max_epochs", "5", "--overwrite", "true"])


def test_given_test_sequences_that_are_shifted_copies_of_training_are_warned_of(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rng = np.random.default_rng(1)
    texts = [decode(rng.integers(0, 4, 40).astype(np.uint8)) for _ in range(50)]
    test = [*(text[7:] + "ACGTACG" for text in texts[:3]), *texts[40:]]
    for name, rows in (("train.tsv", texts[:40]), ("test.tsv", test)):
        Path(name).write_text("sequence\ty\n" + "".join(f"{text}\t{i % 2}\n" for i, text in enumerate(rows)))
    given: dict[str, Any] = {"table": "train.tsv", "test_table": "test.tsv"}
    run("MLP", {"hidden": [4]}, **given)
    warning = "WARNING: 3 of 13 test sequences share 24 bases with one of an earlier split"
    assert warning in capsys.readouterr().err
    assert train(["config.yaml", "--data.shared_kmer", "24", "--data.on_leak", "drop", "--overwrite", "true"])
    assert "WARNING" not in capsys.readouterr().err


def test_drawn_test_sequences_that_are_shifted_copies_are_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(1)
    texts = [decode(rng.integers(0, 4, 48).astype(np.uint8)) for _ in range(40)]
    rows = [text[shift : shift + 40] for text in texts for shift in range(8)]
    Path("all.tsv").write_text("sequence\ty\n" + "".join(f"{text}\t{i % 2}\n" for i, text in enumerate(rows)))
    run("MLP", {"hidden": [4]}, table="all.tsv")
    said = capsys.readouterr().err
    assert "test sequences share 24 bases with one of an earlier split" in said
    assert "--data.shared_kmer 24 draws splits without them" in said
    assert train(["config.yaml", "--data.shared_kmer", "24", "--overwrite", "true"])
    assert "WARNING" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["max_epochs", "null"], r"--trainer\.max_epochs null would train without end: give the largest number"),
        (["max_epochs", "-1"], r"--trainer\.max_epochs -1 would train without end"),
        (
            ["check_val_every_n_epoch", "0"],
            r"--trainer\.check_val_every_n_epoch is a number of epochs from 1 up, not 0",
        ),
        (
            ["max_steps", "1"],
            r"--trainer\.max_steps 1 ends training before its first validation, after 2 steps: give 2",
        ),
    ],
)
def test_a_run_that_no_epoch_would_be_chosen_of_is_refused(words: list[str], message: str) -> None:
    run("MLP", {"hidden": [4]}, batch_size=9)  # two steps an epoch
    with pytest.raises(ConfigError, match=message):
        train(["config.yaml", f"--trainer.{words[0]}", words[1], "--name", "mlp.b"])
    assert not Path("runs/mlp.b").exists()


def test_steps_or_time_end_a_run_without_a_number_of_epochs() -> None:
    run("MLP", {"hidden": [4]}, batch_size=9)
    for epochs in ("null", "-1"):
        assert train(["config.yaml", "--trainer.max_epochs", epochs, "--trainer.max_steps", "4", "--overwrite", "true"])
    timed = ["config.yaml", "--trainer.max_epochs", "-1", "--trainer.max_time", "00:00:00:01", "--overwrite", "true"]
    assert train(timed)
    cycle = ["--lr_scheduler", "torch.optim.lr_scheduler.OneCycleLR"]
    cycle += ["--optimizer", "torch.optim.AdamW"]
    with pytest.raises(ConfigError, match=r"OneCycleLR counts the steps to the end of training: give --trainer"):
        train([*timed, *cycle])
