"""What replicates say of the Basenji table's transcription starts: how well they agree, and what that leaves to reach.

Shapes: P bins of 32 bp.
"""

from collections.abc import Callable
from itertools import combinations

import numpy as np
from linear_tracks import STARTS_BIN
from numpy.typing import NDArray

from zoo.datasets.yeast import YeastDataModule, read_starts, tags_by_base
from zoo.datasets.yeast_genome import CONTIGS

__all__ = ["Column", "ceiling_scores", "correlation", "replicate_scores"]

Values = NDArray[np.float64]
# (track, score) -> value
Column = dict[tuple[str, str], float]


def replicate_scores(data: YeastDataModule, chromosomes: list[str]) -> Column:
    """The mean over pairs of replicates of each track of starts; of the nucleosomes there is one experiment."""
    return for_starts(data, chromosomes, lambda bins: agreement(bins, 1))


def ceiling_scores(data: YeastDataModule, chromosomes: list[str]) -> Column:
    """The Pearson r of the true signal with the replicates' average, by how well halves of them agree."""
    return for_starts(data, chromosomes, ceiling)


def ceiling(bins: Values) -> float:
    """Spearman's and Brown's formula, from half of the replicates to all of them; of bins (replicates, P)."""
    half = len(bins) // 2
    times, r = len(bins) / half, agreement(bins, half)
    return float(np.sqrt(times * r / (1 + (times - 1) * r)))


def agreement(bins: Values, size: int) -> float:
    """Mean Pearson r of log1p of the averages of so many replicates and so many others, of bins (replicates, P)."""
    averages = {group: np.log1p(bins[list(group)].mean(0)) for group in combinations(range(len(bins)), size)}
    apart = [pair for pair in combinations(averages, 2) if not set(pair[0]) & set(pair[1])]
    return float(np.mean([correlation(averages[one], averages[other]) for one, other in apart]))


def for_starts(data: YeastDataModule, chromosomes: list[str], score: Callable[[Values], float]) -> Column:
    """A score of each track of starts, from the tags of its replicates in bins (replicates, P)."""
    found: Column = {}
    for name in data.targets[1:]:
        experiment, strand = name.rsplit("_", 1)
        replicates = read_starts(experiment)
        parts = []
        for chromosome in chromosomes:
            length = data.data.coverage.contigs[chromosome] // STARTS_BIN * STARTS_BIN
            bases = tags_by_base(replicates, CONTIGS.index(chromosome), strand == "minus", length + STARTS_BIN)
            parts.append(bases[:, :length].reshape(len(replicates), -1, STARTS_BIN).sum(-1))
        found[name, "Pearson r"] = score(np.concatenate(parts, axis=1))
    return found | {("mean of the starts", "Pearson r"): float(np.mean(list(found.values())))}


def correlation(ours: Values, theirs: Values) -> float:
    """Pearson r."""
    return float(np.corrcoef(ours, theirs)[0, 1])
