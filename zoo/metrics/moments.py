"""Pearson r and R2 from moments, which batches and processes add up: nothing else is kept.

Shapes: B batch, T targets, K sets of values that are added up.
"""

import torch
from torch import Tensor

from zoo.metrics.base import TargetScore

__all__ = ["Moments", "merge_moments", "moment_names", "moment_values", "window_moments"]

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
        self.names = moment_names(log1p)
        # Of log1p (if at all) and of the values: their number, means of x and y, sums of centred x2, y2 and xy.
        scales = len(self.names) // 2
        self.add_state("moments", torch.zeros(scales, 6, targets, dtype=torch.float64), dist_reduce_fx=merge_moments)

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Add one batch: (B, T, N) and (B, T, N), NaN where nothing was measured."""
        device = self.moments.device
        batch = _moments(prediction.detach().to(device), target.to(device), self.log1p, (0, 2))[0]
        self.moments = merge_moments(torch.stack([self.moments, batch]))

    def per_target(self) -> dict[str, Tensor]:
        """Each score per target, (T,); NaN where the target or, for Pearson r, the prediction does not vary."""
        return moment_values(self.moments)


def moment_values(moments: Tensor) -> dict[str, Tensor]:
    """Pearson r and R2 (T,) from moments (scales, 6, T); of log1p too, and first, where there are two scales."""
    n, mean_x, mean_y, xx, yy, xy = moments.unbind(1)  # (scales, T) each
    varies_x, varies_y = xx > _ROUNDING * n * mean_x**2, yy > _ROUNDING * n * mean_y**2
    pearson = torch.where(varies_x & varies_y, xy / (xx * yy).sqrt(), torch.nan)
    r2 = torch.where(varies_y, 1 - (xx - 2 * xy + yy + n * (mean_x - mean_y) ** 2) / yy, torch.nan)
    return dict(zip(moment_names(log1p=len(moments) > 1), torch.stack([*pearson, *r2]), strict=True))


def moment_names(log1p: bool) -> tuple[str, ...]:
    """Names of the scores of moments, with or without those of log1p."""
    return ("pearson_log1p", "pearson", "r2_log1p", "r2") if log1p else ("pearson", "r2")


def window_moments(prediction: Tensor, target: Tensor, log1p: bool) -> Tensor:
    """Moments of each window, (B, scales, 6, T), from values (B, T, N), NaN where nothing was measured."""
    return _moments(prediction, target, log1p, (2,))


def _moments(prediction: Tensor, target: Tensor, log1p: bool, axes: tuple[int, ...]) -> Tensor:
    """Moments (B, scales, 6, T) of values (B, T, N) over the axes (2,); over (0, 2) of all, (1, scales, 6, T)."""
    observed = ~torch.isnan(target)
    n = observed.sum(axes, keepdim=True).double()
    x = torch.where(observed, prediction, 0.0).double()
    y = torch.where(observed, target, 0.0).double()
    scales = []
    for one, other in [(x.log1p(), y.log1p()), (x, y)] if log1p else [(x, y)]:
        means = [values.sum(axes, keepdim=True) / n.clamp(min=1) for values in (one, other)]
        a, b = ((values - mean) * observed for values, mean in zip((one, other), means, strict=True))
        scales.append(torch.stack([n, *means, *((p * q).sum(axes, keepdim=True) for p, q in ((a, a), (b, b), (a, b)))]))
    # (scales, 6, B or 1, T, 1) -> (B or 1, scales, 6, T)
    return torch.stack(scales).squeeze(-1).permute(2, 0, 1, 3)


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
