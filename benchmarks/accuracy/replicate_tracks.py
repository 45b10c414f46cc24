"""Replicates of the yeast transcription starts: how well they agree, and what that leaves for a model to reach.

Shapes: R replicates, P bins of 32 bp.
"""

from collections.abc import Callable
from itertools import combinations

import numpy as np
from accuracy.linear_tracks import STARTS_BIN
from accuracy.track_scores import MEAN_OF_STARTS, Column
from common import Values, pearson

from zoo.datasets.yeast import YeastDataModule
from zoo.datasets.yeast_genome import CONTIGS
from zoo.datasets.yeast_starts import read_starts, tags_by_base

__all__ = ["agreement", "ceiling", "score_ceiling", "score_replicates"]


def score_replicates(data: YeastDataModule, chromosomes: list[str]) -> Column:
    """Return the mean Pearson r of pairs of replicates; nucleosomes have one experiment only and no score."""
    return _score_starts(data, chromosomes, lambda bins: agreement(bins, 1))


def score_ceiling(data: YeastDataModule, chromosomes: list[str]) -> Column:
    """Return the Pearson r that the true signal would reach with the average of all replicates."""
    return _score_starts(data, chromosomes, ceiling)


def ceiling(bins: Values) -> float:
    """Extrapolate the agreement of halves of the replicates (R, P) to all of them by the Spearman-Brown formula."""
    half = len(bins) // 2
    ratio, r = len(bins) / half, agreement(bins, half)
    return float(np.sqrt(ratio * r / (1 + (ratio - 1) * r)))


def agreement(bins: Values, size: int) -> float:
    """Return the mean Pearson r between averages (log1p) of two disjoint groups of `size` replicates, (R, P)."""
    averages = {group: np.log1p(bins[list(group)].mean(0)) for group in combinations(range(len(bins)), size)}
    disjoint = [pair for pair in combinations(averages, 2) if not set(pair[0]) & set(pair[1])]
    return float(np.mean([pearson(averages[first], averages[second]) for first, second in disjoint]))


def _score_starts(data: YeastDataModule, chromosomes: list[str], score: Callable[[Values], float]) -> Column:
    """Score each track of transcription starts from the tags of its replicates (R, P), and take the mean."""
    column: Column = {}
    for name in data.targets[1:]:
        experiment, strand = name.rsplit("_", 1)
        replicates = read_starts(experiment)
        binned = []
        for chromosome in chromosomes:
            length = data.data.coverage.contigs[chromosome] // STARTS_BIN * STARTS_BIN
            bases = tags_by_base(replicates, CONTIGS.index(chromosome), strand == "minus", length + STARTS_BIN)
            # (R, bases) -> (R, P, 32) -> (R, P)
            binned.append(bases[:, :length].reshape(len(replicates), -1, STARTS_BIN).sum(-1))
        column[name, "Pearson r"] = score(np.concatenate(binned, axis=1))
    return column | {(MEAN_OF_STARTS, "Pearson r"): float(np.mean(list(column.values())))}
