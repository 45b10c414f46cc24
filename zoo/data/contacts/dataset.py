"""Windows of a genome with the contacts measured in them, read from bands along the diagonal.

Shapes: B windows, T targets, N bins on a side of a window's map, P pixels of its upper triangle.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zoo.data.contacts.bands import ContactBand
from zoo.data.tiles import Tiles
from zoo.data.window_dataset import Augmentation, WindowDataset, WindowInputs, WindowShape
from zoo.genome.fasta import Genome
from zoo.outputs import Contacts

__all__ = ["ContactDataset"]

Index = NDArray[np.int64]
Values = NDArray[np.float32]


class ContactDataset(WindowDataset):
    """Windows with their contact maps (`WindowDataset`).

    Args:
        genome: genome of the sequences.
        bands: prepared maps, one per target, all of the same contigs (T).
        output: defines the pixels of a window.
        tiles: the windows.
        shape: their geometry.
        inputs: tracks that are read in addition to the sequence; None for none.
        augmentation: random changes of training windows; None for validation and test.
        seed: seed of the augmentation.
    """

    def __init__(
        self,
        genome: Genome,
        bands: Sequence[ContactBand],
        output: Contacts,
        tiles: Tiles,
        shape: WindowShape,
        inputs: WindowInputs | None = None,
        augmentation: Augmentation | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(genome, bands[0].contigs, tiles, shape, inputs, augmentation, seed)
        self.bands = list(bands)
        self._rows, self._columns = (index.numpy() for index in output.pixels())  # (P,) each
        self._flipped = output.reverse_complement_order().numpy()  # (P,)

    def targets(self, contig: Index, start: Index) -> Values:
        """Read targets of windows: index of the contig (B,) and first bin (B,) -> float32 (B, T, P)."""
        rows = (self.bands[0].first[contig] + start)[:, None] + self._rows  # (B, P)
        distance = self._columns - self._rows  # (P,)
        return np.stack([band.pixels(rows, distance) for band in self.bands], 1)  # (B, T, P)

    def reverse_complement(self, target: Values) -> Values:
        """Targets (B, T, P) as the other strand has them: maps flipped along both axes."""
        return target[..., self._flipped]

    def mask_overlap(self, target: Values, overlap: Index) -> None:
        """Set pixels (B, T, P) to NaN, in place, of which both bins are among the first `overlap` (B,)."""
        shared = self._columns < overlap[:, None]  # (B, P): a pixel's column is never before its row
        target.transpose(0, 2, 1)[shared] = np.nan  # a view (B, P, T)
