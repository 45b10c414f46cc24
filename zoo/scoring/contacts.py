"""Evaluation of contact maps. Shapes: W windows, M targets."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.metrics.contacts import ROUNDING
from zoo.metrics.weighted import moment_scores, window_means
from zoo.scoring.kinds import Arrays, Resampled, Scores
from zoo.scoring.windows import WindowUnits

__all__ = ["ContactUnits"]


class ContactUnits(WindowUnits):
    """Windows of contact maps: in addition the mean squared error, and the mean of the windows' own Pearson r."""

    def further(self, arrays: Arrays) -> Scores:
        """`mse` and `pearson_window` (M,)."""
        once = np.ones((1, len(arrays["moments"])), np.int64)
        scores = self._prepared(arrays)(once)
        return {name: values[0] for name, values in scores.items()}

    def further_resampled(self, arrays: Arrays) -> Resampled:
        """The same of resamples."""
        return self._prepared(arrays)

    def _prepared(self, arrays: Arrays) -> Resampled:
        moments = arrays["moments"][:, -1]  # (W, 6, M)
        error, windows = moment_scores(moments), window_means(_window_pearson(moments))

        def scores(weights: NDArray[np.int64]) -> Scores:
            """`mse` and `pearson_window` (r, M) for weights (r, W)."""
            return {"mse": error(weights)["mse"], "pearson_window": windows(weights)}

        return scores


def _window_pearson(moments: NDArray[Any]) -> NDArray[np.float64]:
    """Pearson r of each window (W, M) from its moments (W, 6, M); NaN where it is not defined."""
    n, mean_x, mean_y, xx, yy, xy = moments.transpose(1, 0, 2)
    varies = (xx > ROUNDING * (xx + n * mean_x**2)) & (yy > ROUNDING * (yy + n * mean_y**2))
    with np.errstate(invalid="ignore", divide="ignore"):
        pearson: NDArray[np.float64] = np.where(varies, xy / np.sqrt(xx * yy), np.nan)
    return pearson
