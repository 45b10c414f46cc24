from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import average_precision_score, matthews_corrcoef, r2_score, roc_auc_score

from zoo.metrics.labels import CLASSIFICATION, REGRESSION, LabelMetrics, Score, matthews_threshold, per_target
from zoo.models.mlp import MLP

NAN = float("nan")
NAMED = ["one", "two", "three", "four"]
SCORES = {**CLASSIFICATION, **REGRESSION}
PEERS: dict[str, Callable[[Any, Any], float]] = {
    "auroc": lambda p, t: float(roc_auc_score(t, p)),
    "auprc": lambda p, t: float(average_precision_score(t, p)),
    "pearson": lambda p, t: float(pearsonr(p, t)[0]),
    "r2": lambda p, t: float(r2_score(t, p)),
    "spearman": lambda p, t: float(spearmanr(p, t)[0]),
}


def columns(name: str, rows: int = 200, targets: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(len(name))
    hidden = rng.normal(size=(rows, targets))
    noisy = hidden + rng.normal(size=(rows, targets))
    if name in CLASSIFICATION:
        # Rounded, so that there are ties.
        prediction, target = (1 / (1 + np.exp(-noisy))).round(2), (hidden > 0.5).astype(float)
    else:
        prediction, target = noisy.round(1), hidden.round(1)
    return torch.from_numpy(prediction).float(), torch.from_numpy(target).float()


def test_every_score_is_compared() -> None:
    assert set(PEERS) == set(SCORES)


@pytest.mark.parametrize("name", SCORES)
def test_scores_of_each_target_equal_those_of_scipy_and_scikit_learn(name: str) -> None:
    prediction, target = columns(name)
    expected = [PEERS[name](prediction[:, i].double(), target[:, i].double()) for i in range(4)]
    assert per_target(SCORES[name], prediction, target).tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", SCORES)
def test_missing_targets_are_left_out_of_their_column_only(name: str) -> None:
    prediction, target = columns(name)
    rng = np.random.default_rng(3)
    target[torch.from_numpy(rng.random(target.shape) < 0.3)] = NAN
    expected = []
    for i in range(4):
        observed = ~torch.isnan(target[:, i])
        expected.append(PEERS[name](prediction[observed, i].double(), target[observed, i].double()))
    assert per_target(SCORES[name], prediction, target).tolist() == pytest.approx(expected, abs=1e-6)


def test_scores_equal_those_computed_by_hand() -> None:
    prediction = torch.tensor([[0.9], [0.8], [0.7], [0.6]])
    target = torch.tensor([[1.0], [0.0], [1.0], [0.0]])
    # Of the four pairs of a one and a zero, three are in order. Precision is 1/1 at the first one, 2/3 at the second.
    assert per_target(CLASSIFICATION["auroc"], prediction, target).tolist() == pytest.approx([3 / 4])
    assert per_target(CLASSIFICATION["auprc"], prediction, target).tolist() == pytest.approx([(1 + 2 / 3) / 2])


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("auroc", [1, 1, 1, 1]),
        ("auroc", [0, 0, 0, 0]),
        ("auprc", [1, 1, NAN, NAN]),
        ("auprc", [0, 0, 0, NAN]),
        ("pearson", [2, 2, 2, 2]),
        ("spearman", [2, 2, 2, 2]),
        ("r2", [2, 2, 2, 2]),
        ("pearson", [2, NAN, NAN, NAN]),
        ("auroc", [NAN, NAN, NAN, NAN]),
        ("r2", [NAN, NAN, NAN, NAN]),
    ],
)
def test_a_score_that_is_not_defined_is_nan(name: str, target: list[float]) -> None:
    prediction = torch.tensor([[0.1], [0.2], [0.3], [0.4]])
    assert per_target(SCORES[name], prediction, torch.tensor(target)[:, None]).isnan().tolist() == [True]


@pytest.mark.filterwarnings("ignore:The variance of predictions or target")
@pytest.mark.parametrize("name", ["pearson", "spearman"])
def test_the_correlation_of_a_constant_prediction_is_nan(name: str) -> None:
    target = torch.arange(6.0)[:, None]
    assert per_target(SCORES[name], torch.full((6, 1), 0.5), target).isnan().tolist() == [True]


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_pearson_of_large_values_keeps_its_digits(offset: float) -> None:
    prediction, target = columns("pearson")
    prediction, target = prediction + offset, target + offset
    expected = [np.corrcoef(prediction[:, i].double(), target[:, i].double())[0, 1] for i in range(4)]
    assert per_target(REGRESSION["pearson"], prediction, target).tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("scores", [CLASSIFICATION, REGRESSION], ids=["classification", "regression"])
@pytest.mark.parametrize("size", [1, 7, 64, 200])
def test_many_batches_give_the_scores_of_one(scores: dict[str, Score], size: int) -> None:
    prediction, target = columns(next(iter(scores)))
    target[5:50, 2] = NAN
    metrics = LabelMetrics(NAMED, scores)
    for start in range(0, 200, size):
        metrics.update(prediction[start : start + size], target[start : start + size])
    for name, value in metrics.compute().items():
        expected = per_target(scores[name], prediction, target)
        assert metrics.per_target()[name].tolist() == expected.tolist()
        assert float(value) == pytest.approx(float(expected.mean()), abs=1e-12)


def test_the_mean_is_over_the_targets_for_which_a_score_is_defined() -> None:
    prediction, target = columns("auroc")
    target[:, 1] = 1
    target[:, 3] = NAN
    metrics = LabelMetrics(NAMED, CLASSIFICATION)
    metrics.update(prediction, target)
    expected = [roc_auc_score(target[:, i], prediction[:, i]) for i in (0, 2)]
    assert float(metrics.compute()["auroc"]) == pytest.approx(np.mean(expected), abs=1e-6)


def test_reset_clears_all_states() -> None:
    prediction, target = columns("auroc")
    metrics = LabelMetrics(NAMED, CLASSIFICATION)
    metrics.update(1 - prediction, target)
    metrics.compute()
    metrics.reset()
    metrics.update(prediction, target)
    assert metrics.per_target()["auroc"].tolist() == per_target(CLASSIFICATION["auroc"], prediction, target).tolist()


def logistic(logits: NDArray[np.float64]) -> torch.Tensor:
    return torch.from_numpy(1 / (1 + np.exp(-logits)))


def matthews_at(threshold: float, prediction: torch.Tensor, target: torch.Tensor) -> float:
    return float(matthews_corrcoef(target.numpy(), (prediction >= threshold).numpy()))


@pytest.mark.parametrize(
    ("zeros", "ones"), [(0.1, 0.9), (0.4, 0.6), (0.01, 0.05), (0.7, 0.98), (0.49, 0.51)], ids=lambda value: str(value)
)
@pytest.mark.parametrize("positives", [5, 50, 95])
def test_separable_classes_are_separated(zeros: float, ones: float, positives: int) -> None:
    target = torch.tensor([1.0] * positives + [0.0] * (100 - positives))
    prediction = torch.where(target == 1, ones, zeros)
    threshold = matthews_threshold(prediction, target)
    assert zeros < threshold <= ones
    assert matthews_at(threshold, prediction, target) == 1


@pytest.mark.parametrize(("zeros", "ones"), [(-4.0, 2.0), (-5.0, -3.0), (1.0, 4.0)])
def test_the_threshold_lies_half_way_between_two_classes(zeros: float, ones: float) -> None:
    # All thresholds between the two are perfect and all others worth 0: in logits, the smoothed peak is in the middle.
    target = torch.tensor([1.0, 0.0] * 20)
    prediction = logistic(np.where(target == 1, ones, zeros))
    threshold = matthews_threshold(prediction, target)
    assert np.log(threshold / (1 - threshold)) == pytest.approx((zeros + ones) / 2, abs=0.051)


@pytest.mark.parametrize(("shift", "share"), [(0.0, 0.5), (1.5, 0.5), (-2.0, 0.1)])
def test_the_threshold_is_as_good_as_the_best_of_a_slow_search(shift: float, share: float) -> None:
    rng = np.random.default_rng(5)
    target = torch.from_numpy((rng.random(3000) < share).astype(np.float64))
    prediction = logistic(rng.normal(np.where(target == 1, 1.0, -1.0) + shift, 1.0))
    best = max(matthews_at(float(t), prediction, target) for t in np.linspace(0.01, 0.99, 99))
    scores = matthews_at(matthews_threshold(prediction, target), prediction, target)
    assert best - 0.05 < scores
    assert scores <= best + 0.01


def test_constant_predictions_still_give_a_threshold() -> None:
    assert 0 < matthews_threshold(torch.full((10,), 0.5), torch.tensor([1.0, 0.0] * 5)) < 1


def test_bf16_predictions_are_activated_in_float32() -> None:
    model = MLP(targets=["x"], length=4, hidden=[2]).eval()
    with torch.no_grad():
        for p in model.parameters():
            p.zero_()
        model.get_parameter("head.0.bias").fill_(8.0)
    codes = torch.zeros(1, 4, dtype=torch.uint8)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        assert model.predict(codes).item() == pytest.approx(1 / (1 + np.exp(-8.0)), abs=1e-7)
