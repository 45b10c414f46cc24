"""Pearson r and R2 from moments, which batches and processes add up: nothing else is kept.

Shapes: B batch, T targets, K sets of values that are added up.
"""

import torch
from torch import Tensor

from zoo.metrics.base import TargetScore

__all__ = ["Moments", "merge_moments"]

# A variance that is this much smaller than the mean's square is what rounding leaves of equal values in float64.
_ROUNDING = 1e-12


class Moments(TargetScore):
    """Pearson r and R2 of each target over all values that were measured, exact in float64 for any number of them.

    Args:
        targets: their number, T.
        log1p: whether they are computed of log1p too, and first; for values that are never negative.
    """

    moments: Tensor

    def __init__(self, targets: int, log1p: bool = False) -> None:
        super().__init__()
        self.log1p = log1p
        self.names = ("pearson_log1p", "pearson", "r2_log1p", "r2") if log1p else ("pearson", "r2")
        # Of log1p (if at all) and of the values: their number, means of x and y, sums of centred x2, y2 and xy.
        scales = len(self.names) // 2
        self.add_state("moments", torch.zeros(scales, 6, targets, dtype=torch.float64), dist_reduce_fx=merge_moments)

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Add one batch: (B, T, N) and (B, T, N), NaN where nothing was measured."""
        prediction, target = prediction.detach().to(self.moments.device), target.to(self.moments.device)
        observed = ~torch.isnan(target)
        x = torch.where(observed, prediction, 0.0).double()
        y = torch.where(observed, target, 0.0).double()
        pairs = [(x.log1p(), y.log1p()), (x, y)] if self.log1p else [(x, y)]
        batch = torch.stack([_moments(*pair, observed) for pair in pairs])
        self.moments = merge_moments(torch.stack([self.moments, batch]))

    def per_target(self) -> dict[str, Tensor]:
        """Each score per target, (T,); NaN where the target or, for Pearson r, the prediction does not vary."""
        n, mean_x, mean_y, xx, yy, xy = self.moments.unbind(1)  # (scales, T) each
        varies_x, varies_y = xx > _ROUNDING * n * mean_x**2, yy > _ROUNDING * n * mean_y**2
        pearson = torch.where(varies_x & varies_y, xy / (xx * yy).sqrt(), torch.nan)
        r2 = torch.where(varies_y, 1 - (xx - 2 * xy + yy + n * (mean_x - mean_y) ** 2) / yy, torch.nan)
        return dict(zip(self.names, torch.stack([*pearson, *r2]), strict=True))


def _moments(x: Tensor, y: Tensor, observed: Tensor) -> Tensor:
    """Moments (6, T) of values (B, T, N), which are 0 where `observed` is False."""
    n = observed.sum((0, 2)).double()
    mean_x, mean_y = x.sum((0, 2)) / n.clamp(min=1), y.sum((0, 2)) / n.clamp(min=1)
    x, y = (x - mean_x[:, None]) * observed, (y - mean_y[:, None]) * observed
    return torch.stack([n, mean_x, mean_y, (x * x).sum((0, 2)), (y * y).sum((0, 2)), (x * y).sum((0, 2))])


def merge_moments(sets: Tensor) -> Tensor:
    """Moments (scales, 6, T) of all values, from those of K sets of them (K, scales, 6, T).

    The parallel form of Welford's algorithm: Chan, Golub and LeVeque 1979, Stanford STAN-CS-79-773.
    """
    n, mean_x, mean_y, *squares = sets.unbind(2)  # (K, scales, T) each
    total = n.sum(0)
    share = n / total.clamp(min=1)
    all_x, all_y = (share * mean_x).sum(0), (share * mean_y).sum(0)
    shift_x, shift_y = mean_x - all_x, mean_y - all_y
    between = (shift_x * shift_x, shift_y * shift_y, shift_x * shift_y)
    summed = [(inside + n * shift).sum(0) for inside, shift in zip(squares, between, strict=True)]
    return torch.stack([total, all_x, all_y, *summed], 1)
