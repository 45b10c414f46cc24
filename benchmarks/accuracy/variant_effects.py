"""Effects of variants that models predict: differences of raw outputs, both strands averaged.

Shapes: V variants, N sequences, L bases, T targets.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from accuracy.variant_windows import Windows
from numpy.typing import NDArray

from zoo.genome.sequence import Codes, reverse_complement
from zoo.models._base import SequenceModel

__all__ = ["Raw", "predict_effects", "raw_outputs"]

# Codes (N, L) -> raw outputs (N, T): logits of a model of classes, values of a model of measurements.
Raw = Callable[[Codes], NDArray[np.float64]]
_SEQUENCES_AT_ONCE = 512


def raw_outputs(model: SequenceModel) -> Raw:
    """Make a function that predicts the model's raw outputs, averaged over both strands."""
    model.eval()

    def predict(codes: Codes) -> NDArray[np.float64]:
        """Predict (N, L) -> (N, T)."""
        blocks = np.array_split(codes, len(codes) // _SEQUENCES_AT_ONCE + 1)
        with torch.inference_mode():
            means = [
                (model.raw(torch.from_numpy(block)) + model.raw(torch.from_numpy(reverse_complement(block)))) / 2
                for block in blocks
            ]
        return torch.cat(means).double().numpy()

    return predict


def predict_effects(raw: Raw, windows: Sequence[Windows]) -> list[NDArray[np.float64]]:
    """Predict the difference that each variant makes, other allele minus reference: (V, T) of each set of windows.

    Windows that are equal, such as the references of all variants of a base, are predicted once.
    """
    stacked = np.concatenate([alleles for pair in windows for alleles in pair])
    distinct, row = np.unique(stacked, axis=0, return_inverse=True)
    values = raw(distinct)[row.ravel()]
    ends = np.cumsum([len(alleles) for pair in windows for alleles in pair])[:-1]
    parts = np.split(values, ends)
    return [other - reference for reference, other in zip(parts[::2], parts[1::2], strict=True)]
