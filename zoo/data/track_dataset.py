"""Windows of a genome with the tracks measured on them, read by batch from memory maps.

Shapes: B windows, L bases, T targets, N bins that a window predicts, P bins of all contigs.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from torch.utils.data import Dataset

from zoo.binning import pool_bins
from zoo.data.batch import Batch
from zoo.data.coverage import Coverage
from zoo.data.tiles import Tiles
from zoo.data.track_table import Track, Transform
from zoo.genome import Genome
from zoo.sequence import Codes, reverse_complement

__all__ = ["Moves", "TrackData", "TrackDataset"]


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
        bin_size: bases in a bin that is predicted: a multiple of those of the coverage.
    """

    genome: Genome
    coverage: Coverage
    usable: NDArray[np.bool_]
    tracks: list[Track]
    strand_pairs: list[int]
    bin_size: int


class Moves(NamedTuple):
    """How windows are varied in training.

    Attributes:
        shift: bins of the coverage by which sequence and targets are moved at most, within their region.
        jitter: bases by which the sequence alone is moved at most.
        reverse_complement: whether each window is read on one strand or the other, at random.
    """

    shift: int
    jitter: int
    reverse_complement: bool


class TrackDataset(Dataset[Batch]):
    """Windows read by batch.

    In training an index is `epoch * size + position`, as `EpochSampler` gives it: the epoch travels with it. Else one
    from `size` up stands for a window without values, which fills up a process's share, and a bin that two windows
    predict has its value in the first.

    Args:
        data: what is read.
        tiles: the windows.
        bins: predicted by each, N.
        crop: bins of context on each side of these.
        moves: how windows are varied in training; None for validation and test.
        seed: of that.
    """

    def __init__(
        self, data: TrackData, tiles: Tiles, bins: int, crop: int, moves: Moves | None = None, seed: int = 0
    ) -> None:
        self.data, self.tiles, self.bins, self.crop, self.moves, self.seed = data, tiles, bins, crop, moves, seed
        contigs = list(data.genome.contigs)
        self._again = tiles.again(bins)
        self._fine = data.bin_size // data.coverage.bin_size
        self._statistics = [track.statistic for track in data.tracks]
        self._transform = Transform(data.tracks)
        self._contig = np.array([contigs.index(name) for name in data.coverage.contigs])

    def __len__(self) -> int:
        return len(self.tiles)

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """Read a batch: codes (B, L), targets (B, T, N)."""
        index = np.asarray(indices)
        codes, target = self._still(index) if self.moves is None else self._moved(index, self.moves)
        return Batch(torch.from_numpy(codes), torch.from_numpy(target))

    def _still(self, index: Index) -> tuple[Codes, Values]:
        row = index % len(self)
        start, contig = self.tiles.start[row] * self._fine, self.tiles.contig[row]
        target = self._targets(self.data.coverage.first[contig] + start)
        void = (np.arange(self.bins) < self._again[row][:, None]) | (index >= len(self))[:, None]
        target.transpose(0, 2, 1)[void] = np.nan
        return self._codes(contig, start), target

    def _moved(self, index: Index, moves: Moves) -> tuple[Codes, Values]:
        # The first index holds the epoch: a batch of another epoch is moved otherwise.
        rng = np.random.default_rng([self.seed, *index[:2]])
        row, tiles = index % len(self), self.tiles
        start, contig = tiles.start[row] * self._fine, tiles.contig[row]
        if moves.shift:
            start = start + rng.integers(-moves.shift, moves.shift + 1, len(row))
            start = np.clip(start, tiles.lowest[row] * self._fine, tiles.highest[row] * self._fine)
        codes = self._codes(contig, start, rng.integers(-moves.jitter, moves.jitter + 1, len(row)))
        target = self._targets(self.data.coverage.first[contig] + start)
        if moves.reverse_complement:
            turned = rng.random(len(row)) < 0.5
            codes[turned] = reverse_complement(codes[turned])
            target[turned] = target[turned][:, self.data.strand_pairs, ::-1]
        return codes, target

    def _codes(self, contig: Index, start: Index, jitter: Index | int = 0) -> Codes:
        size = self.data.bin_size
        first = start * self.data.coverage.bin_size - self.crop * size + jitter
        return self.data.genome.windows(self._contig[contig], first, (self.bins + 2 * self.crop) * size)

    def _targets(self, first: Index) -> Values:
        """Of windows whose first bins of the coverage are given (B,): (B, T, N)."""
        values = self._values[:, first]  # (T, B, N * fine)
        if (self._before[first + values.shape[2]] - self._before[first] < values.shape[2]).any():
            values[:, ~sliding_window_view(self.data.usable, values.shape[2])[first]] = np.nan
        if self._fine > 1:
            values = pool_bins(values, self._fine, self._statistics)
        return np.ascontiguousarray(self._transform(values).transpose(1, 0, 2))

    @cached_property
    def _values(self) -> NDArray[np.float32]:
        """All windows of the coverage, as a view: making it takes longer than reading a window."""
        return sliding_window_view(self.data.coverage.values, self.bins * self._fine, axis=1)

    @cached_property
    def _before(self) -> NDArray[np.int64]:
        """How many usable bins lie before each (P + 1,)."""
        return np.append(0, self.data.usable.cumsum())

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_values", "_before")}
