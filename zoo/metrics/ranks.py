"""Spearman's rank correlation, for which all values are kept until it is computed.

Shapes: B batch, T targets, N values of each, S values of all batches.
"""

from typing import ClassVar

import torch
from torch import Tensor
from torchmetrics.utilities import dim_zero_cat, rank_zero_warn

from zoo.metrics.base import TargetScore

__all__ = ["Ranks", "spearman"]


class Ranks(TargetScore):
    """Spearman's rank correlation of each target over all values that were measured: 8 bytes for each value.

    Exact with several processes, which gather what all of them keep. With more than `most` values of a process it is
    NaN and a warning says so: sorting them takes too much memory and time.

    Equal values share a rank. Where most values are exactly 0, even a very good prediction stays below 1, because its
    values for them are not equal.

    Args:
        targets: their number, T.
    """

    most: ClassVar[int] = 500_000_000
    names = ("spearman",)
    predictions: list[Tensor]
    observed: list[Tensor]
    values: Tensor

    def __init__(self, targets: int) -> None:
        super().__init__()
        self.count = targets
        self.add_state("predictions", default=[], dist_reduce_fx="cat")
        self.add_state("observed", default=[], dist_reduce_fx="cat")
        self.add_state("values", default=torch.tensor(0), dist_reduce_fx="max")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Add one batch: (B, T, N) and (B, T, N), NaN where nothing was measured."""
        self.values = self.values + target.numel()
        if self.values > self.most:
            self.predictions, self.observed = [], []
            return
        # Keep them off the GPU, whose memory the model needs; only processes that gather them need them there.
        device = self.values.device if torch.distributed.is_initialized() else "cpu"
        for kept, values in ((self.predictions, prediction), (self.observed, target)):
            # (B, T, N) -> (B * N, T)
            kept.append(values.detach().float().movedim(1, 2).flatten(0, 1).to(device))

    def per_target(self) -> dict[str, Tensor]:
        """`spearman` (T,); NaN where the target or the prediction does not vary, or a prediction is NaN."""
        if self.values > self.most:
            rank_zero_warn(
                f"Spearman's rank correlation is not computed: {int(self.values):,} values are too many to rank"
            )
        if self.values > self.most or not len(self.predictions):
            return {"spearman": torch.full((self.count,), torch.nan, dtype=torch.float64)}
        prediction, observed = dim_zero_cat(self.predictions), dim_zero_cat(self.observed)  # (S, T) each
        ranks = [spearman(x, y) for x, y in zip(prediction.unbind(1), observed.unbind(1), strict=True)]
        return {"spearman": torch.tensor(ranks, dtype=torch.float64, device=self.values.device)}


def spearman(prediction: Tensor, target: Tensor) -> float:
    """Correlate the ranks of values (S,) where the target is not NaN."""
    from scipy.stats import rankdata  # predicting labels does not need scipy

    observed = ~torch.isnan(target)
    ranks = torch.stack([torch.from_numpy(rankdata(values[observed].cpu().numpy())) for values in (prediction, target)])
    return float(torch.corrcoef(ranks)[0, 1]) if observed.sum() > 1 else torch.nan
