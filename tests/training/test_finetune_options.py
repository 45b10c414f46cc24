"""Options of `zoo finetune`: each reaches the whole plan, and none takes its place; splits without overlaps."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from made.bases import save_base

from zoo.cli import main
from zoo.data.sequences import SequenceDataModule
from zoo.data.sequences.similarity import group_overlapping
from zoo.genome.sequence import decode
from zoo.hub.load import load

BASE = "local-dir:bases/basset.base"
STARTS = 60


@pytest.fixture(autouse=True)
def _base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_base(tmp_path, "basset")


def write(groups: int, copies: int) -> None:
    """bound.fa: sequences of the base's length, in groups of copies that are shifted by 3 bases each."""
    length, rng, lines = load(BASE).length, np.random.default_rng(0), list[str]()
    for group in range(groups):
        text = decode(rng.integers(0, 4, length + 3 * copies).astype(np.uint8))
        lines += [f">{group}.{copy}\n{text[3 * copy : 3 * copy + length]}\n" for copy in range(copies)]
    Path("bound.fa").write_text("".join(lines))


def plan(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[dict[str, Any], str]:
    assert main(["finetune", BASE, "bound.fa", *words, "--print_config"]) == 0
    out, said = capsys.readouterr()
    return yaml.safe_load(out), said


def test_overlapping_sequences_are_in_one_split(capsys: pytest.CaptureFixture[str]) -> None:
    write(STARTS, 4)
    config, said = plan(capsys)
    arguments = config["data"]["init_args"]
    assert arguments["shared_kmer"] == 24
    assert "splits" in said
    assert "sequences that share 24 bases, on either strand, are in the same one" in said
    data = SequenceDataModule(fasta=arguments["fasta"], shared_kmer=24, shuffles=1).data
    groups = group_overlapping(data.codes, 24)
    assert len(np.unique(groups)) == STARTS
    assert all(len(np.unique(data.split[groups == group])) == 1 for group in range(STARTS))
    chosen, said = plan(capsys, "--data.shared_kmer", "20")
    assert chosen["data"]["init_args"]["shared_kmer"] == 20
    assert "splits" not in said


def test_sequences_of_one_locus_are_split_as_they_are_and_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    write(2, 40)
    config, said = plan(capsys)
    assert config["data"]["init_args"]["shared_kmer"] is None
    assert "shared bases join 40 of 80 sequences into one group, too large for a split" in said
    arguments = ["--trainer.max_epochs", "1", "--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false"]
    assert main(["finetune", BASE, "bound.fa", *arguments]) == 0
    assert "test sequences share 24 bases with one of an earlier split" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--config", "--transfer", "--trainer", "--model"])
def test_what_would_replace_the_plan_is_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    write(STARTS, 1)
    Path("more.yaml").write_text("data: {init_args: {fasta: {bound: other.fa}}}\n")
    assert main(["finetune", BASE, "bound.fa", option, "more.yaml"]) == 2
    assert f"{option} would replace what zoo finetune chooses: give single options" in capsys.readouterr().err


def test_a_monitor_that_was_chosen_ends_the_training_too(capsys: pytest.CaptureFixture[str]) -> None:
    write(STARTS, 1)
    config, said = plan(capsys, "--monitor", "val_loss")
    (stopping,) = config["trainer"]["callbacks"]
    assert config["monitor"] == stopping["init_args"]["monitor"] == "val_loss"
    assert stopping["init_args"]["mode"] == "min"
    assert "the one with the best val_loss" in said


def test_the_metric_follows_a_loss_that_was_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    write(2 * STARTS, 1)
    rows = [line for line in Path("bound.fa").read_text().splitlines() if not line.startswith(">")]
    Path("bound.tsv").write_text("sequence\ty\n" + "".join(f"{row}\t{i % 2}\n" for i, row in enumerate(rows)))
    words = ["--data.classify", "false", "--model.loss", "mean_squared_error", "--print_config"]
    assert main(["finetune", BASE, "bound.tsv", *words]) == 0
    config = yaml.safe_load(capsys.readouterr().out)
    (stopping,) = config["trainer"]["callbacks"]
    assert config["monitor"] == stopping["init_args"]["monitor"] == "val_pearson"


def test_a_batch_size_counts_however_it_is_spelled(capsys: pytest.CaptureFixture[str]) -> None:
    write(STARTS, 1)
    short, _ = plan(capsys, "--data.batch_size", "16")
    long, said = plan(capsys, "--data.init_args.batch_size", "16")
    assert long == short
    assert "in batches of 16" in said
    default, _ = plan(capsys)
    assert default["trainer"]["max_epochs"] != short["trainer"]["max_epochs"]


def test_few_validation_data_choose_the_epoch_by_their_loss(capsys: pytest.CaptureFixture[str]) -> None:
    write(STARTS, 1)
    config, said = plan(capsys)
    assert config["monitor"] == "val_loss"
    assert "the validation split has 6 sequences of a class of bound: a score by rank says little of so few" in said
    write(2 * STARTS, 1)
    config, said = plan(capsys)
    assert config["monitor"] == "val_auroc"
    assert "monitor" not in said


def test_a_resumed_run_with_other_data_says_so_first(capsys: pytest.CaptureFixture[str]) -> None:
    write(2 * STARTS, 1)
    words = ["finetune", BASE, "bound.fa", "--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false"]
    assert main([*words, "--trainer.max_epochs", "1"]) == 0
    write(3 * STARTS, 1)
    assert main([*words, "--resume", "true"]) == 2
    assert "the data are not those with which the run began: file bound.fa" in capsys.readouterr().err
