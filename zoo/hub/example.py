"""Example sequences that are stored with weights, together with the model's prediction for them."""

import math

import torch

from zoo.models._base import SequenceModel

__all__ = ["example_for"]

# Sequences of an example, and values of their predictions, at most; one sequence is always stored.
_EXAMPLES, _EXAMPLE_VALUES = 8, 500_000


def example_for(model: SequenceModel, length: int) -> dict[str, torch.Tensor]:
    """Make arguments of `predict` to store with weights: few sequences where each has a large prediction.

    They are random: nothing of public data enters a checkpoint.

    Args:
        model: whose example it is.
        length: bases of each sequence, L.

    Returns:
        `codes` uint8 (n, L), and `inputs` float32 (n, I, L / size) for a model that reads tracks too.
    """
    count = min(_EXAMPLES, max(1, _EXAMPLE_VALUES // math.prod(model.output.shape)))
    random = torch.Generator().manual_seed(0)
    example = {"codes": torch.randint(0, 4, (count, length), generator=random).to(torch.uint8)}
    if names := model.inputs.names:
        example["inputs"] = torch.rand(count, len(names), length // model.inputs.size, generator=random)
    return example
