"""The files of binned tracks in the cache: what is in them, and whether it is as it was written.

Shapes: T tracks, P bins of all contigs.
"""

import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.utils.atomic import whole_path
from zoo.utils.blocks import BLOCK_BYTES, CheckedMap, block_sums
from zoo.utils.records import read_record, write_record

__all__ = ["CoverageFolder", "DoneTrack", "TrackFacts"]

# Values (T, P), checksums of their blocks (T, blocks), flags of bins (P,) with a checksum, and the record of the tracks
# that are done.
_VALUES, _SUMS, _FLAGS, _DONE = "values.f32", "sums.u32", "usable.u8", "done.json"
_CHECKSUM_BYTES = 4

Flags = NDArray[np.uint8]


class TrackFacts(NamedTuple):
    """Facts of one bigWig, collected while it is binned.

    Attributes:
        missing: number of bases without a value.
        lowest: lowest value of a bin.
        highest: highest value of a bin.
    """

    missing: int
    lowest: float
    highest: float


class DoneTrack(NamedTuple):
    """A track whose values are written.

    Attributes:
        facts: its facts.
        checksum: CRC-32 of the checksums of its blocks.
    """

    facts: TrackFacts
    checksum: int


class CoverageFolder:
    """Values, flags and facts of tracks, written track by track; a track counts once all of it is on the disk.

    Args:
        path: the folder; `begin` needs it to be there.
        tracks: number of tracks, T.
        bins: number of bins, P.
    """

    def __init__(self, path: Path, tracks: int, bins: int) -> None:
        self.path, self.tracks, self.bins = path, tracks, bins
        self.values = path / _VALUES
        self._row = 4 * bins  # bytes of the values of one track
        self._blocks = -(-self._row // BLOCK_BYTES)

    @property
    def bytes(self) -> int:
        """Size of the values on disk."""
        return self.tracks * self._row

    def begin(self) -> None:
        """Make files of the right size without any track."""
        (self.path / _DONE).unlink(missing_ok=True)  # it may be of files of another size
        for path, size in ((self.values, self.bytes), (self.path / _SUMS, 4 * self.tracks * self._blocks)):
            with path.open("wb") as file:
                file.truncate(size)

    def open_row(self, track: int) -> BinaryIO:
        """Open the values for writing, at the first of a track; `finish_row` must follow."""
        file = self.values.open("r+b")
        file.seek(track * self._row)
        return file

    def finish_row(self, track: int, file: BinaryIO) -> int:
        """Wait until the values of a track are on the disk, and write their checksums; returns the CRC-32 of these."""
        _sync(file)
        sums = block_sums(np.memmap(self.values, np.uint8, "r", track * self._row, (self._row,)))
        with (self.path / _SUMS).open("r+b") as sums_file:
            sums_file.seek(4 * track * self._blocks)
            sums_file.write(sums.data)
            _sync(sums_file)
        return zlib.crc32(sums.data)

    def write_flags(self, flags: Flags) -> None:
        """Write the flags of all bins (P,); before the first track that they are of is marked as done."""
        with whole_path(self.path / _FLAGS) as draft:
            draft.write_bytes(flags.tobytes() + _checksum(flags))

    def flags(self) -> Flags | None:
        """Flags of the bins (P,); None where there are none, or damaged ones."""
        path = self.path / _FLAGS
        if not path.is_file() or path.stat().st_size != self.bins + _CHECKSUM_BYTES:
            return None
        content = np.fromfile(path, np.uint8)
        flags = content[: self.bins]
        return flags if content[self.bins :].tobytes() == _checksum(flags) else None

    def mark_done(self, tracks: Sequence[DoneTrack]) -> None:
        """Record the first tracks as done."""
        write_record(self.path / _DONE, tracks)

    def done(self) -> list[DoneTrack]:
        """The first tracks that are done, up to one that is not; none where a file is missing or damaged."""
        record, sums = read_record(self.path / _DONE), self._sums()
        if record is None or sums is None or self.flags() is None:
            return []
        if not self.values.is_file() or self.values.stat().st_size != self.bytes:
            return []
        tracks = [DoneTrack(TrackFacts(*facts), checksum) for facts, checksum in record]
        right = [zlib.crc32(row.data) == track.checksum for row, track in zip(sums, tracks, strict=False)]
        return tracks[: [*right, False].index(False)]

    def open_map(self) -> CheckedMap:
        """Open the values, of which all tracks are done; where a block is damaged, its track is no longer marked so."""
        sums = self._sums()
        assert sums is not None  # as `done` has checked
        return CheckedMap(self.values, sums, self.bins, lambda track: self.mark_done(self.done()[:track]))

    def _sums(self) -> NDArray[np.uint32] | None:
        """Checksums of the blocks (T, blocks); None where the file is missing or of another size."""
        path = self.path / _SUMS
        if not path.is_file() or path.stat().st_size != 4 * self.tracks * self._blocks:
            return None
        return np.fromfile(path, np.uint32).reshape(self.tracks, -1)


def _checksum(data: Flags) -> bytes:
    return zlib.crc32(data.data).to_bytes(_CHECKSUM_BYTES, "little")


def _sync(file: BinaryIO) -> None:
    """Wait until a file is on the disk, so that a power cut cannot lose what is marked as done."""
    file.flush()
    os.fsync(file.fileno())
