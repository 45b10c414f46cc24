"""Checks of a bigWig file before pyBigWig reads it, which ends the process on some damaged files.

Format: Kent 2010, doi:10.1093/bioinformatics/btq351.
"""

import mmap
import os
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.errors import InputError
from zoo.utils.text import check_file

__all__ = ["check_bigwig"]

# First bytes of the file, of its table of contigs and of its index.
_MAGIC, _CONTIGS_MAGIC, _INDEX_MAGIC = 0x888FFC26, 0x78CA8C91, 0x2468ACE0
_HEADER, _CONTIGS_HEADER, _INDEX_HEADER, _ZOOM, _SUMMARY = 64, 32, 48, 24, 40  # bytes
_MOST_ZOOMS = 100  # zoom levels; files have about ten
_LONGEST_NAME = 10_000
_MOST_BUFFER = 1 << 28  # bytes of an unpacked block; files have thousands
# Of a file with at most so many blocks, their headers are compared with the memory that they are unpacked into.
_MOST_BLOCKS = 20_000
_BLOCK_HEADER = 24
_ITEM_BYTES = {1: 12, 2: 8, 3: 4}  # of a block of intervals, of starts with one span, of values alone
_TABLES = "its tables are not where its header says"


class _DamageError(Exception):
    """What is damaged."""


def check_bigwig(path: Path) -> None:
    """Refuse a file that is none, cut off or damaged: every table, and every block it lists, must lie within the file.

    Raises:
        InputError: it is; says what was found.
    """
    check_file(path)
    with path.open("rb") as file:
        head = file.read(_HEADER)
        orders = [order for order in "<>" if head[:4] == struct.pack(f"{order}I", _MAGIC)]
        if not orders:
            raise InputError(f"{path} is no bigWig file: it does not begin as one")
        file.seek(-4, os.SEEK_END)
        if file.read(4) != head[:4] or len(head) < _HEADER:
            raise InputError(f"{path} was cut off: it does not end as a bigWig file does; fetch it again")
        try:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                _check(_Tables(bytes(head), orders[0], len(data)), data)
        except (_DamageError, struct.error, ValueError) as error:
            what = str(error) if isinstance(error, _DamageError) else _TABLES
            raise InputError(f"{path} is damaged: {what}; fetch it again") from None


class _Tables:
    """Places of the tables of a file, from its header."""

    def __init__(self, head: bytes, order: str, size: int) -> None:
        self.order, self.size = order, size
        self.zooms, self.contigs, _, self.index = struct.unpack_from(f"{order}H3Q", head, 6)
        self.summary, self.buffer = struct.unpack_from(f"{order}QI", head, 44)


def _check(tables: _Tables, data: mmap.mmap) -> None:
    if tables.zooms > _MOST_ZOOMS:
        raise _DamageError(f"its header lists {tables.zooms:,} zoom levels")
    for offset, magic in ((tables.contigs, _CONTIGS_MAGIC), (tables.index, _INDEX_MAGIC)):
        no_index = offset == 0 and magic == _INDEX_MAGIC  # of a file without values
        if not no_index and struct.unpack_from(f"{tables.order}I", data, min(offset, tables.size)) != (magic,):
            raise _DamageError(_TABLES)
    if max(_HEADER + tables.zooms * _ZOOM, tables.summary + _SUMMARY) > tables.size or tables.buffer > _MOST_BUFFER:
        raise _DamageError(_TABLES)
    contigs = _check_contigs(tables, data)
    if tables.index:
        _check_blocks(tables, data, *_read_index(tables, data, contigs))


def _check_contigs(tables: _Tables, data: mmap.mmap) -> int:
    """Walk the table of contigs; their number.

    Raises:
        _DamageError: it leads out of the file or in a circle, or the contigs are not numbered from 0 on.
    """
    key, value, count = struct.unpack_from(f"{tables.order}IIQ", data, tables.contigs + 8)
    if not 0 < key <= _LONGEST_NAME or value != 8 or count * (key + value) > tables.size:
        raise _DamageError("its table of contigs has impossible sizes")
    leaf = np.dtype([("name", f"V{key}"), ("number", f"{tables.order}u4"), ("length", f"{tables.order}u4")])
    inner = np.dtype([("name", f"V{key}"), ("child", f"{tables.order}u8")])
    found, _ = _walk(data, tables.contigs + _CONTIGS_HEADER, leaf, inner, tables.order)
    numbers = np.sort(found["number"])
    if len(numbers) != count or (numbers != np.arange(count)).any():
        raise _DamageError("its table of contigs is not as long as it says")
    return int(count)


def _read_index(tables: _Tables, data: mmap.mmap, contigs: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Walk the index: first byte, and number of bytes, of each block of values.

    Raises:
        _DamageError: it leads out of the file or in a circle, or names contigs that are not in the table.
    """
    ends = [(name, f"{tables.order}u4") for name in ("first", "start", "last", "end")]
    leaf = np.dtype([*ends, ("offset", f"{tables.order}u8"), ("size", f"{tables.order}u8")])
    inner = np.dtype([*ends, ("child", f"{tables.order}u8")])
    found, nodes = _walk(data, tables.index + _INDEX_HEADER, leaf, inner, tables.order)
    if any((rows["last"] >= contigs).any() or (rows["first"] > rows["last"]).any() for rows in (found, nodes)):
        raise _DamageError("its index names contigs that it does not have")
    offset, size = found["offset"].astype(np.uint64), found["size"].astype(np.uint64)
    if (size > tables.size).any() or (offset > tables.size).any() or (offset + size > tables.size).any():
        raise _DamageError("its index names blocks outside the file")
    return offset, size


def _walk(
    data: mmap.mmap, root: int, leaf: np.dtype[np.void], inner: np.dtype[np.void], order: str
) -> tuple[NDArray[np.void], NDArray[np.void]]:
    """Items of all leaves, and of all inner nodes, of a tree.

    Raises:
        _DamageError: it has a circle.
        ValueError, struct.error: it leads out of the file.
    """
    todo, seen = [root], {root}
    leaves, nodes = [np.empty(0, leaf)], [np.empty(0, inner)]
    while todo:
        place = todo.pop()
        is_leaf, count = struct.unpack_from(f"{order}BxH", data, place)
        raw = data[place + 4 : place + 4 + count * (leaf if is_leaf else inner).itemsize]
        items = np.frombuffer(raw, leaf if is_leaf else inner, count)
        (leaves if is_leaf else nodes).append(items)
        if is_leaf:
            continue
        children = set(items["child"].tolist())
        if len(children) < count or children & seen:
            raise _DamageError("a table of it leads in a circle")
        seen |= children
        todo += children
    return np.concatenate(leaves), np.concatenate(nodes)


def _check_blocks(tables: _Tables, data: mmap.mmap, offset: NDArray[np.uint64], size: NDArray[np.uint64]) -> None:
    """Check that the items of each block fit the memory that the block is unpacked into, in a file of few blocks."""
    if len(offset) > _MOST_BLOCKS:
        return
    for first, length in zip(offset.tolist(), size.tolist(), strict=True):
        head, room = data[first : first + min(length, _BLOCK_HEADER)], length
        if tables.buffer:
            room = tables.buffer
            try:
                head = zlib.decompressobj().decompress(data[first : first + min(length, 4_096)], _BLOCK_HEADER)
            except zlib.error:
                continue  # the reader says so, and where
        if len(head) < _BLOCK_HEADER:
            raise _DamageError("a block of it is shorter than its header")
        kind, count = struct.unpack_from(f"{tables.order}BxH", head, _BLOCK_HEADER - 4)
        if kind not in _ITEM_BYTES or _BLOCK_HEADER + count * _ITEM_BYTES[kind] > room:
            raise _DamageError("a block of it has more items than it has room for")
