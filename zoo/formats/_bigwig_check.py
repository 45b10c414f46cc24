"""The tables of a bigWig file: read whole and checked when it is opened, before any value is.

Format: Kent 2010, doi:10.1093/bioinformatics/btq351, supplementary tables. Shapes: K blocks of values.
"""

import mmap
import os
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.errors import InputError
from zoo.utils.text import check_file

__all__ = ["BigWigTables", "DamageError", "read_tables"]

# First bytes of the file, of its table of contigs and of its index.
_MAGIC, _CONTIGS_MAGIC, _INDEX_MAGIC = 0x888FFC26, 0x78CA8C91, 0x2468ACE0
_HEADER, _CONTIGS_HEADER, _INDEX_HEADER, _ZOOM, _SUMMARY = 64, 32, 48, 24, 40  # bytes
_MOST_ZOOMS = 100  # zoom levels; files have about ten
_LONGEST_NAME = 10_000
_MOST_BUFFER = 1 << 28  # bytes of an unpacked block; files have thousands
_PLACES = "its tables are not where its header says"


class DamageError(Exception):
    """What is damaged."""


class BigWigTables(NamedTuple):
    """What the tables of a file say.

    Attributes:
        order: of the bytes of numbers, as `struct` and numpy write it.
        buffer: most bytes of an unpacked block; 0 where blocks are not compressed.
        contigs: contig -> length, in the order of their numbers.
        blocks: the blocks (K,), sorted by contig and start: number of the contig `first`, the bases from `start` to
            `end` in which it has values, its first byte `offset` and its bytes `size`.
    """

    order: str
    buffer: int
    contigs: dict[str, int]
    blocks: NDArray[np.void]


def read_tables(path: Path) -> BigWigTables:
    """Read the tables of a file; each of them, and every block that they list, must lie within the file.

    Raises:
        InputError: it is no bigWig, cut off or damaged; says what was found.
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
                return _read(_Places(bytes(head), orders[0], len(data)), data)
        except (DamageError, struct.error, ValueError, OverflowError) as error:
            what = str(error) if isinstance(error, DamageError) else _PLACES
            raise InputError(f"{path} is damaged: {what}; fetch it again") from None


class _Places:
    """Places of the tables of a file, from its header."""

    def __init__(self, head: bytes, order: str, size: int) -> None:
        self.order, self.size = order, size
        self.zooms, self.contigs, self.data, self.index = struct.unpack_from(f"{order}H3Q", head, 6)
        self.summary, self.buffer = struct.unpack_from(f"{order}QI", head, 44)


def _read(places: _Places, data: mmap.mmap) -> BigWigTables:
    if places.zooms > _MOST_ZOOMS:
        raise DamageError(f"its header lists {places.zooms:,} zoom levels")
    for offset, magic in ((places.contigs, _CONTIGS_MAGIC), (places.index, _INDEX_MAGIC)):
        no_index = offset == 0 and magic == _INDEX_MAGIC  # pyBigWig writes none in a file without values
        if not no_index and struct.unpack_from(f"{places.order}I", data, min(offset, places.size)) != (magic,):
            raise DamageError(_PLACES)
    if max(_HEADER + places.zooms * _ZOOM, places.summary + _SUMMARY) > places.size or places.buffer > _MOST_BUFFER:
        raise DamageError(_PLACES)
    contigs = _read_contigs(places, data)
    return BigWigTables(places.order, places.buffer, contigs, _read_index(places, data, len(contigs)))


def _read_contigs(places: _Places, data: mmap.mmap) -> dict[str, int]:
    """Read the table of contigs.

    Raises:
        DamageError: it leads out of the file or in a circle, the contigs are not numbered from 0 on, or their names
            are no text or not distinct.
    """
    key, value, count = struct.unpack_from(f"{places.order}IIQ", data, places.contigs + 8)
    if not 0 < key <= _LONGEST_NAME or value != 8 or count * (key + value) > places.size:
        raise DamageError("its table of contigs has impossible sizes")
    leaf = np.dtype([("name", f"V{key}"), ("number", f"{places.order}u4"), ("length", f"{places.order}u4")])
    inner = np.dtype([("name", f"V{key}"), ("child", f"{places.order}u8")])
    contigs = _walk(data, places.contigs + _CONTIGS_HEADER, leaf, inner, places.order)
    contigs = contigs[np.argsort(contigs["number"], kind="stable")]
    if len(contigs) != count or (contigs["number"] != np.arange(count)).any():
        raise DamageError("its table of contigs is not as long as it says")
    try:
        names = [bytes(name).split(b"\0", 1)[0].decode() for name in contigs["name"]]
    except UnicodeDecodeError:
        raise DamageError("its contigs have names that are no text") from None
    if len(set(names)) < len(names):
        raise DamageError("it has two contigs of one name")
    return dict(zip(names, contigs["length"].tolist(), strict=True))


def _read_index(places: _Places, data: mmap.mmap, contigs: int) -> NDArray[np.void]:
    """Read the index: the blocks of values (K,), sorted.

    Raises:
        DamageError: it leads out of the file or in a circle, has more or fewer blocks than the file says, contigs that
            are not in the table, or blocks that are not between the header and the index.
    """
    ends = [(name, f"{places.order}u4") for name in ("first", "start", "last", "end")]
    leaf = np.dtype([*ends, ("offset", f"{places.order}u8"), ("size", f"{places.order}u8")])
    inner = np.dtype([*ends, ("child", f"{places.order}u8")])
    # The number of blocks stands before the first of them; some writers take eight bytes for it, some four.
    counts = {struct.unpack_from(f"{places.order}{kind}", data, places.data)[0] for kind in "QI"}
    if not places.index:
        if counts != {0} or places.data + 12 < places.size:
            raise DamageError("it has values and no index of them")
        return np.empty(0, leaf)
    blocks = _walk(data, places.index + _INDEX_HEADER, leaf, inner, places.order)
    counts |= set(struct.unpack_from(f"{places.order}Q", data, places.index + 8))
    if len(blocks) not in counts:
        raise DamageError(f"its index lists {len(blocks):,} blocks of values, and it has more or fewer")
    if (blocks["first"] >= contigs).any() or (blocks["last"] != blocks["first"]).any():
        raise DamageError("its index names contigs that it does not have")
    offset, size = blocks["offset"].astype(np.uint64), blocks["size"].astype(np.uint64)
    outside = (
        (offset < places.data) | (offset > places.index) | (size > places.index - np.minimum(offset, places.index))
    )
    if outside.any() or len(np.unique(offset)) < len(offset) or (blocks["start"] > blocks["end"]).any():
        raise DamageError("its index names blocks that are not in the file")
    return blocks[np.lexsort((blocks["start"], blocks["first"]))]


def _walk(
    data: mmap.mmap, root: int, leaf: np.dtype[np.void], inner: np.dtype[np.void], order: str
) -> NDArray[np.void]:
    """Items of all leaves of a tree.

    Raises:
        DamageError: it has a circle, or nodes that lie over one another.
        ValueError, struct.error: it leads out of the file.
    """
    todo, seen, room = [root], {root}, len(data)
    leaves = [np.empty(0, leaf)]
    while todo:
        offset = todo.pop()
        is_leaf, count = struct.unpack_from(f"{order}BxH", data, offset)
        kind = leaf if is_leaf else inner
        room -= count * kind.itemsize
        if room < 0:
            raise DamageError("a table of it is longer than the file")
        items = np.frombuffer(data[offset + 4 : offset + 4 + count * kind.itemsize], kind, count)
        if is_leaf:
            leaves.append(items)
            continue
        children = items["child"].tolist()
        if len(set(children)) < count or not seen.isdisjoint(children):
            raise DamageError("a table of it leads in a circle")
        seen.update(children)
        todo += children
    return np.concatenate(leaves)
