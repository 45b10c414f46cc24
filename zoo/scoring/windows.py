"""Evaluation of tracks and contacts: of each window the moments of its values are kept, and the values for ranks.

Shapes: B batch, W windows, M targets, V values of a window.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.metrics.moments import merge_moments, moment_names, moment_values, window_moments
from zoo.metrics.ranks import Ranks, spearman
from zoo.metrics.weighted import moment_scores, rank_correlation
from zoo.scoring.kinds import Arrays, Resampled, Scores, Units

__all__ = ["WindowUnits"]

# Values of all targets that are ranked in all resamples together, at most: more would take minutes.
_MOST_RANKED = 2_000_000_000


class WindowUnits(Units):
    """Moments of windows, and their values for Spearman's rank correlation.

    Args:
        log1p: whether scores of log1p are computed too, and first.
        resamples: number of resamples, which decides whether ranks can be resampled.
    """

    name = "window"

    def __init__(self, log1p: bool, resamples: int) -> None:
        self.log1p, self.resamples = log1p, resamples
        self._keeps_values = True

    def begin(self, values: int) -> None:
        """Decide whether the values are kept for ranks."""
        self._keeps_values = values <= Ranks.most

    def of_batch(self, prediction: Tensor, target: Tensor) -> dict[str, NDArray[Any]]:
        """Moments (B, scales, 6, M), and predictions and targets (B, M, V) unless they are too many."""
        prediction, target = prediction.cpu(), target.float().cpu()
        parts = {"moments": window_moments(prediction, target, self.log1p).numpy()}
        if not self._keeps_values:
            prediction, target = prediction[..., :0], target[..., :0]
        return {**parts, "prediction": prediction.numpy(), "target": target.numpy()}

    def scores(self, arrays: Arrays) -> Scores:
        """Each score (M,) over all values that were measured."""
        moments = torch.from_numpy(arrays["moments"])  # (W, scales, 6, M)
        merged = merge_moments(moments)
        values = {name: one.numpy() for name, one in moment_values(merged).items()}
        ranked = [spearman(*self._flat(arrays, index)) for index in range(moments.shape[-1])]
        return {**values, "spearman": np.array(ranked), **self.further(arrays)}

    def further(self, arrays: Arrays) -> Scores:
        """Scores of a kind in addition to those of moments and ranks."""
        return {}

    def further_resampled(self, arrays: Arrays) -> Resampled | None:
        """The same of resamples; None for none."""
        return None

    def resampled(self, arrays: Arrays, notes: list[str]) -> Resampled:
        """The same scores of resampled windows; without Spearman's where that would take too long."""
        moments = arrays["moments"]
        scales = [moment_scores(moments[:, scale]) for scale in range(moments.shape[1])]
        names = moment_names(self.log1p)
        ranks = self._ranks(arrays, notes)
        more = self.further_resampled(arrays)

        def scores(weights: NDArray[np.int64]) -> Scores:
            """Each score (r, M) for weights (r, W)."""
            of_scales = [one(weights) for one in scales]
            values = [one[kind] for kind in ("pearson", "r2") for one in of_scales]
            result = dict(zip(names, values, strict=True))
            if ranks:
                result["spearman"] = np.stack([one(weights) for one in ranks], 1)
            return result | (more(weights) if more else {})

        return scores

    def _ranks(self, arrays: Arrays, notes: list[str]) -> list[Any]:
        values = arrays["target"]
        if not self._keeps_values or values.size * self.resamples > _MOST_RANKED:
            what = (
                "Spearman's rank correlation"
                if not self._keeps_values
                else (
                    f"interval of Spearman's rank correlation: {values.size:,} values are ranked once, not "
                    f"{self.resamples:,} times"
                )
            )
            notes.append(f"no {what}")
            return []
        result = []
        for index in range(values.shape[1]):
            prediction, target = (one.numpy().astype(np.float64) for one in self._flat(arrays, index))
            known = ~np.isnan(target)
            unit = np.repeat(np.arange(len(values)), values.shape[2])[known]
            result.append(rank_correlation(prediction[known], target[known], unit))
        return result

    def _flat(self, arrays: Arrays, index: int) -> tuple[Tensor, Tensor]:
        """Predictions and values of one target (W * V,)."""
        prediction, target = (torch.from_numpy(arrays[name][:, index].reshape(-1)) for name in ("prediction", "target"))
        return prediction, target
