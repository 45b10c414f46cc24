"""The sequences of sites of a genome, read one by one as they are predicted."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import Codes

__all__ = ["SiteCodes"]


class SiteCodes(Sequence[Codes]):
    """Codes of sites of a genome, each read when it is asked for.

    Args:
        genome: the genome.
        sites: the sites (N).

    Attributes:
        lengths: bases of each (N,).
    """

    def __init__(self, genome: Genome, sites: Sequence[Interval]) -> None:
        self._genome, self._sites = genome, sites
        self.lengths = np.array([len(site) for site in sites])

    def __len__(self) -> int:
        return len(self._sites)

    def base_after(self, index: int) -> int:
        """Code of the base that follows a site, in the direction of its strand; N past the contig's end."""
        site = self._sites[index]
        start = site.start - 1 if site.strand == "-" else site.end
        return int(self._genome.codes(replace(site, start=start, end=start + 1))[0])

    def __getitem__(self, index: Any) -> Any:
        """Codes uint8 (L,) of one site, or of a slice of them."""
        if isinstance(index, slice):
            return SiteCodes(self._genome, self._sites[index])
        return self._genome.codes(self._sites[index])
