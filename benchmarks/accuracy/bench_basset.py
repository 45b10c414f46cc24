"""Basset: ENCODE peaks in one net or in many, terminators against the authors' DenseNet, DNase sites of four cells.

    zoo benchmark basset [--tables encode_tf terminators dhs_cells] [--seed 1]

Table `basset_encode_tf`: AUROC and AUPRC on the test loci of 21 experiments; the negatives of each experiment are the
loci of the other ones. `multitask` is the shipped checkpoint, an ensemble; `one member` is its first network alone.
`single task` are networks of the same architecture, one for each experiment, trained on the same loci: each peak is
drawn as often as in multitask training, but in fewer steps (see `single_task_options`). `6-mers` is a logistic
regression on the counts of 6-mers on both strands. The last row is the fraction of experiments in which one multitask
network is better than the single-task network (column `one member`), and the other way round (`single task`).

Table `basset_terminators`: R2, squared Pearson r (which the authors report) and Spearman's rank correlation on the
authors' test set. `no overlap` leaves out the test sequences that share 24 bases with a training sequence.

Table `basset_dhs_cells`: AUROC of each cell line over the sites of chromosome 1, without shuffles, and accuracy: the
fraction of sites whose highest output is that of the cell line in which they are open. `against shuffles` is the mean
AUROC of the outputs `GM12878_open` ... over the sites of each cell line and a shuffle of every site.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

import numpy as np
import torch
from rich.progress import track
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))
from accuracy.kmer_regression import predict_by_kmers
from common import WORK, make_parser, model_folder, run_facts, training_command, write_results

from zoo.data.sequences.similarity import group_overlapping
from zoo.datasets.dhs_cells import DhsCellsDataModule
from zoo.datasets.encode_loci import EncodeLociDataModule
from zoo.datasets.plant_terminators import TARGETS, read_terminators
from zoo.genome.sequence import Codes
from zoo.hub.loading import load_folder
from zoo.inference.labels import predict_codes
from zoo.metrics.labels import CLASSIFICATION, REGRESSION, per_target
from zoo.models._base import SequenceModel
from zoo.nn.ensemble import EnsembleTrunk, SeparateHeads

ENCODE = "basset.encode_tf"
TERMINATORS = "basset.plant_terminators"
DHS_CELLS = "basset.dhs_cells"
OVERLAP = 24  # bases that two sequences must share to count as overlapping


def main(arguments: Sequence[str]) -> None:
    """Train the models that are missing, score them, print and write the tables."""
    parser = make_parser("basset", __doc__)
    tables = {"encode_tf": encode_table, "terminators": terminator_table, "dhs_cells": dhs_table}
    parser.add_argument("--tables", nargs="+", choices=list(tables), default=list(tables), help="tables to compute")
    parser.add_argument("--seed", type=int, default=1, help="seed of the training runs")
    options = parser.parse_args(arguments)
    for name in options.tables:
        print(tables[name](options.seed))


def encode_table(seed: int) -> str:
    """Score multitask, single-task and 6-mer models on the test loci."""
    data = EncodeLociDataModule()
    train, test = data.subset("train"), data.subset("test")
    scores, facts = score_encode_models(data, seed)
    keys = [(model, metric) for metric in CLASSIFICATION for model in scores]
    columns = [scores[model][metric].tolist() for model, metric in keys]
    peaks = [[int(count) for count in labels.sum(0)] for labels in (train.labels, test.labels)]
    rows: list[list[object]] = [list(row) for row in zip(data.targets, *peaks, *columns, strict=True)]
    rows.append(["mean", *(mean(column) for column in [*peaks, *columns])])
    rows.append(["better, one member against single task", "", "", *win_fractions(scores)])
    header = ["experiment", "training peaks", "test peaks", *(f"{model} {metric}" for model, metric in keys)]
    return write_results("basset_encode_tf", header, rows, facts)


def score_encode_models(
    data: EncodeLociDataModule, seed: int
) -> tuple[dict[str, dict[str, Tensor]], dict[str, object]]:
    """Return the metrics (T,) of each model, and the facts of the training runs."""
    test = data.subset("test")
    label = torch.from_numpy(test.labels).float()
    folder = checkpoint_folder(ENCODE, [], seed)
    facts: dict[str, object] = {"multitask": run_facts(folder)}
    scores = {
        "multitask": score(predict(load_folder(folder), test.codes), label),
        "one member": score(predict(load_first_member(folder), test.codes), label),
    }
    predictions = []
    for experiment in track(data.targets, description="single tasks"):
        single = checkpoint_folder(ENCODE, single_task_options(data, experiment), seed, experiment)
        facts[experiment] = run_facts(single)
        predictions.append(predict(load_folder(single), test.codes))
    scores["single task"] = score(torch.cat(predictions, 1), label)
    scores["6-mers"] = score(predict_by_kmers(data, seed), label)
    return scores, facts


def win_fractions(scores: dict[str, dict[str, Tensor]]) -> list[object]:
    """Return for each metric and model the fraction of experiments won; models that are not compared have none."""
    cells: list[object] = []
    for metric in CLASSIFICATION:
        member, single = scores["one member"][metric], scores["single task"][metric]
        wins = {"one member": member > single, "single task": single > member}
        cells += [float(wins[model].float().mean()) if model in wins else "" for model in scores]
    return cells


def terminator_table(seed: int) -> str:
    """Score our predictions and the authors' on the authors' test set."""
    data = read_terminators()
    folder = checkpoint_folder(TERMINATORS, [], seed)
    is_test = data.is_test
    measured = torch.from_numpy(data.labels[is_test])
    groups = group_overlapping(data.codes, OVERLAP)
    no_overlap = torch.from_numpy(~np.isin(groups[is_test], groups[~is_test]))
    predictions = {
        TERMINATORS: predict(load_folder(folder), data.codes[is_test]),
        "DenseNet of the authors": torch.from_numpy(data.predicted[is_test]),
    }
    rows: list[list[object]] = []
    for test_set, keep in (("all", torch.ones_like(no_overlap)), ("no overlap", no_overlap)):
        for model, values in predictions.items():
            scores = {name: per_target(metric, values[keep], measured[keep]) for name, metric in REGRESSION.items()}
            for index, target in enumerate(TARGETS):
                pearson, r2, spearman = (float(scores[name][index]) for name in ("pearson", "r2", "spearman"))
                rows.append([target, test_set, int(keep.sum()), model, pearson**2, r2, spearman])
    header = ["assay", "test set", "sequences", "model", "squared Pearson", "R2", "Spearman"]
    return write_results("basset_terminators", header, rows, run_facts(folder))


def dhs_table(seed: int) -> str:
    """Score the ensemble, its first network and 6-mers on the sites of chromosome 1."""
    data = DhsCellsDataModule()
    test = data.subset("test")
    label = torch.from_numpy(test.labels)
    folder = checkpoint_folder(DHS_CELLS, [], seed)
    with_shuffles = DhsCellsDataModule(negatives=0.5, open_targets=True).subset("test")
    count, open_label = len(data.targets), torch.from_numpy(with_shuffles.labels)
    rows: list[list[object]] = []
    nets = {DHS_CELLS: load_folder(folder), "one member": load_first_member(folder)}
    for model, values in {name: predict(net, with_shuffles.codes) for name, net in nets.items()}.items():
        opens = score(values[:, count:], open_label[:, count:])["auroc"]
        rows.append([model, len(label), *score_cells(values[: len(label), :count], label), float(opens.mean())])
    rows.append(["6-mers", len(label), *score_cells(predict_by_kmers(data, seed), label), ""])
    header = ["model", "sites", *(f"{cell} AUROC" for cell in data.targets), "mean AUROC", "accuracy"]
    header.append("AUROC against shuffles")
    return write_results("basset_dhs_cells", header, rows, run_facts(folder))


def score_cells(values: Tensor, label: Tensor) -> list[float]:
    """AUROC of each cell line, their mean, and accuracy, of predictions and labels (N, T)."""
    auroc = score(values, label)["auroc"]
    accuracy = float((values.argmax(1) == label.argmax(1)).float().mean())
    return [*auroc.tolist(), float(auroc.mean()), accuracy]


def checkpoint_folder(name: str, options: list[str], seed: int, task: str = "") -> Path:
    """Return the folder of a configuration's checkpoint, the shipped one or one that is trained for this table."""
    run = f"{name}.{task}.seed{seed}" if task else f"{name}.seed{seed}"
    return model_folder(name, training_command(name, options, seed), WORK / "basset", run)


def single_task_options(data: EncodeLociDataModule, experiment: str) -> list[str]:
    """Return the options that make the multitask configuration one for a single experiment.

    Each epoch draws as many loci with a peak as there are, and as many without: the loci of the other tasks are ten
    times as many as a task's own, and drawing all of them for each task would cost twenty times as much as the
    multitask model. More steps do not help a task with few peaks: on validation data `myc_h1hesc`, which has the
    fewest, overfits with three times as many (`--data.epoch_size 24000`).
    """
    labels = data.subset("train").labels[:, data.targets.index(experiment)]
    options = {
        "--data.experiments": f"[{experiment}]",
        "--data.positive_share": "0.5",
        "--data.epoch_size": str(2 * int(labels.sum())),
        "--model.ensemble_members": "1",
        "--target_weights": "null",
    }
    return [word for pair in options.items() for word in pair]


def load_first_member(folder: Path) -> SequenceModel:
    """Load a checkpoint and keep the first member of its ensemble."""
    model = load_folder(folder)
    assert isinstance(model.trunk, EnsembleTrunk) and isinstance(model.head, SeparateHeads)
    model.trunk, model.head = model.trunk.members[0], model.head.members[0]
    return model


def predict(model: SequenceModel, codes: Codes) -> Tensor:
    """Predict (N, T) for sequences (N, L)."""
    return torch.from_numpy(predict_codes(model, list(codes), [""] * len(codes)))


def score(prediction: Tensor, label: Tensor) -> dict[str, Tensor]:
    """Return AUROC and AUPRC (T,) of predictions (N, T)."""
    return {name: per_target(metric, prediction, label) for name, metric in CLASSIFICATION.items()}


if __name__ == "__main__":
    main(sys.argv[1:])
