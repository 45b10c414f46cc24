"""Bootstrap intervals: percentiles of scores of resampled units. Shapes: R resamples, M targets."""

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ConfigError
from zoo.metrics.weighted import resample_blocks, resample_weights
from zoo.scoring.kinds import Resampled
from zoo.utils.progress import bar

__all__ = ["Bootstrap", "Interval", "intervals"]


class Bootstrap(NamedTuple):
    """How intervals are computed.

    Attributes:
        resamples: number of resamples, R; 0 for no intervals.
        confidence: share of the resamples whose scores lie in an interval.
        seed: seed of the resamples.
    """

    resamples: int = 1_000
    confidence: float = 0.95
    seed: int = 0

    def check(self) -> None:
        """Raises: ConfigError: a number that makes no sense."""
        if self.resamples < 0 or self.seed < 0 or not 0 < self.confidence < 1:
            raise ConfigError("bootstrap resamples and seed are numbers from 0 up, the confidence lies between 0 and 1")


class Interval(NamedTuple):
    """Percentile intervals of one score.

    Attributes:
        low: lower ends, of each target and last of the mean over targets (M + 1,).
        high: upper ends (M + 1,).
        undefined: number of resamples in which the score of some target that has one is not defined.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    undefined: int


def intervals(
    resampled: Resampled, defined: dict[str, NDArray[np.bool_]], units: int, values_per_unit: int, options: Bootstrap
) -> dict[str, Interval]:
    """Compute percentile intervals by resampling units with replacement.

    Args:
        resampled: scores of resamples.
        defined: score -> which targets have it (M,); the others are in no mean, as in the score itself.
        units: number of units.
        values_per_unit: values of each unit and target.
        options: number of resamples, confidence and seed.

    Returns:
        Score -> interval, of the scores that are resampled.
    """
    options.check()
    parts: dict[str, list[NDArray[np.float64]]] = {}
    for numbers in bar(resample_blocks(options.resamples, units * values_per_unit), "resampling"):
        weights = resample_weights(units, options.seed, numbers)
        for name, values in resampled(weights).items():
            chosen = np.where(defined[name], values, np.nan)
            parts.setdefault(name, []).append(np.concatenate([chosen, _mean(chosen)[:, None]], 1))
    return {name: _interval(np.concatenate(values), defined[name], options) for name, values in parts.items()}


def _interval(values: NDArray[np.float64], defined: NDArray[np.bool_], options: Bootstrap) -> Interval:
    """Percentiles over resamples of the values (R, M + 1) of one score."""
    tail = (1 - options.confidence) / 2
    undefined = int(np.isnan(values[:, :-1][:, defined]).any(1).sum())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of targets that have no score at all
        low, high = np.nanquantile(values, [tail, 1 - tail], axis=0)
    return Interval(low, high, undefined)


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over targets (R,) of values (R, M) that are defined."""
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        mean: NDArray[np.float64] = np.where(known, values, 0.0).sum(1) / known.sum(1)
    return mean
