"""Basset: many tasks at once against one at a time, on ENCODE peaks; and terminators next to their authors' DenseNet.

    zoo benchmark basset [--parts encode_tf terminators] [--seed 1]

encode_tf: AUROC and AUPRC on the test loci of 21 experiments, the negatives of each being the loci of the others.
`multitask` is the shipped checkpoint, an average of several nets; `one net` is the first of them alone. `single` are
nets of the same architecture, one for each experiment, trained on the same loci: each peak is drawn as often as the
multitask net sees it, but in fewer steps; see `single_task_options`. `6-mers` is a logistic regression on counts of
6-mers on both strands. `wins` is the share of experiments on which the multitask net is better than the single-task
one, net against net: `one net` in its column, `single` in its own.

terminators: r2 (squared Pearson, as the authors count, and the coefficient of determination) and Spearman on the
authors' test set; `apart` leaves out the test sequences that share 24 bases with a training sequence.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))
from common import WORK, run_facts, shipped, trained, write_results

from zoo.data.labelled import LabelledSequences
from zoo.data.sequences.similarity import group_overlapping
from zoo.datasets.encode_loci import EncodeLociDataModule
from zoo.datasets.plant_terminators import TARGETS, read_terminators
from zoo.genome.sequence import UNKNOWN, Codes, reverse_complement
from zoo.hub.checkpoint import load_folder
from zoo.inference.labels import predict_codes
from zoo.metrics.labels import CLASSIFICATION, REGRESSION, per_target
from zoo.models._base import SequenceModel
from zoo.models.basset import Basset
from zoo.nn.losses import binary_cross_entropy

ENCODE = "basset.encode_tf"
TERMINATORS = "basset.plant_terminators"
KMER = 6
SHARED = 24
# Strengths of the logistic regression's weight decay, chosen from on validation loci.
PENALTIES = (1e-4, 1e-3, 1e-2)
LINEAR_EPOCHS = 10


def main(arguments: Sequence[str]) -> None:
    """Train what is missing, score it, print and write both tables."""
    parser = argparse.ArgumentParser(prog="zoo benchmark basset", description=__doc__)
    parts = ("encode_tf", "terminators")
    parser.add_argument("--parts", nargs="+", choices=parts, default=list(parts))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    if "encode_tf" in options.parts:
        print(encode_table(options.seed))
    if "terminators" in options.parts:
        print(terminator_table(options.seed))


def encode_table(seed: int) -> str:
    """Multitask, single-task and 6-mers on the test loci."""
    data = EncodeLociDataModule()
    test = data.subset("test")
    label = torch.from_numpy(test.labels).float()
    folder = model_folder(ENCODE, [], seed)
    facts: dict[str, object] = {"multitask": run_facts(folder)}
    scores = {
        "multitask": score(predicted(load_folder(folder), test.codes), label),
        "one net": score(predicted(first_member(folder), test.codes), label),
    }
    singles = []
    for key in track(data.targets, description="single tasks"):
        single = model_folder(ENCODE, single_task_options(data, key), seed, key)
        facts[key] = run_facts(single)
        singles.append(predicted(load_folder(single), test.codes))
    scores["single"] = score(torch.cat(singles, 1), label)
    scores["6-mers"] = score(kmer_predictions(data, seed), label)
    header = [
        "experiment",
        "training peaks",
        "test peaks",
        *(f"{model} {name}" for name in CLASSIFICATION for model in scores),
    ]
    columns = [scores[model][name].tolist() for name in CLASSIFICATION for model in scores]
    peaks = [[int(count) for count in labels.sum(0)] for labels in (data.subset("train").labels, test.labels)]
    rows: list[list[object]] = [list(row) for row in zip(data.targets, *peaks, *columns, strict=True)]
    means: list[object] = ["mean", *(mean(column) for column in [*peaks, *columns])]
    wins: list[object] = ["wins", "", ""]
    for name in CLASSIFICATION:
        one, single = scores["one net"][name], scores["single"][name]
        wins += ["", float((one > single).float().mean()), float((single > one).float().mean()), ""]
    return write_results("basset_encode_tf", header, [*rows, means, wins], facts)


def terminator_table(seed: int) -> str:
    """Ours and the authors' predictions of the authors' test set."""
    found = read_terminators()
    folder = model_folder(TERMINATORS, [], seed)
    test = found.is_test
    ours = predicted(load_folder(folder), found.codes[test])
    theirs = torch.from_numpy(found.predicted[test])
    measured = torch.from_numpy(found.labels[test])
    groups = group_overlapping(found.codes, SHARED)
    apart = torch.from_numpy(~np.isin(groups[test], groups[~test]))
    rows: list[list[object]] = []
    for title, keep in (("all", torch.ones(len(ours), dtype=torch.bool)), ("apart", apart)):
        for name, values in (("basset.plant_terminators", ours), ("DenseNet of the authors", theirs)):
            found_scores = {key: per_target(one, values[keep], measured[keep]) for key, one in REGRESSION.items()}
            for index, target in enumerate(TARGETS):
                pearson, r2, spearman = (float(found_scores[key][index]) for key in ("pearson", "r2", "spearman"))
                rows.append([target, title, int(keep.sum()), name, pearson**2, r2, spearman])
    header = ["assay", "test set", "sequences", "model", "squared Pearson", "R2", "Spearman"]
    return write_results("basset_terminators", header, rows, run_facts(folder))


def model_folder(name: str, options: list[str], seed: int, tag: str = "") -> Path:
    """The shipped checkpoint where it is what is asked for, else one that is trained for this table."""
    command = [f"configs/{name}.yaml", *options]
    command += ["--seed_everything", str(seed)] if seed != 1 else []
    if not options and (folder := shipped(name, command)):
        return folder
    run = name + (f".{tag}" if tag else "") + f".seed{seed}"
    return trained(run, WORK / "basset", [*command, "--name", run, "--trainer.enable_progress_bar", "false"])


def single_task_options(data: EncodeLociDataModule, key: str) -> list[str]:
    """What makes the multitask configuration one for a single experiment.

    Each epoch draws as many loci with a peak as there are, and as many without: the other tasks' loci are ten times as
    many as a task's own, and drawing all of them for each task would cost twenty times as much as the multitask model.
    More steps do not help a rare one: on validation data `myc_h1hesc`, which has the fewest peaks, overfits with three
    times as many (`--data.epoch_size 24000`).
    """
    train = data.subset("train").labels[:, data.targets.index(key)]
    options = {
        "--data.experiments": f"[{key}]",
        "--data.positive_share": "0.5",
        "--data.epoch_size": str(2 * int(train.sum())),
        "--model.members": "1",
        "--optimization.target_weights": "null",
    }
    return [word for pair in options.items() for word in pair]


def first_member(folder: Path) -> SequenceModel:
    """A checkpoint's first net alone."""
    model = load_folder(folder)
    assert isinstance(model, Basset)
    model.members = model.members[:1]
    return model


def predicted(model: SequenceModel, codes: Codes) -> Tensor:
    """What a model predicts (N, T)."""
    return torch.from_numpy(predict_codes(model, list(codes), [""] * len(codes)))


def score(prediction: Tensor, label: Tensor) -> dict[str, Tensor]:
    """AUROC and AUPRC of each task."""
    return {name: per_target(one, prediction, label) for name, one in CLASSIFICATION.items()}


def kmer_predictions(data: EncodeLociDataModule, seed: int) -> Tensor:
    """Logits (N, T) of the test loci by logistic regression on counts of 6-mers, its penalty chosen on validation."""
    train, val, test = (data.subset(split) for split in ("train", "val", "test"))
    counts = [torch.from_numpy(count_kmers(part.codes)) for part in (train, val, test)]
    centre, spread = counts[0].mean(0), counts[0].std(0).clamp(min=1e-3)
    counts = [(values - centre) / spread for values in counts]
    label = torch.from_numpy(val.labels).float()
    fitted = [fit_linear(counts[0], train, penalty, seed) for penalty in PENALTIES]
    best = max(fitted, key=lambda line: float(score(line(counts[1]), label)["auroc"].mean()))
    with torch.inference_mode():
        found: Tensor = best(counts[2])
    return found


def fit_linear(counts: Tensor, train: LabelledSequences, penalty: float, seed: int) -> torch.nn.Linear:
    """All logistic regressions at once, by Adam."""
    torch.manual_seed(seed)
    line = torch.nn.Linear(counts.shape[1], train.labels.shape[1])
    label = torch.from_numpy(train.labels).float()
    steps = LINEAR_EPOCHS * -(-len(counts) // 512)
    optimizer = torch.optim.AdamW(line.parameters(), lr=3e-3, weight_decay=penalty / 3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps, cycle_momentum=False)
    for _ in range(LINEAR_EPOCHS):
        for rows in torch.randperm(len(counts)).split(512):
            optimizer.zero_grad()
            binary_cross_entropy(line(counts[rows]), label[rows]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return line.requires_grad_(False)


def count_kmers(codes: Codes) -> NDArray[np.float32]:
    """How often each 6-mer or its reverse complement is in each sequence (N, 2080)."""
    powers = 4 ** np.arange(KMER - 1, -1, -1)
    words = np.arange(4**KMER)
    other = reverse_complement((words[:, None] // powers % 4).astype(np.uint8)) @ powers
    _, column = np.unique(np.minimum(words, other), return_inverse=True)
    width = int(column.max()) + 1
    blocks = []
    for block in np.array_split(codes, len(codes) // 8192 + 1):
        windows = np.lib.stride_tricks.sliding_window_view(block, KMER, axis=1)  # (n, W, 6)
        row, place = np.nonzero(windows.max(2) < UNKNOWN)
        cells = row * width + column[windows[row, place] @ powers]
        blocks.append(np.bincount(cells, minlength=len(block) * width).reshape(-1, width).astype(np.float32))
    return np.concatenate(blocks)


if __name__ == "__main__":
    main(sys.argv[1:])
