"""Windows of a genome with the contacts measured in them, read from bands along the diagonal.

Shapes: B windows, T targets, N bins on a side of a window's map, P pixels of its upper triangle.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zoo.data.contacts.bands import ContactBand
from zoo.data.tiles import Tiles
from zoo.data.tracks.inputs import InputTracks
from zoo.data.window_dataset import Moves, WindowDataset, WindowShape
from zoo.genome.fasta import Genome
from zoo.outputs import Contacts

__all__ = ["ContactDataset"]

Index = NDArray[np.int64]
Values = NDArray[np.float32]


class ContactDataset(WindowDataset):
    """Windows with their maps; see `WindowDataset`.

    Args:
        genome: the sequences.
        bands: what was measured, a target each (T), all of the same contigs.
        output: the pixels of a window.
        tiles: the windows.
        shape: of each.
        inputs: tracks that are read beside the sequence.
        moves: how windows are varied in training; None for validation and test.
        seed: of that.
    """

    def __init__(
        self,
        genome: Genome,
        bands: Sequence[ContactBand],
        output: Contacts,
        tiles: Tiles,
        shape: WindowShape,
        inputs: InputTracks | None = None,
        moves: Moves | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(genome, bands[0].contigs, tiles, shape, inputs, moves, seed)
        self.bands = list(bands)
        self._rows, self._columns = (place.numpy() for place in output.pixels())
        self._turned = output.turned().numpy()

    def targets(self, contig: Index, start: Index) -> Values:
        """Of windows (B, T, P)."""
        rows = (self.bands[0].first[contig] + start)[:, None] + self._rows
        distance = self._columns - self._rows
        return np.stack([band.values[rows, distance] for band in self.bands], 1)

    def turn(self, target: Values) -> Values:
        """The map flipped along both axes."""
        return target[..., self._turned]

    def leave_out(self, target: Values, void: Index) -> None:
        """Set to NaN what the window before has: pixels of which both bins are among the first `void`."""
        target.transpose(0, 2, 1)[self._columns < void[:, None]] = np.nan
