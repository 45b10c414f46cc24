"""A user's own data are named by the user; measurements are learnt by a loss of measurements."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from zoo.data.sequences import SequenceDataModule
from zoo.errors import ConfigError, InputError
from zoo.genome.sequence import decode, encode
from zoo.hub.config import read_config
from zoo.inference.cut import cut_windows
from zoo.inference.windowing import Windowing
from zoo.training.given import read_given
from zoo.training.own_data import check_data
from zoo.training.run import train

RNG = np.random.default_rng(0)
TEXTS = [decode(RNG.integers(0, 4, 24).astype(np.uint8)) for _ in range(60)]
QUICK = ["--trainer.max_epochs", "1", "--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false"]


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("bound.fa", "unbound.fa", "genome.fa"):
        rows = TEXTS[30:] if name == "unbound.fa" else TEXTS[:30]
        Path(name).write_text("".join(f">{text}\n{text}\n" for text in rows))
    rows = [f"{text}\t{50 + 3 * RNG.normal()}\n" for text in TEXTS]
    Path("t.tsv").write_text("sequence\ty\n" + "".join(rows))
    for name in ("peaks.tsv", "targets.tsv", "contacts.mcool"):
        Path(name).write_text("")


@pytest.mark.parametrize(
    ("config", "options"),
    [
        ("deepbind.sequences", "--data.fasta '{NAME: FILE}' or --data.table FILE"),
        ("basset.peaks", "--data.genome FILE, and with --data.table FILE or --data.peaks '[FILE, ...]'"),
        (
            "basenji.tracks",
            "--data.genome FILE, and with --data.targets_table FILE or --data.bigwigs '{NAME: FILE}'",
        ),
        ("akita.contacts", "--data.genome FILE, and with --data.coolers '{NAME: FILE.mcool::resolutions/2000}'"),
    ],
)
def test_files_of_an_example_that_lie_here_are_not_taken_for_the_users_data(config: str, options: str) -> None:
    script = "import sys; from zoo.cli import main; code = main(sys.argv[1:]); "
    script += "sys.exit('imported torch' if 'torch' in sys.modules else code)"
    command = [sys.executable, "-c", script, "train", config, "--name", f"{config.split('.')[0]}.x"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, f"zoo: name your data with {options}\n")
    assert not Path("runs").exists()


def test_half_of_the_data_is_not_enough() -> None:
    with pytest.raises(ConfigError, match=r"^name your data with --data\.table FILE or --data\.peaks"):
        check_data(read_given("basset.peaks", ["--data.genome", "genome.fa"]))
    check_data(read_given("basset.peaks", ["--data.genome", "genome.fa", "--data.peaks", "[bound.fa]"]))


def test_one_option_replaces_none() -> None:
    folder = train(["deepbind.sequences", "--data.table", "t.tsv", "--data.label_columns", "[y]",
                    "--data.classify", "false", "--name", "deepbind.y", *QUICK])  # fmt: skip
    config = read_config(folder)
    assert config.arguments["loss"] == "mean_squared_error"
    assert yaml.safe_load((folder / "recipe.yaml").read_text())["model"]["init_args"]["loss"] == "mean_squared_error"
    assert "no shuffles are added: they are negatives of classes, and these labels are measurements" in (
        config.facts.training.data
    )
    assert config.facts.training.data[0] == "train: 48 sequences"
    assert np.isfinite(config.facts.training.metrics["test"]["r2"])


def test_a_loss_of_classes_is_refused_for_measurements_before_training() -> None:
    options = ["--data.table", "t.tsv", "--data.label_columns", "[y]", "--data.classify", "false", *QUICK]
    with pytest.raises(ConfigError, match=r"--data\.classify false .*add --model\.loss mean_squared_error"):
        train(["deepbind.sequences", *options, "--model.loss", "binary_cross_entropy", "--name", "deepbind.y"])
    assert not Path("runs").exists()


def test_columns_are_listed_where_none_is_named() -> None:
    with pytest.raises(ConfigError, match=r"--data\.label_columns '\[NAME, \.\.\.\]'; there are sequence, y"):
        SequenceDataModule(table="t.tsv").spec()


def test_two_classes_without_negatives_are_said_to_be_two_targets() -> None:
    files = {"bound": "bound.fa", "unbound": "unbound.fa"}
    line = "classes bound, unbound: each is a target of its own; if one of them is your negatives, say so with "
    assert line + "--data.negative_class NAME" in SequenceDataModule(fasta=files, shuffles=1).describe()
    told = SequenceDataModule(fasta=files, negative_class="unbound", shuffles=1).describe()
    assert not any(line in one for one in told)
    assert told[0] == "train: 48 sequences, 24 positive"


def test_sequences_are_resized_as_predictions_are() -> None:
    texts = ["ACGTA", "CCGGTTAAC", "GAT", "TTTTTTTT", "G" * 9]
    Path("mixed.fa").write_text("".join(f">{text}\n{text}\n" for text in texts))
    data = SequenceDataModule(fasta={"a": "mixed.fa"}, shuffles=1, resize=6, val_fraction=0.2, test_fraction=0.2)
    assert data.spec().length == 6
    # What is left over on one side alone is cut from, or padded to, the end; and so predictions do it.
    (windows,) = cut_windows([encode(text) for text in texts], 6, Windowing(resize=True))
    assert data.data.codes.tolist() == windows.codes.tolist()
    assert decode(data.data.codes[0]) == "NACGTA"
    assert decode(data.data.codes[1]) == "CGGTTA"
    assert data.describe()[0] == "resized to 6 bases: 3 sequences cut, 2 padded with N"


def test_lengths_that_differ_are_refused_with_the_option_that_helps() -> None:
    Path("mixed.fa").write_text(">a\nACGTA\n>b\nACG\n>c\nACGTT\n")
    with pytest.raises(InputError, match=r"mixed\.fa: .* 2 of 3 have 5 bases, but 'b' has 3 .*--data\.resize 5 cuts"):
        _ = SequenceDataModule(fasta={"b": "mixed.fa"}, shuffles=1).data
