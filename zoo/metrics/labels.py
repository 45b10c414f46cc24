"""Metrics of labels: AUROC and AUPRC of classes; Pearson r, R2 and Spearman's rank correlation of values.

The arithmetic is that of torchmetrics' functions.

Shapes: B batch, S sequences, T targets.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics.functional import pearson_corrcoef, r2_score, spearman_corrcoef
from torchmetrics.functional.classification import binary_auroc, binary_average_precision
from torchmetrics.utilities import dim_zero_cat

from zoo.metrics.base import TargetMetrics, TargetScore

__all__ = ["CLASSIFICATION", "REGRESSION", "LabelMetrics", "RowScores", "matthews_threshold", "per_target"]

# `matthews_threshold` tries logits from -6 to 6.
_LOGIT_REACH = 6.0
_LOGIT_STEP = 0.05

Score = Callable[[Tensor, Tensor], Tensor]


def _both_classes(target: Tensor) -> bool:
    return 0 < int(target.sum()) < len(target)


def _auroc(prediction: Tensor, target: Tensor) -> Tensor:
    return binary_auroc(prediction, target.long())


def _auprc(prediction: Tensor, target: Tensor) -> Tensor:
    return binary_average_precision(prediction, target.long())


# Name -> score of the probabilities (S,) and the 0/1 values (S,) of one target.
CLASSIFICATION: dict[str, Score] = {"auroc": _auroc, "auprc": _auprc}

# Name -> score of the predicted and measured values (S,) of one target.
REGRESSION: dict[str, Score] = {"pearson": pearson_corrcoef, "r2": r2_score, "spearman": spearman_corrcoef}


def per_target(score: Score, prediction: Tensor, target: Tensor) -> Tensor:
    """Compute a score of each target over the sequences for which it is known.

    Args:
        score: a value of `CLASSIFICATION` or `REGRESSION`.
        prediction: (S, T).
        target: (S, T), NaN where it is missing.

    Returns:
        (T,); NaN where the score is not defined (one class only, no variance), or a prediction is NaN.
    """
    return torch.stack([_one_target(score, p, t) for p, t in zip(prediction.T, target.T, strict=True)])


def _one_target(score: Score, prediction: Tensor, target: Tensor) -> Tensor:
    observed = ~torch.isnan(target)
    prediction, target = prediction[observed].cpu().double(), target[observed].cpu().double()
    if not prediction.isfinite().all():  # torchmetrics would rank NaN as if it were a number
        defined = False
    elif score in CLASSIFICATION.values():
        defined = _both_classes(target)
    else:
        defined = len(target) > 1 and bool(target.std() > 0) and (score is r2_score or bool(prediction.std() > 0))
    return score(prediction, target) if defined else torch.tensor(torch.nan, dtype=torch.float64)


def matthews_threshold(prediction: Tensor, target: Tensor) -> float:
    """Find the probability threshold with the best Matthews correlation (Matthews 1975); use validation data.

    The correlation changes with every sequence whose prediction a threshold passes, and its maximum over a few hundred
    sequences is mostly chance, so the curve over logits is smoothed first, by a Gaussian of one logit.

    Args:
        prediction: probabilities (S,).
        target: 0 or 1 (S,), both present.

    Returns:
        A probability.
    """
    steps = torch.arange(-_LOGIT_REACH, _LOGIT_REACH + _LOGIT_STEP / 2, _LOGIT_STEP, dtype=torch.float64)
    positive_calls = prediction.double() >= torch.sigmoid(steps)[:, None]  # (thresholds, S)
    positive = target == 1
    tp, fp = (positive_calls & positive).sum(1).double(), (positive_calls & ~positive).sum(1).double()
    fn, tn = positive.sum() - tp, (~positive).sum() - fp
    product = ((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)).sqrt()
    curve = torch.where(product > 0, (tp * tn - fp * fn) / product.clamp(min=1), 0.0)
    kernel = torch.exp(-0.5 * (steps / 1.0) ** 2)
    padded = F.pad(curve[None, None], (len(steps) // 2,) * 2, mode="replicate")
    smooth = F.conv1d(padded, (kernel / kernel.sum())[None, None])[0, 0]
    return float(torch.sigmoid(steps[smooth.argmax()]))


class RowScores(TargetScore):
    """Scores per target over all sequences, whose predictions are kept until the scores are computed.

    Args:
        functions: name -> score of a target's predictions and values.
    """

    predictions: list[Tensor]
    observed: list[Tensor]

    def __init__(self, functions: dict[str, Score]) -> None:
        super().__init__()
        self.functions, self.names = functions, tuple(functions)
        self.add_state("predictions", default=[], dist_reduce_fx="cat")
        self.add_state("observed", default=[], dist_reduce_fx="cat")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Add one batch: (B, T) and (B, T), NaN where a target is missing."""
        self.predictions.append(prediction.detach().float())
        self.observed.append(target.detach().float())

    def per_target(self) -> dict[str, Tensor]:
        """Each score per target, (T,); NaN where it is not defined, or a prediction is NaN."""
        prediction, target = dim_zero_cat(self.predictions), dim_zero_cat(self.observed)
        return {name: per_target(score, prediction, target) for name, score in self.functions.items()}


class LabelMetrics(TargetMetrics):
    """Scores of labels, each target over all sequences for which it is known.

    Args:
        targets: names, T.
        functions: `CLASSIFICATION` or `REGRESSION`.
        split: split of the data, for messages.
    """

    def __init__(self, targets: Sequence[str], functions: dict[str, Score], split: str = "test") -> None:
        super().__init__(targets, [RowScores(functions)], split)
        if functions.keys() <= CLASSIFICATION.keys():
            self.constant_reason = "has one class only"
