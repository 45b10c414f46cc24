"""Choose the metrics for a kind of output."""

from collections.abc import Callable

from zoo.metrics.base import TargetMetrics
from zoo.metrics.contacts import ContactMetrics
from zoo.metrics.labels import CLASSIFICATION, REGRESSION, LabelMetrics
from zoo.metrics.tracks import TrackMetrics
from zoo.nn.losses import Loss
from zoo.outputs import Contacts, Labels, Output, Tracks

__all__ = ["METRICS", "metrics_for"]


def metrics_for(output: Output, loss: Loss, split: str) -> TargetMetrics:
    """Make new, empty metrics for the output of a model.

    Args:
        output: output of the model; its kind decides which scores are computed.
        loss: the model is trained with: classes are scored by AUROC and AUPRC, counts by their log1p too.
        split: split of the data: `val` or `test`. Tracks are ranked in the test split alone, because ranks take long.
    """
    return METRICS[output.kind](output, loss, split)


def _label_metrics(output: Output, loss: Loss, split: str) -> TargetMetrics:
    return LabelMetrics(output.targets, CLASSIFICATION if loss.classifies else REGRESSION, split)


def _track_metrics(output: Output, loss: Loss, split: str) -> TargetMetrics:
    return TrackMetrics(output.targets, counts=loss.counts, ranks=split != "val", split=split)


def _contact_metrics(output: Output, loss: Loss, split: str) -> TargetMetrics:
    assert isinstance(output, Contacts)  # what its kind says
    return ContactMetrics(output.targets, output.bins, output.diagonal, split)


# Kind of output -> its metrics.
METRICS: dict[str, Callable[[Output, Loss, str], TargetMetrics]] = {
    Labels.kind: _label_metrics,
    Tracks.kind: _track_metrics,
    Contacts.kind: _contact_metrics,
}
