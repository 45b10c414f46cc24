"""The Basenji tables: scores on paper, the linear baseline's counts against a slow loop, replicates."""

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from made.yeast import CHROMOSOME
from scipy.stats import spearmanr
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from zoo.datasets.yeast import YeastDataModule
from zoo.datasets.yeast_genome import CONTIGS
from zoo.genome.fasta import Genome
from zoo.hub.registry import shipped_folder
from zoo.models.basenji import Basenji

NAN = np.nan


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(shipped_folder("benchmarks") / "accuracy" / "bench_basenji.py"))


@pytest.fixture(scope="module")
def linear() -> dict[str, Any]:
    return runpy.run_path(str(shipped_folder("benchmarks") / "accuracy" / "linear_tracks.py"))


@pytest.fixture(scope="module")
def replicate(script: dict[str, Any]) -> dict[str, Any]:
    return runpy.run_path(str(shipped_folder("benchmarks") / "accuracy" / "replicate_tracks.py"))


def test_starts_are_scored_as_log1p_of_twice_the_bin(script: dict[str, Any]) -> None:
    values = np.array([[1.0, 2, 0, NAN, 5, 6, 7]])
    found = script["starts_scale"](values)
    assert np.allclose(found, np.log1p([[3, NAN, 11]]), equal_nan=True)


def test_the_trend_that_is_taken_off_is_the_mean_of_what_is_known_around(script: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    ours, theirs = rng.random(200), rng.random(200)
    theirs[rng.random(200) < 0.2] = NAN
    found = script["detrended"](ours, theirs)
    known = ~np.isnan(theirs)
    for values, left in zip((ours, theirs), found, strict=True):
        for place in range(200):
            around = slice(max(0, place - 31), place + 32)  # 63 bins of 16 bp are 1,008 bases
            trend = values[around][known[around]].mean()
            assert left[place] == pytest.approx(values[place] - trend, nan_ok=True)


def test_correlations_are_over_all_chromosomes_where_something_was_measured(script: dict[str, Any]) -> None:
    ours = [np.array([1.0, 9, 2]), np.array([3.0, 4])]
    theirs = [np.array([2.0, NAN, 4]), np.array([6.0, 9])]
    known = [1, 2, 3, 4], [2, 4, 6, 9]
    expected = {
        "Pearson r": np.corrcoef(*known)[0, 1],
        "Spearman where not 0": spearmanr(*known)[0],
        "R2": r2_score(*known[::-1]),
    }
    assert expected["R2"] < 0
    found = {name: script["over_all"](score, ours, theirs) for name, score in script["SCORES"].items()}
    assert found == pytest.approx(expected)


def test_each_row_is_of_its_track_and_the_other_strand_of_the_partner_s(script: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    data = SimpleNamespace(targets=["mnase", "a_plus", "a_minus"], strand_pairs=[0, 2, 1])
    measured = {"chrI": rng.poisson(3, (3, 4000)).astype(float), "chrII": rng.poisson(3, (3, 500)).astype(float)}
    found = script["scores"](data, measured, measured, script["correlation"])
    assert [found[name] for name in ("mnase", "mnase detrended", "a_plus", "a_minus", "mean of the starts")] == [
        pytest.approx(1) for _ in range(5)
    ]
    assert abs(found["other strand"]) < 0.05
    swapped = {name: values[[0, 2, 1]] for name, values in measured.items()}
    turned = script["scores"](data, swapped, measured, script["correlation"])
    assert turned["other strand"] == pytest.approx(1)
    assert abs(turned["a_plus"]) < 0.05


def test_dinucleotides_are_counted_in_the_bins_around(linear: dict[str, Any], tmp_path: Path) -> None:
    letters = "".join(np.random.default_rng(0).choice(list("ACGTN"), 1000, p=[0.24] * 4 + [0.04]))
    (tmp_path / "genome.fa").write_text(f">c\n{letters}\n")
    found = linear["dinucleotides"](Genome(tmp_path / "genome.fa"), "c")
    context = linear["CONTEXT"]
    assert found.shape == (62, 16 * (2 * context + 1) + 1)
    assert (found[:, -1] == 1).all()
    table = found[:, :-1].reshape(62, 16, 2 * context + 1)
    for place, offset in ((0, 0), (5, 3), (5, -7), (61, 1), (30, 31)):
        start = (place + offset) * 16
        pairs = [letters[i : i + 2] for i in range(start, start + 16)] if 0 <= place + offset < 62 else []
        for index, pair in enumerate(a + b for a in "ACGT" for b in "ACGT"):
            assert table[place, index, context + offset] == pairs.count(pair)


@pytest.mark.usefixtures("made_yeast")
def test_the_linear_baseline_and_replicates_are_scored_on_made_yeast(
    script: dict[str, Any], linear: dict[str, Any]
) -> None:
    """Tags were drawn without a look at each other or at the sequence: replicates do not agree."""
    data = YeastDataModule(resolution=16)
    measured = {"chrXI": script["measured_tracks"](data, "chrXI")}
    assert measured["chrXI"].shape == (9, CHROMOSOME // 16)
    predicted, facts = script["linear_predictions"](data, ["chrXI"])
    assert facts["penalty of mnase"] in linear["PENALTIES"]
    assert predicted["chrXI"].shape == measured["chrXI"].shape
    found = script["all_scores"](data, predicted, measured)
    assert list(found)[:2] == [("mnase", "Pearson r"), ("mnase detrended", "Pearson r")]
    assert np.isfinite(list(found.values())).all()
    replicates = script["replicate_scores"](data, CONTIGS)
    names = [*data.targets[1:], "mean of the starts"]
    assert set(replicates) == {(name, "Pearson r") for name in names}
    assert abs(replicates["mean of the starts", "Pearson r"]) < 0.1


def test_the_ridge_is_that_of_scikit_learn_over_all_splits(linear: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    features = np.append(rng.random((300, 5)), np.ones((300, 1)), 1)
    values = rng.random((2, 300)) + 3 * features[:, 0]
    values[:, 50:60] = NAN
    moments = linear["Moments"]()
    moments.add(values[:, :120], features[:120])
    moments.add(values[:, 120:], features[120:])
    known = ~np.isnan(values[0])
    expected = Ridge(7.0).fit(features[known, :-1], values[:, known].T)
    assert np.allclose(moments.ridge(7.0), np.append(expected.coef_, expected.intercept_[:, None], 1))


def test_a_fit_comes_back_on_the_scale_on_which_it_is_scored(script: dict[str, Any], linear: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    features, starts = rng.random((10, 3)), rng.normal(size=(2, 3))
    found = linear["applied"](features, np.ones((1, 3)), starts)
    assert np.allclose(found[0], features.sum(1))
    assert np.allclose(script["starts_scale"](found[1:]), starts @ features[::2].T)


@pytest.mark.parametrize("count", [2, 3, 6])
def test_the_ceiling_is_that_of_simulated_replicates(replicate: dict[str, Any], count: int) -> None:
    """Counts, as those of tags: what is scored is log1p of an average."""
    rng = np.random.default_rng(0)
    truth = rng.gamma(0.3, 8, 100_000)
    replicates = rng.poisson(truth, (count, 100_000))
    expected = np.corrcoef(np.log1p(truth), np.log1p(replicates.mean(0)))[0, 1]
    assert replicate["ceiling"](replicates) == pytest.approx(expected, abs=0.02)
    single = [
        np.corrcoef(np.log1p(replicates[i]), np.log1p(replicates[j]))[0, 1] for i in range(count) for j in range(i)
    ]
    assert replicate["agreement"](replicates, 1) == pytest.approx(np.mean(single))


def test_ranks_are_of_bins_with_anything_measured(script: dict[str, Any]) -> None:
    ours, theirs = np.array([1.0, 5, 2, 9, 3]), np.array([1.0, 0, 4, 0, 2])
    assert script["ranked"](ours, theirs) == pytest.approx(spearmanr([1, 2, 3], [1, 4, 2])[0])


def test_the_bases_that_reach_a_bin_are_those_of_the_widths(script: dict[str, Any]) -> None:
    """Dilations 1 and 2 reach 3 bins to each side, the tower's 5 over 8-bp positions 2, the stem's 15 over bases 7."""
    net = Basenji(
        ["a"],
        2048,
        stem_filters=8,
        stem_pool=8,
        tower_filters=[8],
        tower_pools=[2],
        dilations=[1, 2],
        residual_filters=8,
        head_filters=8,
        crop=8,
    )
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            torch.nn.init.ones_(module.weight)
    found = script["size"](net)
    assert found["net", "bases that reach a bin"] == 7 * 16 + 2 * 2 * 8 + 2 * 7
    assert found["net", "parameters"] == sum(p.numel() for p in net.parameters())
