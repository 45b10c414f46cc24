"""Metrics of tracks, gathered batch by batch: Pearson r and R2 of each target over all bins, as they are and as log1p.

Shapes: B batch, T targets, N bins.
"""

from contextlib import suppress
from typing import Any, Self

import torch
from torch import Tensor
from torchmetrics import Metric

__all__ = ["TrackMetrics"]

# Of sums whose terms are this much larger, nothing is left in float64.
_DUST = 1e-12


class TrackMetrics(Metric):
    """Pearson r and R2 of each target over all bins that were measured.

    Nothing is kept but moments, in float64, which batches and processes add up: exact, whatever the number of bins.
    """

    full_state_update = False
    names = ("pearson_log1p", "pearson", "r2_log1p", "r2")
    moments: Tensor

    def __init__(self, targets: int) -> None:
        super().__init__()
        # As log1p and as they are; the number of bins, the means of x and y, and sums of centred x2, y2 and xy.
        self.add_state("moments", torch.zeros(2, 6, targets, dtype=torch.float64), dist_reduce_fx=_merged)

    def _apply(self, *arguments: Any, **options: Any) -> Self:
        """Move to a device, but for one that has no float64 (Apple's): there the moments stay where they are."""
        with suppress(TypeError):
            super()._apply(*arguments, **options)
        return self

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Take one batch: (B, T, N) and (B, T, N), NaN where nothing was measured."""
        prediction, target = prediction.detach().to(self.moments.device), target.to(self.moments.device)
        there = ~torch.isnan(target)
        x = torch.where(there, prediction, 0.0).double()
        y = torch.where(there, target, 0.0).double()
        batch = torch.stack([_moments(x.log1p(), y.log1p(), there), _moments(x, y, there)])
        self.moments = _merged(torch.stack([self.moments, batch]))

    def each(self) -> dict[str, Tensor]:
        """Each score per target, (T,); NaN where it is not defined."""
        n, mean_x, mean_y, xx, yy, xy = self.moments.unbind(1)
        varies_x, varies_y = xx > _DUST * n * mean_x**2, yy > _DUST * n * mean_y**2
        pearson = torch.where(varies_x & varies_y, xy / (xx * yy).sqrt(), torch.nan)
        r2 = torch.where(varies_y, 1 - (xx - 2 * xy + yy + n * (mean_x - mean_y) ** 2) / yy, torch.nan)
        return dict(zip(self.names, torch.stack([*pearson, *r2]), strict=True))

    def compute(self) -> dict[str, Tensor]:
        """Each score's mean over the targets for which it is defined; NaN where a prediction was."""
        broken = self.moments.isnan().any(1).any(1).repeat(2)  # as log1p and as they are, for r and for R2
        return {
            name: torch.nanmean(values) if not nan else values.new_tensor(torch.nan)
            for (name, values), nan in zip(self.each().items(), broken, strict=True)
        }


def _moments(x: Tensor, y: Tensor, there: Tensor) -> Tensor:
    """Of values (B, T, N), 0 where they do not count: (6, T)."""
    n = there.sum((0, 2)).double()
    mean_x, mean_y = x.sum((0, 2)) / n.clamp(min=1), y.sum((0, 2)) / n.clamp(min=1)
    x, y = (x - mean_x[:, None]) * there, (y - mean_y[:, None]) * there
    return torch.stack([n, mean_x, mean_y, (x * x).sum((0, 2)), (y * y).sum((0, 2)), (x * y).sum((0, 2))])


def _merged(parts: Tensor) -> Tensor:
    """The moments (2, 6, T) of everything, from those of its parts (K, 2, 6, T)."""
    n, mean_x, mean_y, *squares = parts.unbind(2)
    total = n.sum(0)
    share = n / total.clamp(min=1)
    all_x, all_y = (share * mean_x).sum(0), (share * mean_y).sum(0)
    off_x, off_y = mean_x - all_x, mean_y - all_y
    between = (off_x * off_x, off_y * off_y, off_x * off_y)
    summed = [(inside + n * off).sum(0) for inside, off in zip(squares, between, strict=True)]
    return torch.stack([total, all_x, all_y, *summed], 1)
