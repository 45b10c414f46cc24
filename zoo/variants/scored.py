"""What scoring gives: rows of alleles, and what became of them.

Shapes: N alleles, T targets, S scores.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from zoo.formats.alleles import Variant
from zoo.variants.sources import Block

__all__ = ["PAST_THE_END", "Counts", "Kept", "ScoredAlleles"]

PAST_THE_END = "window reaches past the end of the contig, where it is N"


class ScoredAlleles(NamedTuple):
    """Scores of some alleles.

    Attributes:
        variants: the alleles (N).
        notes: for each allele why it has no scores, or what is to be known of them; empty for nothing (N).
        values: float64 (N, S, T), NaN without scores.
    """

    variants: list[Variant]
    notes: list[str]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.variants)


class Kept(Protocol):
    """Where the scores of blocks are kept; see `zoo.variants.kept.KeptBlocks`."""

    def load(self, block: Block) -> ScoredAlleles | None:
        """The scores of a block that is kept; None for none."""

    def keep(self, block: Block, scored: ScoredAlleles) -> None:
        """Keep the scores of a block."""


@dataclass
class Counts:
    """What became of the alleles so far.

    Attributes:
        alleles: their number.
        scored: those with scores.
        reasons: reason -> alleles that have no scores for it, without what is of one allele only.
        padded: alleles whose window reaches past the end of a contig.
    """

    alleles: int = 0
    scored: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    padded: int = 0
