"""Promoters: MLP, CNN and 4-mer logistic regression by 5-fold cross-validation, next to the paper's numbers.

    zoo benchmark promoters [--sets ecoli ...] [--seed 1]

Sn, Sp and CC (Matthews) at a threshold that is chosen on a validation slice of the training folds, never on the test
fold; AUROC needs none. `random` folds keep identical sequences together, as far as the paper goes; `apart` folds keep
together all that share 24 bases on either strand, because many negatives here are overlapping fragments of one gene.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torchmetrics.functional.classification import binary_auroc, binary_matthews_corrcoef

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))
from common import WORK, run_facts, shipped, trained, write_results

from zoo.data.labelled import LabelledSequences
from zoo.datasets.promoters import PROMOTER_SETS, PromoterDataModule
from zoo.hub.checkpoint import load_folder
from zoo.hub.targets import read_targets
from zoo.inference.labels import predict_codes
from zoo.metrics.labels import matthews_threshold

FOLDS = 5
VAL = 0.15
SHARED = 24
MODELS = {"CNN": "deepbind", "MLP": "mlp"}


@dataclass(frozen=True)
class Scores:
    """Of one model on one test fold."""

    sn: float
    sp: float
    cc: float
    auroc: float

    @classmethod
    def of(cls, prediction: NDArray[np.float64], label: NDArray[np.float32], threshold: float) -> "Scores":
        """Score probabilities (N,) against labels (N,)."""
        called, positive = prediction >= threshold, label == 1
        p, y = torch.from_numpy(prediction), torch.from_numpy(label).long()
        return cls(
            sn=float(called[positive].mean()),
            sp=float((~called)[~positive].mean()),
            cc=float(binary_matthews_corrcoef(torch.from_numpy(called).long(), y)),
            auroc=float(binary_auroc(p, y)),
        )


def main(arguments: Sequence[str]) -> None:
    """Train what is missing, score every fold, print and write the table."""
    parser = argparse.ArgumentParser(prog="zoo benchmark promoters", description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=list(PROMOTER_SETS), default=list(PROMOTER_SETS))
    parser.add_argument("--splits", nargs="+", choices=("random", "apart"), default=["random", "apart"])
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    rows: list[list[object]] = []
    facts: dict[str, object] = {}
    for name in options.sets:
        for split in options.splits:
            shared = SHARED if split == "apart" else None
            for label, architecture in MODELS.items():
                folders = [fold_model(architecture, name, fold, shared, options.seed) for fold in range(FOLDS)]
                scores = [score_model(folder, name, fold, shared) for fold, folder in enumerate(folders)]
                rows.append(mean_row(name, split, label, scores))
                facts[f"{name} {split} {label}"] = [[run_facts(folder) for folder in folders], scores]
                print(*rows[-1], sep="\t", flush=True)
            scores = [score_kmers(name, fold, shared, options.seed) for fold in range(FOLDS)]
            rows.append(mean_row(name, split, "4-mer logistic regression", scores))
            facts[f"{name} {split} 4-mer"] = scores
            print(*rows[-1], sep="\t", flush=True)
        paper = PROMOTER_SETS[name]
        rows.append(
            [
                name,
                "random",
                "CNN of the paper",
                paper.sensitivity,
                paper.specificity,
                paper.correlation,
                "",
                "",
            ]
        )
    header = ["set", "folds", "model", "Sn", "Sp", "CC", "CC sd over folds", "AUROC"]
    complete = options.sets == list(PROMOTER_SETS)
    print(write_results("promoters" if complete else "promoters_part", header, rows, facts))


def fold_model(architecture: str, name: str, fold: int, shared: int | None, seed: int) -> Path:
    """The model for one test fold: the shipped one for fold 0 of the random folds, else one trained for this table."""
    checkpoint = f"{architecture}.promoter_{name}"
    command = [f"configs/{architecture}.promoters.yaml", "--data.name", name]
    if fold == 0 and shared is None and seed == 1 and (folder := shipped(checkpoint, command)):
        return folder
    run = f"{checkpoint}.fold{fold}" + (".apart" if shared else "") + f".seed{seed}"
    command += ["--data.fold", str(fold), "--name", run, "--seed_everything", str(seed)]
    command += ["--trainer.enable_progress_bar", "false"]
    command += ["--data.shared_bases", str(shared)] if shared else []
    return trained(run, WORK / "promoters", command)


def score_model(folder: Path, name: str, fold: int, shared: int | None) -> Scores:
    """Score a model on its test fold, at its own validation threshold."""
    test = data_of(name, fold, shared).subset("test")
    values = predict_codes(load_folder(folder), list(test.codes), [""] * len(test))[:, 0]
    threshold = read_targets(folder)[0].threshold
    assert threshold is not None
    return Scores.of(values.astype(np.float64), test.labels[:, 0], threshold)


def score_kmers(name: str, fold: int, shared: int | None, seed: int) -> Scores:
    """Train and score logistic regression on counts of 4-mers."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    data = data_of(name, fold, shared)
    train, val, test = (data.subset(split) for split in ("train", "val", "test"))
    best = max(
        (
            _fit_kmers(
                make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=2000, random_state=seed)),
                train,
                val,
            )
            for c in (0.001, 0.01, 0.1, 1.0)
        ),
        key=lambda found: found[1],
    )[0]
    threshold = matthews_threshold(torch.from_numpy(_probability(best, val)), torch.from_numpy(val.labels[:, 0]))
    return Scores.of(_probability(best, test), test.labels[:, 0], threshold)


def data_of(name: str, fold: int, shared: int | None) -> PromoterDataModule:
    """One split of one set, as the configurations make it."""
    return PromoterDataModule(name, FOLDS, fold=fold, val_fraction=VAL, shared_bases=shared)


def mean_row(name: str, split: str, model: str, scores: list[Scores]) -> list[object]:
    """The mean over folds."""
    values = np.array([[s.sn, s.sp, s.cc, s.auroc] for s in scores])
    sn, sp, cc, auroc = values.mean(0).tolist()
    return [name, split, model, sn, sp, cc, float(values[:, 2].std(ddof=1)), auroc]


def count_kmers(data: LabelledSequences, k: int = 4) -> NDArray[np.float64]:
    """How often each k-mer occurs in each sequence (N, 4 ** k); k-mers with an N are left out."""
    codes = data.codes.astype(np.int64)
    windows = codes.shape[1] - k + 1
    number = sum(codes[:, i : i + windows] * 4 ** (k - 1 - i) for i in range(k))
    whole = sum((codes[:, i : i + windows] == 4).astype(np.int64) for i in range(k)) == 0
    row = np.broadcast_to(np.arange(len(codes))[:, None], number.shape)
    flat = np.bincount((row * 4**k + number)[whole], minlength=len(codes) * 4**k)
    return flat.reshape(len(codes), 4**k).astype(np.float64)


def _fit_kmers(model: object, train: LabelledSequences, val: LabelledSequences) -> tuple[object, float]:
    model.fit(count_kmers(train), train.labels[:, 0])  # type: ignore[attr-defined]
    prediction = torch.from_numpy(_probability(model, val))
    return model, float(binary_auroc(prediction, torch.from_numpy(val.labels[:, 0]).long()))


def _probability(model: object, data: LabelledSequences) -> NDArray[np.float64]:
    found: NDArray[np.float64] = model.predict_proba(count_kmers(data))[:, 1]  # type: ignore[attr-defined]
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
