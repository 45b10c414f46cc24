"""Example inputs that are stored beside weights, with what the model predicts for them."""

import math

import torch

from zoo.models._base import SequenceModel

__all__ = ["made_example"]

# Sequences that are stored as examples, and values of their predictions at most, but for a single sequence.
_EXAMPLES, _EXAMPLE_VALUES = 8, 500_000


def made_example(model: SequenceModel, length: int) -> dict[str, torch.Tensor]:
    """Arguments of `predict` to store with what it gives beside weights; few where much is predicted for each.

    `codes` (n, L), and `inputs` (n, I, P) for a model that reads tracks beside the sequence.

    They are made: nothing of public data enters a checkpoint.
    """
    count = min(_EXAMPLES, max(1, _EXAMPLE_VALUES // math.prod(model.output.shape)))
    random = torch.Generator().manual_seed(0)
    found = {"codes": torch.randint(0, 4, (count, length), generator=random).to(torch.uint8)}
    if model.inputs:
        found["inputs"] = torch.rand(count, len(model.inputs), length // model.input_size, generator=random)
    return found
