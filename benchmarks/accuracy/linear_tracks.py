"""The linear baseline of the Basenji table: ridge regression of yeast's tracks on dinucleotides.

Shapes: T targets, P bins of 16 bp, F features.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zoo.datasets.yeast import YeastDataModule
from zoo.datasets.yeast_genome import CONTIGS, TEST, VAL
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import UNKNOWN

__all__ = ["BIN", "STARTS_BIN", "linear_predictions", "measured_tracks"]

Values = NDArray[np.float64]
Features = NDArray[np.float32]
Split = tuple[Values, Features]
BIN = 16
STARTS_BIN = 32
# It reads so many bins on each side of its own; its penalties are chosen on chrXI, one for the nucleosomes and one for
# all starts.
CONTEXT = 32
PENALTIES = (1e0, 1e2, 1e3, 1e4, 1e5, 1e6, 1e8)


def linear_predictions(data: YeastDataModule, chromosomes: list[str]) -> tuple[dict[str, Values], dict[str, object]]:
    """The baseline, fitted on the training chromosomes: values in bins of 16 bp (T, P) of others, and what was chosen.

    The nucleosomes are fitted as they are, the starts as log1p of bins of 32 bp, as they will be scored.
    """
    genome = data.reference
    sums = [Moments(), Moments()]
    for name in CONTIGS:
        if name not in VAL + TEST:
            for moments, part in zip(sums, parts(data, genome, name), strict=True):
                moments.add(*part)
    judges = list(zip(*(parts(data, genome, name) for name in VAL), strict=True))
    fits = []
    facts: dict[str, object] = {"bins around": CONTEXT}
    for kind, moments, judge in zip(("mnase", "starts"), sums, judges, strict=True):
        reached = {penalty: agreement(moments.ridge(penalty), judge) for penalty in PENALTIES}
        best = max(reached, key=reached.__getitem__)
        fits.append(moments.ridge(best))
        facts[f"penalty of {kind}"] = best
        facts[f"penalty of {kind} is at an end of the list"] = best in (PENALTIES[0], PENALTIES[-1])
    return {name: applied(dinucleotides(genome, name), *fits) for name in chromosomes}, facts


def parts(data: YeastDataModule, genome: Genome, chromosome: str) -> tuple[Split, Split]:
    """What is fitted: nucleosomes (1, P) and log1p of starts (T - 1, P // 2, rounded up), with their features."""
    measured, features = measured_tracks(data, chromosome), dinucleotides(genome, chromosome)
    width = STARTS_BIN // BIN
    whole = np.pad(measured[1:], ((0, 0), (0, -measured.shape[1] % width)), constant_values=np.nan)
    starts = np.log1p(whole.reshape(len(whole), -1, width).sum(-1))
    return (measured[:1], features), (starts, features[::width])


class Moments:
    """The features' products with one another (F, F) and with the values (T, F), summed over what is known."""

    def __init__(self) -> None:
        self.square, self.product = np.zeros(()), np.zeros(())

    def add(self, values: Values, features: Features) -> None:
        """Add values (T, P), which are known or unknown together, and features (P, F)."""
        known = ~np.isnan(values[0])
        rows = features[known]
        self.square = self.square + rows.T @ rows
        self.product = self.product + values[:, known] @ rows

    def ridge(self, penalty: float) -> Values:
        """Weights (T, F); the last, the intercept, is not shrunk."""
        shrunk = np.append(np.full(len(self.square) - 1, penalty), 0)
        found: Values = np.linalg.solve(self.square + np.diag(shrunk), self.product.T).T
        return found


def agreement(weights: Values, judge: Sequence[Split]) -> float:
    """The mean Pearson r over tracks."""
    found = []
    for track, weight in enumerate(weights):
        theirs = np.concatenate([values[track] for values, _ in judge])
        ours = np.concatenate([features @ weight for _, features in judge])
        known = ~np.isnan(theirs)
        found.append(np.corrcoef(ours[known], theirs[known])[0, 1])
    return float(np.mean(found))


def applied(features: Features, nucleosomes: Values, starts: Values) -> Values:
    """Both fits as values in bins of 16 bp (T, P); those of a wider bin are alike."""
    width = STARTS_BIN // BIN
    wide = np.expm1(starts @ features[::width].T) / width
    return np.concatenate([nucleosomes @ features.T, np.repeat(wide, width, axis=1)[:, : len(features)]])


def measured_tracks(data: YeastDataModule, chromosome: str) -> Values:
    """What was measured in each whole bin of a chromosome (T, P), NaN where it is masked, nothing clipped."""
    coverage = data.data.coverage
    place = list(coverage.contigs).index(chromosome)
    first, bins = coverage.first[place], coverage.contigs[chromosome] // BIN
    values = coverage.values[:, first : first + bins].astype(np.float64)
    values[:, ~data.data.observed[first : first + bins]] = np.nan
    return values


def dinucleotides(genome: Genome, chromosome: str) -> Features:
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
