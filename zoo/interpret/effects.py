"""What mutants change in a prediction: each label, or the sum over bins of a track or pairs of bins of a contact map.

Shapes: M mutants, L bases, n bases that change, T targets, B bins or pairs of bins.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.errors import ConfigError
from zoo.interpret.predictor import MutantPredictor, Predicted
from zoo.interpret.windows import Index
from zoo.outputs import Contacts, Output, Tracks

__all__ = ["Effects", "Summary"]

# Predicted numbers that are held at once.
_NUMBERS = 1 << 24


class Effects(NamedTuple):
    """Changes of predictions, mutant minus reference, in natural units.

    Attributes:
        change: float32 (..., T): of labels the change; of tracks and contact maps the change of the sum over bins.
        absolute: float32 (..., T): the sum over bins of absolute changes; None for labels.
    """

    change: NDArray[np.float32]
    absolute: NDArray[np.float32] | None


class Summary:
    """Which numbers of a prediction count.

    Args:
        output: output of the model.
        rows: indices of the targets wanted.
        bins: bins [first, last) that count, of a contact map the pairs of them; None for all.

    Raises:
        ConfigError: bins that the model does not predict, or of a model of labels.
    """

    def __init__(self, output: Output, rows: Sequence[int], bins: tuple[int, int] | None = None) -> None:
        self.rows, self.size = list(rows), math.prod(output.shape)
        self.chosen = None if bins is None else _chosen(output, bins)

    def of(self, values: Tensor) -> Effects:
        """Sums of values (M, T, B), or labels themselves (M, T)."""
        values = values[:, self.rows].float()
        if values.ndim == 2:
            return Effects(values.cpu().numpy(), None)
        values = values if self.chosen is None else values[..., self.chosen.to(values.device)]
        return Effects(values.sum(-1).cpu().numpy(), values.abs().sum(-1).cpu().numpy())

    def changes(self, predicted: Predicted, predict: Callable[[slice], Tensor], mutants: int) -> Effects:
        """Summaries of mutants minus those of their only reference, in bounded memory.

        Args:
            predicted: the reference.
            predict: predicts some of the mutants (M', *output.shape).
            mutants: M.
        """
        step = max(1, _NUMBERS // self.size)
        parts = [self.of(predicted.values[:0])]
        some = (slice(first, min(first + step, mutants)) for first in range(0, mutants, step))
        parts += [self.of(predict(one) - predicted.values[:1]) for one in some]
        change, absolute = zip(*parts, strict=True)
        return Effects(np.concatenate(change), None if absolute[0] is None else np.concatenate(absolute))

    def of_mutants(self, predictor: MutantPredictor, predicted: Predicted, codes: Tensor, starts: Index) -> Effects:
        """Changes by bases (M, n) that are put at starts (M,) of the only reference."""
        return self.changes(
            predicted, lambda some: predictor.mutants(predicted, codes[some], starts[some]), len(starts)
        )


def _chosen(output: Output, bins: tuple[int, int]) -> Tensor:
    """Indices of the bins of a track, or of the pixels of a contact map, that lie in a range of bins."""
    first, last = bins
    if not isinstance(output, Tracks | Contacts):
        raise ConfigError(f"bins are of tracks and contact maps; this model predicts {output.kind}")
    if not 0 <= first < last <= output.bins:
        raise ConfigError(f"the model predicts bins 0 to {output.bins}, so bins {first}-{last} cannot be chosen")
    if isinstance(output, Tracks):
        return torch.arange(first, last)
    rows, columns = output.pixels()
    inside = (rows >= first) & (columns < last)
    if not inside.any():
        raise ConfigError(f"no pair of the bins {first}-{last} lies on a diagonal that the model predicts: choose more")
    return inside.nonzero()[:, 0]
