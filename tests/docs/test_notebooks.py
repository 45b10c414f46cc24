"""The notebooks of the documentation run from top to bottom, leave nothing behind, and show what they say."""

import math
import os
import runpy
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "notebooks"
NOTEBOOKS = sorted(path.stem for path in FOLDER.glob("*.py"))
# Scores are far from these bounds: other processors and releases of torch may round differently.
Values = dict[str, Any]


def run(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Values:
    """Run a notebook in a folder; returns its variables."""
    import matplotlib.pyplot as plt

    plt.switch_backend("Agg")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    before = sorted(FOLDER.rglob("*"))
    values = runpy.run_path(str(FOLDER / f"{name}.py"))
    assert plt.get_fignums() or name == "publish", "no figure was drawn"
    plt.close("all")
    os.chdir(folder)
    if "work" in values:
        values["work"].cleanup()
    assert not list(folder.iterdir())
    assert sorted(path for path in FOLDER.rglob("*") if "__pycache__" not in path.parts) == before
    return values


def check_predict(values: Values) -> None:
    assert values["ebox_scores"].min() > 0.8 > 0.3 > values["shuffle_scores"].max()
    assert values["separation"] > 3
    assert values["difference"].difference <= values["difference"].tolerance


def check_finetune(values: Values) -> None:
    low, high = values["finetuned_interval"]
    assert low <= values["finetuned_auroc"] <= high
    assert min(values["finetuned_auroc"], values["scratch_auroc"]) > 0.8
    assert values["site_minus_none"] > 0.1


def check_hic(values: Values) -> None:
    assert values["is_same"] and values["is_symmetric"]
    assert abs(values["correlation"]) < 0.4  # the model has not seen this laboratory's genome


def check_variants(values: Values) -> None:
    assert values["broken"].max() < -1 < values["random_dna"].min() < values["random_dna"].max() < 1
    assert values["site_letters"] == "CACGTG"
    sides = values["by_side"]
    assert abs(sides["both"] - (sides["left"] + sides["right"]) / 2).max() < 1e-4
    assert values["largest"] > 0.1


def check_publish(values: Values) -> None:
    assert "licence" in values["before"][0]
    assert values["after"] == []
    assert values["licence"] == "cc-by-4.0"


def check_lines_and_cubes(values: Values) -> None:
    assert values["line_loss"] == pytest.approx(values["best_line"], rel=0.1)
    # Of y = x ** 3 with x uniform in [-1, 1]: the mean of x ** 6 less (mean of x ** 4) ** 2 / (mean of x ** 2).
    assert values["best_line"] == pytest.approx(1 / 7 - (1 / 5) ** 2 / (1 / 3) + values["NOISE"] ** 2, rel=0.15)
    assert values["mlp_loss"] < values["best_line"] / 3
    assert values["linear_auroc"] < 0.6 < 0.9 < values["mlp_auroc"]


def check_learning_rate(values: Values) -> None:
    start = values["right_rate"][0]
    assert values["too_small"][-1] > 0.5 * start > start / 4 > values["right_rate"][-1]
    assert not values["too_large"][-1] < start  # larger, or NaN
    last, line = values["last_loss"], values["best_line"]
    assert last["none"] == pytest.approx(line, rel=0.1)
    assert max(last["ReLU"], last["tanh"]) < line / 5 < line / 2 < last["sigmoid"]
    ratio = values["first_to_last"]
    assert ratio["sigmoid"] < min(ratio["ReLU"], ratio["tanh"]) / 100
    assert all(math.isfinite(one) for one in ratio.values())


def check_filters_are_motifs(values: Values) -> None:
    assert values["largest_difference"] < 1e-4
    assert 0.75 < values["pssm_auroc"] < 1
    assert 0.8 < values["aligned_auroc"] < 1
    assert 0.85 < values["deepbind_auroc"] < 1
    assert values["filter_auroc"] > 0.6
    assert "TATAAT" in values["consensus"]


CHECKS: dict[str, Callable[[Values], None]] = {
    name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")
}


def test_each_notebook_is_checked() -> None:
    assert sorted(CHECKS) == NOTEBOOKS


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_MIRROR", str(tmp_path / "no_mirror"))  # the network is not used, either
    values = run(name, tmp_path, monkeypatch)
    CHECKS[name](values)
    assert values.get("source", "generated") == "generated"


@pytest.mark.slow
@pytest.mark.public_data
def test_notebook_runs_on_real_promoters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = run("filters_are_motifs", tmp_path, monkeypatch)
    assert values["source"] == "E. coli"
    check_filters_are_motifs(values)
