"""Metrics of tracks: Pearson r, R2 and Spearman's rank correlation of each target over all bins."""

from collections.abc import Sequence

from zoo.metrics.base import TargetMetrics, TargetScore
from zoo.metrics.moments import Moments
from zoo.metrics.ranks import Ranks

__all__ = ["TrackMetrics"]


class TrackMetrics(TargetMetrics):
    """Pearson r and R2 of each target over all bins that were measured, and Spearman's rank correlation if asked for.

    Args:
        targets: names, T.
        counts: whether no value is negative: then Pearson r and R2 of log1p are computed too, and come first.
        ranks: whether Spearman's rank correlation is computed, for which all bins are kept in memory.
        split: split of the data, for messages.
    """

    def __init__(self, targets: Sequence[str], counts: bool = True, ranks: bool = False, split: str = "test") -> None:
        scores: list[TargetScore] = [Moments(len(targets), log1p=counts)]
        if ranks:
            scores.append(Ranks(len(targets)))
        super().__init__(targets, scores, split)
