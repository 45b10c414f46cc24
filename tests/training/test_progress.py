"""What `zoo train` prints: a line for each epoch on standard error, the folder alone on standard output."""

import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from zoo.errors import ZooError
from zoo.training.run import train
from zoo.utils.lightning_output import quiet_lightning

BASES = str.maketrans("01", "CT")
CONFIG = """
name: deepbind.made
model: {class_path: zoo.models.deepbind.DeepBind, init_args: {motifs: {filters: 4, width_bases: 6}}}
data:
  class_path: zoo.data.sequences.SequenceDataModule
  init_args: {fasta: {bound: bound.fa}, shuffles: 1, batch_size: 8}
optimizer: {class_path: torch.optim.AdamW, init_args: {lr: 0.01}}
trainer: {max_epochs: 4, check_val_every_n_epoch: 2, accelerator: cpu}
"""


@pytest.mark.slow
def test_a_run_prints_its_epochs_and_its_folder_and_no_warning(tmp_path: Path) -> None:
    (tmp_path / "made.yaml").write_text(CONFIG)
    (tmp_path / "bound.fa").write_text("".join(f">s{i}\n{f'{i:012b}'.translate(BASES)}ACGT\n" for i in range(60)))
    command = [sys.executable, "-m", "zoo.cli", "train", "made.yaml"]
    done = subprocess.run(command, cwd=tmp_path, env=dict(os.environ), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "checkpoints/deepbind.made\n"), done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("epoch ")]
    number = r"\d+\.\d{3}"
    assert re.fullmatch(rf"epoch 1/4: train_loss {number}", lines[0])
    assert re.fullmatch(
        rf"epoch 2/4: train_loss {number} val_loss {number} val_auroc {number} val_auprc {number}", lines[1]
    )
    assert len(lines) == 4
    others = [line for line in done.stderr.splitlines() if line not in lines]
    assert others[:-4] == [
        "train: 48 sequences, 48 positive, and 48 shuffles of them as negatives",
        "val: 6 sequences, 6 positive, and 6 shuffles of them as negatives",
        "test: 6 sequences, 6 positive, and 6 shuffles of them as negatives",
    ]
    assert re.fullmatch(r"model: DeepBind, [\d,]+ parameters", others[-4])
    assert others[-3].startswith("deepbind.made: test AUROC ")
    assert re.fullmatch(r"weights: epoch [1-4] of 4, which has the best val_loss", others[-2])
    assert others[-1] == (
        "learning curve: runs/deepbind.made/learning_curve.png; to predict: zoo predict deepbind.made sequences.fa -o "
        "predictions.tsv"
    )
    assert (tmp_path / "runs/deepbind.made/learning_curve.png").is_file()
    for word in ("deprecated", "Warning", "warn", "is not empty", "logging interval", "Tip:", "TPU", "it/s"):
        assert word not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--data.fasta", "{bound: ragged.fa}"], "sequences of one length"),
        (["--checkpoints", "ragged.fa/below"], "ragged.fa is a file, not a folder"),
        (["--runs", "ragged.fa/below"], "ragged.fa is a file, not a folder"),
    ],
)
def test_a_run_that_is_refused_leaves_no_folder(
    options: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("made.yaml").write_text(CONFIG)
    Path("bound.fa").write_text("".join(f">s{i}\n{f'{i:012b}'.translate(BASES)}ACGT\n" for i in range(60)))
    Path("ragged.fa").write_text(">a\nACGTACGT\n>b\nACGT\n")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ZooError, match=words):
        train(["made.yaml", *options])
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.slow
def test_a_mistake_and_help_are_printed_alone(tmp_path: Path) -> None:
    (tmp_path / "made.yaml").write_text(CONFIG)
    (tmp_path / "bound.fa").write_text(">a\nACGT\n")
    for options in (["made.yaml", "--data.nothing", "1"], ["made.yaml", "--help"]):
        command = [sys.executable, "-m", "zoo.cli", "train", *options]
        done = subprocess.run(command, cwd=tmp_path, env=dict(os.environ), capture_output=True, text=True, check=False)
        if "--help" in options:
            assert (done.returncode, done.stderr) == (0, "")
        else:
            assert (done.returncode, done.stderr.count("\n"), done.stderr[:5]) == (2, 1, "zoo: ")


def test_warnings_of_other_causes_are_still_printed() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.resetwarnings()
        quiet_lightning()
        warnings.warn("Checkpoint directory a/b exists and is not empty.", UserWarning, stacklevel=1)
        warnings.warn("Checkpoint directory a/b is on another disk", UserWarning, stacklevel=1)
    assert [str(one.message) for one in caught] == ["Checkpoint directory a/b is on another disk"]
