"""Metrics of contact maps, added up batch by batch, equal scipy's over all pixels, per window and per diagonal."""

from __future__ import annotations

import math
import warnings
from typing import NamedTuple

import numpy as np
import pytest
import torch
from made.gathering import gather_with
from numpy.typing import NDArray
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import mean_squared_error, r2_score

from zoo.metrics.contacts import ContactMetrics

Floats = NDArray[np.float64]
NAMES = ["pearson", "r2", "spearman", "mse", "pearson_window"]
T, N, DIAGONAL = 3, 12, 2
NAMED = ["one", "two", "three"]
PAIRS = [(i, j) for i in range(N) for j in range(i + DIAGONAL, N)]  # in row order
APART = np.array([j - i for i, j in PAIRS])


class Windows(NamedTuple):
    """Maps of windows, (B, T, P)."""

    prediction: Floats
    target: Floats


def some_windows(count: int, seed: int = 0, offset: float = 0.0) -> Windows:
    """Maps that differ in their means and by distance; a fifth of the pixels, and whole bins, are NaN."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(count, T, len(PAIRS))) + 2 * rng.normal(size=(count, T, 1)) - 0.3 * APART
    prediction = common + rng.normal(size=common.shape) + offset
    target = 0.5 * common + rng.normal(size=common.shape) + offset
    target[rng.random(target.shape) < 0.2] = np.nan
    target[:, :, [5 in pair for pair in PAIRS]] = np.nan
    # As single precision holds them, so that ranks are those of what is compared.
    return Windows(prediction.astype(np.float32).astype(np.float64), target.astype(np.float32).astype(np.float64))


def scored(*batches: Windows) -> ContactMetrics:
    metrics = ContactMetrics(NAMED, N, DIAGONAL)
    for prediction, target in batches:
        metrics.update(torch.tensor(prediction), torch.tensor(target))
    return metrics


def in_batches(windows: Windows, sizes: list[int]) -> list[Windows]:
    assert sum(sizes) == len(windows.target)
    return [
        Windows(*(values[end - size : end] for values in windows))
        for size, end in zip(sizes, np.cumsum(sizes), strict=True)
    ]


def correlation(x: Floats, y: Floats) -> float:
    """Of the pixels that were measured; NaN where it is not defined."""
    observed = ~np.isnan(y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy's, of a constant input
        return float(pearsonr(x[observed], y[observed])[0]) if observed.sum() > 1 else math.nan


def at_once(windows: Windows) -> dict[str, list[float]]:
    """Each score per target by scipy and scikit-learn."""
    scores: dict[str, list[float]] = {name: [] for name in NAMES}
    for target in range(T):
        x, y = (values[:, target] for values in windows)
        observed = ~np.isnan(y)
        scores["pearson"].append(correlation(x.ravel(), y.ravel()))
        scores["r2"].append(r2_score(y[observed], x[observed]))
        scores["spearman"].append(spearmanr(x[observed], y[observed])[0])
        scores["mse"].append(mean_squared_error(y[observed], x[observed]))
        scores["pearson_window"].append(float(np.nanmean([correlation(*pair) for pair in zip(x, y, strict=True)])))
    return scores


def by_distance(windows: Windows) -> dict[str, Floats]:
    """Scores (D, T) of each diagonal, by scipy and numpy."""
    pearson, mse = np.full((2, N - DIAGONAL, T), np.nan)
    for index in range(N - DIAGONAL):
        for target in range(T):
            x, y = (values[:, target, index + DIAGONAL == APART].ravel() for values in windows)
            pearson[index, target] = correlation(x, y)
            if not np.isnan(y).all():
                mse[index, target] = np.nanmean((x - y) ** 2)
    return {"pearson": pearson, "mse": mse}


def assert_scores(metrics: ContactMetrics, expected: dict[str, list[float]], tolerance: float = 1e-9) -> None:
    per_target, means = metrics.per_target(), metrics.compute()
    assert list(per_target) == list(means) == list(metrics.names) == NAMES
    for name, values in expected.items():
        assert per_target[name].dtype == torch.float64
        np.testing.assert_allclose(per_target[name].numpy(), values, rtol=0, atol=tolerance, err_msg=name)
        mean = math.nan if np.isnan(values).all() else np.nanmean(values)
        np.testing.assert_allclose(float(means[name]), mean, rtol=0, atol=tolerance, err_msg=name)


def assert_distances(scores: dict[str, torch.Tensor], expected: dict[str, Floats], tolerance: float = 1e-9) -> None:
    assert list(scores) == ["pearson", "mse"]
    for name, values in expected.items():
        assert scores[name].shape == (N - DIAGONAL, T)
        np.testing.assert_allclose(scores[name].numpy(), values, rtol=0, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("sizes", [[20], [1] * 20, [7, 1, 12]])
def test_scores_over_batches_are_those_of_all_windows_at_once(sizes: list[int]) -> None:
    windows = some_windows(20)
    metrics = scored(*in_batches(windows, sizes))
    expected = at_once(windows)
    assert_scores(metrics, expected)
    assert_distances(metrics.by_distance(), by_distance(windows))
    # The scores differ from each other, so that none can be taken for another.
    assert np.abs(np.subtract(expected["pearson"], expected["pearson_window"])).min() > 0.01
    assert np.abs(np.subtract(expected["pearson"], expected["spearman"])).min() > 1e-3
    assert np.ptp(by_distance(windows)["mse"], axis=0).min() > 0.1


def test_scores_of_a_map_on_paper() -> None:
    # Of four bins, from the second diagonal on: (0, 2), (0, 3), (1, 3); the first window is off by 1, -1 and nothing.
    metrics = ContactMetrics(["one"], 4, 2)
    metrics.update(torch.tensor([[[2.0, 1.0, 3.0]]]), torch.tensor([[[1.0, 2.0, 3.0]]]))
    metrics.update(torch.tensor([[[5.0, 9.0, 6.0]]]), torch.tensor([[[6.0, math.nan, 5.0]]]))
    scores = {name: float(value) for name, value in metrics.compute().items()}
    assert scores["mse"] == pytest.approx((1 + 1 + 0 + 1 + 1) / 5)
    assert scores["pearson_window"] == pytest.approx((0.5 - 1) / 2)
    # Of the second diagonal (2, 1), (3, 3), (5, 6), (6, 5); of the third (1, 2) alone.
    apart = metrics.by_distance()
    assert apart["mse"].flatten().tolist() == pytest.approx([3 / 4, 1])
    assert float(apart["pearson"][0, 0]) == pytest.approx(11 / math.sqrt(10 * 14.75))
    assert math.isnan(apart["pearson"][1, 0])


def test_single_precision_input_is_added_up_in_double_precision() -> None:
    windows = some_windows(100, seed=2)
    metrics = ContactMetrics(NAMED, N, DIAGONAL)
    for prediction, target in in_batches(windows, [10] * 10):
        metrics.update(torch.tensor(prediction, dtype=torch.float32), torch.tensor(target, dtype=torch.float32))
    assert_scores(metrics, at_once(windows))
    assert_distances(metrics.by_distance(), by_distance(windows))


def test_maps_far_from_zero_keep_six_digits() -> None:
    windows = some_windows(50, seed=3, offset=100.0)
    metrics = scored(*in_batches(windows, [10] * 5))
    assert_scores(metrics, at_once(windows), 1e-6)
    assert_distances(metrics.by_distance(), by_distance(windows), 1e-6)


def test_a_perfect_prediction_has_one_of_each_and_no_error() -> None:
    target = some_windows(4).target
    scores = scored(Windows(np.nan_to_num(target), target)).compute()
    assert [float(scores[name]) for name in NAMES] == pytest.approx([1, 1, 1, 0, 1], abs=1e-12)


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, -0.3, 7.7])
def test_a_constant_prediction_has_no_correlation_but_an_error(value: float) -> None:
    windows = some_windows(9)
    windows.prediction[:, 1] = np.float32(value)
    metrics = scored(*in_batches(windows, [4, 5]))
    per_target = metrics.per_target()
    for name in ("pearson", "spearman", "pearson_window"):
        assert torch.isnan(per_target[name]).tolist() == [False, True, False]
        assert float(metrics.compute()[name]) == pytest.approx(float(per_target[name][[0, 2]].mean()))
    there = windows.target[:, 1][~np.isnan(windows.target[:, 1])]
    assert float(per_target["mse"][1]) == pytest.approx(np.mean((there - np.float32(value)) ** 2))
    assert float(per_target["r2"][1]) == pytest.approx(1 - np.mean((there - np.float32(value)) ** 2) / there.var())
    apart = metrics.by_distance()
    assert torch.isnan(apart["pearson"][:, 1]).all()
    assert not torch.isnan(apart["pearson"][:, 0]).any()
    assert not torch.isnan(apart["mse"]).any()


@pytest.mark.parametrize("value", [0.0, 0.1, -2.0])
def test_a_constant_target_has_no_score_but_an_error(value: float) -> None:
    windows = some_windows(9)
    windows.target[:, 1] = np.where(np.isnan(windows.target[:, 1]), np.nan, np.float32(value))
    per_target = scored(windows).per_target()
    for name in ("pearson", "r2", "spearman", "pearson_window"):
        assert torch.isnan(per_target[name]).tolist() == [False, True, False]
    assert per_target["mse"].isfinite().all()


def test_a_prediction_from_distance_alone_has_no_correlation_at_any_distance() -> None:
    windows = some_windows(9)
    windows.prediction[:] = -np.log1p(APART).astype(np.float32)
    metrics = scored(*in_batches(windows, [4, 5]))
    assert torch.isnan(metrics.by_distance()["pearson"]).all()
    assert float(metrics.compute()["pearson_window"]) > 0.1
    assert_scores(metrics, at_once(windows))


def test_windows_that_differ_only_in_their_means_have_no_correlation_per_window() -> None:
    windows = some_windows(30, seed=5)
    windows.prediction[:] = np.nanmean(windows.target, -1, keepdims=True).astype(np.float32)
    scores = scored(windows).compute()
    assert float(scores["pearson"]) > 0.5
    assert math.isnan(scores["pearson_window"])


def test_a_window_without_a_measured_pixel_is_ignored() -> None:
    windows, masked = some_windows(8), some_windows(4, seed=9)
    masked.target[:] = np.nan
    masked.prediction[0] = np.nan  # what is predicted there does not matter
    both = Windows(*(np.concatenate(pair) for pair in zip(windows, masked, strict=True)))
    for metrics in (scored(windows, masked), scored(masked, windows), scored(both)):
        assert_scores(metrics, at_once(windows))
        assert_distances(metrics.by_distance(), by_distance(windows))


def test_a_window_with_one_pixel_or_equal_pixels_has_no_correlation() -> None:
    windows = some_windows(8)
    windows.target[0, :, 1:] = np.nan
    windows.target[0, :, 0] = 1
    windows.target[1] = np.where(np.isnan(windows.target[1]), np.nan, np.float32(0.7))
    windows.prediction[2] = np.float32(-0.2)
    metrics = scored(windows)
    rest = Windows(*(values[3:] for values in windows))
    np.testing.assert_allclose(metrics.per_target()["pearson_window"], at_once(rest)["pearson_window"], atol=1e-9)
    assert_scores(metrics, at_once(windows))


def test_a_target_or_diagonal_without_measured_pixels_has_no_score() -> None:
    windows = some_windows(8)
    windows.target[:, 2] = np.nan
    windows.target[:, :, APART == 4] = np.nan
    metrics = scored(windows)
    for values in metrics.per_target().values():
        assert torch.isnan(values).tolist() == [False, False, True]
    for name, values in metrics.compute().items():
        assert float(values) == pytest.approx(float(metrics.per_target()[name][:2].mean()))
    for apart in metrics.by_distance().values():
        assert torch.isnan(apart[4 - DIAGONAL]).all()
        assert not torch.isnan(apart[[index for index in range(N - DIAGONAL) if index != 2]][:, :2]).any()


def assert_together(one: ContactMetrics, other: ContactMetrics, windows: Windows) -> None:
    with one.sync_context(dist_sync_fn=gather_with(other), distributed_available=lambda: True):
        assert_distances(one.by_distance(), by_distance(windows))
        per_target = one.per_target()
    for name, values in at_once(windows).items():
        np.testing.assert_allclose(per_target[name].numpy(), values, rtol=0, atol=1e-9, err_msg=name)
    with one.sync_context(dist_sync_fn=gather_with(other), distributed_available=lambda: True):
        together = one.mean(one.per_target())
    for name, values in at_once(windows).items():
        assert float(together[name]) == pytest.approx(np.mean(values), abs=1e-9)


def test_two_processes_compute_together_what_one_does() -> None:
    windows = some_windows(20, seed=6)
    first, second = in_batches(windows, [7, 13])
    alone = scored(first).compute()
    assert all(abs(float(alone[name]) - np.mean(values)) > 1e-5 for name, values in at_once(windows).items())
    assert_together(scored(*in_batches(first, [3, 4])), scored(*in_batches(second, [6, 7])), windows)


def test_a_process_with_nothing_measured_changes_nothing() -> None:
    windows = some_windows(6, seed=7)
    nothing = Windows(windows.prediction, np.full_like(windows.target, np.nan))
    for one, other in ((windows, nothing), (nothing, windows)):
        assert_together(scored(one), scored(other), windows)


def test_reset_clears_all_states() -> None:
    windows = some_windows(6)
    metrics = scored(some_windows(5, seed=8))
    metrics.reset()
    metrics.update(torch.tensor(windows.prediction), torch.tensor(windows.target))
    assert_scores(metrics, at_once(windows))
    assert_distances(metrics.by_distance(), by_distance(windows))


def test_a_prediction_that_is_nan_makes_all_scores_nan() -> None:
    windows = some_windows(6)
    row, target, pixel = np.argwhere(~np.isnan(windows.target))[0]
    windows.prediction[row, target, pixel] = np.nan
    scores = scored(windows).compute()
    assert all(math.isnan(value) for value in scores.values())
