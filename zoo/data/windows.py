"""GenomeWindows: windows of a genome that are read on demand. Shapes: N windows, L bases."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from zoo.genome.fasta import Genome
from zoo.genome.regions import Regions
from zoo.genome.sequence import Codes, reverse_complement
from zoo.utils.progress import bar

__all__ = ["GenomeWindows", "blocks"]

_BASES_AT_ONCE = 4_000_000


def blocks(count: int, length: int, doing: str) -> Iterator[slice]:
    """Slice windows into blocks whose bases fit into memory, with a progress bar.

    Args:
        count: number of windows.
        length: bases of each.
        doing: text of the progress bar.
    """
    size = max(1, _BASES_AT_ONCE // length)
    for first in bar(range(0, count, size), doing):
        yield slice(first, min(first + size, count))


class GenomeWindows:
    """Windows of one length, of which only the coordinates are kept. Indexed like an array of codes (N, L).

    Args:
        genome: genome of the windows.
        contig: index of each window's contig in `genome.contigs` (N,).
        start: first base of each window, 0-based (N,).
        length: bases of every window, L.
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
        """Read windows `rows` (B,), each shifted `offset` bases to the right (B,): codes uint8 (B, L)."""
        return self.genome.windows(self.contig[rows], self.start[rows] + offset, self.length)

    def digest(self) -> NDArray[np.uint64]:
        """Hash each window (N,): windows of the same bases, on either strand, have the same hash.

        Two windows of different bases have the same hash with a probability of 1 in 10^19.
        """
        factor = np.random.default_rng(0).integers(0, 2**63, self.length, dtype=np.uint64)
        digest = np.empty(len(self), np.uint64)
        for rows in blocks(len(self), self.length, "comparing windows"):
            codes = self.genome.windows(self.contig[rows], self.start[rows], self.length)
            digest[rows] = np.minimum(codes @ factor, reverse_complement(codes) @ factor)
        return digest

    def regions(self) -> Regions:
        """Find the regions of the genome that the windows cover."""
        return Regions.of(self.genome.contigs, np.stack([self.contig, self.start, self.start + self.length], 1))

    def select(self, keep: NDArray[np.bool_]) -> "GenomeWindows":
        """Select the windows for which `keep` (N,) is true, without reading them."""
        return GenomeWindows(self.genome, self.contig[keep], self.start[keep], self.length)
