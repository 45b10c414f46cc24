"""Base classes of metrics: a score of each target, and a set of scores with their means over targets.

A score is exact over batches and processes: its states are those that torchmetrics adds up or gathers.

Shapes: B batch, T targets, `...` one or more axes of values (none for labels).
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Self

import torch
from torch import Tensor, nn
from torchmetrics import Metric
from torchmetrics.wrappers.abstract import WrapperMetric

from zoo.utils.text import some_of

__all__ = ["ExactMetric", "LossMean", "TargetMetrics", "TargetRanges", "TargetScore"]

_log = logging.getLogger(__name__)


class ExactMetric(Metric):
    """A metric whose states may be float64."""

    full_state_update = False

    def _apply(self, *arguments: Any, **options: Any) -> Self:
        """Move to a device; on one that has no float64 (Apple's) the states stay where they are."""
        with suppress(TypeError):
            super()._apply(*arguments, **options)
        return self


class LossMean(ExactMetric):
    """Mean loss of all values of an epoch, however they are shared among batches and processes."""

    sums: Tensor

    def __init__(self) -> None:
        super().__init__()
        # Sum of losses, and of their weights.
        self.add_state("sums", torch.zeros(2, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, total: Tensor, weight: Tensor) -> None:
        """Add the sums of one batch, as `zoo.nn.losses.LossSum` has them (scalars)."""
        added = torch.stack([one.detach().to(self.sums.device).double() for one in (total, weight)])
        self.sums = self.sums + added  # not in place: after a validation it may be a tensor of inference mode

    def compute(self) -> Tensor:
        """Mean loss (scalar, float32); NaN where nothing was observed."""
        return (self.sums[0] / self.sums[1]).float()


class TargetScore(ExactMetric, ABC):
    """One or more scores per target, computed from states that are added up over batches and processes.

    Attributes:
        names: names of the scores, in the order of `per_target`.
    """

    names: tuple[str, ...]

    @abstractmethod
    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Add one batch: (B, T, ...) and (B, T, ...), NaN where nothing was measured."""

    @abstractmethod
    def per_target(self) -> dict[str, Tensor]:
        """Each score per target, (T,); NaN where it is not defined, or a prediction is NaN."""

    def compute(self) -> dict[str, Tensor]:
        """`per_target`, of the values of all processes."""
        return self.per_target()


class TargetRanges(TargetScore):
    """Number and range of the values per target, and of the predictions for them.

    Args:
        targets: their number, T.
    """

    names = ("observed", "invalid", "target_varies", "prediction_varies")
    counts: Tensor
    lowest: Tensor
    highest: Tensor

    def __init__(self, targets: int) -> None:
        super().__init__()
        # Number of observed values, and of predictions for them that are NaN or infinite.
        self.add_state("counts", torch.zeros(2, targets, dtype=torch.long), dist_reduce_fx="sum")
        # Of predictions and of observed values.
        self.add_state("lowest", torch.full((2, targets), torch.inf), dist_reduce_fx="min")
        self.add_state("highest", torch.full((2, targets), -torch.inf), dist_reduce_fx="max")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Add one batch: (B, T, ...) and (B, T, ...), NaN where nothing was measured."""
        values = torch.stack([prediction.detach(), target]).float().to(self.counts.device)
        values = values.movedim(2, -1).flatten(1, -2)  # (2, B * ..., T)
        observed = ~values[1].isnan()
        invalid = observed & ~values[0].isfinite()
        self.counts = self.counts + torch.stack([observed.sum(0), invalid.sum(0)])
        if len(observed):
            self.lowest = self.lowest.minimum(values.where(observed, torch.inf).amin(1))
            self.highest = self.highest.maximum(values.where(observed, -torch.inf).amax(1))

    def per_target(self) -> dict[str, Tensor]:
        """Counts (T,), and whether values differ (T,)."""
        observed, invalid = self.counts
        prediction_varies, target_varies = self.highest > self.lowest
        return dict(zip(self.names, (observed, invalid, target_varies, prediction_varies), strict=True))


class TargetMetrics(WrapperMetric):
    """The scores of one split of a data set, per target and as means over targets.

    A target is left out of the mean of a score that is not defined for it (one class only, no variance); `explain`
    and a warning name it. A prediction that is NaN or infinite where a value was observed makes all its target's
    scores NaN, and all means.

    Args:
        targets: names, T.
        scores: to compute; each keeps its own states.
        split: split of the data, for messages.
    """

    full_state_update = False

    def __init__(self, targets: Sequence[str], scores: Sequence[TargetScore], split: str) -> None:
        super().__init__()
        self.targets, self.split = tuple(targets), split
        self.scores = nn.ModuleList(scores)
        self.ranges = TargetRanges(len(self.targets))
        self.names = tuple(name for score in scores for name in score.names)
        self.constant_reason = "has the same value everywhere"
        self._warned: set[str] = set()

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Add one batch: (B, T, ...) and (B, T, ...), NaN where nothing was measured."""
        for metric in self._metrics():
            metric.update(prediction, target)

    def per_target(self) -> dict[str, Tensor]:
        """Each score per target, (T,); NaN where it is not defined, or a prediction is NaN."""
        return self.masked({name: value for score in self._scores() for name, value in score.per_target().items()})

    def masked(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        """Set scores (T,) to NaN of targets of which a prediction is NaN or infinite."""
        invalid = self.ranges.per_target()["invalid"] > 0
        return {name: value.masked_fill(invalid.to(value.device), torch.nan) for name, value in values.items()}

    def mean(self, per_target: dict[str, Tensor]) -> dict[str, Tensor]:
        """Mean of each score over the targets for which it is defined; NaN where any prediction is.

        Args:
            per_target: what `per_target` gives.
        """
        if self.ranges.counts[1].any():
            return {name: value.new_tensor(torch.nan) for name, value in per_target.items()}
        return {name: torch.nanmean(value) for name, value in per_target.items()}

    def compute(self) -> dict[str, Tensor]:
        """Means over targets, from the values of all processes; logs a warning for each reason to leave targets out."""
        with self.sync_context():
            values = self.per_target()
            self.warn(values)
            return self.mean(values)

    def reset(self) -> None:
        """Forget all values."""
        super().reset()
        for metric in self._metrics():
            metric.reset()

    @contextmanager
    def sync_context(self, *arguments: Any, **options: Any) -> Generator[None]:
        """Work with the values of all processes inside; arguments as of `torchmetrics.Metric.sync_context`."""
        with ExitStack() as stack:
            for metric in self._metrics():
                stack.enter_context(metric.sync_context(*arguments, **options))
            yield

    def explain(self, per_target: dict[str, Tensor]) -> list[str]:
        """One sentence for each reason why scores are not defined, naming the split and the targets.

        Args:
            per_target: what `per_target` gives.
        """
        ranges = self.ranges.per_target()
        empty, constant = ranges["observed"] == 0, ~ranges["target_varies"]
        reasons = {
            "has no value": empty,
            self.constant_reason: constant & ~empty,
            "has the same prediction everywhere": ~ranges["prediction_varies"] & ~constant & (ranges["invalid"] == 0),
            "has a prediction that is NaN or infinite": ranges["invalid"] > 0,
        }
        sentences = (self._sentence(reason, mask.cpu(), per_target) for reason, mask in reasons.items())
        return [sentence for sentence in sentences if sentence]

    def _sentence(self, reason: str, mask: Tensor, per_target: dict[str, Tensor]) -> str:
        """What is not defined for the targets of a mask (T,); empty where everything is."""
        undefined = [name for name, value in per_target.items() if value.cpu()[mask].isnan().any()]
        if not undefined:
            return ""
        names = [self.targets[index] for index in mask.nonzero().flatten().tolist()]
        which = f"target {names[0]!r}" if len(names) == 1 else f"each of {len(names)} targets ({some_of(names)})"
        mean = "the mean is NaN" if "NaN" in reason else "the mean leaves it out"
        return f"{self.split} split: {which} {reason}: {', '.join(undefined)} not defined, {mean}"

    def warn(self, per_target: dict[str, Tensor]) -> None:
        """Log what `explain` says, each sentence once, from one process.

        Args:
            per_target: what `per_target` gives.
        """
        if torch.distributed.is_available() and torch.distributed.is_initialized() and torch.distributed.get_rank():
            return
        for sentence in self.explain(per_target):
            if sentence not in self._warned:
                self._warned.add(sentence)
                _log.warning(sentence)

    def _scores(self) -> list[TargetScore]:
        return [score for score in self.scores if isinstance(score, TargetScore)]

    def _metrics(self) -> list[TargetScore]:
        return [*self._scores(), self.ranges]
