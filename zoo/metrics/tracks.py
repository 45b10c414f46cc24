"""Metrics of tracks, gathered batch by batch: Pearson r, R2 and Spearman's of each target over all bins.

Pearson r and R2 are of values as they are and, where none is negative, as log1p; ranks are the same of both.

Shapes: B batch, T targets, N bins.
"""

from contextlib import suppress
from typing import Any, Self

import torch
from scipy.stats import rankdata
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat, rank_zero_warn

__all__ = ["RankedTrackMetrics", "TrackMetrics"]

# Of sums whose terms are this much larger, nothing is left in float64.
_DUST = 1e-12


class TrackMetrics(Metric):
    """Pearson r and R2 of each target over all bins that were measured.

    Nothing is kept but moments, in float64, which batches and processes add up: exact, whatever the number of bins.

    Args:
        targets: how many, T.
        counts: whether no value is negative: then log1p is scored too, and first.
    """

    full_state_update = False
    moments: Tensor

    def __init__(self, targets: int, counts: bool = True) -> None:
        super().__init__()
        self.counts = counts
        self.names: tuple[str, ...] = ("pearson_log1p", "pearson", "r2_log1p", "r2") if counts else ("pearson", "r2")
        # As log1p (if at all) and as they are; number of bins, means of x and y, and sums of centred x2, y2 and xy.
        scales = len(self.names) // 2
        self.add_state("moments", torch.zeros(scales, 6, targets, dtype=torch.float64), dist_reduce_fx=_merged)

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
        pairs = [(x.log1p(), y.log1p()), (x, y)] if self.counts else [(x, y)]
        batch = torch.stack([_moments(*pair, there) for pair in pairs])
        self.moments = _merged(torch.stack([self.moments, batch]))

    def each(self) -> dict[str, Tensor]:
        """Each score per target, (T,); NaN where it is not defined."""
        n, mean_x, mean_y, xx, yy, xy = self.moments.unbind(1)
        varies_x, varies_y = xx > _DUST * n * mean_x**2, yy > _DUST * n * mean_y**2
        pearson = torch.where(varies_x & varies_y, xy / (xx * yy).sqrt(), torch.nan)
        r2 = torch.where(varies_y, 1 - (xx - 2 * xy + yy + n * (mean_x - mean_y) ** 2) / yy, torch.nan)
        return dict(zip(self.names[: 2 * len(pearson)], torch.stack([*pearson, *r2]), strict=True))

    def mean(self, each: dict[str, Tensor]) -> dict[str, Tensor]:
        """Each score's mean over the targets for which it is defined; NaN where a prediction was."""
        broken = bool(self.moments.isnan().any())
        return {
            name: values.new_tensor(torch.nan) if broken else torch.nanmean(values) for name, values in each.items()
        }

    def compute(self) -> dict[str, Tensor]:
        """The means of `each`."""
        return self.mean(self.each())


class RankedTrackMetrics(TrackMetrics):
    """Spearman's rank correlation too, for which all bins are kept until it is computed: 8 bytes for each and target.

    Exact under several processes: torchmetrics gathers what all of them keep. With more than `most` values of a
    process it would take more memory and time than a score is worth: it is NaN then, and a warning says so.

    Where most bins are exactly 0, they share a rank, which no prediction gives them: even the best stays far below 1.
    """

    most = 500_000_000
    predictions: list[Tensor]
    measured: list[Tensor]
    values: Tensor

    def __init__(self, targets: int, counts: bool = True) -> None:
        super().__init__(targets, counts)
        self.names = (*self.names, "spearman")
        self.add_state("predictions", default=[], dist_reduce_fx="cat")
        self.add_state("measured", default=[], dist_reduce_fx="cat")
        self.add_state("values", default=torch.tensor(0), dist_reduce_fx="max")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Take one batch: (B, T, N) and (B, T, N), NaN where nothing was measured."""
        super().update(prediction, target)
        self.values += target.numel()
        if self.values > self.most:
            self.predictions, self.measured = [], []
            return
        # On a device they would take the place of the model; processes that gather need them there.
        device = self.moments.device if torch.distributed.is_initialized() else "cpu"
        for kept, values in ((self.predictions, prediction), (self.measured, target)):
            kept.append(values.detach().float().movedim(1, 2).flatten(0, 1).to(device))

    def each(self) -> dict[str, Tensor]:
        """Each score per target, (T,); NaN where it is not defined."""
        found = super().each()
        if self.values > self.most:
            rank_zero_warn(f"Spearman's rank correlation is left out of {int(self.values):,} values: too many to rank")
            return {**found, "spearman": torch.full_like(found["r2"], torch.nan)}
        prediction, measured = dim_zero_cat(self.predictions), dim_zero_cat(self.measured)
        ranks = [_spearman(x, y) for x, y in zip(prediction.unbind(1), measured.unbind(1), strict=True)]
        return {**found, "spearman": self.moments.new_tensor(ranks)}


def _spearman(x: Tensor, y: Tensor) -> float:
    """Of the bins (P,) that were measured; NaN where one of both does not vary, or a prediction is NaN."""
    there = ~torch.isnan(y)
    ranks = torch.stack([torch.from_numpy(rankdata(values[there].cpu().numpy())) for values in (x, y)])
    return float(torch.corrcoef(ranks)[0, 1]) if there.sum() > 1 else torch.nan


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
