"""Linear baseline of the Basenji table: ridge regression of the yeast tracks on dinucleotide counts.

Shapes: T targets, P bins of 16 bp, F features.
"""

from collections.abc import Sequence

import numpy as np
from common import Values, pearson
from numpy.typing import NDArray

from zoo.datasets.yeast import YeastDataModule
from zoo.datasets.yeast_genome import CONTIGS, TEST, VAL
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import UNKNOWN

__all__ = ["BIN", "STARTS_BIN", "fit_linear_tracks", "read_measured_tracks", "sum_start_bins"]

Features = NDArray[np.floating]
# Measured values (T, P) and the features (P, F) of the same bins.
Examples = tuple[Values, Features]
BIN = 16
STARTS_BIN = 32  # transcription starts are fitted and scored in wider bins
CONTEXT = 32  # bins on each side of a bin whose dinucleotides are features
# Two penalties are chosen on the validation chromosome, one for nucleosomes and one for all transcription starts.
PENALTIES = (1e0, 1e2, 1e3, 1e4, 1e5, 1e6, 1e8)


def fit_linear_tracks(data: YeastDataModule, chromosomes: list[str]) -> tuple[dict[str, Values], dict[str, object]]:
    """Fit the baseline on the training chromosomes and predict others.

    Nucleosomes are fitted as they are, transcription starts as log1p of bins of 32 bp, as they are scored.

    Returns:
        Predictions in bins of 16 bp (T, P) of each chromosome, and the settings that were chosen.
    """
    genome = data.reference
    moments = (Moments(), Moments())
    for name in CONTIGS:
        if name not in VAL + TEST:
            for sums, examples in zip(moments, make_examples(data, genome, name), strict=True):
                sums.add(*examples)
    validation: list[tuple[Examples, ...]] = list(
        zip(*(make_examples(data, genome, name) for name in VAL), strict=True)
    )
    fits = []
    facts: dict[str, object] = {"bins around": CONTEXT}
    for kind, sums, val_examples in zip(("mnase", "starts"), moments, validation, strict=True):
        scores = {penalty: mean_pearson(sums.solve(penalty), val_examples) for penalty in PENALTIES}
        best = max(scores, key=scores.__getitem__)
        fits.append(sums.solve(best))
        facts[f"penalty of {kind}"] = best
        facts[f"penalty of {kind} is at an end of the list"] = best in (PENALTIES[0], PENALTIES[-1])
    return {name: predict(count_dinucleotides(genome, name), *fits) for name in chromosomes}, facts


def make_examples(data: YeastDataModule, genome: Genome, chromosome: str) -> tuple[Examples, Examples]:
    """Return nucleosomes (1, P) and log1p of transcription starts (T - 1, P / 2, rounded up), with their features."""
    measured, features = read_measured_tracks(data, chromosome), count_dinucleotides(genome, chromosome)
    width = STARTS_BIN // BIN
    padded = np.pad(measured[1:], ((0, 0), (0, -measured.shape[1] % width)), constant_values=np.nan)
    return (measured[:1], features), (np.log1p(sum_start_bins(padded)), features[::width])


def sum_start_bins(values: Values) -> Values:
    """Sum bins of 16 bp to whole bins of 32 bp: (T, P) -> (T, P // 2)."""
    width = STARTS_BIN // BIN
    whole = values[:, : values.shape[1] // width * width]
    summed: Values = whole.reshape(len(values), -1, width).sum(-1)  # (T, P) -> (T, P // 2, 2) -> (T, P // 2)
    return summed


class Moments:
    """Sums over bins of the products of the features with each other (F, F) and with the values (T, F)."""

    def __init__(self) -> None:
        self.square: NDArray[np.floating] = np.zeros(())
        self.product: NDArray[np.floating] = np.zeros(())

    def add(self, values: Values, features: Features) -> None:
        """Add values (T, P), of which a bin is NaN for all targets or none, and features (P, F)."""
        observed = ~np.isnan(values[0])
        rows = features[observed]
        self.square = self.square + rows.T @ rows
        self.product = self.product + values[:, observed] @ rows

    def solve(self, penalty: float) -> Values:
        """Return the weights (T, F) of a ridge regression; the last feature, the intercept, has no penalty."""
        penalties = np.append(np.full(len(self.square) - 1, penalty), 0)
        weights: Values = np.linalg.solve(self.square + np.diag(penalties), self.product.T).T
        return weights


def mean_pearson(weights: Values, examples: Sequence[Examples]) -> float:
    """Return the mean Pearson r over targets, each over all chromosomes."""
    scores = []
    for index, weight in enumerate(weights):
        measured = np.concatenate([values[index] for values, _ in examples])
        predicted = np.concatenate([features @ weight for _, features in examples])
        observed = ~np.isnan(measured)
        scores.append(pearson(predicted[observed], measured[observed]))
    return float(np.mean(scores))


def predict(features: Features, nucleosomes: Values, starts: Values) -> Values:
    """Predict values in bins of 16 bp (T, P) by both fits; the bins of 16 bp in one of 32 bp share its value."""
    width = STARTS_BIN // BIN
    wide = np.expm1(starts @ features[::width].T) / width
    return np.concatenate([nucleosomes @ features.T, np.repeat(wide, width, axis=1)[:, : len(features)]])


def read_measured_tracks(data: YeastDataModule, chromosome: str) -> Values:
    """Read the measured values of the whole bins of a chromosome (T, P), not clipped; NaN where bins are masked."""
    coverage = data.data.coverage
    index = list(coverage.contigs).index(chromosome)
    first, bins = coverage.first[index], coverage.contigs[chromosome] // BIN
    values = coverage.values[:, first : first + bins].astype(np.float64)
    values[:, ~data.data.observed[first : first + bins]] = np.nan
    return values


def count_dinucleotides(genome: Genome, chromosome: str) -> Features:
    """Count the dinucleotides that begin in each bin and the bins around it: (P, 16 * (2 * CONTEXT + 1) + 1).

    The last feature is 1, for the intercept. Dinucleotides with an N are left out.
    """
    length = genome.contigs[chromosome]
    codes = genome.codes(Interval(chromosome, 0, length)).astype(np.int64)
    known = (codes[:-1] < UNKNOWN) & (codes[1:] < UNKNOWN)
    pair = np.append(np.where(known, codes[:-1] * 4 + codes[1:], 16), 16)
    bins = length // BIN
    counts = np.zeros((bins, 17), np.float32)  # the last column takes the pairs with an N
    np.add.at(counts, (np.repeat(np.arange(bins), BIN), pair[: bins * BIN]), 1)
    padded = np.pad(counts[:, :16], ((CONTEXT, CONTEXT), (0, 0)))
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * CONTEXT + 1, axis=0)  # (P, 16, 2 * CONTEXT + 1)
    return np.concatenate([around.reshape(bins, -1), np.ones((bins, 1), np.float32)], axis=1)
