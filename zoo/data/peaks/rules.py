"""PeakRules: how peaks become sites; Report: what happened to the peaks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zoo.data.genome_split import SplitRules
from zoo.errors import ConfigError, InputError
from zoo.utils.text import some_of

__all__ = ["PeakRules", "Report"]


@dataclass(frozen=True, kw_only=True)
class PeakRules(SplitRules):
    """Options that turn peaks into sites and split them (see `SplitRules`; its seed also draws the negatives).

    Args:
        length: bases of every site: what the model reads.
        merge_overlap: overlap in bases from which two windows become one site; None for a third of the length, as in
            Basset (Kelley 2016, doi:10.1101/gr.200535.115).
        summits: centre narrowPeak peaks on their summits; else every peak on its middle.
        blacklist: BED file of regions that no site may touch.
        min_unmasked: smallest fraction of a site's bases that must be unmasked; N is masked.
        soft_masked: count lower-case letters as masked too.
        negatives: windows without a peak that are added per site, matched in GC content and split; None for one, or for
            none where only the lengths of contigs are known.
    """

    length: int = 600
    merge_overlap: int | None = None
    summits: bool = True
    blacklist: str | None = None
    min_unmasked: float = 0.5
    soft_masked: bool = False
    negatives: float | None = None

    def __post_init__(self) -> None:
        overlap = self.overlap
        if self.length < 1 or not 0 < overlap <= self.length:
            raise ConfigError(f"windows of {self.length} bases cannot overlap by {overlap}")
        self.check(self.length)
        if not 0 <= self.min_unmasked <= 1 or not 0 <= (self.negatives or 0) < math.inf:
            raise ConfigError("min_unmasked must lie in [0, 1], and negatives must be a number from 0 up")

    @property
    def overlap(self) -> int:
        """Overlap in bases from which two windows become one site."""
        return self.length // 3 if self.merge_overlap is None else self.merge_overlap


@dataclass
class Report:
    """Report of the preparation of peaks: one line per step, with the number dropped and the reason."""

    lines: list[str] = field(default_factory=list)

    def say(self, line: str) -> None:
        """Add a line."""
        self.lines.append(line)

    def drop(self, count: int, kind: str, why: str) -> None:
        """Add a line about what was dropped, if anything was."""
        if count:
            self.say(f"{count:,} {kind} dropped: {why}")

    def refuse_if_empty(self, left: int, kind: str) -> None:
        """Refuse to continue with nothing.

        Raises:
            InputError: nothing is left; the message has the count of every step.
        """
        if not left:
            raise InputError(f"no {kind} is left: {'; '.join(self.lines)}")

    def refuse_empty_targets(self, count: NDArray[np.int64], targets: Sequence[str], kind: str) -> None:
        """Refuse to continue without anything of some target.

        Raises:
            InputError: a count (T,) is 0; the message has the count of every step.
        """
        empty = [name for name, left in zip(targets, count, strict=True) if not left]
        if empty:
            raise InputError(f"no {kind} is left of {some_of(empty)}: {'; '.join(self.lines)}")
