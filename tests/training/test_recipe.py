"""A checkpoint keeps its recipe, from which the run can be repeated; the hash follows what decides the result."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from lightning.pytorch.callbacks import Callback, StochasticWeightAveraging
from safetensors.torch import load_file

from zoo.cli import main
from zoo.errors import ConfigError
from zoo.genome.sequence import decode
from zoo.hub.config import read_config
from zoo.hub.load import load
from zoo.training.parse import parse
from zoo.training.recipe import recipe, resolved_config, training_command
from zoo.training.run import train

CONFIG = """
name: mlp.a
seed_everything: 3
model: {class_path: zoo.models.mlp.MLP, init_args: {hidden: [4], loss: mean_squared_error}}
data:
  class_path: zoo.data.sequences.SequenceDataModule
  init_args: {table: t.tsv, label_columns: [y], classify: false, val_fraction: 0.2, test_fraction: 0.2, batch_size: 16}
optimizer: {class_path: torch.optim.AdamW, init_args: {lr: 0.01}}
lr_scheduler:
  class_path: torch.optim.lr_scheduler.OneCycleLR
  init_args: {pct_start: 0.3, cycle_momentum: false}
trainer: {max_epochs: 2, accelerator: cpu, enable_progress_bar: false, enable_model_summary: false}
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.yaml").write_text(CONFIG)
    write_table(0)


def write_table(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [f"{decode(rng.integers(0, 4, 24).astype(np.uint8))}\t{rng.normal() * 100}\n" for _ in range(80)]
    Path("t.tsv").write_text("sequence\ty\n" + "".join(rows))


@pytest.mark.parametrize("spelling", ["{}", "local-dir:{}", "{}/recipe.yaml"])
def test_a_run_is_repeated_from_its_checkpoint(spelling: str) -> None:
    first = train(["c.yaml", "--model.hidden", "[6]", "--trainer.max_epochs", "3", "--runs", "r", "--checkpoints", "c"])
    kept = yaml.safe_load((first / "recipe.yaml").read_text())
    assert kept["model"]["init_args"]["hidden"] == [6]
    assert kept["trainer"]["max_epochs"] == 3
    assert kept["data"]["init_args"]["batch_size"] == 16
    assert not kept["resume"]
    second = train([spelling.format(first), "--runs", "r2", "--checkpoints", "c2"])
    weights, again = (load_file(folder / "model.safetensors") for folder in (first, second))
    assert all(torch.equal(weights[key], again[key]) for key in weights)
    assert read_config(first).facts.training.metrics == read_config(second).facts.training.metrics
    one, other = ((folder / "recipe.yaml").read_text().splitlines() for folder in (first, second))
    assert one[0] == other[0]
    assert [line for line in one[1:] if "runs:" not in line and "checkpoints:" not in line] == [
        line for line in other[1:] if "runs:" not in line and "checkpoints:" not in line
    ]


def test_a_device_is_kept_in_the_recipe() -> None:
    words = ["c.yaml", "--trainer.callbacks", "[{class_path: StochasticWeightAveraging, init_args: {swa_lrs: 0.1}}]"]
    text = resolved_config(parse(words), training_command(words))
    assert yaml.safe_load(text)["trainer"]["callbacks"][0]["init_args"]["device"] == "cpu"
    Path("again.yaml").write_text(text)
    callbacks: list[Callback] = parse(["again.yaml"]).trainer.callbacks  # type: ignore[attr-defined]
    (averaging,) = (c for c in callbacks if isinstance(c, StochasticWeightAveraging))
    assert averaging._device == torch.device("cpu")


def test_a_changed_recipe_is_found_when_the_model_is_loaded() -> None:
    folder = train(["c.yaml"])
    (folder / "recipe.yaml").write_text("name: mlp.other\n")
    with pytest.raises(Exception, match=r"recipe\.yaml is not the file that was published"):
        load(f"local-dir:{folder}")


def test_a_folder_without_a_recipe_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    assert main(["train", "empty"]) == 2
    assert capsys.readouterr().err.startswith("zoo: empty holds no recipe.yaml")


def test_the_hash_follows_the_data_and_every_configuration() -> None:
    before = recipe(["c.yaml"])
    Path("more.yaml").write_text("optimizer: {init_args: {lr: 0.5}}\n")
    with_more = recipe(["c.yaml", "--config", "more.yaml"])
    assert with_more != before
    Path("more.yaml").write_text("optimizer: {init_args: {lr: 0.25}}\n")
    assert recipe(["c.yaml", "--config", "more.yaml"]) not in (before, with_more)
    shutil.copy("t.tsv", "copy.tsv")
    shutil.move("copy.tsv", "t.tsv")
    assert recipe(["c.yaml"]) == before  # the same content, written later
    write_table(1)
    assert recipe(["c.yaml"]) != before


def test_a_further_configuration_overrides_the_first() -> None:
    Path("more.yaml").write_text("name: mlp.more\nmodel: {init_args: {hidden: [5]}}\ndata: {init_args: {nothing: 1}}\n")
    with pytest.raises(ConfigError, match="nothing"):
        train(["c.yaml", "--config", "more.yaml"])
    Path("more.yaml").write_text("name: mlp.more\nmodel: {init_args: {hidden: [5]}}\n")
    folder = train(["c.yaml", "--config", "more.yaml"])
    assert folder.name == "mlp.more"
    assert read_config(folder).arguments["hidden"] == [5]
    assert train([str(folder), "--checkpoints", "c2", "--runs", "r2"]) == Path("c2/mlp.more")


def test_the_loggers_keep_the_scale_that_was_learnt() -> None:
    folder = train(["c.yaml"])
    logged = yaml.safe_load(Path("runs/mlp.a/log_0/hparams.yaml").read_text())
    assert logged["hidden"] == [4]
    assert logged["target_scale"] == read_config(folder).arguments["target_scale"]
    assert logged["target_scale"]["spread"][0] > 50


def test_a_run_that_is_repeated_keeps_its_command_and_adds_its_options() -> None:
    folder = train(["c.yaml", "--model.hidden", "[6]", "--trainer.max_epochs", "1"])
    command = "zoo train c.yaml --model.hidden '[6]' --trainer.max_epochs 1"
    assert read_config(folder).facts.training.command == command
    train([f"local-dir:{folder}", "--overwrite", "true"])
    assert read_config(folder).facts.training.command == command
    assert (folder / "recipe.yaml").read_text().startswith(f"# {command} (version ")
    other = train([str(folder / "recipe.yaml"), "--name", "mlp.b", "--model.hidden", "[5]"])
    command = "zoo train c.yaml --trainer.max_epochs 1 --name mlp.b --model.hidden '[5]'"
    assert read_config(other).facts.training.command == command
    assert read_config(other).arguments["hidden"] == [5]


def test_a_recipe_that_was_edited_is_a_configuration_of_its_own() -> None:
    folder = train(["c.yaml", "--trainer.max_epochs", "1"])
    text = (folder / "recipe.yaml").read_text()
    Path("mine.yaml").write_text(text.replace("- 4", "- 3"))
    (folder / "recipe.yaml").write_text(text.replace("- 4", "- 5"))
    for config in ("mine.yaml", str(folder)):
        made = train([config, "--name", "mlp.b", "--overwrite", "true"])
        wanted = config if config == "mine.yaml" else str(folder)
        assert read_config(made).facts.training.command == f"zoo train {wanted} --name mlp.b"
