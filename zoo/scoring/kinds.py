"""What is kept of each unit of evaluation, by kind: of a sequence its prediction and labels, of a window its moments.

Shapes: B batch, M targets, N units, V values of a window, R resamples.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Resampled", "Scores", "Units"]

Arrays = Mapping[str, NDArray[Any]]
# Score -> value of each target.
Scores = dict[str, NDArray[np.float64]]
# Of weights (r, N): score -> values (r, M).
Resampled = Callable[[NDArray[np.int64]], Scores]


class Units(ABC):
    """What is kept of each unit, and the scores that follow from it.

    Attributes:
        name: what a unit is called.
        constant_reason: why a target cannot be scored whose values are all the same.
    """

    name: ClassVar[str]
    constant_reason = "has the same value everywhere"

    def begin(self, values: int) -> None:  # noqa: B027  (there may be nothing to prepare)
        """Prepare for so many values of all units and targets together."""

    @abstractmethod
    def of_batch(self, prediction: Tensor, target: Tensor) -> dict[str, NDArray[Any]]:
        """Keep of a batch (B, M, ...) what scores need: name -> array (B, ...)."""

    @abstractmethod
    def scores(self, arrays: Arrays) -> Scores:
        """Compute each score of all units, as `zoo.metrics` does: name -> (M,), NaN where it is not defined."""

    @abstractmethod
    def resampled(self, arrays: Arrays, notes: list[str]) -> Resampled:
        """Prepare the same scores of resamples; notes say which of them are not resampled."""
