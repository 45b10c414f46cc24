"""Every shipped checkpoint is fit to be published, and the Hub's own library reads every card."""

from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard
from made.hub import card_errors

from zoo.hub.cards import checkpoint_folders
from zoo.hub.config import read_config
from zoo.publishing.obstacles import obstacles

FOLDERS = checkpoint_folders()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_shipped_checkpoint_can_be_published(folder: Path) -> None:
    config = read_config(folder)
    assert obstacles(folder, config, folder.name) == []
    run = config.facts.training
    assert run.files
    assert set(run.intervals) <= set(run.target_metrics)
    assert len(run.metrics["test"]) >= 3


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_hub_s_library_reads_its_card(folder: Path) -> None:
    text = (folder / "README.md").read_text()
    assert card_errors(text) == []
    data: Any = ModelCard(text).data
    assert (data.license, data.library_name, data.model_name) == ("apache-2.0", "regzoo", folder.name)
    scores = read_config(folder).facts.training.metrics["test"]
    assert {one.metric_name: one.metric_value for one in data.eval_results} == {
        f"test {name}": round(value, 4) for name, value in scores.items()
    }
