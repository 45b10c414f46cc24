"""Letters of a FASTA file, read by its index; line ends must lie where the index has them.

The index of a large file is compared with samples of it (`fai.fits`). An edit between two samples moves line ends, and
is seen here: before, within and after what is read. Shapes: N windows, L bases.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.errors import InputError
from zoo.genome.scan import FastaIndex
from zoo.utils.text import shorten

__all__ = ["read_letters", "read_windows"]

Bytes = NDArray[np.uint8]
Index = NDArray[np.int64]
_FEED, _RETURN = b"\n\r"


def read_letters(path: Path, data: Bytes, index: FastaIndex, record: int, start: int, end: int) -> bytes:
    """Read the letters of one interval that lies within a record.

    Args:
        path: file that messages name.
        data: its bytes.
        index: its index.
        record: number of the record.
        start: first base, 0-based.
        end: base after the last one.

    Raises:
        InputError: the lines of the file are not those of the index.
    """
    size, offset, bases, width = (column.item(record) for column in index[1:])
    first, last = start // bases, (end - 1) // bases  # lines
    begin, returns = offset + first * width + start % bases, width - bases - 1
    text = data[begin : offset + last * width + (end - 1) % bases + 1].tobytes()
    letters = text.translate(None, b"\r\n")
    line_end = bases - start % bases  # the first one in the text
    fit = (
        len(letters) == end - start
        and text[line_end + returns :: width].count(b"\n") == last - first
        and (not returns or text[line_end::width].count(b"\r") == last - first)
        and data[offset + first * width - 1] == _FEED
        and (last == (size - 1) // bases or data[offset + (last + 1) * width - 1] == _FEED)
    )
    if not fit:
        raise _moved_line(path, data, index, record, start, end)
    return letters


def read_windows(path: Path, data: Bytes, index: FastaIndex, record: Index, start: Index, length: int) -> Bytes:
    """Read the letters of many windows at once.

    Args:
        path: file that messages name.
        data: its bytes.
        index: its index.
        record: number of each window's record (N,).
        start: first base of each, 0-based; it may lie outside the record (N,).
        length: bases of every window, L.

    Returns:
        Letters (N, L), N past the ends of records.

    Raises:
        InputError: the lines of the file are not those of the index.
    """
    if not len(record):
        return np.empty((0, length), np.uint8)
    size, offset, bases, width = (column[record] for column in index[1:])
    line, wide = int(bases[0]), int(width[0])
    lines = length // line + 2  # the most that a window touches
    first, column = offset + start // line * wide, start % line
    inside = (start >= 0) & (start + length <= size) & (first + lines * wide <= len(data))
    if lines * wide > 4 * length + 1024 or not (inside & (bases == line) & (width == wide)).all():
        letters, fit = _one_by_one(data, index, record, start, length)
    else:
        # Most windows: copy whole lines without their line ends, then the window out of them.
        text = _windows_of(data, 1 + lines * wide)[first - 1]  # from the line end before
        fit = _line_ends_fit(text, wide, wide - line == 2)
        if not fit.all():  # those after a window, or its record, do not matter
            last = np.minimum((start + length - 1) // line + 1, (size - 1) // line) - start // line
            fit |= np.arange(lines + 1) > last[:, None]
        whole = np.ndarray((len(text), lines, line), np.uint8, text, 1, (text.shape[1], wide, 1))
        whole = np.ascontiguousarray(whole).reshape(-1)  # of lines of one base, reshape leaves gaps
        letters = _windows_of(whole, length)[np.arange(len(start)) * (lines * line) + column]
    row = _first_false(fit)
    if row is None and letters.size and letters.min() <= _RETURN:
        row = _first_false((letters != _FEED) & (letters != _RETURN))
    if row is not None:
        ends = np.clip([start[row], start[row] + length - 1], 0, size[row] - 1)
        raise _moved_line(path, data, index, int(record[row]), int(ends[0]), int(ends[1]) + 1)
    return letters


def _first_false(values: NDArray[np.bool_]) -> int | None:
    """Find the first row (N, K) that is not all true."""
    return None if values.all() else int(np.argmin(values.all(1)))


def _line_ends_fit(text: Bytes, width: int, returns: bool) -> NDArray[np.bool_]:
    """Return whether line ends lie where they should: (N, lines + 1) of text (N, 1 + lines * width)."""
    fit: NDArray[np.bool_] = text[:, ::width] == _FEED
    if returns:
        fit[:, 1:] &= text[:, width - 1 :: width] == _RETURN
    return fit


def _one_by_one(
    data: Bytes, index: FastaIndex, record: Index, start: Index, length: int
) -> tuple[Bytes, NDArray[np.bool_]]:
    """Read letters past the ends of records too, and where lines differ or are long.

    Returns:
        Letters (N, L), and whether line ends lie where they should (N, lines).
    """
    size, offset, bases, width = (column[record, None] for column in index[1:])
    ends = start[:, None] + np.array([0, length - 1])
    inside = np.clip(ends, 0, size - 1)  # (N, 2)
    first, last = inside[:, :1] // bases, inside[:, 1:] // bases
    letters = np.empty((len(start), length), np.uint8)
    in_line = ((inside == ends).all(1, keepdims=True) & (first == last))[:, 0]
    if in_line.any():
        begin = (offset + first * width)[:, 0] + start % bases[:, 0]
        letters[in_line] = _windows_of(data, length)[begin[in_line]]
    others = np.flatnonzero(~in_line)
    letters[others] = _each_base(data, index, record[others], start[others], length)
    # The line end before the first line, those between lines, and the one after the last, if it is no record's last.
    line = np.minimum(first + np.arange(int((last - first).max()) + 2), np.minimum(last + 1, (size - 1) // bases))
    end = offset + line * width - 1  # (N, lines)
    fit = data[end] == _FEED
    fit &= (width - bases == 1) | (data[end - 1] == _RETURN) | (line == 0)
    return letters, fit


def _each_base(data: Bytes, index: FastaIndex, record: Index, start: Index, length: int) -> Bytes:
    """Read letters (N, L) base by base."""
    size, offset, bases, width = (column[record, None] for column in index[1:])
    position = start[:, None] + np.arange(length)  # (N, L)
    inside = np.clip(position, 0, size - 1)
    letters: Bytes = data[offset + inside // bases * width + inside % bases]
    letters[position != inside] = ord("N")
    return letters


def _moved_line(path: Path, data: Bytes, index: FastaIndex, record: int, start: int, end: int) -> InputError:
    """The error of an interval in which, or next to which, a line does not end where the index has it."""
    size, offset, bases, width = (column.item(record) for column in index[1:])
    first, last = start // bases, (end - 1) // bases
    stop = offset + (last + 1) * width if last < (size - 1) // bases else int(index.end[record])
    around = data[offset + first * width - 1 : stop]  # the line end before the first line, and all lines
    expected = np.arange(-1, len(around) - 1) % width >= bases
    wrong = np.flatnonzero(expected != ((around == _FEED) | (around == _RETURN)))
    base = first * bases + (int((~expected[: wrong[0]]).sum()) if len(wrong) else 0)
    fai = Path(f"{path}.fai")
    cure = f"remove {fai}" if fai.is_file() else f"run `touch {path}`"
    return InputError(
        f"{path}: near {shorten(index.names[record])}:{base + 1:,} a line does not end where the file's index says, so "
        f"that bases would be read shifted: the file was edited; {cure}, and the index is made anew"
    )


def _windows_of(values: Bytes, length: int) -> Bytes:
    """View all windows of a contiguous array (P,) as (P - length + 1, length); faster than numpy's function."""
    return np.ndarray((len(values) - length + 1, length), np.uint8, values, strides=(1, 1))
