"""Checksums of the blocks of a file: large files are checked where they are read, and only there.

A CRC-32 of 64 KB takes about 20 microseconds; to read the block from a disk takes longer. Each block is checked once by
each process.
"""

import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import IntegrityError
from zoo.utils.download import writing_to_cache

__all__ = ["BLOCK_BYTES", "CheckedMap", "block_sums", "reserve"]

BLOCK_BYTES = 1 << 16

Index = NDArray[np.int64]
Sums = NDArray[np.uint32]


def block_sums(data: NDArray[np.uint8]) -> Sums:
    """CRC-32 of each block of bytes (P,), the last of which may be shorter: uint32 (P / block,)."""
    return np.array([zlib.crc32(data[i : i + BLOCK_BYTES].data) for i in range(0, len(data), BLOCK_BYTES)], np.uint32)


def reserve(path: Path, size: int) -> None:
    """Make a file of `size` bytes for which the disk has room: writing to a map of one without ends the process.

    Raises:
        OSError: there is no room.
    """
    with path.open("wb") as file:
        if size and hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
            return
        for start in range(0, size, BLOCK_BYTES):
            file.write(bytes(min(BLOCK_BYTES, size - start)))


class CheckedMap:
    """A memory map of float32 in rows, of which each block is checked before its values are used for the first time.

    Args:
        path: the file.
        sums: CRC-32 of the blocks of each row (R, blocks).
        columns: values of a row, N.
        discard: called with the number of a damaged row before the error is raised, so that the next run makes it anew.
    """

    def __init__(self, path: Path, sums: Sums, columns: int, discard: Callable[[int], Any]) -> None:
        self.path, self.sums, self.discard = path, sums, discard
        self.values: NDArray[np.float32] = np.asarray(np.memmap(path, np.float32, "r", shape=(len(sums), columns)))
        self._bytes = self.values.view(np.uint8)  # (R, 4 N)
        self._unchecked = np.ones(sums.shape, np.bool_)
        self._left = sums.size

    def check(self, first: Index, last: Index) -> None:
        """Check the blocks of all rows that hold columns `first` (B,) up to before `last` (B,), none of them empty.

        Raises:
            IntegrityError: a block is not as it was written.
            OutputError: so it is, and the cache cannot be written, so that it cannot be made anew.
        """
        if not self._left:
            return
        low, high = first * 4 // BLOCK_BYTES, (last * 4 - 1) // BLOCK_BYTES
        marks = np.zeros(self.sums.shape[1] + 1, np.int64)
        np.add.at(marks, low, 1)
        np.add.at(marks, high + 1, -1)
        wanted = np.flatnonzero(marks.cumsum()[:-1])
        rows, blocks = np.nonzero(self._unchecked[:, wanted])
        self._check(rows, wanted[blocks])

    def check_all(self) -> None:
        """Check all blocks.

        Raises:
            IntegrityError: one is not as it was written.
            OutputError: as of `check`.
        """
        self._check(*np.nonzero(self._unchecked))

    def _check(self, rows: Index, blocks: Index) -> None:
        for row, block in zip(rows.tolist(), blocks.tolist(), strict=True):
            start = block * BLOCK_BYTES
            if zlib.crc32(self._bytes[row, start : start + BLOCK_BYTES].data) != self.sums[row, block]:
                with writing_to_cache(self.path, state="damaged"):
                    self.discard(row)
                raise IntegrityError(
                    f"{self.path} is damaged near byte {row * self._bytes.shape[1] + start:,}: it is not as it was "
                    "written; run the same command again, which makes it anew"
                )
        self._unchecked[rows, blocks] = False
        self._left = int(self._unchecked.sum())
