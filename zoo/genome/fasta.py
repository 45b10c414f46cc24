"""Genome: read intervals and windows of a FASTA file as codes."""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import InputError
from zoo.genome.contigs import match_contigs
from zoo.genome.intervals import Interval
from zoo.genome.sequence import UNKNOWN, Codes, decode, encode, reverse_complement

__all__ = ["Genome"]


class Genome:
    """A FASTA file, indexed once and read through a memory map.

    The object holds a path and an index, so it can be sent to worker processes: each opens the map on first use.

    Args:
        path: an uncompressed FASTA file. Its index (`.fai`) is written next to it, or kept in memory where the folder
            cannot be written.

    Raises:
        InputError: no such file, a compressed one, or one that is no regular FASTA.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise InputError(f"{self.path}: no such file")
        with self.path.open("rb") as file:
            head = file.read(2)
        if head == b"\x1f\x8b":
            raise InputError(f"{self.path} is compressed and cannot be read at random: unpack it first (gunzip -k)")
        if not head.startswith(b">"):
            raise InputError(f"{self.path} is not FASTA: it does not begin with '>'")
        self._index = _read_index(self.path)
        self._names: dict[str, str] = {}
        self._map: np.memmap[Any, np.dtype[np.uint8]] | None = None
        self._lines: NDArray[np.int64] | None = None

    @cached_property
    def contigs(self) -> dict[str, int]:
        """Contig name -> length in bases, in the order of the file."""
        return {name: entry.rlen for name, entry in self._index.items()}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_map": None}

    def __repr__(self) -> str:
        return f"Genome({str(self.path)!r}, {len(self._index)} contigs)"

    def codes(self, interval: Interval) -> Codes:
        """Read one interval as codes.

        Returns:
            uint8 (L,), N past the ends of the contig; reverse-complemented for strand '-'.

        Raises:
            InputError: a contig that the genome does not have, or a letter that is not an IUPAC nucleotide code.
        """
        entry = self._index[self.contig(interval.chrom)]
        start, end = max(interval.start, 0), min(interval.end, entry.rlen)
        codes = np.full(len(interval), UNKNOWN, dtype=np.uint8)
        if start < end:
            try:
                codes[start - interval.start : end - interval.start] = encode(self._bases(entry, start, end))
            except InputError as error:
                raise InputError(f"{self.path}, {interval}: {error}") from None
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
            InputError: a letter that is not an IUPAC nucleotide code.
        """
        letters = self.window_letters(contig, start, length)
        try:
            return encode(letters.tobytes()).reshape(letters.shape).copy()
        except InputError as error:
            raise InputError(f"{self.path}: {error} of the windows that were read") from None

    def window_letters(self, contig: NDArray[np.int64], start: NDArray[np.int64], length: int) -> NDArray[np.uint8]:
        """Read the letters of many windows at once, lower case where the FASTA has it: ASCII, uint8 (N, L).

        Args:
            contig: index of each window's contig in `contigs` (N,).
            start: first base of each window, 0-based (N,).
            length: bases of every window, L.
        """
        if not len(contig):
            return np.empty((0, length), np.uint8)
        offset, size, bases, width = self._layout()[:, contig]
        line, wide = int(bases[0]), int(width[0])
        lines = length // line + 2  # the most that a window touches
        first, column = offset + start // line * wide, start % line
        data = self._bytes()
        inside = (start >= 0) & (start + length <= size) & (first + lines * wide <= len(data))
        if not (inside & (bases == line) & (width == wide)).all():
            return self._letters_one_by_one(contig, start, length)
        # Most windows: copy whole lines without their line ends, then the window out of them.
        whole = _windows_of(data, lines * wide)[first].reshape(-1, lines, wide)[:, :, :line].reshape(-1)
        letters: NDArray[np.uint8] = _windows_of(whole, length)[np.arange(len(start)) * (lines * line) + column]
        return letters

    def _letters_one_by_one(
        self, contig: NDArray[np.int64], start: NDArray[np.int64], length: int
    ) -> NDArray[np.uint8]:
        """Read letters as `window_letters`, where windows pass the ends of contigs or lines differ in length."""
        offset, size, bases, width = self._layout()[:, contig, None]
        position = start[:, None] + np.arange(length)  # (N, L)
        inside = np.clip(position, 0, size - 1)
        letters: NDArray[np.uint8] = self._bytes()[offset + inside // bases * width + inside % bases]
        letters[position != inside] = ord("N")
        return letters

    def sequence(self, interval: Interval) -> str:
        """Read one interval as upper-case letters."""
        return decode(self.codes(interval))

    def contig(self, name: str) -> str:
        """Find this genome's name of a contig: `chr1`, `1`, `chrI` and `I` may be the same.

        Raises:
            InputError: the genome does not have it.
        """
        if name in self._index:
            return name
        if name not in self._names:
            self._names |= match_contigs([name], self._index)
        return self._names[name]

    def holds(self, interval: Interval) -> bool:
        """Return whether the whole interval lies on its contig."""
        return interval.start >= 0 and interval.end <= self._index[self.contig(interval.chrom)].rlen

    def check(self, interval: Interval) -> None:
        """Check that the whole interval lies on its contig.

        Raises:
            InputError: a contig that the genome does not have, or an interval that reaches past its ends.
        """
        if not self.holds(interval):
            length = self._index[self.contig(interval.chrom)].rlen
            raise InputError(
                f"the interval {interval} reaches past the end of {interval.chrom}, "
                f"which has {length} bases in {self.path}"
            )

    def _bases(self, entry: Any, start: int, end: int) -> bytes:
        """Read the letters of [start, end) of a contig, without line ends."""
        first = entry.offset + start // entry.lenc * entry.lenb + start % entry.lenc
        last = entry.offset + (end - 1) // entry.lenc * entry.lenb + (end - 1) % entry.lenc + 1
        return self._bytes()[first:last].tobytes().translate(None, b"\r\n")

    def _bytes(self) -> NDArray[np.uint8]:
        if self._map is None:
            self._map = np.memmap(self.path, dtype=np.uint8, mode="r")
        return np.asarray(self._map)

    def _layout(self) -> NDArray[np.int64]:
        """Offset, length, bases per line and bytes per line of each contig (4, contigs)."""
        if self._lines is None:
            rows = [(entry.offset, entry.rlen, entry.lenc, entry.lenb) for entry in self._index.values()]
            self._lines = np.array(rows, dtype=np.int64).T
        return self._lines


def _windows_of(values: NDArray[np.uint8], length: int) -> NDArray[np.uint8]:
    """View all windows of a contiguous array (P,) as (P - length + 1, length); faster than numpy's function."""
    return np.ndarray((len(values) - length + 1, length), np.uint8, values, strides=(1, 1))


def _read_index(path: Path) -> dict[str, Any]:
    import tempfile

    from pyfaidx import Faidx, FastaIndexingError

    try:
        try:
            return dict(Faidx(str(path), read_ahead=0).index)
        except FastaIndexingError:
            raise
        except OSError:
            with tempfile.TemporaryDirectory() as folder:
                return dict(Faidx(str(path), indexname=f"{folder}/index.fai").index)
    except (FastaIndexingError, ValueError) as error:
        raise InputError(f"{path}: not a FASTA file that can be indexed ({error})") from None
