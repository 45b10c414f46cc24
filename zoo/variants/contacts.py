"""Scores of contact maps: how much the map changes, and how well the change's bin separates its two sides.

Shapes: B variants, T targets, P pixels, N bins of a side, S scores.
"""

from collections.abc import Sequence
from typing import ClassVar, cast

import torch
from torch import Tensor

from zoo.models._base import SequenceModel
from zoo.outputs import Contacts
from zoo.variants.scores import Outputs, Scores

__all__ = ["ContactScores"]

_DIAMOND = 10  # bins on either side of the one whose insulation is computed


class ContactScores(Scores):
    """Scores of contact maps.

    Args:
        model: the model.
        names: the scores that are wanted; None for all.
    """

    described: ClassVar = {
        "mean_change": "mean over the map of the absolute difference",
        "max_change": "largest absolute difference of the map",
        "insulation": "change of the mean of the contacts across the change's bin, of the 10 bins on either side: "
        "negative where the alternative insulates more",
    }

    def __init__(self, model: SequenceModel, names: Sequence[str] | None) -> None:
        super().__init__(model, names)
        self.output = cast(Contacts, model.output)
        self._pixels = self.output.pixels()

    def compute(self, reference: Outputs, alternative: Outputs, centre: Tensor) -> Tensor:
        """Compute the scores."""
        difference = self.natural(alternative) - self.natural(reference)  # (B, T, P)
        values = {"mean_change": difference.abs().mean(-1), "max_change": difference.abs().amax(-1)}
        if "insulation" in self.names:
            mask = self._across(centre)[:, None].to(difference)  # (B, 1, P)
            values["insulation"] = (difference * mask).sum(-1) / mask.sum(-1)
        return torch.stack([values[name] for name in self.names], 1)

    def _across(self, centre: Tensor) -> Tensor:
        """Pixels whose two bins lie on different sides of the change's bin, near it (B, P)."""
        output, size = self.output, self.output.bin_size
        middle = ((centre - output.crop) // size).clamp(0, output.bins - 1)[:, None]  # (B, 1)
        rows, columns = (one.to(centre.device) for one in self._pixels)
        before = (rows <= middle) & (rows > middle - _DIAMOND)
        after = (columns >= middle) & (columns < middle + _DIAMOND)
        return before & after
