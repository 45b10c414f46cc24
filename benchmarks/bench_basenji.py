"""Basenji: tracks of yeast on chromosomes that it has not seen, against its ablations, a linear baseline, replicates.

    zoo benchmark basenji [--models basenji no_dilated squared_error linear replicates] [--part test] [--seed 1]

Pearson r of each track over the bins of chrIX and chrXIV (`--part valid`: of chrXI). Nucleosomes (mnase): bins of 16 bp
with any coverage; `mnase detrended` after a moving average of 1 kb was taken off both. Transcription starts: log1p of
tags per million in bins of 32 bp. `other strand` is the mean r of the starts' predictions with the tracks of the other
strand. `basenji` is the shipped checkpoint; `no_dilated` has no dilated layers, `squared_error` is trained on squared
errors instead of Poisson's loss, both otherwise as the checkpoint; `linear` is a ridge regression on the dinucleotides
of the bins around; `replicates` is the mean r of pairs of replicates, which is no ceiling for their average.
"""

import argparse
import sys
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))
from common import WORK, run_facts, shipped, trained, write_results

from zoo.data.track_table import Transform
from zoo.datasets.yeast import CONTIGS, TEST, VALID, YeastDataModule, read_starts, tags_by_base
from zoo.genome import Genome
from zoo.hub import load_folder
from zoo.intervals import Interval
from zoo.sequence import UNKNOWN
from zoo.track_prediction import predict_regions

Values = NDArray[np.float64]
NAME = "basenji.yeast"
BIN = 16
STARTS_BIN = 32
TREND = 1008  # bases of the moving average: an odd number of bins
CHROMOSOMES = {"valid": VALID, "test": TEST}
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
# The linear baseline reads so many bins on each side of its own; its penalty is chosen on chrXI.
CONTEXT = 32
PENALTIES = (1e2, 1e4, 1e6)


def main(arguments: Sequence[str]) -> None:
    """Train what is missing, score it, print and write the table."""
    parser = argparse.ArgumentParser(prog="zoo benchmark basenji", description=__doc__)
    models = ["basenji", *ABLATIONS, "linear", "replicates"]
    parser.add_argument("--models", nargs="+", choices=models, default=models)
    parser.add_argument("--part", choices=list(CHROMOSOMES), default="test")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    data = YeastDataModule(resolution=BIN)
    chromosomes = CHROMOSOMES[options.part]
    measured = {name: measured_tracks(data, name) for name in chromosomes}
    columns: dict[str, dict[str, float]] = {}
    facts: dict[str, object] = {"chromosomes": chromosomes}
    for model in options.models:
        if model == "replicates":
            columns[model] = replicate_scores(data, chromosomes)
            continue
        if model == "linear":
            predicted, facts[model] = linear_predictions(data, chromosomes)
        else:
            folder = model_folder(ABLATIONS.get(model, []), options.seed, model)
            predicted, facts[model] = network_predictions(data, folder, chromosomes), run_facts(folder)
        columns[model] = scores(data, predicted, measured)
    rows = [[track, *(columns[model].get(track, "") for model in columns)] for track in columns[options.models[0]]]
    suffix = "" if options.part == "test" else f"_{options.part}"
    print(write_results(f"basenji_yeast{suffix}", ["track", *columns], rows, facts))


def model_folder(options: list[str], seed: int, tag: str) -> Path:
    """The shipped checkpoint where it is what is asked for, else one that is trained for this table."""
    command = [f"configs/{NAME}.yaml", *options]
    command += ["--seed_everything", str(seed)] if seed != 1 else []
    if not options and (folder := shipped(NAME, command)):
        return folder
    run = f"{NAME}.{tag}.seed{seed}"
    return trained(run, WORK / "basenji", [*command, "--name", run, "--trainer.enable_progress_bar", "false"])


def measured_tracks(data: YeastDataModule, chromosome: str) -> Values:
    """What was measured in each whole bin of a chromosome (T, P), NaN where it is masked, nothing clipped."""
    coverage = data.data.coverage
    place = list(coverage.contigs).index(chromosome)
    first, bins = coverage.first[place], coverage.contigs[chromosome] // BIN
    values = coverage.values[:, first : first + bins].astype(np.float64)
    values[:, ~data.data.usable[first : first + bins]] = np.nan
    return values


def network_predictions(data: YeastDataModule, folder: Path, chromosomes: list[str]) -> dict[str, Values]:
    """What a checkpoint predicts for whole chromosomes, the soft clip of the starts undone."""
    genome = Genome(data.genome)
    regions = [Interval(name, 0, genome.contigs[name]) for name in chromosomes]
    found = predict_regions(load_folder(folder), genome, regions)
    natural = Transform(data.tracks).inverse
    return {
        each.contig: natural(each.values[:, None])[:, 0, : genome.contigs[each.contig] // BIN].astype(np.float64)
        for each in found.stretches
    }


def scores(data: YeastDataModule, predicted: dict[str, Values], measured: dict[str, Values]) -> dict[str, float]:
    """The rows of a model's column."""
    names, partner = data.targets, data.strand_pairs
    pairs = [(predicted[name], measured[name]) for name in measured]
    covered = [np.where(values[0] > 0, values[0], np.nan) for _, values in pairs]
    ours = [values[0] for values, _ in pairs]
    found = {
        "mnase": correlation(ours, covered),
        "mnase detrended": correlation(*zip(*map(detrended, ours, covered), strict=True)),
    }
    starts = [[starts_scale(values) for values in pair] for pair in pairs]
    for index, name in enumerate(names[1:], 1):
        found[name] = correlation([p[index] for p, _ in starts], [m[index] for _, m in starts])
    found["mean of the starts"] = float(np.mean([found[name] for name in names[1:]]))
    other = [
        correlation([p[partner[index]] for p, _ in starts], [m[index] for _, m in starts])
        for index in range(1, len(names))
    ]
    found["other strand"] = float(np.mean(other))
    return found


def starts_scale(values: Values) -> Values:
    """Bins of 16 bp (T, P) as log1p of bins of 32 bp (T, P // 2)."""
    width = STARTS_BIN // BIN
    whole = values[:, : values.shape[1] // width * width]
    return np.log1p(np.maximum(whole.reshape(len(values), -1, width).sum(-1), 0))


def detrended(ours: Values, covered: Values) -> tuple[Values, Values]:
    """Both tracks (P,) less their moving averages over what is known."""
    known = ~np.isnan(covered)
    window = np.ones(TREND // BIN)
    count = np.convolve(known, window, "same")
    trends = [
        np.convolve(np.where(known, values, 0), window, "same") / np.maximum(count, 1) for values in (ours, covered)
    ]
    return ours - trends[0], covered - trends[1]


def correlation(ours: Sequence[Values], theirs: Sequence[Values]) -> float:
    """Pearson r over all chromosomes' bins that were measured."""
    p, m = np.concatenate(ours), np.concatenate(theirs)
    known = ~np.isnan(m)
    return float(np.corrcoef(p[known], m[known])[0, 1])


def replicate_scores(data: YeastDataModule, chromosomes: list[str]) -> dict[str, float]:
    """The mean r of pairs of replicates of each track of starts; of the nucleosomes there is one experiment."""
    found = {}
    for name in data.targets[1:]:
        experiment, strand = name.rsplit("_", 1)
        replicates = read_starts(experiment)
        parts = []
        for chromosome in chromosomes:
            length = data.data.coverage.contigs[chromosome] // STARTS_BIN * STARTS_BIN
            bases = tags_by_base(replicates, CONTIGS.index(chromosome), strand == "minus", length + STARTS_BIN)
            parts.append(np.log1p(bases[:, :length].reshape(len(replicates), -1, STARTS_BIN).sum(-1)))
        values = np.corrcoef(np.concatenate(parts, axis=1))
        found[name] = float(np.mean([values[pair] for pair in combinations(range(len(replicates)), 2)]))
    found["mean of the starts"] = float(np.mean(list(found.values())))
    return found


def linear_predictions(data: YeastDataModule, chromosomes: list[str]) -> tuple[dict[str, Values], dict[str, object]]:
    """Ridge regression of each track (of the starts, the clipped one) on the dinucleotides of the bins around."""
    genome = Genome(data.genome)
    clip = Transform(data.tracks)
    train = [name for name in CONTIGS if name not in VALID + TEST]
    size = 16 * (2 * CONTEXT + 1) + 1
    square = np.zeros((len(data.targets), size, size))
    product = np.zeros((len(data.targets), size))
    for name in train:
        features = dinucleotides(genome, name)
        target = clip(measured_tracks(data, name)[:, None].astype(np.float32))[:, 0]
        masks = ~np.isnan(target)
        for known in np.unique(masks, axis=0):  # of the starts it is one and the same
            of = (masks == known).all(1)
            rows = features[known]
            square[of] += rows.T @ rows
            product[of] += target[of][:, known] @ rows
    fits = {}
    valid = {name: measured_tracks(data, name) for name in VALID}
    for penalty in PENALTIES:
        weights = [np.linalg.solve(square[i] + penalty * np.eye(size), product[i]) for i in range(len(square))]
        fits[penalty] = np.stack(weights)
    judged = {penalty: scores(data, linear(data, genome, weights, VALID), valid) for penalty, weights in fits.items()}
    best = max(PENALTIES, key=lambda penalty: judged[penalty]["mnase"] + judged[penalty]["mean of the starts"])
    return linear(data, genome, fits[best], chromosomes), {"penalty": best, "bins around": CONTEXT}


def linear(
    data: YeastDataModule, genome: Genome, weights: NDArray[np.float64], chromosomes: list[str]
) -> dict[str, Values]:
    """Predictions of the linear baseline, nothing below 0, the soft clip undone."""
    natural = Transform(data.tracks).inverse
    found = {}
    for name in chromosomes:
        values = np.maximum(weights @ dinucleotides(genome, name).T, 0)
        found[name] = natural(values[:, None].astype(np.float32))[:, 0].astype(np.float64)
    return found


def dinucleotides(genome: Genome, chromosome: str) -> NDArray[np.float32]:
    """How often each dinucleotide begins in a bin and those around it, and a one: (P, 16 * (2 * CONTEXT + 1) + 1)."""
    length = genome.contigs[chromosome]
    codes = genome.codes(Interval(chromosome, 0, length)).astype(np.int64)
    pair = np.append(np.where((codes[:-1] < UNKNOWN) & (codes[1:] < UNKNOWN), codes[:-1] * 4 + codes[1:], 16), 16)
    bins = length // BIN
    counts = np.zeros((bins, 17), np.float32)
    np.add.at(counts, (np.repeat(np.arange(bins), BIN), pair[: bins * BIN]), 1)
    padded = np.pad(counts[:, :16], ((CONTEXT, CONTEXT), (0, 0)))
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * CONTEXT + 1, axis=0)
    return np.concatenate([around.reshape(bins, -1), np.ones((bins, 1), np.float32)], axis=1)


if __name__ == "__main__":
    main(sys.argv[1:])
