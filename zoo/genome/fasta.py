"""Genome: read intervals and windows of a FASTA file as codes."""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import InputError
from zoo.genome.contigs import match_contigs
from zoo.genome.fai import same_records
from zoo.genome.index import open_index
from zoo.genome.intervals import Interval
from zoo.genome.letters import read_letters, read_windows
from zoo.genome.sequence import (
    UNKNOWN,
    Codes,
    decode,
    describe_invalid,
    encode,
    find_invalid,
    reverse_complement,
)
from zoo.utils.text import check_file, shorten

__all__ = ["Genome"]


class Genome:
    """A FASTA file, indexed once and read through a memory map.

    The object holds a path and an index, so it can be sent to worker processes: each opens the map on first use.

    Args:
        path: an uncompressed FASTA file, all lines of a record but the last equally long. The index (`.fai`) of a large
            one is kept next to it, or in the cache where the folder cannot be written; one that does not fit the file
            is not used.

    Raises:
        InputError: no such file, a compressed one, or one that is no regular FASTA.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        _check_fasta(self.path)
        self._map: NDArray[np.uint8] | None = None
        self._stamp = _stamp(self.path)
        self._index = open_index(self.path, self._bytes())
        self._number = {name: number for number, name in enumerate(self._index.names)}
        self._names: dict[str, str] = {}

    @cached_property
    def contigs(self) -> dict[str, int]:
        """Contig name -> length in bases, in the order of the file."""
        return dict(zip(self._index.names, self._index.length.tolist(), strict=True))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_map": None}

    def __repr__(self) -> str:
        return f"Genome({str(self.path)!r}, {len(self._number)} contigs)"

    def codes(self, interval: Interval) -> Codes:
        """Read one interval as codes.

        Returns:
            uint8 (L,), N past the ends of the contig; reverse-complemented for strand '-'.

        Raises:
            InputError: a contig that the genome does not have, a letter that is not an IUPAC nucleotide code, or lines
                that were moved after the file was indexed.
        """
        contig = self.contig(interval.chrom)
        start, end = max(interval.start, 0), min(interval.end, self.contigs[contig])
        codes = np.full(len(interval), UNKNOWN, dtype=np.uint8)
        if start < end:
            letters = read_letters(self.path, self._bytes(), self._index, self._number[contig], start, end)
            try:
                codes[start - interval.start : end - interval.start] = encode(letters)
            except InputError:
                raise self._invalid_letter(contig, start, letters) from None
        return reverse_complement(codes) if interval.strand == "-" else codes

    def windows(self, contig: NDArray[np.int64], start: NDArray[np.int64], length: int) -> Codes:
        """Read many windows of one length at once.

        Args:
            contig: index of each window's contig in `contigs` (N,).
            start: first base of each window, 0-based; it may lie outside the contig (N,).
            length: bases of every window, L.

        Returns:
            Codes, uint8 (N, L), N past the ends of contigs.

        Raises:
            InputError: a letter that is not an IUPAC nucleotide code, or lines that were moved after the file was
                indexed.
        """
        letters = self.window_letters(contig, start, length)
        text = letters.tobytes()
        try:
            return encode(text).reshape(letters.shape).copy()
        except InputError:
            row = find_invalid(text) // length
            name = self._index.names[contig[row]]
            raise self._invalid_letter(name, int(start[row]), letters[row].tobytes()) from None

    def window_letters(self, contig: NDArray[np.int64], start: NDArray[np.int64], length: int) -> NDArray[np.uint8]:
        """Read the letters of many windows at once, lower case where the FASTA has it: ASCII, uint8 (N, L).

        Args:
            contig: index of each window's contig in `contigs` (N,).
            start: first base of each window, 0-based (N,).
            length: bases of every window, L.

        Raises:
            InputError: lines that were moved after the file was indexed.
        """
        return read_windows(self.path, self._bytes(), self._index, contig, start, length)

    def sequence(self, interval: Interval) -> str:
        """Read one interval as upper-case letters."""
        return decode(self.codes(interval))

    def contig(self, name: str) -> str:
        """Find this genome's name of a contig: `chr1`, `1`, `chrI` and `I` may be the same.

        Raises:
            InputError: the genome does not have it.
        """
        if name in self._number:
            return name
        if name not in self._names:
            self._names |= match_contigs([name], self._number)
        return self._names[name]

    def holds(self, interval: Interval) -> bool:
        """Return whether the whole interval lies on its contig."""
        return interval.start >= 0 and interval.end <= self.contigs[self.contig(interval.chrom)]

    def check(self, interval: Interval) -> None:
        """Check that the whole interval lies on its contig.

        Raises:
            InputError: a contig that the genome does not have, or an interval that reaches past its ends.
        """
        if not self.holds(interval):
            length = self.contigs[self.contig(interval.chrom)]
            raise InputError(
                f"the interval {shorten(str(interval))} reaches past the end of {shorten(interval.chrom)}, "
                f"which has {length} bases in {self.path}"
            )

    def _invalid_letter(self, contig: str, start: int, letters: bytes) -> InputError:
        """The error of letters that begin at base `start` of a contig."""
        index = find_invalid(letters)
        return InputError(
            f"{self.path}: {describe_invalid(letters[index], f'{shorten(contig)}:{start + index + 1:,}')}"
        )

    def _bytes(self) -> NDArray[np.uint8]:
        if self._map is None:
            self._map = np.asarray(np.memmap(self.path, dtype=np.uint8, mode="r"))
            if (stamp := _stamp(self.path)) != self._stamp:  # in another process, later
                if not same_records(open_index(self.path, self._map), self._index):
                    raise InputError(f"{self.path} was changed while it was in use: start again")
                self._stamp = stamp
        return self._map


def _check_fasta(path: Path) -> None:
    """Check that a file begins as FASTA does.

    Raises:
        InputError: it does not, or is none; the message says what else it may be.
    """
    check_file(path)
    with path.open("rb") as file:
        head = file.read(16).removeprefix(b"\xef\xbb\xbf")
    if not head:
        raise InputError(f"{path} is empty")
    if head.startswith(b"\x1f\x8b"):
        raise InputError(f"{path} is compressed and cannot be read at random: unpack it first (gunzip -k)")
    if not head.lstrip(b"\r\n").startswith(b">"):
        hint = ", but with UTF-16 text" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
        hint = ", but as a web page" if head.lstrip().startswith(b"<") else hint
        raise InputError(f"{path} is not FASTA: it does not begin with '>'{hint}")


def _stamp(path: Path) -> tuple[int, int]:
    """Size and time of change of a file."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns
