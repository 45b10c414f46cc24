"""The Basenji tables: scores by hand, the features of the linear baseline against a slow loop, replicates."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from accuracy.bench_basenji import measure_size
from accuracy.linear_tracks import (
    CONTEXT,
    PENALTIES,
    Moments,
    count_dinucleotides,
    fit_linear_tracks,
    predict,
    read_measured_tracks,
)
from accuracy.replicate_tracks import agreement, ceiling, score_replicates
from accuracy.track_scores import (
    MEAN_OF_STARTS,
    METRICS,
    OPPOSITE_STRAND,
    detrend,
    score_all_bins,
    score_tracks,
    score_with,
    spearman_of_signal,
    to_start_scale,
)
from common import pearson
from made.yeast import CHROMOSOME
from scipy.stats import spearmanr
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from zoo.datasets.yeast import YeastDataModule
from zoo.datasets.yeast_genome import CONTIGS
from zoo.genome.fasta import Genome
from zoo.models.basenji import Basenji
from zoo.nn.trunk import TrunkConfig

NAN = np.nan


def test_starts_are_scored_as_log1p_of_bins_twice_as_wide() -> None:
    values = np.array([[1.0, 2, 0, NAN, 5, 6, 7]])
    assert np.allclose(to_start_scale(values), np.log1p([[3, NAN, 11]]), equal_nan=True)


def test_detrending_subtracts_the_mean_of_the_observed_bins_around() -> None:
    rng = np.random.default_rng(0)
    predicted, measured = rng.random(200), rng.random(200)
    measured[rng.random(200) < 0.2] = NAN
    result = detrend(predicted, measured)
    observed = ~np.isnan(measured)
    for values, detrended in zip((predicted, measured), result, strict=True):
        for index in range(200):
            around = slice(max(0, index - 31), index + 32)  # 63 bins of 16 bp are 1,008 bases
            trend = values[around][observed[around]].mean()
            assert detrended[index] == pytest.approx(values[index] - trend, nan_ok=True)


def test_metrics_are_over_the_observed_bins_of_all_chromosomes() -> None:
    predicted = [np.array([1.0, 9, 2]), np.array([3.0, 4])]
    measured = [np.array([2.0, NAN, 4]), np.array([6.0, 9])]
    observed = [1, 2, 3, 4], [2, 4, 6, 9]
    expected = {
        "Pearson r": np.corrcoef(*observed)[0, 1],
        "Spearman (bins with signal)": spearmanr(*observed)[0],
        "R2": r2_score(*observed[::-1]),
    }
    assert expected["R2"] < 0
    scores = {name: score_all_bins(metric, predicted, measured) for name, metric in METRICS.items()}
    assert scores == pytest.approx(expected)


def test_each_track_is_scored_with_itself_and_the_control_with_its_partner() -> None:
    rng = np.random.default_rng(0)
    data: Any = SimpleNamespace(targets=["mnase", "a_plus", "a_minus"], strand_pairs=[0, 2, 1])
    measured = {"chrI": rng.poisson(3, (3, 4000)).astype(float), "chrII": rng.poisson(3, (3, 500)).astype(float)}
    scores = score_with(pearson, data, measured, measured)
    assert [scores[name] for name in ("mnase", "mnase detrended", "a_plus", "a_minus", MEAN_OF_STARTS)] == [
        pytest.approx(1) for _ in range(5)
    ]
    assert abs(scores[OPPOSITE_STRAND]) < 0.05
    swapped = {name: values[[0, 2, 1]] for name, values in measured.items()}
    swapped_scores = score_with(pearson, data, swapped, measured)
    assert swapped_scores[OPPOSITE_STRAND] == pytest.approx(1)
    assert abs(swapped_scores["a_plus"]) < 0.05


def test_dinucleotides_are_counted_in_the_bins_around(tmp_path: Path) -> None:
    letters = "".join(np.random.default_rng(0).choice(list("ACGTN"), 1000, p=[0.24] * 4 + [0.04]))
    (tmp_path / "genome.fa").write_text(f">c\n{letters}\n")
    features = count_dinucleotides(Genome(tmp_path / "genome.fa"), "c")
    assert features.shape == (62, 16 * (2 * CONTEXT + 1) + 1)
    assert (features[:, -1] == 1).all()
    table = features[:, :-1].reshape(62, 16, 2 * CONTEXT + 1)
    for row, offset in ((0, 0), (5, 3), (5, -7), (61, 1), (30, 31)):
        start = (row + offset) * 16
        pairs = [letters[i : i + 2] for i in range(start, start + 16)] if 0 <= row + offset < 62 else []
        for index, pair in enumerate(a + b for a in "ACGT" for b in "ACGT"):
            assert table[row, index, CONTEXT + offset] == pairs.count(pair)


@pytest.mark.slow
@pytest.mark.usefixtures("made_yeast")
def test_the_linear_baseline_and_replicates_are_scored_on_made_yeast() -> None:
    """Tags are drawn independently of each other and of the sequence: replicates do not agree."""
    data = YeastDataModule(resolution=16)
    measured = {"chrXI": read_measured_tracks(data, "chrXI")}
    assert measured["chrXI"].shape == (9, CHROMOSOME // 16)
    predicted, facts = fit_linear_tracks(data, ["chrXI"])
    assert facts["penalty of mnase"] in PENALTIES
    assert predicted["chrXI"].shape == measured["chrXI"].shape
    scores = score_tracks(data, predicted, measured)
    assert list(scores)[:2] == [("mnase", "Pearson r"), ("mnase detrended", "Pearson r")]
    assert np.isfinite(list(scores.values())).all()
    replicates = score_replicates(data, list(CONTIGS))
    assert set(replicates) == {(name, "Pearson r") for name in [*data.targets[1:], MEAN_OF_STARTS]}
    assert abs(replicates[MEAN_OF_STARTS, "Pearson r"]) < 0.1


def test_the_ridge_of_summed_moments_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    features = np.append(rng.random((300, 5)), np.ones((300, 1)), 1)
    values = rng.random((2, 300)) + 3 * features[:, 0]
    values[:, 50:60] = NAN
    moments = Moments()
    moments.add(values[:, :120], features[:120])
    moments.add(values[:, 120:], features[120:])
    observed = ~np.isnan(values[0])
    expected = Ridge(7.0).fit(features[observed, :-1], values[:, observed].T)
    assert np.allclose(moments.solve(7.0), np.append(expected.coef_, expected.intercept_[:, None], 1))


def test_linear_predictions_of_starts_are_back_on_the_scale_of_counts() -> None:
    rng = np.random.default_rng(0)
    features, starts = rng.random((10, 3)), rng.normal(size=(2, 3))
    predicted = predict(features, np.ones((1, 3)), starts)
    assert np.allclose(predicted[0], features.sum(1))
    assert np.allclose(to_start_scale(predicted[1:]), starts @ features[::2].T)


@pytest.mark.parametrize("count", [2, 3, 6])
def test_the_ceiling_is_that_of_simulated_replicates(count: int) -> None:
    """Counts, like those of tags; the score is that of log1p of an average."""
    rng = np.random.default_rng(0)
    truth = rng.gamma(0.3, 8, 100_000)
    replicates = rng.poisson(truth, (count, 100_000)).astype(np.float64)
    expected = np.corrcoef(np.log1p(truth), np.log1p(replicates.mean(0)))[0, 1]
    assert ceiling(replicates) == pytest.approx(expected, abs=0.02)
    single = [
        np.corrcoef(np.log1p(replicates[i]), np.log1p(replicates[j]))[0, 1] for i in range(count) for j in range(i)
    ]
    assert agreement(replicates, 1) == pytest.approx(np.mean(single))


def test_spearman_is_over_the_bins_with_signal() -> None:
    predicted, measured = np.array([1.0, 5, 2, 9, 3]), np.array([1.0, 0, 4, 0, 2])
    assert spearman_of_signal(predicted, measured) == pytest.approx(spearmanr([1, 2, 3], [1, 4, 2])[0])


def test_the_receptive_field_is_that_of_the_widths() -> None:
    """Dilations 1 and 2 reach 3 bins to each side, the tower's 5 over 8-bp positions 2, the stem's 15 over bases 7."""
    network = Basenji(
        ["a"],
        2048,
        TrunkConfig(
            stem_filters=8, stem_pool=8, tower_filters=[8], tower_pools=[2], dilations=[1, 2], residual_filters=8
        ),
        head_filters=8,
        crop_bins=8,
    )
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            torch.nn.init.ones_(module.weight)
    size = measure_size(network)
    assert size["network", "receptive field, bp"] == 7 * 16 + 2 * 2 * 8 + 2 * 7
    assert size["network", "parameters"] == sum(p.numel() for p in network.parameters())
