"""Tracks that a model reads beside the sequence, from bigWigs: accessibility, coverage, distance to a centromere.

Shapes: B windows, I tracks, P values of a window, each for `size` bases.
"""

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from zoo.data.tracks.coverage import Coverage
from zoo.data.tracks.table import Transform, read_track_table, strand_pairs
from zoo.errors import ConfigError
from zoo.genome.fasta import Genome

__all__ = ["InputTracks"]


class InputTracks:
    """The tracks of a table, as those that targets come from (`zoo.data.tracks.table.Track`), read by window.

    Past the ends of contigs, and where a track has no value, they are 0.

    Args:
        table: TSV with a line for each bigWig.
        genome: they were measured on.
        contigs: of it, with their lengths, as windows count them; all must be in every bigWig.
        size: bases that a value stands for.
        workers: processes that read the bigWigs at first.
    """

    def __init__(self, table: str, genome: Genome, contigs: Mapping[str, int], size: int, workers: int = 0) -> None:
        tracks = read_track_table(table)
        self.names, self.size = tuple(track.name for track in tracks), size
        self.pairs = tuple(strand_pairs(tracks))
        self.coverage = Coverage(tracks, genome, contigs, size, list(contigs), workers)
        self._transform = Transform(tracks)
        self._bins = np.array([-(-length // size) for length in contigs.values()])

    def windows(self, contig: NDArray[np.int64], start: NDArray[np.int64], length: int) -> NDArray[np.float32]:
        """Values (B, I, P) of windows: number of the contig, and first base, a multiple of `size`, of each."""
        place = (start // self.size)[:, None] + np.arange(length // self.size)  # (B, P)
        bins = self._bins[contig][:, None]
        values = self.coverage.values[:, self.coverage.first[contig][:, None] + np.clip(place, 0, bins - 1)]
        values = np.nan_to_num(self._transform(values))
        values[:, (place < 0) | (place >= bins)] = 0
        return np.ascontiguousarray(values.transpose(1, 0, 2))

    def turn(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Values (B, I, P) as the other strand has them."""
        return values[:, list(self.pairs), ::-1]

    def check(self, names: Collection[str], size: int) -> None:
        """Raises: ConfigError: a model reads others, or values of another size."""
        if tuple(names) != self.names or size != self.size:
            raise ConfigError(
                f"the model reads {', '.join(names) or 'no tracks'} beside the sequence, {size} bases a value; the "
                f"table has {', '.join(self.names)}, {self.size} bases a value"
            )
