"""Baseline of the tables of labels: logistic regression of all targets on the counts of 6-mers.

Shapes: N sequences, T targets, K k-mers.
"""

from typing import NamedTuple

import torch
from accuracy.kmers import count_kmers
from torch import Tensor

from zoo.data.labelled import LabelledSequences
from zoo.data.labels import LabelsDataModule
from zoo.genome.sequence import Codes
from zoo.metrics.labels import CLASSIFICATION, per_target
from zoo.nn.losses import binary_cross_entropy

__all__ = ["KmerRegression", "fit_by_kmers", "predict_by_kmers"]

KMER = 6
PENALTIES = (1e-4, 1e-3, 1e-2)  # of the weights; one is chosen on validation sequences
EPOCHS, BATCH_SIZE, LEARNING_RATE = 10, 512, 3e-3


class KmerRegression(NamedTuple):
    """A fitted regression.

    Attributes:
        centre: mean count of each 6-mer in training (K).
        spread: standard deviation of it (K).
        regression: standardized counts (N, K) -> logits (N, T).
    """

    centre: Tensor
    spread: Tensor
    regression: torch.nn.Linear

    def logits(self, codes: Codes) -> Tensor:
        """Predict logits (N, T) of sequences (N, L)."""
        with torch.inference_mode():
            logits: Tensor = self.regression((_counts(codes) - self.centre) / self.spread)
        return logits


def predict_by_kmers(data: LabelsDataModule[Codes], seed: int) -> Tensor:
    """Fit the regression; return logits (N, T) of the test sequences."""
    return fit_by_kmers(data, seed).logits(data.subset("test").codes)


def fit_by_kmers(data: LabelsDataModule[Codes], seed: int) -> KmerRegression:
    """Fit the regression with the penalty that has the best validation AUROC."""
    train, val = data.subset("train"), data.subset("val")
    counts = _counts(train.codes)
    centre, spread = counts.mean(0), counts.std(0).clamp(min=1e-3)
    features, label = (counts - centre) / spread, torch.from_numpy(val.labels).float()
    fitted = [KmerRegression(centre, spread, _fit(features, train, penalty, seed)) for penalty in PENALTIES]

    def val_auroc(regression: KmerRegression) -> float:
        return float(per_target(CLASSIFICATION["auroc"], regression.logits(val.codes), label).mean())

    return max(fitted, key=val_auroc)


def _counts(codes: Codes) -> Tensor:
    return torch.from_numpy(count_kmers(codes, KMER, merge_strands=True))


def _fit(features: Tensor, train: LabelledSequences, penalty: float, seed: int) -> torch.nn.Linear:
    """Fit the regressions of all targets at once, by AdamW; features are (N, K)."""
    torch.manual_seed(seed)
    regression = torch.nn.Linear(features.shape[1], train.labels.shape[1])
    label = torch.from_numpy(train.labels).float()
    steps = EPOCHS * -(-len(features) // BATCH_SIZE)
    # AdamW multiplies weight_decay by the learning rate.
    optimizer = torch.optim.AdamW(regression.parameters(), lr=LEARNING_RATE, weight_decay=penalty / LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps, cycle_momentum=False)
    for _ in range(EPOCHS):
        for rows in torch.split(torch.randperm(len(features)), BATCH_SIZE):
            optimizer.zero_grad()
            loss = binary_cross_entropy(regression(features[rows]), label[rows]).mean()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return regression.requires_grad_(False)
