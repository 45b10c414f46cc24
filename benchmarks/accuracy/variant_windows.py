"""Windows around variants of an element, for models that read a fixed number of bases. Shapes: V variants, L bases."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.datasets.satmut_mpra import DELETED
from zoo.genome.sequence import UNKNOWN, Codes

__all__ = ["Held", "Windows", "variant_windows"]

# Which flank of a deleted base keeps its place in the window; the other one moves up by a base.
Held = Literal["left", "right"]


class Windows(NamedTuple):
    """Windows with both alleles of each variant: uint8 (V, L) each."""

    reference: Codes
    alternative: Codes


def variant_windows(
    codes: Codes, position: NDArray[np.int64], alternative: NDArray[np.uint8], length: int, held: Held = "left"
) -> Windows:
    """Cut a window around each variant, whose base is at index `length // 2`; N beyond the element.

    Args:
        codes: the element, uint8.
        position: position of each variant in it, from 0 (V,).
        alternative: code of its allele, or `DELETED` (V,).
        length: bases of a window, L.
        held: of a deletion, the flank that keeps its place; at the far end of the other one a base enters the window.
    """
    margin = length + 1
    padded = np.pad(codes, margin, constant_values=UNKNOWN)
    centre, column = length // 2, np.arange(length)
    index = position[:, None] + (margin - centre) + column  # (V, L)
    reference = padded[index]
    moved = (column >= centre).astype(np.int64) if held == "left" else -(column <= centre).astype(np.int64)
    deleted = alternative == DELETED
    changed = np.where(deleted[:, None], padded[index + moved], reference)
    changed[~deleted, centre] = alternative[~deleted]
    return Windows(reference, changed)
