"""Metrics of contact maps: of all pixels together, per window, and by distance.

Shapes: B batch, T targets, N bins on a side, P pixels of the upper triangle, D diagonals.
"""

import torch
from torch import Tensor

from zoo.metrics.tracks import RankedTrackMetrics
from zoo.outputs import upper_triangle

__all__ = ["ContactMetrics"]


class ContactMetrics(RankedTrackMetrics):
    """Pearson r, R2, Spearman's and mean squared error of each target over all pixels that were measured.

    `pearson_window` is the mean over windows of each window's own Pearson r: what is left of the first when maps differ
    in their mean alone. `by_distance` gives Pearson r and mean squared error of each diagonal.

    Args:
        targets: how many, T.
        bins: on a side of a map, N.
        diagonal: the first that is predicted.
    """

    sums: Tensor
    windows: Tensor
    distance: Tensor

    def __init__(self, targets: int, bins: int, diagonal: int) -> None:
        super().__init__(targets, counts=False)
        self.names = (*self.names, "mse", "pearson_window")
        self.diagonal = diagonal
        rows, columns = upper_triangle(bins, diagonal)
        self.register_buffer("distance", columns - rows - diagonal, persistent=False)
        # Of each diagonal the number of pixels and the sums of x, y, x2, y2 and xy; in float64.
        self.add_state("sums", torch.zeros(6, bins - diagonal, targets, dtype=torch.float64), dist_reduce_fx="sum")
        # Sum of the windows' r, and of how many windows.
        self.add_state("windows", torch.zeros(2, targets, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Take one batch: (B, T, P) and (B, T, P), NaN where nothing was measured."""
        super().update(prediction, target)
        prediction, target = prediction.detach().to(self.sums.device), target.to(self.sums.device)
        there = ~torch.isnan(target)
        x = torch.where(there, prediction, 0.0).double()
        y = torch.where(there, target, 0.0).double()
        terms = torch.stack([there.double(), x, y, x * x, y * y, x * y])  # (6, B, T, P)
        self.sums.index_add_(1, self.distance.to(self.sums.device), terms.sum(1).transpose(1, 2))
        each = _pearson(terms.sum(-1))  # (B, T)
        broken = x.isnan().any(-1)  # a prediction that is none counts, as everywhere, for none
        defined = ~each.isnan() | broken
        self.windows += torch.stack([torch.where(defined, each, 0.0).sum(0), defined.sum(0)])

    def each(self) -> dict[str, Tensor]:
        """Each score per target, (T,); NaN where it is not defined."""
        total, count = self.windows
        found = super().each()
        return {**found, "mse": _squared_error(self.sums.sum(1)), "pearson_window": total / count}

    def by_distance(self) -> dict[str, Tensor]:
        """`pearson` and `mse` of the pixels of each diagonal, (D, T), from the first that is predicted.

        Of this process's pixels: within `sync_context`, of those of all.
        """
        return {"pearson": _pearson(self.sums), "mse": _squared_error(self.sums)}


def _pearson(sums: Tensor) -> Tensor:
    """From sums (6, ...): (...); NaN where one of both does not vary."""
    n, x, y, xx, yy, xy = sums
    n = n.clamp(min=1)
    spread_x, spread_y = xx - x * x / n, yy - y * y / n
    # What is left of equal values in float64 is no spread.
    varies = (spread_x > 1e-10 * xx) & (spread_y > 1e-10 * yy)
    return torch.where(varies, (xy - x * y / n) / (spread_x * spread_y).sqrt(), torch.nan)


def _squared_error(sums: Tensor) -> Tensor:
    n, _, _, xx, yy, xy = sums
    found: Tensor = (xx - 2 * xy + yy) / n
    return found
