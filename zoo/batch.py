"""What travels from a DataModule to a model."""

from typing import NamedTuple

from torch import Tensor

__all__ = ["Batch"]


class Batch(NamedTuple):
    """Sequences with what was measured on them.

    Attributes:
        codes: uint8 (B, L): one byte a base crosses to the device, not sixteen.
        target: float32 (B, *output.shape); NaN where nothing was measured.
        inputs: float32 (B, I, P), tracks that are read beside the sequence; None where a model reads it alone.
    """

    codes: Tensor
    target: Tensor
    inputs: Tensor | None = None
