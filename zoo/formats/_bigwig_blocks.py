"""The blocks of values of a bigWig file, unpacked and checked.

They are not unpacked by pyBigWig: it reads past the end of its memory where a block has fewer items than it says.
Format: Kent 2010, doi:10.1093/bioinformatics/btq351, supplementary tables. Shapes: L bases, N items, K blocks.
"""

import io
import os
import struct
import zlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.formats._bigwig_check import BigWigTables, DamageError

__all__ = ["BlockReader"]

_INTERVALS, _POSITIONS, _STEPS = 1, 2, 3  # kinds of blocks
_COLUMNS = {_INTERVALS: 3, _POSITIONS: 2, _STEPS: 1}  # numbers of four bytes of an item
_WIDEST_RUN = 4_096  # most bases of a value of a run


class _Run(NamedTuple):
    """Values of `span` bases each, without a gap between them: the first base, and the values (N,)."""

    start: int
    span: int
    values: NDArray[np.float32]

    @property
    def bounds(self) -> tuple[int, int]:
        """First base, and base after the last."""
        return self.start, self.start + self.span * len(self.values)


class _Items(NamedTuple):
    """First bases, bases after the last, and values (N each) of items."""

    start: NDArray[np.unsignedinteger]
    end: NDArray[np.unsignedinteger]
    values: NDArray[np.float32]

    @property
    def bounds(self) -> tuple[int, int]:
        """First base, and base after the last, of one or more items that are sorted."""
        return int(self.start[0]), int(self.end[-1])


class BlockReader:
    """Reads the values of bases from the blocks of an open file.

    Args:
        file: the open file.
        tables: its tables.
    """

    def __init__(self, file: io.BufferedReader, tables: BigWigTables) -> None:
        self._file, self._tables = file, tables
        self._header = struct.Struct(f"{tables.order}5I2BH")
        blocks = tables.blocks
        self._is_checked = np.zeros(len(blocks), np.bool_)
        edges = np.searchsorted(blocks["first"], np.arange(len(tables.contigs) + 1)).tolist()
        self._own = {name: slice(*edges[i : i + 2]) for i, name in enumerate(tables.contigs)}  # contig -> its blocks
        self._start = blocks["start"].astype(np.int64)
        self._reach = blocks["end"].astype(np.int64)  # base up to which a block and those before it reach
        for own in self._own.values():
            self._reach[own] = np.maximum.accumulate(self._reach[own])

    def values(self, contig: str, start: int, end: int) -> NDArray[np.float32]:
        """Read the values of bases: float32 (L,), NaN where there is none.

        Raises:
            DamageError: a block is damaged, or is not what the index says.
        """
        values, positioned = np.full(end - start, np.nan, np.float32), list[_Items]()
        near = self._near(contig, start, end)
        reach = 0
        for entry in self._tables.blocks[near].tolist():
            items = self._read(*entry)
            if len(items.values):
                first, last = items.bounds  # the bases of the index may overlap where the values do not
                if first < reach:
                    raise DamageError("it has blocks that overlap")
                reach = last
            if isinstance(items, _Items):
                positioned.append(items)
            else:
                _set_run(values, start, items)
        self._is_checked[near] = True
        if positioned:
            _set_items(values, start, positioned)
        return values

    def _near(self, contig: str, start: int, end: int) -> list[int]:
        """Blocks that have values of some bases, and their neighbours: the index may be wrong about these."""
        own = self._own[contig]
        first = own.start + int(self._reach[own].searchsorted(start, "right"))
        last = own.start + int(self._start[own].searchsorted(end, "left"))
        neighbours = [block for block in (first - 1, last) if own.start <= block < own.stop]
        return sorted({*range(first, last), *(block for block in neighbours if not self._is_checked[block])})

    def _read(self, first: int, start: int, _: int, end: int, offset: int, size: int) -> _Run | _Items:
        """Read the block of an entry of the index."""
        data = self._unpack(offset, size)
        if len(data) < self._header.size:
            raise DamageError("a block is shorter than its header")
        *ends, step, span, kind, _, count = self._header.unpack_from(data)
        if ends != [first, start, end]:
            raise DamageError("a block is not the one of the index")
        if kind not in _COLUMNS or len(data) != self._header.size + 4 * count * _COLUMNS[kind]:
            raise DamageError("a block has more or fewer items than it says")
        numbers = np.frombuffer(data, f"{self._tables.order}u4", -1, self._header.size).astype("=u4", copy=False)
        items = _items(numbers.reshape(count, _COLUMNS[kind]), kind, start, step, span)
        if count:
            begin, stop = items.bounds
            if not start <= begin < stop <= end:
                raise DamageError("a block has items outside of its bases")
        return items

    def _unpack(self, offset: int, size: int) -> bytes:
        data, room = os.pread(self._file.fileno(), size, offset), self._tables.buffer
        if not room:
            return data
        inflate = zlib.decompressobj()
        try:
            unpacked = inflate.decompress(data, room + 1)
        except zlib.error:
            raise DamageError("a block cannot be unpacked") from None
        if not inflate.eof or len(unpacked) > room:
            raise DamageError("a block is cut off, or longer than the header says")
        return unpacked


def _items(numbers: NDArray[np.uint32], kind: int, first: int, step: int, span: int) -> _Run | _Items:
    """Items of a block that begins at `first`, from its numbers (N, 1 to 3)."""
    values = numbers[:, -1].view(np.float32)
    if kind == _STEPS and step == span <= _WIDEST_RUN:
        return _Run(first, span, values)
    if kind == _STEPS:
        steps = first + step * np.arange(len(values), dtype=np.uint64)
        return _Items(steps, steps + np.uint64(span), values)
    start = numbers[:, 0]
    return _Items(start, numbers[:, 1] if kind == _INTERVALS else start + np.uint32(span), values)


def _set_run(values: NDArray[np.float32], first: int, run: _Run) -> None:
    """Write a run into the values (L,) of the bases from `first` on."""
    low, high = max(run.start, first), min(run.bounds[1], first + len(values))
    if low >= high:
        return
    begin, stop = (low - run.start) // run.span, -(-(high - run.start) // run.span)
    known = run.values[begin:stop] if run.span == 1 else np.repeat(run.values[begin:stop], run.span)
    cut = low - run.start - begin * run.span
    values[low - first : high - first] = known[cut : cut + high - low]


def _set_items(values: NDArray[np.float32], first: int, blocks: list[_Items]) -> None:
    """Write the items of some blocks into the values (L,) of the bases from `first` on.

    Raises:
        DamageError: they are not sorted, or overlap.
    """
    start, end, known = (np.concatenate(column) for column in zip(*blocks, strict=True))
    if (start >= end).any() or (end[:-1] > start[1:]).any():
        raise DamageError("it has items that are not sorted or overlap")
    here = slice(int(end.searchsorted(first, "right")), int(start.searchsorted(first + len(values), "left")))
    start, known = start[here].astype(np.int64) - first, known[here]
    size = np.minimum(end[here].astype(np.int64) - first, len(values)) - np.maximum(start, 0)
    start = np.maximum(start, 0)
    if (size == 1).all():
        values[start] = known
    else:
        position = np.repeat(start - (np.cumsum(size) - size), size) + np.arange(size.sum())
        values[position] = np.repeat(known, size)
