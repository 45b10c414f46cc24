"""Windows on a genome that are read when they are asked for. N windows, L bases."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zoo.genome import Genome
from zoo.sequence import Codes

__all__ = ["GenomeWindows"]


class GenomeWindows:
    """Windows of one length: nothing is kept of them but where they are. Indexed like an array of codes (N, L).

    Args:
        genome: that they lie on.
        contig: the number of each window's contig, in the order of `genome.contigs` (N,).
        start: its first base, 0-based (N,).
        length: bases L of each.
    """

    def __init__(self, genome: Genome, contig: NDArray[np.int64], start: NDArray[np.int64], length: int) -> None:
        self.genome, self.contig, self.start, self.length = genome, contig, start, length

    def __len__(self) -> int:
        return len(self.start)

    @property
    def shape(self) -> tuple[int, int]:
        """(N, L)."""
        return len(self.start), self.length

    def __getitem__(self, rows: NDArray[np.int64] | Sequence[int]) -> Codes:
        return self.genome.windows(self.contig[rows], self.start[rows], self.length)

    def read(self, rows: NDArray[np.int64], offset: NDArray[np.int64]) -> Codes:
        """The windows of these rows, each begun `offset` bases further right: (rows, L)."""
        return self.genome.windows(self.contig[rows], self.start[rows] + offset, self.length)

    def select(self, keep: NDArray[np.bool_]) -> "GenomeWindows":
        """The windows for which `keep` (N,) holds; none is read."""
        return GenomeWindows(self.genome, self.contig[keep], self.start[keep], self.length)
