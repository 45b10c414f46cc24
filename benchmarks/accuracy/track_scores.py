"""Scores of the Basenji table: a model's tracks on whole chromosomes against the measured ones.

Shapes: T targets (the nucleosome track first, then the transcription starts), P bins of 16 bp.
"""

from collections.abc import Callable, Sequence

import numpy as np
from accuracy.linear_tracks import BIN, sum_start_bins
from common import Values, pearson
from scipy.stats import spearmanr

from zoo.datasets.yeast import YeastDataModule

__all__ = ["MEAN_OF_STARTS", "METRICS", "Column", "detrend", "score_all_bins", "score_tracks", "to_start_scale"]

Metric = Callable[[Values, Values], float]
# A column of the table: (track, metric) -> value.
Column = dict[tuple[str, str], float]
MEAN_OF_STARTS, OPPOSITE_STRAND = "mean of transcription starts", "opposite strand"
TREND = 1008  # bases of the moving average: an odd number of bins


def score_tracks(data: YeastDataModule, predicted: dict[str, Values], measured: dict[str, Values]) -> Column:
    """Compute every metric of every track; the control with the opposite strand by Pearson r alone.

    Args:
        data: names and strands of the tracks.
        predicted: values (T, P) of each chromosome.
        measured: likewise; its keys are the chromosomes that are scored.
    """
    return {
        (track, name): value
        for name, metric in METRICS.items()
        for track, value in score_with(metric, data, predicted, measured).items()
        if name == "Pearson r" or track != OPPOSITE_STRAND
    }


def score_with(
    metric: Metric, data: YeastDataModule, predicted: dict[str, Values], measured: dict[str, Values]
) -> dict[str, float]:
    """Compute one metric of every track."""
    names, partner = data.targets, data.strand_pairs
    nucleosomes = [predicted[name][0] for name in measured]
    covered = [np.where(values[0] > 0, values[0], np.nan) for values in measured.values()]
    scores = {
        "mnase": score_all_bins(metric, nucleosomes, covered),
        "mnase detrended": score_all_bins(metric, *zip(*map(detrend, nucleosomes, covered), strict=True)),
    }
    predicted_starts = [to_start_scale(predicted[name][1:]) for name in measured]
    measured_starts = [to_start_scale(values[1:]) for values in measured.values()]

    def score_pair(prediction: int, measurement: int) -> float:
        ours = [starts[prediction - 1] for starts in predicted_starts]
        theirs = [starts[measurement - 1] for starts in measured_starts]
        return score_all_bins(metric, ours, theirs)

    starts = range(1, len(names))
    scores |= {names[index]: score_pair(index, index) for index in starts}
    scores[MEAN_OF_STARTS] = float(np.mean([scores[names[index]] for index in starts]))
    scores[OPPOSITE_STRAND] = float(np.mean([score_pair(partner[index], index) for index in starts]))
    return scores


def to_start_scale(values: Values) -> Values:
    """Convert tracks in bins of 16 bp (T, P) to log1p of bins of 32 bp (T, P // 2)."""
    scaled: Values = np.log1p(sum_start_bins(values))
    return scaled


def detrend(predicted: Values, measured: Values) -> tuple[Values, Values]:
    """Subtract from both tracks (P,) their moving averages over the bins that were measured (not NaN)."""
    observed = ~np.isnan(measured)
    window = np.ones(TREND // BIN)
    count = np.maximum(np.convolve(observed, window, "same"), 1)
    averages = [np.convolve(np.where(observed, values, 0), window, "same") / count for values in (predicted, measured)]
    return predicted - averages[0], measured - averages[1]


def score_all_bins(metric: Metric, predicted: Sequence[Values], measured: Sequence[Values]) -> float:
    """Compute a metric over the measured bins of all chromosomes together."""
    prediction, target = np.concatenate(predicted), np.concatenate(measured)
    observed = ~np.isnan(target)
    return metric(prediction[observed], target[observed])


def r2_score(predicted: Values, measured: Values) -> float:
    """R2, the fraction of variance that predictions explain; they are not rescaled first."""
    return float(1 - ((predicted - measured) ** 2).sum() / ((measured - measured.mean()) ** 2).sum())


def spearman_of_signal(predicted: Values, measured: Values) -> float:
    """Spearman's rank correlation of bins that are not 0: zeros share one rank, and predictions never do."""
    signal = measured != 0
    return float(spearmanr(predicted[signal], measured[signal])[0])


METRICS: dict[str, Metric] = {"Pearson r": pearson, "Spearman (bins with signal)": spearman_of_signal, "R2": r2_score}
