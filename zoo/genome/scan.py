"""The index of a FASTA file, from its line structure; the file is read once, in blocks.

Shapes: C records, R runs of equal lines.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.errors import InputError
from zoo.utils.text import quoted

__all__ = ["FastaIndex", "describe_empty", "describe_invalid_name", "scan_fasta"]

Index = NDArray[np.int64]
_BLOCK_BYTES = 1 << 22
_NEWLINE, _RETURN, _HEADER = b"\n\r>"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LONGEST_NAME = 1_000  # letters; a longer name of a record holds its sequence


class FastaIndex(NamedTuple):
    """Place of each record of a FASTA file, in the order of the file.

    Attributes:
        names: names of the records (C).
        length: bases of each record (C,).
        offset: byte of its first base (C,).
        bases: bases of each of its lines but the last (C,).
        width: bytes of such a line, with its end (C,).
    """

    names: list[str]
    length: Index
    offset: Index
    bases: Index
    width: Index

    @property
    def end(self) -> Index:
        """Byte after the last base of each record (C,)."""
        last = self.length - 1
        end: Index = self.offset + last // self.bases * self.width + last % self.bases + 1
        return end


class _Runs(NamedTuple):
    """Runs of consecutive lines that are equally long; a header is a run of its own.

    Attributes:
        number: number of a run's first line, from 1 (R,).
        start: byte at which it begins (R,).
        size: letters of each line, without its end (R,).
        width: bytes of each line, with its end (R,).
        header: lines that begin with `>` (R,).
    """

    number: Index
    start: Index
    size: Index
    width: Index
    header: NDArray[np.bool_]

    def merged(self) -> "_Runs":
        """Join neighbours that are equally long."""
        same = (np.diff(self.size) == 0) & (np.diff(self.width) == 0) & ~self.header[1:] & ~self.header[:-1]
        first = np.flatnonzero(np.concatenate([[True], ~same]))
        return _Runs(self.number[first], self.start[first], self.size[first], self.width[first], self.header[first])

    def lines(self, total: int) -> Index:
        """Number of lines of each run (R,), of the first `total` lines of the file."""
        return np.diff(self.number, append=total + 1)


def scan_fasta(path: Path, data: NDArray[np.uint8]) -> FastaIndex:
    """Build the index of a FASTA file.

    Args:
        path: file that messages name.
        data: its bytes, not empty.

    Raises:
        InputError: the file is no FASTA, lines of a record differ in length, a record has no sequence, or two have one
            name.
    """
    begin = len(_BYTE_ORDER_MARK) if data[:3].tobytes() == _BYTE_ORDER_MARK else 0
    blocks: list[_Runs] = []
    lines, start = 0, begin
    for first in range(begin, len(data), _BLOCK_BYTES):
        ends = np.flatnonzero(data[first : first + _BLOCK_BYTES] == _NEWLINE) + first
        if first + _BLOCK_BYTES >= len(data) and (not len(ends) or ends[-1] + 1 < len(data)):
            ends = np.append(ends, len(data))  # the last line has no end
        if len(ends):
            blocks.append(_runs_of(data, start, ends, lines + 1))
            lines, start = lines + len(ends), int(ends[-1]) + 1
            if len(blocks[-1].start) > 8 * int(blocks[-1].header.sum()) + 16:
                _check_lines(path, data, _joined(blocks), lines)  # fail now, before memory is full of runs
    if not blocks:
        raise InputError(f"{path}: no sequence in it")
    runs = _joined(blocks)
    _check_lines(path, data, runs, lines)
    return _records(path, data, runs, lines)


def describe_empty(header: bytes) -> str:
    """Describe a record without a sequence, by its header without `>`."""
    name = quoted(_first_word(header))
    if b"\r" in header.strip():
        return f"the record {name} has no sequence: lines must end with a line feed, not with a carriage return alone"
    if len(header) > _LONGEST_NAME:
        return f"the record {name} has no sequence but a header of {len(header):,} letters: its line break may be lost"
    return f"the record {name} has no sequence"


def describe_invalid_name(name: str) -> str | None:
    """Describe a name of a record that is empty, or so long that it must hold the sequence; None for others."""
    if not name:
        return "a header without a name: write one after its '>'"
    if len(name) <= _LONGEST_NAME:
        return None
    return f"the name {quoted(name)} is too long: the line break after it may be lost"


def _first_word(header: bytes) -> str:
    words = header.split(None, 1)
    return words[0].decode("utf-8", "replace") if words else ""


def _joined(blocks: list[_Runs]) -> _Runs:
    return _Runs(*map(np.concatenate, zip(*blocks, strict=True))).merged()


def _runs_of(data: NDArray[np.uint8], start: int, ends: Index, number: int) -> _Runs:
    """Runs of the lines that end at `ends`, of which the first begins at `start`."""
    starts = np.concatenate([[start], ends[:-1] + 1])
    size = ends - starts
    width = size + 1
    size -= (size > 0) & (data[ends - 1] == _RETURN)
    header = (size > 0) & (data[np.minimum(starts, len(data) - 1)] == _HEADER)
    return _Runs(np.arange(number, number + len(ends)), starts, size, width, header).merged()


def _check_lines(path: Path, data: NDArray[np.uint8], runs: _Runs, total: int) -> None:
    """Check that the file begins with a header, and that lines of a record are equally long, up to its last.

    Raises:
        InputError: the number of the first line that is not.
    """
    filled = ~runs.header & (runs.size > 0)
    before = np.concatenate([[-1], np.where(filled, runs.size, 0)[:-1]])  # letters of the line before, 0 of a header
    after_header = np.concatenate([[False], runs.header[:-1]])
    second = np.concatenate([[False], (after_header & filled)[:-1]])
    regular = ~filled | after_header | (second & (runs.lines(total) == 1) & (runs.size <= before))
    if regular.all():
        return
    run = int(np.argmin(regular))
    headers = np.flatnonzero(runs.header[:run])
    if not len(headers):
        raise InputError(f"{path}, line {runs.number[run]}: FASTA begins with a header, a line that begins with '>'")
    number = runs.number[run] + int(second[run] and runs.size[run] <= before[run])
    name = quoted(_first_word(_header(data, runs, int(headers[-1]))))
    raise InputError(
        f"{path}, line {number}: the lines of the record {name} differ in length before its last, so that bases cannot "
        "be found by their position; wrap the file anew, e.g. with `seqkit seq --line-width 60`"
    )


def _header(data: NDArray[np.uint8], runs: _Runs, run: int) -> bytes:
    """Letters of a header, without `>`."""
    start = int(runs.start[run])
    return data[start + 1 : start + int(runs.size[run])].tobytes()


def _records(path: Path, data: NDArray[np.uint8], runs: _Runs, total: int) -> FastaIndex:
    """The records of regular runs."""
    header = np.flatnonzero(runs.header)
    if not len(header):
        raise InputError(f"{path}: no sequence in it")
    names = _names(path, data, runs, header)
    # Letters of each line, 0 of headers, and of two more runs after the last.
    size = np.concatenate([np.where(runs.header, 0, runs.size), [0, 0]])
    first = header + 1
    empty = np.flatnonzero(size[first] == 0)
    if len(empty):
        record = header[empty[0]]
        raise InputError(f"{path}, line {runs.number[record]}: {describe_empty(_header(data, runs, int(record)))}")
    length = runs.lines(total)[first] * size[first] + size[first + 1]
    return FastaIndex(names, length, runs.start[first], runs.size[first], runs.width[first])


def _names(path: Path, data: NDArray[np.uint8], runs: _Runs, header: Index) -> list[str]:
    """Names of the records: the first words of their headers."""
    names: list[str] = []
    known: set[str] = set()
    view = data.data
    for number, start, size in zip(*(column[header].tolist() for column in runs[:3]), strict=True):
        words = view[start + 1 : start + size].tobytes().split(None, 1)
        try:
            name = words[0].decode() if words else ""
        except UnicodeDecodeError:
            raise InputError(f"{path}, line {number}: the name in the header is not UTF-8 text") from None
        if message := describe_invalid_name(name):
            raise InputError(f"{path}, line {number}: {message}")
        if name in known:
            raise InputError(f"{path}, line {number}: another record is called {quoted(name)} too")
        known.add(name)
        names.append(name)
    return names
