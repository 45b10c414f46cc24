"""Scores of the promoter table: a checkpoint or a logistic regression on one test fold.

Shapes: N sequences.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accuracy.kmers import count_kmers
from common import Values
from numpy.typing import NDArray
from torchmetrics.functional.classification import binary_auroc, binary_matthews_corrcoef

from zoo.data.labelled import LabelledSequences
from zoo.datasets.promoters import PromoterDataModule
from zoo.hub.loading import load_folder
from zoo.hub.targets import read_targets
from zoo.inference.labels import predict_codes
from zoo.metrics.labels import matthews_threshold

__all__ = ["Scores", "promoter_data", "score_checkpoint", "score_kmers"]

KMER = 4
INVERSE_PENALTIES = (0.001, 0.01, 0.1, 1.0)  # C of the logistic regression; one is chosen on validation data
VAL_FRACTION = 0.15  # as in the configurations


@dataclass(frozen=True)
class Scores:
    """Metrics of one model on one test fold: sensitivity, specificity, Matthews correlation, AUROC."""

    sn: float
    sp: float
    cc: float
    auroc: float

    @classmethod
    def of(cls, probability: Values, label: NDArray[np.float32] | NDArray[np.uint8], threshold: float) -> "Scores":
        """Score probabilities (N,) against labels (N,); those at or above the threshold are called promoters."""
        called, positive = probability >= threshold, label == 1
        truth = torch.from_numpy(label).long()
        return cls(
            sn=float(called[positive].mean()),
            sp=float((~called)[~positive].mean()),
            cc=float(binary_matthews_corrcoef(torch.from_numpy(called).long(), truth)),
            auroc=float(binary_auroc(torch.from_numpy(probability), truth)),
        )


def promoter_data(name: str, folds: int, fold: int, overlap: int | None) -> PromoterDataModule:
    """Open one fold of a promoter set, split as the configurations split it."""
    return PromoterDataModule(name, folds, fold=fold, val_fraction=VAL_FRACTION, shared_kmer=overlap)


def score_checkpoint(folder: Path, data: PromoterDataModule) -> Scores:
    """Score a checkpoint on its test fold, at the threshold that was chosen on its validation data."""
    test = data.subset("test")
    values = predict_codes(load_folder(folder), list(test.codes), [""] * len(test))[:, 0]
    threshold = read_targets(folder)[0].threshold
    assert threshold is not None
    return Scores.of(values.astype(np.float64), test.labels[:, 0], threshold)


def score_kmers(data: PromoterDataModule, seed: int) -> Scores:
    """Fit and score a logistic regression on the counts of 4-mers, its penalty chosen by AUROC on validation data."""
    train, val, test = (data.subset(split) for split in ("train", "val", "test"))
    label = torch.from_numpy(val.labels[:, 0])

    def val_auroc(model: Any) -> float:
        return float(binary_auroc(torch.from_numpy(_predict(model, val)), label.long()))

    best = max((_fit(train, c, seed) for c in INVERSE_PENALTIES), key=val_auroc)
    threshold = matthews_threshold(torch.from_numpy(_predict(best, val)), label)
    return Scores.of(_predict(best, test), test.labels[:, 0], threshold)


def _fit(train: LabelledSequences, inverse_penalty: float, seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    regression = LogisticRegression(C=inverse_penalty, max_iter=2000, random_state=seed)
    return make_pipeline(StandardScaler(), regression).fit(_count(train), train.labels[:, 0])


def _predict(model: Any, data: LabelledSequences) -> Values:
    """Return the probability of a promoter (N,)."""
    probability: Values = model.predict_proba(_count(data))[:, 1]
    return probability


def _count(data: LabelledSequences) -> Values:
    return count_kmers(data.codes, KMER).astype(np.float64)
