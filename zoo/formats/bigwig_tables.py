"""Tables of a bigWig file: the B+ tree of contigs, the R-tree of blocks, and summaries at lower resolution.

Format: Kent 2010, doi:10.1093/bioinformatics/btq351, supplementary tables; little-endian.
Shapes: N items of a block of data, K blocks, Z summaries.
"""

import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BLOCK",
    "BLOCKS",
    "FIXED_STEP",
    "LARGEST",
    "MOST_ZOOMS",
    "POSITIONS",
    "SUMMARY_BLOCK_BYTES",
    "VARIABLE_STEP",
    "summary_levels",
    "total_of",
    "write_contigs",
    "write_index",
    "write_summaries",
]

# What an R-tree knows of a block of data, and of a node; the fields as they lie in a leaf.
BLOCKS = np.dtype([(name, "<u4") for name in ("contig", "start", "last", "end")] + [("offset", "<u8"), ("size", "<u8")])
_NODES = np.dtype([(name, "<u4") for name in ("contig", "start", "last", "end")] + [("offset", "<u8")])
# A summary of the values of `step` bases: its contig, start and end, the number of bases that have a value, ...
_SUMMARIES = np.dtype(
    [(name, "<u4") for name in ("contig", "start", "end", "covered")]
    + [(name, "<f4") for name in ("lowest", "highest", "sum", "squares")]
)
# A block of values: its header, the two ways in which values are stored, and a value with its position.
BLOCK = struct.Struct("<5I2BH")
FIXED_STEP = 3
VARIABLE_STEP = 2
MOST_ZOOMS = 10
# The first resolution of summaries, in mean distances of values, how much coarser each next one is, and how few end it.
_FIRST_ZOOM, _NEXT_ZOOM, _FEW_SUMMARIES = 16, 4, 256
POSITIONS = np.dtype([("start", "<u4"), ("value", "<f4")])
_WIDTH = 256  # most items of a node
_SUMMARIES_PER_BLOCK = 512
LARGEST = float(np.finfo(np.float32).max)  # of values, and of sums of them in summaries
SUMMARY_BLOCK_BYTES = _SUMMARIES_PER_BLOCK * _SUMMARIES.itemsize

Floats = NDArray[np.float64]
Index = NDArray[np.int64]


class Items(NamedTuple):
    """Values of bases that follow one another, or summaries of them; sorted, none overlaps another (N each).

    Attributes:
        contig: number of the contig.
        start: first base.
        end: base after the last.
        covered: number of bases with a value.
        lowest: lowest value.
        highest: highest value.
        sum: sum over the bases.
        squares: sum of squares over the bases.
    """

    contig: Index
    start: Index
    end: Index
    covered: Index
    lowest: Floats
    highest: Floats
    sum: Floats
    squares: Floats


def write_contigs(file: BinaryIO, contigs: Mapping[str, int]) -> None:
    """Write the B+ tree of contigs (name -> length), numbered in their order; its keys are sorted."""
    names = sorted((name.encode(), number) for number, name in enumerate(contigs))
    lengths = list(contigs.values())
    key_size = max(len(name) for name, _ in names)
    width = min(_WIDTH, len(names))
    file.write(struct.pack("<4I2Q", 0x78CA8C91, width, key_size, 8, len(names), 0))
    leaves = [(name, struct.pack("<2I", number, lengths[number])) for name, number in names]
    levels = [leaves]
    while len(levels[-1]) > width:  # first keys of the nodes below
        levels.append([(name, b"") for name, _ in levels[-1][::width]])
    node_size = 4 + width * (key_size + 8)
    below = file.tell()
    for depth, level in reversed(list(enumerate(levels))):
        below += -(-len(level) // width) * node_size  # where the next level begins
        for first in range(0, len(level), width):
            items = level[first : first + width]
            node = struct.pack("<BBH", depth == 0, 0, len(items))
            for number, (name, value) in enumerate(items, first):
                node += name.ljust(key_size, b"\0") + (value or struct.pack("<Q", below + number * node_size))
            file.write(node.ljust(node_size, b"\0"))


def write_index(file: BinaryIO, blocks: NDArray[np.void], items_per_block: int) -> None:
    """Write the R-tree of blocks of data (K,), of type `BLOCKS`, in their order."""
    end_of_data = file.tell()
    corners = (
        (blocks["contig"][0], blocks["start"][0], blocks["last"][-1], blocks["end"][-1]) if len(blocks) else [0] * 4
    )
    file.write(struct.pack("<2IQ4IQ2I", 0x2468ACE0, _WIDTH, len(blocks), *corners, end_of_data, items_per_block, 0))
    levels = [blocks]
    while len(levels[-1]) > _WIDTH:
        levels.append(_parents(levels[-1]))
    below = file.tell()
    for depth, level in reversed(list(enumerate(levels))):
        nodes = max(1, -(-len(level) // _WIDTH))
        below += 4 * nodes + level.nbytes  # where the next level begins
        if depth:
            child = np.arange(len(level))
            level["offset"] = below + 4 * child + levels[depth - 1].itemsize * _WIDTH * child
        for first in range(0, nodes * _WIDTH, _WIDTH):
            items = level[first : first + _WIDTH]
            file.write(struct.pack("<BBH", depth == 0, 0, len(items)) + items.tobytes())


def _parents(level: NDArray[np.void]) -> NDArray[np.void]:
    """The nodes above a level, from the first to the last base that each of them holds."""
    first = np.arange(0, len(level), _WIDTH)
    last = np.minimum(first + _WIDTH, len(level)) - 1
    nodes = np.zeros(len(first), _NODES)
    nodes["contig"], nodes["start"] = level["contig"][first], level["start"][first]
    nodes["last"], nodes["end"] = level["last"][last], level["end"][last]
    return nodes


def _read_items(file: BinaryIO, blocks: NDArray[np.void]) -> Iterator[Items]:
    """Read back the values of each block of data; at the end the file is at its own end."""
    for block in blocks:
        file.seek(int(block["offset"]))
        data = zlib.decompress(file.read(int(block["size"])))
        contig, start, _, step, span, kind, _, count = BLOCK.unpack_from(data)
        if kind == FIXED_STEP:
            starts = start + step * np.arange(count)
            values = np.frombuffer(data, np.float32, count, BLOCK.size)
        else:
            items = np.frombuffer(data, POSITIONS, count, BLOCK.size)
            starts, values = items["start"].astype(np.int64), items["value"]
        value, covered = values.astype(np.float64), np.full(count, span)
        sums = value * span, value**2 * span
        yield Items(np.full(count, contig), starts, starts + span, covered, value, value, *sums)
    file.seek(0, os.SEEK_END)


def summary_levels(file: BinaryIO, blocks: NDArray[np.void], count: int, lengths: Index) -> list[tuple[int, Items]]:
    """Summarize all values at coarser and coarser resolution.

    Args:
        file: the file, in which they have been written.
        blocks: their blocks.
        count: how many they are.
        lengths: of the contigs.

    Returns:
        Bases that each summary stands for, and the summaries, at each resolution.
    """
    if not len(blocks):
        return []
    step = _FIRST_ZOOM * max(1, int((blocks["end"] - blocks["start"]).sum() // count))
    levels = [(step, _summarize(_read_items(file, blocks), step, lengths))]
    while len(levels) < MOST_ZOOMS and len(levels[-1][1].start) > _FEW_SUMMARIES and step < lengths.max():
        step *= _NEXT_ZOOM
        levels.append((step, _coarsened(levels[-1][1], step, lengths)))
    return levels


def total_of(items: Items) -> tuple[float, ...]:
    """Number of bases with a value, lowest and highest value, sum and sum of squares."""
    return int(items.covered.sum()), items.lowest.min(), items.highest.max(), items.sum.sum(), items.squares.sum()


def _summarize(pieces: Iterable[Items], step: int, lengths: Index) -> Items:
    """Summarize values in windows of `step` bases, those without any left out; `lengths` are those of the contigs."""
    windows = [_merged(_split(piece, step), step) for piece in pieces]
    return _coarsened(Items(*(np.concatenate(column) for column in zip(*windows, strict=True))), step, lengths)


def _coarsened(items: Items, step: int, lengths: Index) -> Items:
    """Summarize summaries in windows of `step` bases, a multiple of those of the summaries."""
    merged = _merged(items, step)
    return merged._replace(end=np.minimum(merged.end, lengths[merged.contig]))


def _split(items: Items, step: int) -> Items:
    """Cut items where windows of `step` bases begin."""
    first, last = items.start // step, (items.end - 1) // step
    count = last - first + 1
    if (count == 1).all():
        return items
    row = np.repeat(np.arange(len(count)), count)
    window = first[row] + np.arange(len(row)) - (np.cumsum(count) - count)[row]
    start, end = np.maximum(items.start[row], window * step), np.minimum(items.end[row], (window + 1) * step)
    size, value = end - start, items.lowest[row]
    return Items(items.contig[row], start, end, size, value, value, size * value, size * value**2)


def _merged(items: Items, step: int) -> Items:
    """Join items of the same window of `step` bases; none lies in two."""
    window = items.start // step
    new = (np.diff(items.contig, prepend=-1) != 0) | (np.diff(window, prepend=-1) != 0)
    first = np.flatnonzero(new)
    if not len(first):
        return items
    start = window[first] * step
    return Items(
        items.contig[first],
        start,
        start + step,
        np.add.reduceat(items.covered, first),
        np.minimum.reduceat(items.lowest, first),
        np.maximum.reduceat(items.highest, first),
        np.add.reduceat(items.sum, first),
        np.add.reduceat(items.squares, first),
    )


def write_summaries(file: BinaryIO, items: Items) -> tuple[int, int]:
    """Write the blocks of one resolution and their index; returns where each of the two begins."""
    rows = np.zeros(len(items.start), _SUMMARIES)
    for name, column in zip(_SUMMARIES.names or (), items, strict=True):
        # Squares of large values are beyond float32, in which the format has them; means are right.
        rows[name] = np.minimum(column, LARGEST) if name == "squares" else column
    offset = file.tell()
    file.write(struct.pack("<I", len(rows)))
    blocks = [_write_block(file, piece) for piece in _pieces(rows)]
    index = file.tell()
    write_index(file, np.array(blocks, BLOCKS), _SUMMARIES_PER_BLOCK)
    return offset, index


def _pieces(rows: NDArray[np.void]) -> Iterator[NDArray[np.void]]:
    return (rows[first : first + _SUMMARIES_PER_BLOCK] for first in range(0, len(rows), _SUMMARIES_PER_BLOCK))


def _write_block(file: BinaryIO, rows: NDArray[np.void]) -> tuple[int, ...]:
    data = zlib.compress(rows.tobytes())
    offset = file.tell()
    file.write(data)
    first, last = rows[0], rows[-1]
    return int(first["contig"]), int(first["start"]), int(last["contig"]), int(last["end"]), offset, len(data)
