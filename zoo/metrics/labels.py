"""Metrics that leave missing targets out and mean over targets: AUROC, AUPRC, Matthews, Pearson, r2, Spearman.

Each takes predictions and targets of shape (S, T), NaN where a target is missing, and gives one value per target (T,),
NaN where it is not defined (one class only, no spread). The arithmetic is torchmetrics' functional core.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.functional import pearson_corrcoef, r2_score, spearman_corrcoef
from torchmetrics.functional.classification import (
    binary_auroc,
    binary_average_precision,
)
from torchmetrics.utilities import dim_zero_cat

__all__ = ["CLASSIFICATION", "REGRESSION", "TargetMetrics", "matthews_threshold", "per_target"]

# The logits that `matthews_threshold` tries.
_LOGIT_REACH = 6.0
_LOGIT_STEP = 0.05

Score = Callable[[Tensor, Tensor], Tensor]


def _both_classes(target: Tensor) -> bool:
    return 0 < int(target.sum()) < len(target)


def _auroc(prediction: Tensor, target: Tensor) -> Tensor:
    return binary_auroc(prediction, target.long())


def _auprc(prediction: Tensor, target: Tensor) -> Tensor:
    return binary_average_precision(prediction, target.long())


# Name -> what is computed of the probabilities and the 0/1 targets of one task.
CLASSIFICATION: dict[str, Score] = {"auroc": _auroc, "auprc": _auprc}

# Name -> what is computed of the predicted and measured values of one target.
REGRESSION: dict[str, Score] = {"pearson": pearson_corrcoef, "r2": r2_score, "spearman": spearman_corrcoef}


def per_target(score: Score, prediction: Tensor, target: Tensor) -> Tensor:
    """Compute a score of each column, over the rows where its target is there. (S, T), (S, T) -> (T,)."""
    return torch.stack([_one_target(score, p, t) for p, t in zip(prediction.T, target.T, strict=True)])


def _one_target(score: Score, prediction: Tensor, target: Tensor) -> Tensor:
    there = ~torch.isnan(target)
    prediction, target = prediction[there].cpu().double(), target[there].cpu().double()
    if score in CLASSIFICATION.values():
        defined = _both_classes(target)
    else:
        defined = len(target) > 1 and bool(target.std() > 0) and (score is r2_score or bool(prediction.std() > 0))
    return score(prediction, target) if defined else torch.tensor(torch.nan, dtype=torch.float64)


def matthews_threshold(prediction: Tensor, target: Tensor) -> float:
    """The probability threshold with the best Matthews correlation: choose it on validation data.

    The correlation jumps with every sequence that a threshold passes, and its peak on a few hundred of them is mostly
    chance, so the curve over logits is smoothed first, by a Gaussian of one logit.

    Args:
        prediction: probabilities (S,).
        target: 0 or 1 (S,), both present.

    Returns:
        A probability.
    """
    steps = torch.arange(-_LOGIT_REACH, _LOGIT_REACH + _LOGIT_STEP / 2, _LOGIT_STEP, dtype=torch.float64)
    called = prediction.double() >= torch.sigmoid(steps)[:, None]  # (thresholds, S)
    positive = target == 1
    tp, fp = (called & positive).sum(1).double(), (called & ~positive).sum(1).double()
    fn, tn = positive.sum() - tp, (~positive).sum() - fp
    spread = ((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)).sqrt()
    curve = torch.where(spread > 0, (tp * tn - fp * fn) / spread.clamp(min=1), 0.0)
    kernel = torch.exp(-0.5 * (steps / 1.0) ** 2)
    padded = F.pad(curve[None, None], (len(steps) // 2,) * 2, mode="replicate")
    smooth = F.conv1d(padded, (kernel / kernel.sum())[None, None])[0, 0]
    return float(torch.sigmoid(steps[smooth.argmax()]))


class TargetMetrics(Metric):
    """Collects predictions and targets of an epoch and gives each score's mean over targets.

    Exact under several processes: torchmetrics gathers the rows of all of them before computing.
    """

    full_state_update = False
    predictions: list[Tensor]
    targets: list[Tensor]

    def __init__(self, scores: dict[str, Score]) -> None:
        super().__init__()
        self.scores, self.names = scores, tuple(scores)
        self.add_state("predictions", default=[], dist_reduce_fx="cat")
        self.add_state("targets", default=[], dist_reduce_fx="cat")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Take one batch: (B, T) and (B, T)."""
        self.predictions.append(prediction.detach().float())
        self.targets.append(target.detach().float())

    def each(self) -> dict[str, Tensor]:
        """Each score per target, (T,)."""
        prediction, target = dim_zero_cat(self.predictions), dim_zero_cat(self.targets)
        return {name: per_target(score, prediction, target) for name, score in self.scores.items()}

    def mean(self, each: dict[str, Tensor]) -> dict[str, Tensor]:
        """Each score's mean over the targets for which it is defined."""
        return {name: torch.nanmean(values) for name, values in each.items()}

    def compute(self) -> dict[str, Tensor]:
        """The means of `each`."""
        return self.mean(self.each())
