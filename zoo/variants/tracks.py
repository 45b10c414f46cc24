"""Scores of tracks: sums and profiles over bins.

Shapes: B variants, T targets, N bins, S scores.
"""

from collections.abc import Sequence
from typing import ClassVar, cast

import torch
from torch import Tensor

from zoo.errors import ConfigError
from zoo.models._base import SequenceModel
from zoo.outputs import Tracks
from zoo.variants.scores import Outputs, Scores

__all__ = ["TrackScores"]


class TrackScores(Scores):
    """Scores of tracks, over all bins or those near the change.

    Args:
        model: the model.
        names: the scores that are wanted; None for all.
        within: bases on either side of the change; bins whose middle is not farther away count. None for all bins.

    Raises:
        ConfigError: a score that the model does not have, or a distance of less than half a bin.
    """

    described: ClassVar = {
        "log2_ratio": "log2 of (sum of the alternative + 1) over (sum of the reference + 1), over bins",
        "sum_difference": "SAD: sum over bins of the alternative minus that of the reference",
        "absolute_difference": "sum over bins of the absolute difference",
        "jsd": "Jensen-Shannon divergence of the profiles over bins, in bits: 0 for the same, 1 for disjoint ones",
        "ref": "sum over bins of the prediction for the reference",
        "alt": "sum over bins of the prediction for the alternative",
    }

    def __init__(self, model: SequenceModel, names: Sequence[str] | None, within: int | None = None) -> None:
        super().__init__(model, names)
        self.output = cast(Tracks, model.output)
        if within is not None and 2 * within < self.output.bin_size:
            raise ConfigError(f"within {within} bases there is no bin of {self.output.bin_size} bases")
        self.within = within

    def available(self) -> list[str]:
        """Profiles and ratios are of values from 0 up."""
        transform = self.model.target_transform
        if self.model.loss.counts and (transform is None or not transform.centre.any()):
            return list(self.described)
        return [name for name in self.described if name not in ("log2_ratio", "jsd")]

    def compute(self, reference: Outputs, alternative: Outputs, centre: Tensor) -> Tensor:
        """Compute the scores."""
        ref, alt = self.natural(reference), self.natural(alternative)  # (B, T, N)
        mask = self._mask(centre)
        ref, alt = ref * mask, alt * mask
        sums = ref.sum(-1), alt.sum(-1)  # (B, T) each
        values = {
            "sum_difference": sums[1] - sums[0],
            "absolute_difference": (alt - ref).abs().sum(-1),
            "ref": sums[0],
            "alt": sums[1],
        }
        if "log2_ratio" in self.names:
            values["log2_ratio"] = torch.log2(sums[1] + 1) - torch.log2(sums[0] + 1)
        if "jsd" in self.names:
            values["jsd"] = _divergence(ref, alt)
        return torch.stack([values[name] for name in self.names], 1)

    def _mask(self, centre: Tensor) -> Tensor:
        """1 for the bins that count, 0 for others (B, 1, N).

        Raises:
            ConfigError: for some change there is none.
        """
        output = self.output
        if self.within is None:
            return centre.new_ones((), dtype=torch.float64)
        middle = output.crop + output.bin_size * (torch.arange(output.bins, device=centre.device) + 0.5)
        near = (middle - centre[:, None]).abs() <= self.within
        if not near.any(1).all():
            raise ConfigError("the model predicts no bin near a change: leave out --within, or give smaller --shifts")
        return near[:, None].double()


def _divergence(one: Tensor, other: Tensor) -> Tensor:
    """Jensen-Shannon divergence of profiles (B, T, N) in bits (B, T); 0 where one is empty, which has no profile."""
    totals = one.sum(-1, keepdim=True), other.sum(-1, keepdim=True)
    known = (totals[0] > 0) & (totals[1] > 0)
    profiles = [values / torch.where(known, total, 1.0) for values, total in zip((one, other), totals, strict=True)]
    mean = (profiles[0] + profiles[1]) / 2
    parts = [torch.special.xlogy(profile, profile / mean.clamp(min=1e-300)) for profile in profiles]
    bits = (parts[0] + parts[1]).sum(-1) / 2 / torch.log(torch.tensor(2.0, dtype=torch.float64))
    return torch.where(known.squeeze(-1), bits.clamp(min=0), 0.0)
