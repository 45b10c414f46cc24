"""Scores of resamples: those of scikit-learn and scipy on data in which units are repeated by their weights."""

import numpy as np
import pytest
import torch
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import average_precision_score, r2_score, roc_auc_score

from zoo.metrics.moments import window_moments
from zoo.metrics.weighted import (
    class_scores,
    moment_scores,
    rank_correlation,
    resample_blocks,
    resample_weights,
    value_scores,
    window_means,
)

RNG = np.random.default_rng(0)
N = 60
WEIGHTS = resample_weights(N, 3, range(25))
TIED = np.round(RNG.random(N), 1)  # many predictions are equal
PREDICTIONS = {"distinct": RNG.normal(size=N), "tied": TIED, "large": 1e6 + RNG.normal(size=N)}


@pytest.mark.parametrize("prediction", PREDICTIONS.values(), ids=PREDICTIONS)
def test_class_scores_are_those_of_scikit_learn_on_the_repeated_data(prediction: np.ndarray) -> None:
    positive = RNG.random(N) < 0.3
    scores = class_scores(prediction, positive)(WEIGHTS)
    for weight, auroc, auprc in zip(WEIGHTS, scores["auroc"], scores["auprc"], strict=True):
        x, y = np.repeat(prediction, weight), np.repeat(positive, weight)
        assert auroc == pytest.approx(roc_auc_score(y, x), abs=1e-12)
        assert auprc == pytest.approx(average_precision_score(y, x), abs=1e-12)


@pytest.mark.parametrize("prediction", PREDICTIONS.values(), ids=PREDICTIONS)
def test_value_scores_are_those_of_scipy_and_scikit_learn_on_the_repeated_data(prediction: np.ndarray) -> None:
    target = np.round(prediction + RNG.normal(size=N), 1)
    scores = value_scores(prediction, target)(WEIGHTS)
    for row, weight in enumerate(WEIGHTS):
        x, y = np.repeat(prediction, weight), np.repeat(target, weight)
        assert scores["pearson"][row] == pytest.approx(pearsonr(x, y)[0], abs=1e-8)
        assert scores["r2"][row] == pytest.approx(r2_score(y, x), abs=1e-8)
        assert scores["spearman"][row] == pytest.approx(spearmanr(x, y)[0], abs=1e-12)


def test_windows_are_drawn_as_wholes() -> None:
    windows, values = 9, 30
    prediction, target = RNG.normal(5, 1, (windows, 2, values)), RNG.normal(4, 2, (windows, 2, values))
    target += prediction
    target[RNG.random(target.shape) < 0.2] = np.nan
    moments = window_moments(torch.from_numpy(prediction), torch.from_numpy(target), log1p=False)[:, 0].numpy()
    weights = resample_weights(windows, 0, range(10))
    scores = moment_scores(moments)(weights)
    for row, weight in enumerate(weights):
        for index in range(2):
            x, y = (np.repeat(one[:, index], weight, axis=0).ravel() for one in (prediction, target))
            x, y = x[~np.isnan(y)], y[~np.isnan(y)]
            assert scores["pearson"][row, index] == pytest.approx(pearsonr(x, y)[0], abs=1e-12)
            assert scores["r2"][row, index] == pytest.approx(r2_score(y, x), abs=1e-12)
            assert scores["mse"][row, index] == pytest.approx(((x - y) ** 2).mean(), rel=1e-12)
            known = ~np.isnan(target[:, index])
            unit = np.repeat(np.arange(windows), values).reshape(windows, values)[known]
            ranked = rank_correlation(prediction[:, index][known], target[:, index][known], unit)(weights)
            assert ranked[row] == pytest.approx(spearmanr(x, y)[0], abs=1e-12)


def test_means_over_windows_leave_out_those_without_a_score() -> None:
    scores = np.array([[0.5], [np.nan], [0.2]])
    weights = np.array([[2, 5, 1], [0, 3, 0]])
    assert window_means(scores)(weights)[:, 0] == pytest.approx([(0.5 + 0.5 + 0.2) / 3, np.nan], nan_ok=True)


def test_one_class_or_one_value_has_no_score() -> None:
    weights = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0]])
    positive = np.array([True, True, False, False])
    scores = class_scores(np.array([0.9, 0.2, 0.3, 0.1]), positive)(weights)
    assert scores["auroc"].tolist()[2] == 1.0
    assert np.isnan(scores["auroc"][:2]).all()
    assert np.isnan(scores["auprc"][:2]).all()
    constant = value_scores(np.arange(4.0), np.array([1.0, 1.0, 2.0, 3.0]))(weights)
    assert np.isnan([constant[name][0] for name in ("pearson", "r2", "spearman")]).all()


def test_a_resample_depends_on_its_number_alone_and_draws_as_many_as_there_are() -> None:
    together = resample_weights(N, 7, range(6))
    assert together.sum(1).tolist() == [N] * 6
    assert (resample_weights(N, 7, range(4, 6)) == together[4:]).all()
    assert (resample_weights(N, 8, range(6)) != together).any()
    assert [number for block in resample_blocks(10, 1_500_000) for number in block] == list(range(10))
    # A unit is drawn a number of times of mean and variance 1 - 1/N: 6 N draws, four standard errors.
    drawn = resample_weights(N, 7, range(500))
    assert drawn.mean() == 1
    assert drawn.var() == pytest.approx(1 - 1 / N, abs=0.04)
