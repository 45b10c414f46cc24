"""Which regions of a genome a DataModule of windows reads."""

from collections.abc import Iterator, Sequence

import numpy as np

from zoo.data.base import GenomicDataModule
from zoo.data.splits import SPLITS, Split
from zoo.data.window_plan import WindowPlan
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.kmers import LONGEST_KMER
from zoo.genome.regions import REGION_BLOCK, Regions
from zoo.genome.sequence import UNKNOWN, Codes

__all__ = ["ReadRegions"]

# Bases of a piece of a region that is read at once, and of all pieces: more would take minutes.
_PIECE, _MOST_BASES = 500 * REGION_BLOCK, 500_000_000


class ReadRegions(GenomicDataModule):
    """A DataModule of windows, of which a plan says where they lie."""

    reads_regions = True

    @property
    def plan(self) -> WindowPlan:
        """Contigs, their splits, and windows."""
        raise NotImplementedError

    @property
    def reference(self) -> Genome:
        """The opened genome."""
        raise NotImplementedError

    def regions_of(self, splits: Sequence[Split]) -> Regions:
        """Find the regions of splits, in which all windows of theirs lie with their context."""
        contig, start, end, split = self.plan.genome_split.regions()
        chosen = np.isin(split, [SPLITS.index(one) for one in splits])
        return Regions.of(self.plan.contigs, np.stack([contig, start, end], 1)[chosen])

    def sequences_of(self, splits: Sequence[Split]) -> Iterator[Codes]:
        """Read the regions of splits in blocks (n, 2,032) that overlap by 32 bases, padded with N at ends of regions.

        Blocks of N alone are left out, and all where the regions are larger than most genomes.
        """
        regions = self.regions_of(splits)
        if regions.bases > _MOST_BASES:
            return
        names = list(regions.contigs)
        for contig, start, end in regions.spans.tolist():
            for first in range(start, end, _PIECE):
                blocks = -(-min(_PIECE, end - first) // REGION_BLOCK)
                size = blocks * REGION_BLOCK + LONGEST_KMER
                codes = self.reference.codes(Interval(names[contig], first, min(first + size, end)))
                padded = np.pad(codes, (0, size - len(codes)), constant_values=UNKNOWN)
                rows = np.lib.stride_tricks.sliding_window_view(padded, REGION_BLOCK + LONGEST_KMER)[::REGION_BLOCK]
                yield rows[(rows != UNKNOWN).any(1)]
