"""One factory for the metrics of all kinds; what an invalid prediction or a constant target does to any of them."""

from __future__ import annotations

import logging
import math

import numpy as np
import pytest
import torch
from made.gathering import gather_with
from sklearn.metrics import roc_auc_score
from torch import Tensor

from zoo import outputs
from zoo.metrics.base import TargetMetrics
from zoo.metrics.choose import METRICS, metrics_for
from zoo.nn.losses import LOSSES, find_loss
from zoo.outputs import Contacts, Labels, Output, Tracks

TARGETS = ("one", "two", "three")
OUTPUTS: dict[str, Output] = {
    "labels": Labels(TARGETS),
    "tracks": Tracks(TARGETS, bins=20, bin_size=4),
    "contacts": Contacts(TARGETS, bins=9, bin_size=4),
}
CASES = [
    ("labels", "binary_cross_entropy", ["auroc", "auprc"]),
    ("labels", "mean_squared_error", ["pearson", "r2", "spearman"]),
    ("tracks", "poisson", ["pearson_log1p", "pearson", "r2_log1p", "r2", "spearman"]),
    ("tracks", "mean_squared_error", ["pearson", "r2", "spearman"]),
    ("contacts", "mean_squared_error", ["pearson", "r2", "spearman", "mse", "pearson_window"]),
]
IDS = [f"{kind} {loss}" for kind, loss, _ in CASES]
every_case = pytest.mark.parametrize(("kind", "loss", "names"), CASES, ids=IDS)


def batch_of(kind: str, loss: str, rows: int = 12) -> tuple[Tensor, Tensor]:
    """Predictions and targets (B, *shape), a few of them missing."""
    random = torch.Generator().manual_seed(3)
    shape = (rows, *OUTPUTS[kind].shape)
    prediction, target = torch.rand(shape, generator=random), torch.rand(shape, generator=random)
    target = target.round() if find_loss(loss).classifies else target
    target[0, :, ...] = torch.nan
    return prediction, target


def scored(kind: str, loss: str, prediction: Tensor, target: Tensor, split: str = "test") -> TargetMetrics:
    metrics = metrics_for(OUTPUTS[kind], find_loss(loss), split)
    for some in (slice(0, 5), slice(5, 6), slice(6, None)):
        metrics.update(prediction[some], target[some])
    return metrics


def test_every_kind_has_metrics() -> None:
    kinds = {kind.kind for kind in vars(outputs).values() if isinstance(kind, type) and issubclass(kind, Output)}
    assert set(METRICS) == kinds - {""} == set(OUTPUTS)


@every_case
def test_scores_of_each_kind_and_loss(kind: str, loss: str, names: list[str]) -> None:
    metrics = scored(kind, loss, *batch_of(kind, loss))
    per_target, means = metrics.per_target(), metrics.compute()
    assert list(metrics.names) == list(per_target) == list(means) == names
    for name in names:
        assert per_target[name].shape == (3,)
        assert per_target[name].is_floating_point()
        assert float(means[name]) == pytest.approx(float(per_target[name].mean()), abs=1e-7)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kind", OUTPUTS)
def test_ranks_of_tracks_are_left_out_in_validation(kind: str, loss: str) -> None:
    names = {split: metrics_for(OUTPUTS[kind], find_loss(loss), split).names for split in ("val", "test")}
    assert set(names["test"]) - set(names["val"]) == ({"spearman"} if kind == "tracks" else set())


@every_case
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_one_invalid_prediction_makes_its_target_and_all_means_nan(
    kind: str, loss: str, names: list[str], value: float, caplog: pytest.LogCaptureFixture
) -> None:
    prediction, target = batch_of(kind, loss)
    valid = scored(kind, loss, prediction, target).per_target()
    prediction[7].flatten()[prediction[7].numel() // 2] = value  # of the second target
    metrics = scored(kind, loss, prediction, target)
    for name, scores in metrics.per_target().items():
        assert scores.isnan().tolist() == [False, True, False], name
        assert torch.equal(scores[[0, 2]], valid[name][[0, 2]])
    assert all(math.isnan(score) for score in metrics.compute().values())
    (message,) = caplog.messages
    assert message.startswith("test split: target 'two' has a prediction that is NaN or infinite")
    assert "the mean is NaN" in message


@every_case
def test_predictions_that_are_all_nan_have_no_score(kind: str, loss: str, names: list[str]) -> None:
    prediction, target = batch_of(kind, loss)
    metrics = scored(kind, loss, torch.full_like(prediction, torch.nan), target)
    assert all(values.isnan().all() for values in metrics.per_target().values())
    assert all(math.isnan(score) for score in metrics.compute().values())


@every_case
def test_a_prediction_where_nothing_was_observed_may_be_nan(kind: str, loss: str, names: list[str]) -> None:
    prediction, target = batch_of(kind, loss)
    expected = scored(kind, loss, prediction, target).per_target()
    prediction[target.isnan()] = torch.nan
    scores = scored(kind, loss, prediction, target).per_target()
    assert all(torch.equal(scores[name], expected[name]) for name in names)


@every_case
def test_a_target_that_does_not_vary_is_named_with_its_split(
    kind: str, loss: str, names: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    prediction, target = batch_of(kind, loss)
    target[:, 1] = torch.where(target[:, 1].isnan(), torch.nan, 1.0)
    metrics = scored(kind, loss, prediction, target, "val")
    means, per_target = metrics.compute(), metrics.per_target()
    undefined = [name for name in metrics.names if per_target[name][1].isnan()]
    assert undefined == [name for name in metrics.names if name != "mse"]
    for name in undefined:
        assert float(means[name]) == pytest.approx(float(per_target[name][[0, 2]].mean()), abs=1e-7)
    reason = "has one class only" if "auroc" in names else "has the same value everywhere"
    sentence = f"val split: target 'two' {reason}: {', '.join(undefined)} not defined, the mean leaves it out"
    assert caplog.messages == [sentence]
    metrics.compute()
    assert caplog.messages == [sentence]  # logged once


@every_case
def test_a_target_without_a_value_is_named(
    kind: str, loss: str, names: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    prediction, target = batch_of(kind, loss)
    target[:, [0, 2]] = torch.nan
    scored(kind, loss, prediction, target).compute()
    assert [message.split(":")[1] for message in caplog.messages] == [" each of 2 targets (one, three) has no value"]


def test_a_prediction_that_does_not_vary_is_named_where_a_score_needs_it(caplog: pytest.LogCaptureFixture) -> None:
    prediction, target = batch_of("labels", "mean_squared_error")
    prediction[:, 0] = 0.5
    scored("labels", "mean_squared_error", prediction, target).compute()
    assert caplog.messages == [
        "test split: target 'one' has the same prediction everywhere: pearson, spearman not defined, the mean leaves "
        "it out"
    ]
    caplog.clear()
    prediction, target = batch_of("labels", "binary_cross_entropy")
    prediction[:, 0] = 0.5
    metrics = scored("labels", "binary_cross_entropy", prediction, target)
    metrics.compute()
    assert caplog.messages == []
    assert float(metrics.per_target()["auroc"][0]) == roc_auc_score(target[1:, 0], np.full(11, 0.5)) == 0.5


def test_scores_that_are_all_defined_need_no_message(caplog: pytest.LogCaptureFixture) -> None:
    for kind, loss, _ in CASES:
        scored(kind, loss, *batch_of(kind, loss)).compute()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@every_case
def test_a_reset_forgets_an_invalid_prediction(kind: str, loss: str, names: list[str]) -> None:
    prediction, target = batch_of(kind, loss)
    metrics = scored(kind, loss, torch.full_like(prediction, torch.nan), target)
    metrics.reset()
    metrics.update(prediction, target)
    assert all(math.isfinite(score) for score in metrics.compute().values())


@pytest.mark.parametrize("kind", ["tracks", "contacts"])
def test_metrics_of_a_model_move_and_copy_with_it(kind: str) -> None:
    metrics = metrics_for(OUTPUTS[kind], find_loss("mean_squared_error"), "test").to("cpu")
    assert not metrics.state_dict()
    with pytest.raises(NotImplementedError):
        metrics(*batch_of(kind, "mean_squared_error"))


@every_case
def test_two_processes_score_together_what_one_does(kind: str, loss: str, names: list[str]) -> None:
    prediction, target = batch_of(kind, loss)
    expected = scored(kind, loss, prediction, target)
    metrics = scored(kind, loss, prediction[:7], target[:7])
    other = scored(kind, loss, prediction[7:], target[7:])
    with metrics.sync_context(dist_sync_fn=gather_with(other), distributed_available=lambda: True):
        together = metrics.per_target()
        means = metrics.mean(together)
    for name, values in expected.per_target().items():
        np.testing.assert_allclose(together[name], values, atol=1e-7)
    assert float(means[names[0]]) == pytest.approx(float(expected.compute()[names[0]]), abs=1e-7)
    alone = metrics.per_target()  # outside, the states are those of one process again
    assert not np.allclose(alone[names[0]], together[names[0]])


@every_case
def test_an_invalid_prediction_of_another_process_makes_all_means_nan(kind: str, loss: str, names: list[str]) -> None:
    prediction, target = batch_of(kind, loss)
    metrics = scored(kind, loss, prediction, target)
    other = scored(kind, loss, torch.full_like(prediction, torch.nan), target)
    with metrics.sync_context(dist_sync_fn=gather_with(other), distributed_available=lambda: True):
        assert all(math.isnan(value) for value in metrics.mean(metrics.per_target()).values())
