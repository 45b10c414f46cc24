"""Metrics of contact maps: of all pixels together, per window, and by distance.

Shapes: B batch, T targets, N bins on a side, P pixels of the upper triangle, D diagonals.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from zoo.metrics.base import TargetMetrics, TargetScore
from zoo.metrics.moments import Moments
from zoo.metrics.ranks import Ranks
from zoo.outputs import upper_triangle

__all__ = ["ROUNDING", "ContactMetrics", "DistanceScores", "WindowPearson"]

# A variance that is this much smaller than the sum of squares is what rounding leaves of equal values in float64.
ROUNDING = 1e-10


class WindowPearson(TargetScore):
    """Mean over windows of each window's own Pearson r; windows in which it is not defined are left out.

    Args:
        targets: their number, T.
    """

    names = ("pearson_window",)
    windows: Tensor

    def __init__(self, targets: int) -> None:
        super().__init__()
        # Sum of Pearson r, and number of windows.
        self.add_state("windows", torch.zeros(2, targets, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Add one batch of windows: (B, T, P) and (B, T, P), NaN where nothing was measured."""
        terms = _terms(prediction, target, self.windows.device)
        r = _pearson(terms.sum(-1))  # (B, T)
        # A window with an invalid prediction counts, with NaN.
        counted = ~r.isnan() | terms[1].isnan().any(-1)
        self.windows = self.windows + torch.stack([torch.where(counted, r, 0.0).sum(0), counted.sum(0)])

    def per_target(self) -> dict[str, Tensor]:
        """`pearson_window` (T,); NaN where it is defined in no window."""
        total, count = self.windows
        return {"pearson_window": total / count}


class DistanceScores(TargetScore):
    """Mean squared error of all pixels, and Pearson r and mean squared error of each diagonal.

    Args:
        targets: their number, T.
        bins: on a side of a map, N.
        diagonal: the first that is predicted.
    """

    names = ("mse",)
    sums: Tensor
    distance: Tensor

    def __init__(self, targets: int, bins: int, diagonal: int) -> None:
        super().__init__()
        rows, columns = upper_triangle(bins, diagonal)
        self.register_buffer("distance", columns - rows - diagonal, persistent=False)
        # Of each diagonal the number of pixels and the sums of x, y, x2, y2 and xy.
        self.add_state("sums", torch.zeros(6, bins - diagonal, targets, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Add one batch: (B, T, P) and (B, T, P), NaN where nothing was measured."""
        terms = _terms(prediction, target, self.sums.device)
        # (6, B, T, P) -> (6, T, P) -> (6, P, T), added up by diagonal to (6, D, T)
        self.sums = self.sums.index_add(1, self.distance.to(self.sums.device), terms.sum(1).transpose(1, 2))

    def per_target(self) -> dict[str, Tensor]:
        """`mse` (T,) of all pixels; NaN where nothing was measured."""
        return {"mse": _squared_error(self.sums.sum(1))}

    def by_distance(self) -> dict[str, Tensor]:
        """`pearson` and `mse` of the pixels of each diagonal, (D, T), from the first that is predicted."""
        return {"pearson": _pearson(self.sums), "mse": _squared_error(self.sums)}


class ContactMetrics(TargetMetrics):
    """Pearson r, R2, Spearman's rank correlation and mean squared error of each target over all measured pixels.

    `pearson_window` is the mean over windows of each window's own Pearson r: it does not reward a model for maps that
    differ in their mean alone.

    Args:
        targets: names, T.
        bins: on a side of a map, N.
        diagonal: the first that is predicted.
        split: split of the data, for messages.
    """

    def __init__(self, targets: Sequence[str], bins: int, diagonal: int, split: str = "test") -> None:
        count = len(targets)
        distances = DistanceScores(count, bins, diagonal)
        super().__init__(targets, [Moments(count), Ranks(count), distances, WindowPearson(count)], split)
        self.distances = distances

    def by_distance(self) -> dict[str, Tensor]:
        """`pearson` and `mse` of the pixels of each diagonal, (D, T), from the first that is predicted.

        Of this process's pixels; inside `sync_context`, of those of all processes.
        """
        return self.distances.by_distance()


def _terms(prediction: Tensor, target: Tensor, device: torch.device) -> Tensor:
    """Whether a pixel was measured, x, y, x2, y2 and xy: (6, B, T, P) float64, 0 where nothing was measured."""
    prediction, target = prediction.detach().to(device), target.to(device)
    observed = ~torch.isnan(target)
    x = torch.where(observed, prediction, 0.0).double()
    y = torch.where(observed, target, 0.0).double()
    return torch.stack([observed.double(), x, y, x * x, y * y, x * y])


def _pearson(sums: Tensor) -> Tensor:
    """Pearson r (...) from sums (6, ...); NaN where x or y does not vary."""
    n, x, y, xx, yy, xy = sums
    n = n.clamp(min=1)
    variance_x, variance_y = xx - x * x / n, yy - y * y / n
    varies = (variance_x > ROUNDING * xx) & (variance_y > ROUNDING * yy)
    return torch.where(varies, (xy - x * y / n) / (variance_x * variance_y).sqrt(), torch.nan)


def _squared_error(sums: Tensor) -> Tensor:
    """Mean squared error (...) from sums (6, ...); NaN where nothing was measured."""
    n, _, _, xx, yy, xy = sums
    error: Tensor = (xx - 2 * xy + yy) / n
    return error
