"""What is computed of a model's outputs for both alleles; for labels here, for tracks and contacts in their files.

Shapes: B variants, T targets, S scores.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.errors import ConfigError
from zoo.models._base import SequenceModel

__all__ = ["LabelScores", "Outputs", "Scores", "chosen_scores"]

# Raw outputs (B, *output.shape) on one strand, or on both, mapped onto the given one.
Outputs = Sequence[Tensor]


class Scores(ABC):
    """Scores of one kind of output.

    Args:
        model: the model.
        names: the scores that are wanted, in this order; None for all that the model has.

    Attributes:
        names: their names (S).

    Raises:
        ConfigError: a score that the model does not have.
    """

    # Name -> what it is, of all scores of the kind.
    described: ClassVar[dict[str, str]] = {}

    def __init__(self, model: SequenceModel, names: Sequence[str] | None) -> None:
        self.model = model
        self.names = chosen_scores(self.available(), names)

    def available(self) -> list[str]:
        """The scores that the model has; the main one, by which effects are ranked, is first."""
        return list(self.described)

    @abstractmethod
    def compute(self, reference: Outputs, alternative: Outputs, centre: Tensor) -> Tensor:
        """Compute the scores.

        Args:
            reference: outputs for the reference.
            alternative: outputs for the alternative.
            centre: the base of the window in the middle of each change (B,).

        Returns:
            float64 (B, S, T).
        """

    def natural(self, outputs: Outputs) -> Tensor:
        """Outputs in natural units (B, *output.shape), the mean over strands, float64."""
        values = [self.model.activation(one.float()).double() for one in outputs]
        return torch.stack(values).mean(0)


class LabelScores(Scores):
    """Scores of labels."""

    described: ClassVar = {
        "log_odds": "log(p / (1 - p)) of the alternative minus that of the reference",
        "log2_ratio": "log2 of the alternative over the reference",
        "difference": "alternative minus reference, in the units of the target",
        "ref": "prediction for the reference",
        "alt": "prediction for the alternative",
    }

    def available(self) -> list[str]:
        """Of classes with log-odds, of values from 0 up with a ratio."""
        loss = self.model.loss
        lacking = {*([] if loss.classifies else ["log_odds"]), *([] if loss.counts else ["log2_ratio"])}
        return [name for name in self.described if name not in lacking]

    def compute(self, reference: Outputs, alternative: Outputs, centre: Tensor) -> Tensor:
        """Compute the scores."""
        ref, alt = self.natural(reference), self.natural(alternative)  # (B, T)
        values = {"difference": alt - ref, "ref": ref, "alt": alt}
        if "log_odds" in self.names:
            values["log_odds"] = _log_odds(alternative) - _log_odds(reference)
        if "log2_ratio" in self.names:
            values["log2_ratio"] = torch.log2(alt) - torch.log2(ref)
        return torch.stack([values[name] for name in self.names], 1)


def chosen_scores(available: Sequence[str], wanted: Sequence[str] | None) -> list[str]:
    """The scores that are wanted.

    Raises:
        ConfigError: one that the model does not have, or twice the same.
    """
    for name in wanted or []:
        if name not in available:
            raise ConfigError(f"the model has no score {name!r}: it has {', '.join(available)}")
    if wanted and len(set(wanted)) < len(wanted):
        raise ConfigError("a score is named twice")
    return list(wanted or available)


def _log_odds(outputs: Outputs) -> Tensor:
    """Log-odds of the mean probability over strands (B, T), from the raw outputs: probabilities near 1 are ties."""
    raw = torch.stack([one.double() for one in outputs])  # (strands, B, T)
    if len(raw) == 1:
        return raw[0]
    return F.logsigmoid(raw).logsumexp(0) - F.logsigmoid(-raw).logsumexp(0)
