"""Baseline of the ENCODE table: logistic regression of all targets on the counts of 6-mers.

Shapes: N sequences, T targets, K k-mers.
"""

import torch
from accuracy.kmers import count_kmers
from torch import Tensor

from zoo.data.labelled import LabelledSequences
from zoo.datasets.encode_loci import EncodeLociDataModule
from zoo.metrics.labels import CLASSIFICATION, per_target
from zoo.nn.losses import binary_cross_entropy

__all__ = ["predict_by_kmers"]

KMER = 6
PENALTIES = (1e-4, 1e-3, 1e-2)  # of the weights; one is chosen on validation loci
EPOCHS, BATCH_SIZE, LEARNING_RATE = 10, 512, 3e-3


def predict_by_kmers(data: EncodeLociDataModule, seed: int) -> Tensor:
    """Fit the regression with the penalty that has the best validation AUROC; return logits (N, T) of the test loci."""
    train, val, test = (data.subset(split) for split in ("train", "val", "test"))
    counts = [torch.from_numpy(count_kmers(part.codes, KMER, merge_strands=True)) for part in (train, val, test)]
    centre, spread = counts[0].mean(0), counts[0].std(0).clamp(min=1e-3)
    features, val_features, test_features = ((values - centre) / spread for values in counts)
    label = torch.from_numpy(val.labels).float()

    def val_auroc(regression: torch.nn.Linear) -> float:
        return float(per_target(CLASSIFICATION["auroc"], regression(val_features), label).mean())

    best = max((_fit(features, train, penalty, seed) for penalty in PENALTIES), key=val_auroc)
    with torch.inference_mode():
        logits: Tensor = best(test_features)
    return logits


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
