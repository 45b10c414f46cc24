"""Tracks that a model reads in addition to the sequence. Shapes: B batch, L bases, C channels, I tracks."""

import torch
from torch import Tensor

from zoo.batch import InputSpec
from zoo.errors import ConfigError

__all__ = ["as_channels", "check_inputs", "check_strand_pairs", "reverse_complement_inputs"]


def check_strand_pairs(inputs: InputSpec) -> None:
    """Check that strand partners are each other's.

    Raises:
        ConfigError: not one index for each track, or an index that does not point back.
    """
    pairs = inputs.strand_pairs
    if not pairs:
        return
    count = len(inputs.names)
    if sorted(pairs) != list(range(count)) or any(pairs[partner] != index for index, partner in enumerate(pairs)):
        raise ConfigError(f"inputs.strand_pairs must be {count} indices of inputs, each the other's partner")


def check_inputs(inputs: InputSpec, length: int) -> None:
    """Check tracks whose values are repeated for each base.

    Args:
        inputs: the tracks.
        length: bases that the model reads.

    Raises:
        ConfigError: wrong partners, or a size that does not divide the length.
    """
    check_strand_pairs(inputs)
    if inputs.names and (inputs.size < 1 or length % inputs.size):
        raise ConfigError(f"inputs of {inputs.size} bases per value do not divide the length of {length} bases")


def as_channels(onehot: Tensor, inputs: Tensor | None, size: int) -> Tensor:
    """Append tracks to the one-hot bases as further channels, each value repeated for its `size` bases.

    Args:
        onehot: (B, 4, L).
        inputs: (B, I, L / size); None for none.
        size: bases per value.

    Returns:
        (B, 4 + I, L).
    """
    if inputs is None:
        return onehot
    return torch.cat([onehot, inputs.to(onehot.dtype).repeat_interleave(size, -1)], 1)


def reverse_complement_inputs(values: Tensor, inputs: InputSpec) -> Tensor:
    """Map tracks (B, I, P) to the other strand: positions reversed, strand partners swapped."""
    flipped = values.flip(-1)
    return flipped[:, list(inputs.strand_pairs)] if inputs.strand_pairs else flipped
