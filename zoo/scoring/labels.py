"""Evaluation of labels: of each sequence the prediction and the labels are kept. Shapes: N sequences, M targets."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.metrics.labels import CLASSIFICATION, REGRESSION, per_target
from zoo.metrics.weighted import class_scores, value_scores
from zoo.scoring.kinds import Arrays, Resampled, Scores, Units

__all__ = ["LabelUnits"]


class LabelUnits(Units):
    """Predictions and labels of sequences.

    Args:
        classify: whether labels are classes: scores are then AUROC and AUPRC, of any model's predictions.
    """

    name = "sequence"

    def __init__(self, classify: bool) -> None:
        self.functions = CLASSIFICATION if classify else REGRESSION
        self.classify = classify
        if classify:
            self.constant_reason = "has one class only"

    def of_batch(self, prediction: Tensor, target: Tensor) -> dict[str, NDArray[Any]]:
        """Predictions and labels (B, M), float32."""
        return {"prediction": prediction.cpu().numpy(), "target": target.float().cpu().numpy()}

    def scores(self, arrays: Arrays) -> Scores:
        """Each score (M,) over the sequences with a label."""
        prediction, target = (torch.from_numpy(arrays[name]) for name in ("prediction", "target"))
        if self.classify:
            prediction = _as_probabilities(prediction)
        return {name: per_target(one, prediction, target).numpy() for name, one in self.functions.items()}

    def resampled(self, arrays: Arrays, notes: list[str]) -> Resampled:
        """The same scores of resampled sequences."""
        parts = []
        for prediction, target in zip(arrays["prediction"].T, arrays["target"].T, strict=True):
            known = np.flatnonzero(~np.isnan(target))
            x, y = prediction[known].astype(np.float64), target[known].astype(np.float64)
            usable = len(known) > 1 and bool(np.isfinite(x).all())
            prepared = (class_scores(x, y == 1) if self.classify else value_scores(x, y)) if usable else None
            parts.append((known, prepared))

        def scores(weights: NDArray[np.int64]) -> Scores:
            """Each score (r, M) for weights (r, N)."""
            nothing = {name: np.full(len(weights), np.nan) for name in self.functions}
            per = [nothing if one is None else one(weights[:, known]) for known, one in parts]
            return {name: np.stack([values[name] for values in per], 1) for name in self.functions}

        return scores


def _as_probabilities(prediction: Tensor) -> Tensor:
    """Predictions (N, M) of which each target's are in [0, 1]: as they are, or their ranks.

    Ranks have the same AUROC and AUPRC; torchmetrics would take other numbers for logits, and round them.
    """
    columns = []
    for column in prediction.unbind(1):
        if column.isfinite().all() and len(column) and not ((column >= 0) & (column <= 1)).all():
            distinct, rank = np.unique(column.numpy(), return_inverse=True)
            column = torch.from_numpy(rank / len(distinct))
        columns.append(column.double())
    return torch.stack(columns, 1)
