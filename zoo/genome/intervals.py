"""Genomic intervals, 0-based and half-open."""

import re
from dataclasses import dataclass

from zoo.errors import InputError
from zoo.utils.text import quoted

__all__ = ["LONGEST_CONTIG", "Interval", "is_region", "parse_region"]

_REGION = re.compile(r"(\S+):([0-9,]{1,20})-([0-9,]{1,20})")
LONGEST_CONTIG = 2**31 - 1  # bases, in every format of the field


@dataclass(frozen=True, slots=True)
class Interval:
    """A genomic interval [start, end), 0-based.

    Attributes:
        chrom: name of the contig.
        start: first base.
        end: base after the last one.
        name: name of the interval; may be empty.
        strand: '+', '-' or '.'.
        centre: base around which `resized` takes another length, such as the summit of a peak; None for the middle.
    """

    chrom: str
    start: int
    end: int
    name: str = ""
    strand: str = "."
    centre: int | None = None

    def __len__(self) -> int:
        return self.end - self.start

    def __str__(self) -> str:
        return f"{self.chrom}:{self.start}-{self.end}" + (f"({self.strand})" if self.strand != "." else "")

    @property
    def label(self) -> str:
        """Name of the interval in a table: its own name, or its coordinates."""
        return self.name or str(self)

    def resized(self, length: int) -> "Interval":
        """Interval of another length with the same centre; rounded down where it lies between two bases."""
        start = self.start + (len(self) - length) // 2 if self.centre is None else self.centre - length // 2
        return Interval(self.chrom, start, start + length, self.name, self.strand)


def is_region(text: str) -> bool:
    """Whether a text has the form of a region; it may be empty or reversed."""
    return _REGION.fullmatch(text) is not None


def parse_region(text: str) -> Interval:
    """Parse a region such as `chrIX:100,000-110,000`, 0-based and half-open as BED.

    Raises:
        InputError: a text of another form, an empty or reversed region, or one past any chromosome.
    """
    match = _REGION.fullmatch(text)
    if not match:
        raise InputError(f"the region {quoted(text)} is not of the form chrIX:100,000-110,000")
    start, end = (int(number.replace(",", "") or 0) for number in match.groups()[1:])
    if end > LONGEST_CONTIG:
        raise InputError(f"the region {quoted(text)} ends past any chromosome")
    if end <= start:
        raise InputError(f"the region {quoted(text)} is empty or reversed")
    return Interval(match[1], start, end)
