"""Windows of a genome with the tracks measured on them, read from memory maps.

Shapes: B windows, L bases, T targets, N bins that a window predicts, P bins of all contigs.
"""

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from zoo.data.tiles import Tiles
from zoo.data.tracks.coverage import Coverage
from zoo.data.tracks.table import Track, Transform
from zoo.data.window_dataset import Moves, WindowDataset, WindowShape
from zoo.formats.binning import pool_bins
from zoo.genome.fasta import Genome

__all__ = ["TrackData", "TrackDataset"]


Index = NDArray[np.int64]
Values = NDArray[np.float32]


class TrackData(NamedTuple):
    """What windows are read from.

    Attributes:
        genome: the sequences.
        coverage: the tracks.
        usable: which of its bins count (P,).
        tracks: the targets (T).
        strand_pairs: for each target the index of its strand partner (T).
    """

    genome: Genome
    coverage: Coverage
    usable: NDArray[np.bool_]
    tracks: list[Track]
    strand_pairs: list[int]


class TrackDataset(WindowDataset):
    """Windows with their tracks; see `WindowDataset`.

    Args:
        data: what is read.
        tiles: the windows.
        shape: of each; windows are moved by bins of the coverage.
        moves: how windows are varied in training; None for validation and test.
        seed: of that.
    """

    def __init__(
        self, data: TrackData, tiles: Tiles, shape: WindowShape, moves: Moves | None = None, seed: int = 0
    ) -> None:
        super().__init__(data.genome, data.coverage.contigs, tiles, shape, moves=moves, seed=seed)
        self.data = data
        self._statistics = [track.statistic for track in data.tracks]
        self._transform = Transform(data.tracks)

    def leave_out(self, target: Values, void: Index) -> None:
        """See `WindowDataset`."""
        target.transpose(0, 2, 1)[np.arange(self.shape.bins) < void[:, None]] = np.nan

    def turn(self, target: Values) -> Values:
        """The bins in reverse order, strand partners swapped."""
        return target[:, self.data.strand_pairs, ::-1]

    def targets(self, contig: Index, start: Index) -> Values:
        """Of windows (B, T, N)."""
        first = self.data.coverage.first[contig] + start
        values = self._values[:, first]  # (T, B, N * fine)
        if (self._before[first + values.shape[2]] - self._before[first] < values.shape[2]).any():
            values[:, ~sliding_window_view(self.data.usable, values.shape[2])[first]] = np.nan
        if self.shape.fine > 1:
            values = pool_bins(values, self.shape.fine, self._statistics)
        return np.ascontiguousarray(self._transform(values).transpose(1, 0, 2))

    @cached_property
    def _values(self) -> NDArray[np.float32]:
        """All windows of the coverage, as a view: making it takes longer than reading a window."""
        return sliding_window_view(self.data.coverage.values, self.shape.bins * self.shape.fine, axis=1)

    @cached_property
    def _before(self) -> NDArray[np.int64]:
        """How many usable bins lie before each (P + 1,)."""
        return np.append(0, self.data.usable.cumsum())

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_values", "_before")}
