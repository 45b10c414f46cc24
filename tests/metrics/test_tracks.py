"""Metrics of tracks, added up batch by batch, equal those of scipy and scikit-learn over all bins."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch
from made.gathering import gather_with
from numpy.typing import NDArray
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import r2_score

from zoo.metrics.moments import Moments
from zoo.metrics.ranks import Ranks
from zoo.metrics.tracks import TrackMetrics

Floats = NDArray[np.float64]
NAMES = ["pearson_log1p", "pearson", "r2_log1p", "r2"]
T = 4
NAMED = ["one", "two", "three", "four"]


def some_tracks(batches: int, seed: int = 0, offset: float = 0.0) -> list[tuple[Floats, Floats]]:
    """Predictions and targets (B, T, N) of batches of many sizes; a tenth of the targets is NaN."""
    rng, scores = np.random.default_rng(seed), []
    for _ in range(batches):
        shape = (int(rng.integers(1, 5)), T, int(rng.integers(1, 40)))
        target = offset + rng.gamma(0.7, 3, shape)
        prediction = offset + rng.gamma(2, 1, shape) + 0.5 * (target - offset)
        target[rng.random(shape) < 0.1] = np.nan
        scores.append((prediction, target))
    return scores


def scored(batches: list[tuple[Floats, Floats]], dtype: torch.dtype = torch.float64) -> TrackMetrics:
    metrics = TrackMetrics(NAMED[: batches[0][0].shape[1]])
    for prediction, target in batches:
        metrics.update(torch.tensor(prediction, dtype=dtype), torch.tensor(target, dtype=dtype))
    return metrics


def at_once(batches: list[tuple[Floats, Floats]]) -> dict[str, list[float]]:
    """Each score per track by scipy and scikit-learn, over all observed bins."""
    scores: dict[str, list[float]] = {name: [] for name in NAMES}
    for track in range(batches[0][0].shape[1]):
        prediction, target = (np.concatenate([batch[i][:, track].ravel() for batch in batches]) for i in (0, 1))
        observed = ~np.isnan(target)
        for end, change in (("_log1p", np.log1p), ("", np.positive)):
            p, t = change(prediction[observed]), change(target[observed])
            scores[f"pearson{end}"].append(pearsonr(p, t)[0])
            scores[f"r2{end}"].append(r2_score(t, p))
    return scores


def assert_scores(metrics: TrackMetrics, expected: dict[str, list[float]], tolerance: float = 1e-9) -> None:
    per_target, means = metrics.per_target(), metrics.compute()
    assert list(per_target) == list(means) == list(metrics.names) == NAMES
    for name, values in expected.items():
        assert per_target[name].dtype == torch.float64
        np.testing.assert_allclose(per_target[name].numpy(), values, rtol=0, atol=tolerance)
        np.testing.assert_allclose(float(means[name]), np.nanmean(values), rtol=0, atol=tolerance)


@pytest.mark.parametrize("count", [1, 2, 50])
def test_scores_over_many_batches_are_those_of_all_bins_at_once(count: int) -> None:
    batches = some_tracks(count, seed=count)
    assert_scores(scored(batches), at_once(batches))


def test_single_precision_input_is_added_up_in_double_precision() -> None:
    batches = some_tracks(200)
    rounded = [(p.astype(np.float32).astype(np.float64), t.astype(np.float32).astype(np.float64)) for p, t in batches]
    assert_scores(scored(batches, torch.float32), at_once(rounded))


def test_r2_is_one_minus_residual_over_total_sum_of_squares() -> None:
    # Residual 1 + 0 + 4; total, about the mean of 3, 4 + 0 + 4. Where the target is NaN, the prediction is ignored.
    metrics = TrackMetrics(NAMED[:1])
    metrics.update(torch.tensor([[[2.0, 3.0, 9.0]]]), torch.tensor([[[1.0, 3.0, math.nan]]]))
    metrics.update(torch.tensor([[[math.nan, 3.0]]]), torch.tensor([[[math.nan, 5.0]]]))
    assert float(metrics.compute()["r2"]) == pytest.approx(1 - 5 / 8)
    assert float(metrics.compute()["pearson"]) == pytest.approx(2 / math.sqrt(8 * 2 / 3))


def test_a_perfect_prediction_scores_one_and_a_mirrored_one_minus_one() -> None:
    target = torch.arange(10.0).reshape(1, 1, 10)
    metrics = TrackMetrics(NAMED[:1])
    metrics.update(target, target)
    assert [float(value) for value in metrics.compute().values()] == pytest.approx([1.0] * 4)
    metrics = TrackMetrics(NAMED[:1])
    metrics.update(9 - target, target)
    assert float(metrics.compute()["pearson"]) == pytest.approx(-1)


def one_constant(value: float, which: int) -> list[tuple[Floats, Floats]]:
    """Batches of which the second track is constant: as predicted (0) or as measured (1)."""
    batches = some_tracks(20)
    for batch in batches:
        batch[which][:, 1] = np.where(np.isnan(batch[which][:, 1]), np.nan, value)
    return batches


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, 0.3, 7.7, 1e4])
def test_a_target_without_variance_has_no_score_and_is_left_out_of_the_mean(value: float) -> None:
    batches = one_constant(value, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy's, of a constant input
        expected = at_once(batches)
    for row in expected.values():
        row[1] = math.nan
    assert_scores(scored(batches), expected)


@pytest.mark.parametrize("value", [0.0, 1.0, 0.6931, 3.0])
def test_a_prediction_without_variance_has_no_correlation_but_an_r2(value: float) -> None:
    batches = one_constant(value, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = at_once(batches)
    for name in ("pearson", "pearson_log1p"):
        expected[name][1] = math.nan
    assert_scores(scored(batches), expected)


@pytest.mark.parametrize("bins", [0, 1])
def test_a_track_of_no_bin_or_of_one_has_no_score(bins: int) -> None:
    batches = some_tracks(5)
    for batch, (_, target) in enumerate(batches):
        target[:, 2] = np.nan
        target[0, 2, : bins * (batch == 0)] = 3
    per_target = scored(batches).per_target()
    for name in NAMES:
        assert torch.isnan(per_target[name]).tolist() == [False, False, True, False]


def test_without_any_bin_nothing_is_scored() -> None:
    metrics = TrackMetrics(NAMED[:3])
    assert all(math.isnan(value) for value in metrics.compute().values())
    metrics.update(torch.rand(2, 3, 8), torch.full((2, 3, 8), math.nan))
    assert all(math.isnan(value) for value in metrics.compute().values())


def gathered(mine: TrackMetrics, other: TrackMetrics) -> dict[str, torch.Tensor]:
    """Means that a process computes when torchmetrics gathers the states of two."""
    with mine.sync_context(dist_sync_fn=gather_with(other), distributed_available=lambda: True):
        return mine.mean(mine.per_target())


def test_two_processes_compute_together_what_one_does() -> None:
    batches = some_tracks(30)
    expected, alone = at_once(batches), scored(batches[:11]).compute()
    scores = gathered(scored(batches[:11]), scored(batches[11:]))
    for name, values in expected.items():
        assert float(scores[name]) == pytest.approx(np.mean(values), abs=1e-9)
        assert float(alone[name]) != pytest.approx(np.mean(values), abs=1e-5)


def test_a_process_with_nothing_measured_changes_nothing() -> None:
    batches = some_tracks(3)
    nothing = [(prediction, np.full_like(target, np.nan)) for prediction, target in batches]
    for one, other in ((batches, nothing), (nothing, batches)):
        scores = gathered(scored(one), scored(other))
        for name, values in at_once(batches).items():
            assert float(scores[name]) == pytest.approx(np.mean(values), abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(("batches", "offset"), [(1_000, 0.0), (400, 1e3), (400, 1e4)])
def test_many_bins_far_from_zero_keep_six_digits(batches: int, offset: float) -> None:
    tracks = some_tracks(batches, offset=offset)
    assert_scores(scored(tracks), at_once(tracks), tolerance=1e-6)


def test_reset_clears_all_states() -> None:
    batches = some_tracks(6)
    metrics = scored(batches[:3])
    metrics.reset()
    for prediction, target in batches[3:]:
        metrics.update(torch.tensor(prediction), torch.tensor(target))
    assert_scores(metrics, at_once(batches[3:]))


def test_moments_stay_in_float64_on_a_device_without_it() -> None:
    def to_apple(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.dtype == torch.float64:
            raise TypeError("Cannot convert a MPS Tensor to float64 dtype")
        return tensor

    metrics = Moments(2, log1p=True)
    metrics._apply(to_apple)
    metrics.update(torch.rand(2, 2, 5), torch.rand(2, 2, 5))
    assert metrics.moments.dtype == torch.float64
    assert metrics.moments[0, 0].tolist() == [10, 10]


# Ranks.


def ranked(batches: list[tuple[Floats, Floats]]) -> TrackMetrics:
    metrics = TrackMetrics(NAMED[: batches[0][0].shape[1]], ranks=True)
    for prediction, target in batches:
        metrics.update(torch.tensor(prediction), torch.tensor(target))
    return metrics


def test_spearman_is_that_of_scipy_over_all_bins_with_ties() -> None:
    batches = [(np.round(prediction), np.round(target)) for prediction, target in some_tracks(6)]
    scores, means = ranked(batches).per_target(), ranked(batches).compute()
    expected = []
    for track in range(T):
        p, t = (np.concatenate([batch[i][:, track].ravel() for batch in batches]) for i in (0, 1))
        expected.append(spearmanr(p[~np.isnan(t)], t[~np.isnan(t)])[0])
    np.testing.assert_allclose(scores["spearman"].numpy(), expected, atol=1e-12)
    assert float(means["spearman"]) == pytest.approx(np.mean(expected))
    assert list(scores) == list(means) == [*NAMES, "spearman"]
    plain = scored(batches).per_target()
    assert all(torch.equal(scores[name], plain[name]) for name in NAMES)


def test_spearman_of_constant_or_missing_values_is_left_out() -> None:
    prediction, target = torch.rand(2, 4, 9), torch.rand(2, 4, 9)
    prediction[:, 0], target[:, 1], target[:, 2] = 1, 0, torch.nan
    metrics = TrackMetrics(NAMED, ranks=True)
    metrics.update(prediction, target)
    scores = metrics.per_target()["spearman"]
    assert scores[:3].isnan().all()
    assert float(metrics.compute()["spearman"]) == pytest.approx(float(scores[3]))


def test_values_that_may_be_negative_have_no_log1p_scores() -> None:
    prediction, target = torch.randn(2, T, 50), torch.randn(2, T, 50)
    metrics = TrackMetrics(NAMED, counts=False, ranks=True)
    metrics.update(prediction, target)
    scores = metrics.compute()
    assert list(scores) == ["pearson", "r2", "spearman"]
    expected = [pearsonr(prediction[:, i].ravel(), target[:, i].ravel())[0] for i in range(T)]
    np.testing.assert_allclose(metrics.per_target()["pearson"].numpy(), expected, atol=1e-6)
    assert all(math.isfinite(value) for value in scores.values())


def test_too_many_values_to_rank_are_left_out_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ranks, "most", 50)
    metrics = TrackMetrics(NAMED, ranks=True)
    for _ in range(3):
        metrics.update(torch.rand(2, T, 5), torch.rand(2, T, 5))  # 40 values each time
    (ranks,) = (score for score in metrics.scores if isinstance(score, Ranks))
    assert ranks.predictions == []
    with pytest.warns(UserWarning, match="120 values are too many"):
        scores = metrics.per_target()
    assert scores["spearman"].isnan().all()
    assert scores["pearson"].isfinite().all()
