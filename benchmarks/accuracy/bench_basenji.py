"""Basenji: tracks of yeast on chromosomes that it has not seen, against its ablations, a linear baseline, replicates.

    zoo benchmark basenji [--models basenji undilated ... replicates] [--part test] [--seed 1]

Pearson r, Spearman's rank correlation (of bins with anything measured) and R2 of each track over the bins of chrIX and
chrXIV (`--part val`: of chrXI). Nucleosomes (mnase): bins of 16 bp with any coverage; `mnase detrended` after a
moving average of 1 kb was taken off both. Transcription starts: log1p of tags per million in bins of 32 bp. `other
strand`: of the starts' predictions with the tracks of the other strand.

- `basenji`: the shipped checkpoint.
- `undilated`: the same net with dilations of 1; `no_residual`: without its dilated residual blocks.
- `squared_error`: squared errors weighed by 1 / variance and the nucleosomes ten times, where the checkpoint weighs
  Poisson losses by 1 / mean and so; `squared_error_even`: the nucleosomes as often as other tracks.
- `linear`: ridge regression on the dinucleotides of the bins around; of the starts, on their log1p, which is what is
  scored: in R2 that favours it.
- `replicates`: the mean of pairs of replicates, of the starts. `ceiling`: what the true signal would reach against the
  average of all replicates, were their noise independent: by Spearman's and Brown's formula from halves of them.

Each net is one run of one seed, with the settings that were chosen for `basenji`: differences of .01 say nothing.
"""

import argparse
import sys
from bisect import bisect
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))
from common import WORK, run_facts, shipped, trained, write_results
from linear_tracks import BIN, STARTS_BIN, linear_predictions, measured_tracks
from replicate_tracks import Column, ceiling_scores, correlation, replicate_scores

from zoo.data.tracks.table import Transform
from zoo.datasets.yeast import YeastDataModule
from zoo.datasets.yeast_genome import TEST, VAL
from zoo.genome.intervals import Interval
from zoo.hub.checkpoint import load_folder
from zoo.inference.tracks import predict_regions
from zoo.models._base import SequenceModel

Values = NDArray[np.float64]
Score = Callable[[Values, Values], float]
NAME = "basenji.yeast"
TREND = 1008  # bases of the moving average: an odd number of bins
CHROMOSOMES = {"val": VAL, "test": TEST}
# As the checkpoint weighs its Poisson losses by 1 / mean, which is 1 / variance of counts: here it is of what is
# measured on the training chromosomes (16-bp bins, soft-clipped). Nucleosomes count ten times, or as often.
BY_VARIANCE = "[{}, 1.228, 1.312, 1.276, 1.354, 0.974, 0.970, 0.957, 0.925]"
SQUARED = ["--model.loss", "softplus_squared_error", "--optimization.target_weights"]
ABLATIONS = {
    "undilated": ["--model.dilations", "[1, 1, 1, 1, 1, 1]"],
    "no_residual": ["--model.dilations", "[]"],
    "squared_error": [*SQUARED, BY_VARIANCE.format(0.0074)],
    "squared_error_even": [*SQUARED, BY_VARIANCE.format(0.0007)],
}


def main(arguments: Sequence[str]) -> None:
    """Train what is missing, score it, print and write the table."""
    parser = argparse.ArgumentParser(prog="zoo benchmark basenji", description=__doc__)
    models = ["basenji", *ABLATIONS, "linear", "replicates", "ceiling"]
    parser.add_argument("--models", nargs="+", choices=models, default=models)
    parser.add_argument("--part", choices=list(CHROMOSOMES), default="test")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    data = YeastDataModule(resolution=BIN)
    chromosomes = CHROMOSOMES[options.part]
    measured = {name: measured_tracks(data, name) for name in chromosomes}
    columns: dict[str, Column] = {}
    facts: dict[str, object] = {"chromosomes": chromosomes}
    for model in options.models:
        if model == "replicates":
            columns[model] = replicate_scores(data, chromosomes)
        elif model == "ceiling":
            columns[model] = ceiling_scores(data, chromosomes)
        elif model == "linear":
            predicted, facts[model] = linear_predictions(data, chromosomes)
            columns[model] = all_scores(data, predicted, measured)
        else:
            folder = model_folder(ABLATIONS.get(model, []), options.seed, model)
            net = load_folder(folder)
            predicted, facts[model] = network_predictions(data, net, chromosomes), run_facts(folder)
            columns[model] = size(net) | all_scores(data, predicted, measured)
    rows = [
        [*row, *(column.get(row, "") for column in columns.values())]
        for row in dict.fromkeys(row for column in columns.values() for row in column)
    ]
    suffix = "" if options.part == "test" else f"_{options.part}"
    suffix += "" if options.seed == 1 else f"_seed{options.seed}"
    suffix += "" if options.models == models else "_part"  # of the table
    print(write_results(f"basenji_yeast{suffix}", ["track", "score", *columns], rows, facts))


def size(net: SequenceModel) -> Column:
    """Trainable parameters, and how many bases reach the prediction of one bin."""
    bases = range(net.length)
    left = bisect(bases, False, key=lambda base: reached(net, slice(base + 1)))
    right = bisect(bases, False, key=lambda base: reached(net, slice(net.length - base - 1, None)))
    return {
        ("net", "parameters"): sum(p.numel() for p in net.parameters()),
        ("net", "bases that reach a bin"): net.length - left - right,
    }


def reached(net: SequenceModel, bases: slice) -> bool:
    """Whether what stands at these bases reaches the middle bin: NaN spreads wherever it can."""
    onehot = torch.zeros(1, 4, net.length)
    onehot[..., bases] = torch.nan
    with torch.inference_mode():
        return bool(net.eval()(onehot)[0, 0, net.output.shape[1] // 2].isnan())


def model_folder(options: list[str], seed: int, tag: str) -> Path:
    """The shipped checkpoint where it is what is asked for, else one that is trained for this table."""
    command = [f"configs/{NAME}.yaml", *options]
    command += ["--seed_everything", str(seed)] if seed != 1 else []
    if not options and (folder := shipped(NAME, command)):
        return folder
    run = f"{NAME}.{tag}.seed{seed}"
    return trained(run, WORK / "basenji", [*command, "--name", run, "--trainer.enable_progress_bar", "false"])


def network_predictions(data: YeastDataModule, net: SequenceModel, chromosomes: list[str]) -> dict[str, Values]:
    """What a net predicts for whole chromosomes, the soft clip of the starts undone."""
    genome = data.reference
    regions = [Interval(name, 0, genome.contigs[name]) for name in chromosomes]
    found = predict_regions(net, genome, regions)
    natural = Transform(data.tracks).inverse
    return {
        each.contig: natural(each.values[:, None])[:, 0, : genome.contigs[each.contig] // BIN].astype(np.float64)
        for each in found.stretches
    }


def all_scores(data: YeastDataModule, predicted: dict[str, Values], measured: dict[str, Values]) -> Column:
    """A model's column: every score of every track."""
    return {
        (track, name): value
        for name, score in SCORES.items()
        for track, value in scores(data, predicted, measured, score).items()
        if name == "Pearson r" or track != "other strand"
    }


def scores(
    data: YeastDataModule, predicted: dict[str, Values], measured: dict[str, Values], score: Score
) -> dict[str, float]:
    """One score of every track."""
    names, partner = data.targets, data.strand_pairs
    pairs = [(predicted[name], measured[name]) for name in measured]
    covered = [np.where(values[0] > 0, values[0], np.nan) for _, values in pairs]
    ours = [values[0] for values, _ in pairs]
    found = {
        "mnase": over_all(score, ours, covered),
        "mnase detrended": over_all(score, *zip(*map(detrended, ours, covered), strict=True)),
    }
    starts = [[starts_scale(values[1:]) for values in pair] for pair in pairs]
    for index, name in enumerate(names[1:]):
        found[name] = over_all(score, [p[index] for p, _ in starts], [m[index] for _, m in starts])
    found["mean of the starts"] = float(np.mean([found[name] for name in names[1:]]))
    other = [
        over_all(score, [p[partner[index] - 1] for p, _ in starts], [m[index - 1] for _, m in starts])
        for index in range(1, len(names))
    ]
    found["other strand"] = float(np.mean(other))
    return found


def starts_scale(values: Values) -> Values:
    """Bins of 16 bp (T, P) as log1p of bins of 32 bp (T, P // 2)."""
    width = STARTS_BIN // BIN
    whole = values[:, : values.shape[1] // width * width]
    found: Values = np.log1p(whole.reshape(len(values), -1, width).sum(-1))
    return found


def detrended(ours: Values, covered: Values) -> tuple[Values, Values]:
    """Both tracks (P,) less their moving averages over what is known."""
    known = ~np.isnan(covered)
    window = np.ones(TREND // BIN)
    count = np.convolve(known, window, "same")
    trends = [
        np.convolve(np.where(known, values, 0), window, "same") / np.maximum(count, 1) for values in (ours, covered)
    ]
    return ours - trends[0], covered - trends[1]


def over_all(score: Score, ours: Sequence[Values], theirs: Sequence[Values]) -> float:
    """A score over all chromosomes' bins that were measured."""
    p, m = np.concatenate(ours), np.concatenate(theirs)
    known = ~np.isnan(m)
    return score(p[known], m[known])


def explained(ours: Values, theirs: Values) -> float:
    """R2: which share of the variance a prediction explains, without being scaled to it."""
    return float(1 - ((ours - theirs) ** 2).sum() / ((theirs - theirs.mean()) ** 2).sum())


def ranked(ours: Values, theirs: Values) -> float:
    """Spearman's rank correlation where anything was measured: zeros share a rank, which no prediction gives them."""
    there = theirs != 0
    return float(spearmanr(ours[there], theirs[there])[0])


SCORES: dict[str, Score] = {"Pearson r": correlation, "Spearman where not 0": ranked, "R2": explained}


if __name__ == "__main__":
    main(sys.argv[1:])
