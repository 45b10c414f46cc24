"""Promoters: CNN, MLP and logistic regression on 4-mers in 5-fold cross-validation, next to the paper's numbers.

    zoo benchmark promoters [--sets ecoli ...] [--folds random grouped] [--seed 1]

Data: promoters and other fragments of five genomes (Umarov & Solovyev 2017, doi:10.1371/journal.pone.0171410).
Metrics: Sn (sensitivity), Sp (specificity) and CC (Matthews correlation) at a threshold chosen on a validation slice of
the training folds, never on the test fold; AUROC, which needs no threshold.

Many negatives overlap each other because they are fragments of one gene. `random` folds, like those of the paper, keep
only identical sequences in one fold; `grouped` folds keep all sequences in one fold that share 24 bases on either
strand.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from accuracy.promoter_scores import Scores, promoter_data, score_checkpoint, score_kmers
from common import (
    WORK,
    make_parser,
    run_facts,
    shipped_checkpoint,
    table_name,
    train_if_missing,
    training_command,
    write_results,
)

from zoo.datasets.promoters import PROMOTER_SETS

FOLDS = 5
OVERLAP = {"random": None, "grouped": 24}  # bases that sequences of different folds must not share
MODELS = {"CNN": "deepbind", "MLP": "mlp"}
HEADER = ["set", "folds", "model", "Sn", "Sp", "CC", "CC sd over folds", "AUROC"]
SETS = list(PROMOTER_SETS)


def main(arguments: Sequence[str]) -> None:
    """Train the models that are missing, score every fold, print and write the table."""
    parser = make_parser("promoters", __doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS, help="promoter sets")
    parser.add_argument(
        "--folds", nargs="+", choices=list(OVERLAP), default=list(OVERLAP), help="how sequences are put into folds"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the training runs")
    options = parser.parse_args(arguments)
    rows: list[list[object]] = []
    facts: dict[str, object] = {}
    for name in options.sets:
        for folds in options.folds:
            for model in (*MODELS, "4-mer logistic regression"):
                scores, facts[f"{name} {folds} {model.split()[0]}"] = score_model(model, name, folds, options.seed)
                rows.append(mean_row(name, folds, model, scores))
                print(*rows[-1], sep="\t", flush=True)
        paper = PROMOTER_SETS[name]
        numbers = [paper.sensitivity, paper.specificity, paper.correlation]
        rows.append([name, "random", "CNN of the paper", *numbers, "", ""])
    complete = options.sets == SETS and options.folds == list(OVERLAP)
    print(write_results(table_name("promoters", complete, seed=options.seed), HEADER, rows, facts))


def score_model(model: str, name: str, folds: str, seed: int) -> tuple[list[Scores], object]:
    """Score a model on every test fold; return the scores, and the facts of its training runs with them."""
    data = [promoter_data(name, FOLDS, fold, OVERLAP[folds]) for fold in range(FOLDS)]
    if model not in MODELS:
        scores = [score_kmers(fold, seed) for fold in data]
        return scores, scores
    folders = [fold_folder(MODELS[model], name, fold, folds, seed) for fold in range(FOLDS)]
    scores = [score_checkpoint(folder, fold) for folder, fold in zip(folders, data, strict=True)]
    return scores, [[run_facts(folder) for folder in folders], scores]


def fold_folder(architecture: str, name: str, fold: int, folds: str, seed: int) -> Path:
    """Return the checkpoint folder of one test fold: the shipped one for fold 0 of the random folds, or a new run."""
    checkpoint, overlap = f"{architecture}.promoter_{name}", OVERLAP[folds]
    command = training_command(f"{architecture}.promoters", ["--data.name", name], 1)
    if fold == 0 and overlap is None and seed == 1 and (folder := shipped_checkpoint(checkpoint, command)):
        return folder
    run = f"{checkpoint}.fold{fold}" + ("" if overlap is None else f".{folds}") + f".seed{seed}"
    return train_if_missing(run, WORK / "promoters", [*command, *fold_options(run, fold, overlap, seed)])


def fold_options(run: str, fold: int, overlap: int | None, seed: int) -> list[str]:
    """Return the options of `zoo train` that make the run of one test fold."""
    options = ["--data.fold", str(fold), "--name", run, "--seed_everything", str(seed)]
    options += ["--trainer.enable_progress_bar", "false"]
    return options if overlap is None else [*options, "--data.shared_kmer", str(overlap)]


def mean_row(name: str, folds: str, model: str, scores: list[Scores]) -> list[object]:
    """Make the row of a model: means over folds, and the standard deviation of CC."""
    values = np.array([[s.sn, s.sp, s.cc, s.auroc] for s in scores])
    sn, sp, cc, auroc = values.mean(0).tolist()
    return [name, folds, model, sn, sp, cc, float(values[:, 2].std(ddof=1)), auroc]


if __name__ == "__main__":
    main(sys.argv[1:])
