"""Scores of resampled data: each of R resamples gives every unit (a sequence, a window) a whole number as its weight.

All are exact: what a score of `zoo.metrics` would be if each unit were there as often as its weight says.

Shapes: R resamples, N sequences, W windows, T targets, K values of all windows.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "class_scores",
    "moment_scores",
    "rank_correlation",
    "resample_blocks",
    "resample_weights",
    "value_scores",
    "window_means",
]

Values = NDArray[np.float64]
Weights = NDArray[np.int64]
# Values that are computed at once.
_AT_ONCE = 4_000_000
# A variance that is this much smaller than the sum of squares is what rounding leaves of equal values.
_ROUNDING = 1e-12


def resample_blocks(resamples: int, values: int) -> list[range]:
    """Split the numbers of resamples, 0 to R - 1, into blocks that fit into memory, with `values` of each resample."""
    size = max(1, _AT_ONCE // max(values, 1))
    return [range(first, min(first + size, resamples)) for first in range(0, resamples, size)]


def resample_weights(units: int, seed: int, numbers: range) -> Weights:
    """Draw units with replacement, as many as there are; count how often each was drawn.

    Args:
        units: number of units.
        seed: seed of the draws; a resample depends on it and on its own number alone.
        numbers: numbers of the resamples (r).

    Returns:
        Weights (r, units).
    """
    drawn = (np.random.default_rng([seed, number]).integers(0, units, units) for number in numbers)
    return np.stack([np.bincount(one, minlength=units) for one in drawn])


def class_scores(prediction: Values, positive: NDArray[np.bool_]) -> Callable[[Weights], dict[str, Values]]:
    """Prepare AUROC and AUPRC (average precision) of one target.

    Args:
        prediction: higher for positives (N,).
        positive: (N,).

    Returns:
        A function of weights (r, N) that gives `auroc` and `auprc` (r,); NaN without both classes.
    """
    order = np.argsort(-prediction, kind="stable")
    ends = _ends_of_ties(prediction[order])
    is_positive = positive[order]

    def scores(weights: Weights) -> dict[str, Values]:
        """`auroc` and `auprc` (r,) for weights (r, N)."""
        weight = weights[:, order]
        # Of each distinct prediction, positives and sequences with at least that (r, distinct).
        above = (weight * is_positive).cumsum(1)[:, ends].astype(np.float64)
        called = weight.cumsum(1)[:, ends].astype(np.float64)
        positives = above[:, -1]
        false = called - above
        steps, false_steps = np.diff(above, prepend=0.0), np.diff(false, prepend=0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            auroc = (false_steps * (above - steps / 2)).sum(1) / (positives * false[:, -1])
            precision = np.divide(above, called, out=np.zeros_like(above), where=called > 0)
            auprc = (steps * precision).sum(1) / positives
        auprc[false[:, -1] == 0] = np.nan
        return {"auroc": auroc, "auprc": auprc}

    return scores


def value_scores(prediction: Values, target: Values) -> Callable[[Weights], dict[str, Values]]:
    """Prepare Pearson r, R2 and Spearman's rank correlation of one target.

    Args:
        prediction: (N,).
        target: measured values (N,).

    Returns:
        A function of weights (r, N) that gives `pearson`, `r2` and `spearman` (r,); NaN where one does not vary.
    """
    x, y = prediction - prediction.mean(), target - target.mean()
    offset = prediction.mean() - target.mean()
    terms = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], 1)  # (N, 6)
    ranks = rank_correlation(prediction, target)

    def scores(weights: Weights) -> dict[str, Values]:
        """`pearson`, `r2` and `spearman` (r,) for weights (r, N)."""
        pearson, r2, _ = _from_sums(weights @ terms, offset)
        return {"pearson": pearson, "r2": r2, "spearman": ranks(weights)}

    return scores


def rank_correlation(
    prediction: Values, target: Values, unit: NDArray[np.int64] | None = None
) -> Callable[[Weights], Values]:
    """Prepare Spearman's rank correlation: equal values, also copies of one, share the mean of their ranks.

    Args:
        prediction: (K,).
        target: (K,).
        unit: unit of each value (K,); None where each is a unit of its own.

    Returns:
        A function of weights (r, units) that gives the correlation (r,).
    """
    sorted_both = [_sorted(values) for values in (prediction, target)]

    def correlation(weights: Weights) -> Values:
        """Correlation of ranks (r,) for weights (r, units)."""
        weight = (weights if unit is None else weights[:, unit]).astype(np.float64)
        x, y = (_centred_ranks(weight, *one) for one in sorted_both)  # (r, K) each
        xx, yy, xy = (np.einsum("rk,rk,rk->r", weight, a, b) for a, b in ((x, x), (y, y), (x, y)))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where((xx > 0) & (yy > 0), xy / np.sqrt(xx * yy), np.nan)

    return correlation


def moment_scores(moments: Values) -> Callable[[Weights], dict[str, Values]]:
    """Prepare Pearson r, R2 and mean squared error of all values of windows, from the moments of each.

    Args:
        moments: of each window and target the number of values, means of x and y, and sums of centred x2, y2 and xy
            (W, 6, T), as `zoo.metrics.moments.Moments` has them.

    Returns:
        A function of weights (r, W) that gives `pearson`, `r2` and `mse` (r, T).
    """
    n, mean_x, mean_y, xx, yy, xy = moments.transpose(1, 0, 2)  # (W, T) each
    total = np.maximum(n.sum(0), 1)
    # Relative to the means of all, so that no digits are lost in squares.
    x, y = mean_x - (n * mean_x).sum(0) / total, mean_y - (n * mean_y).sum(0) / total
    offset = (n * (mean_x - mean_y)).sum(0) / total  # (T,)
    sums = np.stack([n, n * x, n * y, xx + n * x * x, yy + n * y * y, xy + n * x * y])  # (6, W, T)

    def scores(weights: Weights) -> dict[str, Values]:
        """`pearson`, `r2` and `mse` (r, T) for weights (r, W)."""
        pearson, r2, error = _from_sums(np.stack([weights @ one for one in sums], -1), offset)
        return {"pearson": pearson, "r2": r2, "mse": error}

    return scores


def window_means(scores: Values) -> Callable[[Weights], Values]:
    """Prepare means over windows of each window's own score (W, T), NaN where it is not defined: (r, W) -> (r, T)."""
    known = ~np.isnan(scores)
    filled = np.where(known, scores, 0.0)

    def means(weights: Weights) -> Values:
        """Means (r, T) for weights (r, W)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            result: Values = (weights @ filled) / (weights @ known.astype(np.float64))
        return result

    return means


def _from_sums(sums: Values, offset: Values | float) -> tuple[Values, Values, Values]:
    """Pearson r, R2 and mean squared error (...) from weighted sums of 1, x, y, x2, y2 and xy (..., 6).

    Of x and y, numbers were subtracted that differ by `offset`, which belongs to the error.
    """
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance_x, variance_y = xx - x * x / n, yy - y * y / n
        varies_x, varies_y = variance_x > _ROUNDING * xx, variance_y > _ROUNDING * yy
        pearson = np.where(varies_x & varies_y, (xy - x * y / n) / np.sqrt(variance_x * variance_y), np.nan)
        squares = xx - 2 * xy + yy + 2 * offset * (x - y) + n * offset * offset
        r2 = np.where(varies_y, 1 - squares / variance_y, np.nan)
        return pearson, r2, squares / n


def _sorted(values: Values) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Order of values (K,), the last place of each distinct one in it, and of each value the number of its one (K,)."""
    order = np.argsort(values, kind="stable")
    ends = _ends_of_ties(values[order])
    group = np.empty(len(values), np.int64)
    group[order] = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=-1))
    return order, ends, group


def _ends_of_ties(ordered: Values) -> NDArray[np.int64]:
    """Last place of each distinct value in an ordered array (N,)."""
    return np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))


def _centred_ranks(
    weight: Values, order: NDArray[np.int64], ends: NDArray[np.int64], group: NDArray[np.int64]
) -> Values:
    """Ranks (r, K) of values under weights (r, K), less the mean rank."""
    below = weight[:, order].cumsum(1)[:, ends]  # (r, distinct): how many are no higher
    count = np.diff(below, axis=1, prepend=0.0)
    rank = below - (count - 1) / 2 - (below[:, -1:] + 1) / 2
    centred: Values = rank[:, group]
    return centred
