"""Windows of a genome with the tracks measured along it, read from memory maps.

Shapes: B windows, L bases, T targets, N bins that a window predicts, P stored bins of all contigs.
"""

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from zoo.data.tiles import Tiles
from zoo.data.tracks.coverage import Coverage
from zoo.data.tracks.table import Track, Transform
from zoo.data.window_dataset import Augmentation, WindowDataset, WindowInputs, WindowShape
from zoo.formats.binning import pool_bins
from zoo.genome.fasta import Genome

__all__ = ["TrackData", "TrackDataset"]

Index = NDArray[np.int64]
Values = NDArray[np.float32]


class TrackData(NamedTuple):
    """Opened genome, coverage and masks from which windows are read.

    Attributes:
        genome: the sequences.
        coverage: the binned tracks.
        observed: stored bins that count; the others are masked in every target (P,).
        tracks: the targets (T).
        strand_pairs: for each target the index of its strand partner (T).
    """

    genome: Genome
    coverage: Coverage
    observed: NDArray[np.bool_]
    tracks: list[Track]
    strand_pairs: list[int]


class TrackDataset(WindowDataset):
    """Windows with their tracks (`WindowDataset`).

    Args:
        data: what is read.
        tiles: the windows.
        shape: their geometry; `fine` stored bins are pooled to one bin of a target.
        inputs: tracks that are read in addition to the sequence; None for none.
        augmentation: random changes of training windows; None for validation and test.
        seed: seed of the augmentation.
    """

    def __init__(
        self,
        data: TrackData,
        tiles: Tiles,
        shape: WindowShape,
        inputs: WindowInputs | None = None,
        augmentation: Augmentation | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(data.genome, data.coverage.contigs, tiles, shape, inputs, augmentation, seed)
        self.data = data
        self._statistics = [track.statistic for track in data.tracks]
        self._transform = Transform(data.tracks)

    def mask_overlap(self, target: Values, overlap: Index) -> None:
        """Set the first `overlap` (B,) bins of targets (B, T, N) to NaN, in place."""
        shared = np.arange(self.shape.bins) < overlap[:, None]  # (B, N)
        target.transpose(0, 2, 1)[shared] = np.nan  # a view (B, N, T)

    def reverse_complement(self, target: Values) -> Values:
        """Targets (B, T, N) as the other strand has them: bins reversed, strand partners swapped."""
        return target[:, self.data.strand_pairs, ::-1]

    def targets(self, contig: Index, start: Index) -> Values:
        """Read targets of windows: index of the contig (B,) and first stored bin (B,) -> float32 (B, T, N)."""
        first = self.data.coverage.first[contig] + start
        size = self.shape.bins * self.shape.fine
        values = self.data.coverage.windows(first, size)  # (T, B, N * fine)
        if (self._before[first + size] - self._before[first] < size).any():
            masked = ~sliding_window_view(self.data.observed, size)[first]  # (B, N * fine)
            values[:, masked] = np.nan
        if self.shape.fine > 1:
            values = pool_bins(values, self.shape.fine, self._statistics)  # (T, B, N)
        return np.ascontiguousarray(self._transform(values).transpose(1, 0, 2))  # (B, T, N)

    @cached_property
    def _before(self) -> NDArray[np.int64]:
        """Number of observed bins before each (P + 1,)."""
        return np.append(0, self.data.observed.cumsum())

    def __getstate__(self) -> dict[str, Any]:
        # It is computed anew in each worker process.
        return {name: value for name, value in vars(self).items() if name != "_before"}
