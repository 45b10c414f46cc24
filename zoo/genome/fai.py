"""`.fai` files, the indexes of FASTA files: read, written, and compared with the file. Format: samtools faidx.

Shapes: C records.
"""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.errors import InputError
from zoo.genome.scan import FastaIndex
from zoo.utils.atomic import whole_file
from zoo.utils.streams import UNREADABLE, WHOLE
from zoo.utils.text import open_text

__all__ = ["fits", "is_cut_off", "lists_true_records", "parse_fai", "same_records", "write_fai"]

Bytes = NDArray[np.uint8]
Index = NDArray[np.int64]
# Blocks of the file whose lines are compared with the index, evenly spaced: 4 MB of a file of gigabytes.
_BLOCKS, _BLOCK_BYTES = 64, 1 << 16
_LONGEST_GAP = 1 << 20  # bytes between two records: a header and blank lines
# What lies between the last base of a record and the first of the next one; group 1 is the latter's name.
_GAP = re.compile(rb"(?:\r?\n)+>[ \t]*(\S+)(?:[^\S\n][^\n]*)?\n")
_MOST_DIGITS = 16


def parse_fai(path: Path) -> FastaIndex:
    """Read an index.

    Raises:
        ValueError: a file that cannot be read, another format, numbers that no index has, or two records of one name.
    """
    try:
        with open_text(path, WHOLE) as file:
            rows = [line.split("\t") for line in file.read().split("\n")]
    except (OSError, InputError, *UNREADABLE) as error:
        raise ValueError(f"{path}: {error}") from None
    rows = rows[:-1] if rows[-1] == [""] else rows
    if not rows or {len(row) for row in rows} != {5}:
        raise ValueError("not five columns")
    names = [row[0] for row in rows]
    numbers = np.array(
        [[int(cell) if len(cell) < _MOST_DIGITS else 0 for cell in row[1:]] for row in rows], dtype=np.int64
    )
    length, offset, bases, width = numbers.T
    # Tools differ about the end of a record's only line.
    width = np.where(length <= bases, np.clip(width, bases + 1, bases + 2), width)
    possible = (numbers[:, :3] > 0).all() and (width > bases).all() and (width <= bases + 2).all()
    if not possible or len(set(names)) < len(names):
        raise ValueError("numbers or names that no index has")
    return FastaIndex(names, length, offset, bases, width)


def write_fai(path: Path, index: FastaIndex) -> None:
    """Write an index, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    columns = (column.tolist() for column in index[1:])
    with whole_file(str(path)) as file:
        file.writelines(
            f"{name}\t{length}\t{offset}\t{bases}\t{width}\n"
            for name, length, offset, bases, width in zip(index.names, *columns, strict=True)
        )


def lists_true_records(index: FastaIndex, scanned: FastaIndex) -> bool:
    """Return whether each record of an index is one of the file, as it was scanned."""
    number = {name: row for row, name in enumerate(scanned.names)}
    if not all(name in number for name in index.names):
        return False
    rows = [number[name] for name in index.names]
    same = np.array([ours == theirs[rows] for ours, theirs in zip(index[1:], scanned[1:], strict=True)])  # (4, C)
    one_line = (index.length <= index.bases) & (scanned.length <= scanned.bases)[rows]  # how long lines are is all one
    return bool((same[:2].all(0) & (one_line | same[2:].all(0))).all())


def same_records(one: FastaIndex, other: FastaIndex) -> bool:
    """Return whether two indexes are of the same records."""
    return len(one.names) == len(other.names) and lists_true_records(one, other)


def is_cut_off(scanned: FastaIndex, index: FastaIndex) -> bool:
    """Return whether a file, as it was scanned, is the beginning of the one that was indexed, up to within a record."""
    last = len(scanned.names) - 1
    if last >= len(index.names) or index.names[: last + 1] != scanned.names:
        return False
    if index.offset[last] != scanned.offset[last] or index.length[last] <= scanned.length[last]:
        return False
    before = FastaIndex(index.names[:last], *(column[:last] for column in index[1:]))
    return lists_true_records(before, scanned)


def fits(index: FastaIndex, data: Bytes) -> bool:
    """Return whether an index fits a file: all between records, their first and last lines, and samples of the others.

    Args:
        index: the index.
        data: bytes of the file (P,).
    """
    end = index.end
    if end.max() > len(data) or end[-1] < len(data) - _LONGEST_GAP or (index.offset[1:] <= end[:-1]).any():
        return False
    return (
        _gaps_fit(index, data)
        and _first_lines_fit(index, data)
        and all(_block_fits(index, data, int(at)) for at in np.linspace(0, max(len(data) - _BLOCK_BYTES, 0), _BLOCKS))
    )


def _gaps_fit(index: FastaIndex, data: Bytes) -> bool:
    """Compare what lies between records, which is headers and line ends, and after the last; and their first lines."""
    view, end = data.data, index.end
    if view[end[-1] :].tobytes().strip(b"\r\n"):
        return False
    first = 0
    first_line = (index.offset + np.minimum(index.bases, _BLOCK_BYTES)).tolist()
    columns = index.offset.tolist(), first_line, end.tolist()
    for name, offset, middle, last in zip(index.names, *columns, strict=True):
        if offset - first > _LONGEST_GAP or b"\n" in view[offset : min(middle, last)].tobytes():
            return False
        gap = view[first:offset].tobytes()
        match = _GAP.fullmatch(gap if first else b"\n" + gap.removeprefix(b"\xef\xbb\xbf"))
        if match is None or match[1] != name.encode():
            return False
        first = last
    return True


def _first_lines_fit(index: FastaIndex, data: Bytes) -> bool:
    """Compare the end of the first line, and the beginning of the last, of records of several lines."""
    several = index.length > index.bases
    offset, bases, width = (column[several] for column in index[2:])
    last = offset + (index.length[several] - 1) // bases * width
    line_feeds = (data[offset + width - 1] == ord("\n")) & (data[last - 1] == ord("\n"))
    other = data[offset + bases - 1] > ord("\r")  # a letter
    returns = (width - bases == 1) | (data[offset + bases] == ord("\r"))
    return bool((line_feeds & other & returns).all())


def _block_fits(index: FastaIndex, data: Bytes, first: int) -> bool:
    """Compare the line ends of one block of the file."""
    last = min(first + _BLOCK_BYTES, len(data))
    record, feed = _inside(index, np.flatnonzero(data[first:last] == ord("\n")) + first)
    if ((feed + 1 - index.offset[record]) % index.width[record]).any():
        return False
    if ((data[feed - 1] == ord("\r")) != (index.width[record] - index.bases[record] == 2)).any():
        return False
    _, carriage_return = _inside(index, np.flatnonzero(data[first:last] == ord("\r")) + first)
    if (data[np.minimum(carriage_return + 1, len(data) - 1)] != ord("\n")).any():
        return False
    # Line ends before a byte, counted from the beginning of each record that lies in the block.
    low, high = np.searchsorted(index.end, first, "right"), np.searchsorted(index.offset, last)
    offset, width, end = index.offset[low:high], index.width[low:high], index.end[low:high]
    before = [(np.clip(byte, offset, end) - offset) // width for byte in (first, last)]
    return len(feed) == int((before[1] - before[0]).sum())


def _inside(index: FastaIndex, byte: Index) -> tuple[Index, Index]:
    """Select the bytes that lie within a record: the number of the record, and the byte."""
    record = np.maximum(np.searchsorted(index.offset, byte, "right") - 1, 0)
    inside = (byte >= index.offset[record]) & (byte < index.end[record])
    return record[inside], byte[inside]
