"""Windows around variants of an element, for models that read a fixed number of bases. Shapes: V variants, L bases."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.datasets.satmut_mpra import DELETED
from zoo.genome.sequence import UNKNOWN, Codes

__all__ = ["HELD", "Held", "Windows", "variant_windows"]

# Which flank of a deleted base keeps its place in the window; the other one moves up by a base.
Held = Literal["left", "right"]
HELD: tuple[Held, Held] = ("left", "right")


class Windows(NamedTuple):
    """Windows with both alleles of each variant: uint8 (V, L) each."""

    reference: Codes
    alternative: Codes


def variant_windows(
    codes: Codes,
    position: NDArray[np.int64],
    alternative: NDArray[np.uint8],
    length: int,
    held: Held = "left",
    shift: int = 0,
) -> Windows:
    """Cut a window around each variant, moved as little as needed to lie within the element.

    A variant that is not near an end has index `length // 2`. A shorter element is in the middle, with N around it.

    Args:
        codes: the element, uint8.
        position: position of each variant in it, from 0 (V,).
        alternative: code of its allele, or `DELETED` (V,).
        length: bases of a window, L.
        held: of a deletion, the flank that keeps its place; at the far end of the other one a base enters the window,
            N where the element has none.
        shift: bases by which windows are moved to the right, as far as they stay within the element, or it in them.
    """
    spare = len(codes) - length
    middle = position - length // 2 if spare >= 0 else np.full(len(position), spare // 2)
    start = np.clip(middle + shift, min(spare, 0), max(spare, 0))
    margin = length + 1
    padded = np.pad(codes, margin, constant_values=UNKNOWN)
    column, variant = np.arange(length), (position - start)[:, None]
    index = start[:, None] + margin + column  # (V, L)
    reference = padded[index]
    moved = (column >= variant).astype(np.int64) if held == "left" else -(column <= variant).astype(np.int64)
    deleted = alternative == DELETED
    changed = np.where(deleted[:, None], padded[index + moved], reference)
    row = np.flatnonzero(~deleted)
    changed[row, variant[row, 0]] = alternative[row]
    return Windows(reference, changed)
