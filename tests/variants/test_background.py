"""Random variants: percentiles and z-scores against scipy, and files that are damaged."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from made.variants import Counting
from safetensors.torch import load_file, save_file
from scipy.stats import percentileofscore

from zoo.errors import ConfigError, InputError, IntegrityError
from zoo.genome.sequence import encode
from zoo.hub.background import Background, add_background, read_background
from zoo.hub.config import read_config
from zoo.hub.folder import BACKGROUND
from zoo.hub.load import verify
from zoo.utils.download import sha256_of
from zoo.variants.background import random_background


def test_percentiles_and_z_scores_are_those_of_the_values() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(1, [2, 5], (4_000, 2))
    background = Background.of_scores(values, "log_odds", "made")
    asked = np.array([[0.0, -3.0], [2.5, 4.0], [-100, 100], [np.nan, 1.0]])
    ranks, z = background.percentiles(asked), background.z_scores(asked)
    for row, column in np.argwhere(~np.isnan(asked)):
        value = abs(asked[row, column])
        assert ranks[row, column] == pytest.approx(percentileofscore(np.abs(values[:, column]), value), abs=0.3)
        expected = (asked[row, column] - values[:, column].mean()) / values[:, column].std()
        assert z[row, column] == pytest.approx(expected, rel=1e-5)
    assert np.isnan(ranks[3, 0]) and np.isnan(z[3, 0])
    assert ranks[2].tolist() == [100, 100]


def test_of_scores_that_many_variants_share_only_smaller_ones_count() -> None:
    values = np.concatenate([np.zeros(30), np.linspace(1, 2, 40), np.full(30, 3.0)])[:, None]
    background = Background.of_scores(values, "log_odds", "made")
    asked = np.array([[0.0], [1e-3], [3.0], [4.0]])
    expected = [percentileofscore(values[:, 0], one, kind="strict") for one in asked[:, 0]]
    assert background.percentiles(asked)[:, 0] == pytest.approx(expected, abs=1.1)


def test_random_substitutions_of_a_counting_model_are_counted() -> None:
    # Of 20 A, each substitution takes one: the score is -1 whichever it is.
    sequences = [encode("A" * 20)] * 3
    background = random_background(Counting(["A", "GG"]), sequences, "made", 100)
    assert (background.score, background.variants) == ("difference", 100)
    assert background.mean.tolist() == [-1, 0]
    assert background.quantiles.tolist() == [[1.0] * 401, [0.0] * 401]
    assert np.isnan(background.z_scores(np.array([[-1.0, 0.0]]))).all()
    # An N is not varied: with one known base, it is always that one.
    known = [encode("N" * 7 + "A" + "N" * 12)]
    assert random_background(Counting(["A"]), known, "made", 20).mean.tolist() == [-1]


def test_what_cannot_be_varied_is_refused() -> None:
    model = Counting(["A"])
    with pytest.raises(InputError, match="sequences of 20 bases, which the model reads"):
        random_background(model, [encode("A" * 19)], "made")
    with pytest.raises(InputError, match="mostly N"):
        random_background(model, [encode("N" * 20)], "made")
    with pytest.raises(ConfigError, match="9 variants say nothing"):
        random_background(model, [encode("A" * 20)], "made", 9)


@pytest.fixture
def folder(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    copy = shutil.copytree(tiny_checkpoint / "mlp.tiny", tmp_path / "mlp.tiny")
    values = np.random.default_rng(0).normal(0, 1, (50, 2))
    add_background(copy, Background.of_scores(values, "log_odds", "made"))
    return copy


def test_a_checkpoint_with_random_variants_is_one_as_before(folder: Path) -> None:
    background = read_background(folder)
    assert background is not None
    assert (background.score, background.source, background.variants) == ("log_odds", "made", 50)
    assert background.quantiles.shape == (2, 401)
    assert verify(f"local-dir:{folder}").difference < 1e-6
    assert read_config(folder).sha256[BACKGROUND] == sha256_of(folder / BACKGROUND)


def without_mean(tensors: dict[str, torch.Tensor]) -> None:
    del tensors["mean"]


def falling(tensors: dict[str, torch.Tensor]) -> None:
    tensors["quantiles"] = tensors["quantiles"].flip(1).contiguous()


def of_other_targets(tensors: dict[str, torch.Tensor]) -> None:
    tensors["quantiles"] = tensors["quantiles"][:1].contiguous()


def undefined(tensors: dict[str, torch.Tensor]) -> None:
    tensors["spread"][0] = torch.nan


@pytest.mark.parametrize("change", [without_mean, falling, of_other_targets, undefined])
def test_a_file_of_another_form_is_refused(change: object, folder: Path) -> None:
    tensors = load_file(folder / BACKGROUND)
    assert callable(change)
    change(tensors)
    save_file(tensors, folder / BACKGROUND, metadata={"score": "log_odds", "source": "made"})
    with pytest.raises(IntegrityError, match="its sha256 differs"):
        read_background(folder)
    content = json.loads((folder / "config.json").read_text())
    content["sha256"][BACKGROUND] = sha256_of(folder / BACKGROUND)
    (folder / "config.json").write_text(json.dumps(content))
    with pytest.raises(IntegrityError, match="does not hold the scores of random variants"):
        read_background(folder)


def test_a_damaged_file_is_refused(folder: Path) -> None:
    (folder / BACKGROUND).write_bytes((folder / BACKGROUND).read_bytes()[:-3])
    with pytest.raises(IntegrityError, match="its sha256 differs"):
        read_background(folder)
