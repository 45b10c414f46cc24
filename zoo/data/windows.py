"""Windows on a genome that are read when they are asked for. N windows, L bases."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from zoo.genome.fasta import Genome
from zoo.genome.sequence import Codes, reverse_complement
from zoo.utils.progress import bar

__all__ = ["GenomeWindows", "blocks"]

_BASES_AT_ONCE = 4_000_000


def blocks(count: int, length: int, doing: str) -> Iterator[slice]:
    """Slices of so many windows that their bases fit into memory, whatever their length, with a progress bar."""
    size = max(1, _BASES_AT_ONCE // length)
    for first in bar(range(0, count, size), doing):
        yield slice(first, min(first + size, count))


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

    def digest(self) -> NDArray[np.uint64]:
        """A number for each window (N,), the same for those of the same bases, on either strand.

        Two windows of different bases share one by a chance of 1 in 10^19.
        """
        factor = np.random.default_rng(0).integers(0, 2**63, self.length, dtype=np.uint64)
        found = np.empty(len(self), np.uint64)
        for rows in blocks(len(self), self.length, "comparing windows"):
            codes = self.genome.windows(self.contig[rows], self.start[rows], self.length)
            found[rows] = np.minimum(codes @ factor, reverse_complement(codes) @ factor)
        return found

    def select(self, keep: NDArray[np.bool_]) -> "GenomeWindows":
        """The windows for which `keep` (N,) holds; none is read."""
        return GenomeWindows(self.genome, self.contig[keep], self.start[keep], self.length)
