"""How peaks become sites, and the report of what happened to them."""

import math
from dataclasses import dataclass, field

from zoo.data.genome_split import SplitRules
from zoo.errors import ConfigError, InputError

__all__ = ["PeakRules", "Report"]


@dataclass(frozen=True, kw_only=True)
class PeakRules(SplitRules):
    """How peaks become sites, and which split each is in: see `SplitRules`, whose seed is that of the negatives too.

    Args:
        length: bases of every site: what the model will read.
        merge_overlap: windows that overlap by so many bases become one site; None for a third of the length, as Basset.
        summits: centre a narrowPeak on its summit; else every peak on its middle.
        blacklist: BED file of what no site may touch.
        min_unmasked: share of a site's bases that must be unmasked; N is masked.
        soft_masked: whether lower-case letters count as masked too.
        negatives: windows without a peak added for each site, matched in GC content and split.
    """

    length: int = 600
    merge_overlap: int | None = None
    summits: bool = True
    blacklist: str | None = None
    min_unmasked: float = 0.5
    soft_masked: bool = False
    negatives: float = 0.0

    def __post_init__(self) -> None:
        overlap = self.overlap
        if self.length < 1 or not 0 < overlap <= self.length:
            raise ConfigError(f"windows of {self.length} bases cannot overlap by {overlap}")
        self.check(self.length)
        if not 0 <= self.min_unmasked <= 1 or not 0 <= self.negatives < math.inf:
            raise ConfigError("min_unmasked is a share from 0 to 1, negatives a number from 0 up")

    @property
    def overlap(self) -> int:
        """Bases by which windows overlap that become one site."""
        return self.length // 3 if self.merge_overlap is None else self.merge_overlap


@dataclass
class Report:
    """What happened to the peaks: one line a step, with how many were dropped, and why."""

    lines: list[str] = field(default_factory=list)

    def say(self, line: str) -> None:
        """Add a line."""
        self.lines.append(line)

    def drop(self, count: int, kind: str, why: str) -> None:
        """Add a line for what was dropped, if anything was."""
        if count:
            self.say(f"{count:,} {kind} dropped: {why}")

    def refuse_if_empty(self, left: int, kind: str) -> None:
        """Refuse to go on with nothing, showing the count of every step."""
        if not left:
            raise InputError(f"no {kind} is left: {'; '.join(self.lines)}")
