"""Metrics of tracks, summed batch by batch: Pearson r and R2 of each target over all bins, as they are and as log1p.

Shapes: B batch, T targets, N bins.
"""

import torch
from torch import Tensor
from torchmetrics import Metric

__all__ = ["TrackMetrics"]


class TrackMetrics(Metric):
    """Pearson r and R2 of each target over all bins that were measured.

    Nothing is kept but sums, in float64, which several processes add up: exact, whatever the number of bins.
    """

    full_state_update = False
    names = ("pearson_log1p", "pearson", "r2_log1p", "r2")
    sums: Tensor

    def __init__(self, targets: int) -> None:
        super().__init__()
        # As log1p and as they are; of 1, x, y, xx, yy, xy.
        self.add_state("sums", default=torch.zeros(2, 6, targets, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Take one batch: (B, T, N) and (B, T, N), NaN where nothing was measured."""
        there = ~torch.isnan(target)
        x = torch.where(there, prediction.detach(), 0.0).double()
        y = torch.where(there, target, 0.0).double()
        for row, (p, t) in enumerate(((x.log1p(), y.log1p()), (x, y))):
            terms = (there.double(), p, t, p * p, t * t, p * t)
            self.sums[row] += torch.stack([term.sum((0, 2)) for term in terms])

    def each(self) -> dict[str, Tensor]:
        """Each score per target, (T,); NaN where it is not defined."""
        n, x, y, xx, yy, xy = self.sums.unbind(1)
        spread_x, spread_y, together = xx - x * x / n, yy - y * y / n, xy - x * y / n
        pearson = together / (spread_x.clamp(min=0) * spread_y.clamp(min=0)).sqrt()
        r2 = 1 - (xx - 2 * xy + yy) / spread_y
        found = torch.stack([*pearson, *r2]).nan_to_num(torch.nan, torch.nan, torch.nan)
        return dict(zip(self.names, found, strict=True))

    def compute(self) -> dict[str, Tensor]:
        """Each score's mean over the targets for which it is defined."""
        return {name: torch.nanmean(values) for name, values in self.each().items()}
