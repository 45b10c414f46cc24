"""Tracks that a model reads in addition to the sequence, such as accessibility or the distance to a centromere.

Shapes: B windows, I tracks, P values of a window, each for `size` bases.
"""

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from zoo.data.tracks.coverage import Coverage
from zoo.data.tracks.table import Transform, read_track_table, strand_pairs
from zoo.errors import ConfigError
from zoo.formats.binning import pool_bins
from zoo.genome.fasta import Genome

__all__ = ["InputTracks"]

Index = NDArray[np.int64]
Values = NDArray[np.float32]


class InputTracks:
    """The tracks of a table of bigWigs (`zoo.data.tracks.table.Track`), read by window.

    Values are 0 past the ends of contigs and where a track has no value.

    Args:
        table: TSV with one line per bigWig.
        genome: genome on which they were measured.
        contigs: contig -> length, in the order in which windows number them; every bigWig must have all of them.
        size: bases per value.
        workers: processes that bin the bigWigs; 0 for this one.
        resolution: bases of the bins that are stored; it divides `size`, and windows begin at its multiples. None for
            `size`. Finer bins are pooled when they are read (see `pool_bins`), so that sums and means are exact for
            every start, at the cost of 4 * size / resolution bytes on disk per value and track. For windows that begin
            anywhere, such as those around peaks, use 1.

    Raises:
        InputError: a table or bigWig that cannot be read, or a bigWig without one of the contigs.
        ConfigError: the resolution does not divide the size.
    """

    def __init__(
        self,
        table: str,
        genome: Genome,
        contigs: Mapping[str, int],
        size: int,
        workers: int = 0,
        resolution: int | None = None,
    ) -> None:
        self.size, self.resolution = size, resolution or size
        if size < 1 or size % self.resolution:
            raise ConfigError(f"a resolution of {self.resolution} bases does not divide input values of {size} bases")
        tracks = read_track_table(table)
        self.names = tuple(track.name for track in tracks)
        self.pairs = tuple(strand_pairs(tracks))
        self.coverage = Coverage(tracks, genome, contigs, self.resolution, list(contigs), workers)
        self._statistics = [track.statistic for track in tracks]
        self._transform = Transform(tracks)
        self._bins = np.array([-(-length // self.resolution) for length in contigs.values()])

    def windows(self, contig: Index, start: Index, length: int) -> Values:
        """Read windows.

        Args:
            contig: index of the contig of each window (B,).
            start: first base of each window, a multiple of `resolution`; it may lie before the contig's first (B,).
            length: bases of every window, a multiple of `size`.

        Returns:
            float32 (B, I, length / size).

        Raises:
            ValueError: a start that is no multiple of `resolution`, or a length that is none of `size`.
        """
        if (start % self.resolution).any() or length % self.size:
            raise ValueError(f"windows begin at multiples of {self.resolution} bases and have multiples of {self.size}")
        bins = (start // self.resolution)[:, None] + np.arange(length // self.resolution)  # (B, P * pooled)
        last = self._bins[contig][:, None] - 1  # (B, 1)
        outside = (bins < 0) | (bins > last)
        first = self.coverage.first[contig][:, None]
        values = self.coverage.columns(first + np.clip(bins, 0, last))  # (I, B, P * pooled)
        values[:, outside] = np.nan
        if self.resolution < self.size:
            values = pool_bins(values, self.size // self.resolution, self._statistics)  # (I, B, P)
        values = np.nan_to_num(self._transform(values))
        return np.ascontiguousarray(values.transpose(1, 0, 2))  # (B, I, P)

    def reverse_complement(self, values: Values) -> Values:
        """Values of windows (B, I, P) as the other strand has them: reversed, strand partners swapped."""
        return values[:, list(self.pairs), ::-1]

    def check(self, names: Collection[str], size: int) -> None:
        """Check that these are the tracks that a model reads.

        Args:
            names: tracks of the model, in its order.
            size: bases per value of the model.

        Raises:
            ConfigError: the model reads other tracks, another order, or values of another size.
        """
        if tuple(names) != self.names or size != self.size:
            raise ConfigError(
                f"the model reads {', '.join(names) or 'no tracks'} in addition to the sequence, {size} bases per "
                f"value; the table has {', '.join(self.names)}, {self.size} bases per value"
            )
