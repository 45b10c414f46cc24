"""Two processes in one: what torchmetrics would gather."""

from collections.abc import Callable
from typing import Any

from torchmetrics.utilities import dim_zero_cat

from zoo.metrics.base import TargetMetrics, TargetScore

__all__ = ["gather_with"]


def gather_with(other: TargetMetrics) -> Callable[..., list[Any]]:
    """Make a function that torchmetrics can call to gather the states of a process and of a second one, in turn."""
    parts = [part for part in other.modules() if isinstance(part, TargetScore)]
    states = [getattr(part, name) for part in parts for name in part._defaults]
    others = iter([dim_zero_cat(state) if isinstance(state, list) else state for state in states])
    return lambda value, group=None: [value, next(others)]
