"""Checkpoints of older formats: folders of random weights that version 0.1.0 wrote, with its own predictions."""

import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file

from zoo.errors import IntegrityError
from zoo.hub.architectures import architectures
from zoo.hub.checkpoint import save
from zoo.hub.config import read_config
from zoo.hub.loading import load_folder
from zoo.hub.targets import read_targets
from zoo.hub.upgrade import FORMAT, upgrade_config
from zoo.hub.verification import verify_folder

FOLDERS = sorted((Path(__file__).parents[1] / "fixtures" / "format1").iterdir())


# Architectures that came after format 1.
NEWER = {"basenji_labels"}


def test_every_architecture_has_a_checkpoint_of_format_1() -> None:
    assert {folder.name.split(".")[0] for folder in FOLDERS} == set(architectures()) - NEWER
    assert {json.loads((folder / "config.json").read_text())["format"] for folder in FOLDERS} == {1}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_checkpoint_of_format_1_predicts_what_it_predicted(folder: Path) -> None:
    # Written on one processor; on another one sums may differ in their last digits.
    assert verify_folder(folder, folder.name).difference < 1e-6
    run = read_config(folder).facts.run
    assert run is not None
    assert run.metrics.keys() == {"val", "test"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_saved_again_a_checkpoint_has_the_current_format(folder: Path, tmp_path: Path) -> None:
    model = load_folder(folder)
    example = load_file(folder / "example.safetensors")
    example.pop("expected")
    created = save(model, tmp_path / folder.name, read_config(folder).facts, read_targets(folder), example)
    config = json.loads((created / "config.json").read_text())
    assert config["format"] == FORMAT
    assert upgrade_config(config) is config
    assert load_file(created / "model.safetensors").keys() == model.state_dict().keys()
    assert load_folder(created).arguments == model.arguments


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    folder = shutil.copytree(FOLDERS[0], tmp_path / "copy")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "format": 3}))
    with pytest.raises(IntegrityError, match="format 3; this version of zoo reads formats 1 to 2"):
        load_folder(folder)
