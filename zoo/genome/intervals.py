"""Genomic intervals, 0-based and half-open."""

import re
from dataclasses import dataclass

from zoo.errors import InputError

__all__ = ["Interval", "parse_region"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of a genome: `start` is 0-based, `end` is not part of it. `strand` is '+', '-' or '.'."""

    chrom: str
    start: int
    end: int
    name: str = ""
    strand: str = "."

    def __len__(self) -> int:
        return self.end - self.start

    def __str__(self) -> str:
        return f"{self.chrom}:{self.start}-{self.end}" + (f"({self.strand})" if self.strand != "." else "")

    @property
    def label(self) -> str:
        """What a table calls it: its name, or its coordinates."""
        return self.name or str(self)

    def resized(self, length: int) -> "Interval":
        """The interval of that length with the same centre (its own length's odd base goes to the right)."""
        start = self.start + (len(self) - length) // 2
        return Interval(self.chrom, start, start + length, self.name, self.strand)


def parse_region(text: str) -> Interval:
    """Read `chrIX:100,000-110,000`, 0-based and half-open as BED.

    Raises:
        InputError: it is not such a text.
    """
    found = re.fullmatch(r"(\S+):([\d,]+)-([\d,]+)", text)
    if not found:
        raise InputError(f"the region {text!r} is not of the form chrIX:100,000-110,000")
    start, end = (int(number.replace(",", "") or 0) for number in found.groups()[1:])
    if end <= start:
        raise InputError(f"the region {text!r} is empty or reversed")
    return Interval(found[1], start, end)
