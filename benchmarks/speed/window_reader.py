"""The reference of the track benchmark: windows read one by one from the FASTA and bigWig files themselves."""

import numpy as np
import pyBigWig
from numpy.typing import NDArray
from pyfaidx import Fasta

from zoo.data.tracks.dataset import TrackDataset
from zoo.data.tracks.module import TrackDataModule
from zoo.genome.sequence import encode

__all__ = ["WindowReader"]


class WindowReader:
    """Read the windows of a data set with pyfaidx and pyBigWig.

    Args:
        data: paths, bin size and crop.
        dataset: its windows, by row.
    """

    def __init__(self, data: TrackDataModule, dataset: TrackDataset) -> None:
        self.fasta = Fasta(data.genome, sequence_always_upper=True)
        self.files = [pyBigWig.open(track.path) for track in data.tracks]
        self.data, self.tiles = data, dataset.tiles
        self.contigs = list(data.data.coverage.contigs)

    def read(self, row: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Return codes (L,) and values (T, N) of one window."""
        data = self.data
        contig, size = self.contigs[self.tiles.contig[row]], data.bin_size
        start = int(self.tiles.start[row]) * size
        first, end = start - data.crop * size, start + (data.bins + data.crop) * size
        length = len(self.fasta[contig])
        letters = str(self.fasta[contig][max(first, 0) : min(end, length)])
        codes = encode("N" * max(-first, 0) + letters + "N" * max(end - length, 0))  # N past the contig's ends
        values = [file.values(contig, start, start + data.bins * size, numpy=True) for file in self.files]
        # (bases,) -> (N, size) -> (N,)
        sums = [np.nan_to_num(bases).reshape(-1, size).sum(1) for bases in values]
        divisors = [1 if track.statistic == "sum" else size for track in data.tracks]
        return codes, np.stack([total / divisor for total, divisor in zip(sums, divisors, strict=True)])
