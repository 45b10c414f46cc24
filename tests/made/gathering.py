"""Metrics of two processes, gathered in one process as torchmetrics does."""

from collections.abc import Callable
from typing import Any

from torchmetrics.utilities import dim_zero_cat

from zoo.metrics.base import TargetMetrics, TargetScore

__all__ = ["gather_with"]


def gather_with(other: TargetMetrics) -> Callable[..., list[Any]]:
    """Make a function that torchmetrics can call to gather the states of a process and of a second one, in turn."""
    scores = [score for score in other.modules() if isinstance(score, TargetScore)]
    states = [getattr(score, name) for score in scores for name in score._defaults]
    others = iter([dim_zero_cat(state) if isinstance(state, list) else state for state in states])
    return lambda value, group=None: [value, next(others)]
