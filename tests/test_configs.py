"""Every configuration is run for a moment, on made files that stand in for the public ones."""

import gzip
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from zoo.cards import checkpoint_folders
from zoo.download import PublicFile
from zoo.finish import recipe
from zoo.hub import read_config, verify
from zoo.registry import architectures, shipped_folder
from zoo.sequence import decode
from zoo.train import train

CONFIGS = sorted(shipped_folder("configs").glob("*.yaml"))


def made_file(folder: Path) -> Callable[..., Path]:
    """What stands in for `fetch`: a made file of the public one's kind."""

    def fetch(file: PublicFile, progress: bool = True) -> Path:
        rng = np.random.default_rng(len(file.name))
        length = 101 if file.name.endswith(".gz") else 81
        rows = [decode(row) for row in rng.integers(0, 4, (120, length)).astype(np.uint8)]
        path = folder / file.name
        if file.name.endswith(".seq.gz"):
            lines = ["FoldID\tEventID\tseq\tBound"]
            lines += [f"A\tseq_{i}\t{row}\t{1 if '_AC.' in file.name else i % 2}" for i, row in enumerate(rows)]
            path.write_bytes(gzip.compress("\n".join(lines).encode()))
        else:
            path.write_text("".join(f">{i}\n{row}\n" for i, row in enumerate(rows)))
        return path

    return fetch


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_a_config_trains_to_a_checkpoint(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for module in ("promoters", "encode_tf"):
        monkeypatch.setattr(f"zoo.datasets.{module}.fetch", made_file(tmp_path))
    options = {
        "--trainer.max_epochs": "1",
        "--trainer.check_val_every_n_epoch": "1",
        "--data.epoch_size": "128",
        "--trainer.accelerator": "cpu",
        "--trainer.enable_progress_bar": "false",
    }
    folder = train([str(config), *(word for pair in options.items() for word in pair)])
    assert verify(f"local-dir:{folder}").difference == 0
    made = read_config(folder)
    assert made["architecture"] == config.stem.split(".")[0]
    assert made["arguments"].items() >= yaml.safe_load(config.read_text())["model"]["init_args"].items()


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_a_config_begins_with_its_command(config: Path) -> None:
    assert config.read_text().startswith(f"# zoo train configs/{config.name}")


def test_every_architecture_has_a_config() -> None:
    assert {path.stem.split(".")[0] for path in CONFIGS} == set(architectures())


@pytest.mark.parametrize("folder", checkpoint_folders(), ids=lambda path: path.name)
def test_a_shipped_checkpoint_is_what_its_config_says_now(folder: Path) -> None:
    run = read_config(folder)["run"]
    config, *options = shlex.split(run["command"])[2:]
    assert run["recipe"] == recipe([str(shipped_folder("configs") / Path(config).name), *options])


def test_a_recipe_is_the_numbers_not_the_words(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text("# one\nmodel: {width: 1, length: 2}\ncard: {summary: one}\n")
    second.write_text("model:\n  length: 2\n  width: 1\n")
    assert recipe([str(first)]) == recipe([str(second), "--runs", "elsewhere"])
    assert recipe([str(first)]) != recipe([str(first), "--model.width", "3"])
    second.write_text("model: {width: 2, length: 2}")
    assert recipe([str(first)]) != recipe([str(second)])
