"""Sequence files, read in blocks: FASTA, one sequence per line, or a table (TSV, CSV); plain or gzipped."""

import io
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo.errors import InputError
from zoo.formats._sequence_blocks import Block, Row, fasta_blocks, line_blocks
from zoo.formats._sequence_tables import is_sequence_column, table_blocks
from zoo.formats.separators import refuse_semicolons
from zoo.genome.sequence import Codes, count_ambiguous, encode
from zoo.utils.streams import SEQUENCES, TABLE, describe_unreadable, limit, open_bytes
from zoo.utils.text import check_file, counted, quoted, shown_path

__all__ = ["Records", "SequenceFile", "ambiguity_notes", "read_sequences", "stack_codes"]

_BLOCK_BYTES = 1 << 22
_FIRST_BYTES = 1 << 16  # enough for the first record of a file of short sequences
_HEADER_HINT = "; if this is the name of a column, say so with --sequence-column"
_ROWS_AT_ONCE = 16384


class Records(NamedTuple):
    """Consecutive records of a file.

    Attributes:
        names: names of the records; `sequence_1`, ... where the file has none.
        sequences: letters as bytes.
        rows: column name -> cell for each record of a table; empty for other formats.
        first: number of the first record in the file, from 1.
        lines: number of the line on which each row of a table ends.
    """

    names: list[str]
    sequences: list[bytes]
    rows: list[Row]
    first: int
    lines: Sequence[int] = ()


@dataclass
class SequenceFile:
    """A sequence file, or standard input as `-`; iterating over it gives blocks of records.

    Args:
        path: the file; its format is recognized by its content.
        sequence_column: in a table, the column with the sequence; None for `sequence` or `seq`.

    Attributes:
        ambiguous: number of IUPAC letters other than N that were read as N so far.
    """

    path: str
    sequence_column: str | None = None
    ambiguous: int = field(default=0, init=False)

    def __iter__(self) -> Iterator[Records]:
        """Read the file block by block, so that memory does not grow with its length.

        Raises:
            InputError: no such file, an empty one, a broken archive, or a record without a sequence.
        """
        return self._read(_BLOCK_BYTES, _ROWS_AT_ONCE)

    def first(self) -> Records:
        """Read the first record, and what was read along with it, but not the rest of the file.

        Raises:
            InputError: as iterating over the file.
        """
        with closing(self._read(_FIRST_BYTES, 1)) as blocks:
            return next(records for records in blocks if records.names)

    def _read(self, size: int, rows_at_once: int) -> Generator[Records]:
        """Read blocks of about `size` bytes, or of so many rows of a table."""
        count = 0
        if self.path != "-":
            check_file(self.path, regular=False)
        with open_bytes(self.path, SEQUENCES) as stream:
            try:
                for names, sequences, rows, lines in self._blocks(stream, size, rows_at_once):
                    yield Records(names, sequences, rows, count + 1, lines)
                    count += len(names)
            except (EOFError, OSError, zlib.error) as error:
                raise InputError(
                    f"{self.shown} cannot be read to its end: {describe_unreadable(error, self.path)}"
                ) from None
        if count == 0:
            raise InputError(f"{self.shown}: no sequence in it")

    def codes(self, records: Records) -> list[Codes]:
        """Convert the letters of records to codes: an array uint8 (L,) per record.

        Raises:
            InputError: a letter that is not an IUPAC nucleotide code; names the record.
        """
        if not records.sequences:
            return []
        joined = b"".join(records.sequences)
        self.ambiguous += count_ambiguous(joined)
        ends = np.cumsum([len(sequence) for sequence in records.sequences])
        try:
            return np.split(encode(joined), ends[:-1])
        except InputError:
            # Encode one by one to name the record.
            for name, sequence in zip(records.names, records.sequences, strict=True):
                try:
                    encode(sequence)
                except InputError as error:
                    hint = "" if records.rows or name != "sequence_1" else _HEADER_HINT
                    raise InputError(f"{self.shown}, record {quoted(name)}: {error}{hint}") from None
            raise

    @property
    def shown(self) -> str:
        """What messages call the file."""
        return shown_path(self.path)

    def _blocks(self, stream: io.BufferedReader, size: int, rows_at_once: int) -> Iterator[Block]:
        """Recognize the format by the first line, and read blocks of it."""
        try:
            line, first_line = _first_line(stream)
        except (EOFError, OSError, zlib.error) as error:
            raise InputError(f"{self.shown}: cannot be read: {describe_unreadable(error, self.path)}") from None
        if first_line.startswith(b">"):
            if self.sequence_column is not None:
                raise InputError(f"{self.shown} is FASTA, which has no column {self.sequence_column!r}")
            return fasta_blocks(stream, size, self.shown)
        if b"\r" in first_line.rstrip(b"\r"):
            raise InputError(f"{self.shown}: its lines end with carriage returns alone; they must end with a line feed")
        refuse_semicolons(first_line.decode("latin-1"), self.shown, "commas or tabs")
        separator = "\t" if b"\t" in first_line else ","
        is_header = is_sequence_column(first_line.decode("latin-1").strip().strip('"'))
        if separator.encode() in first_line or is_header or self.sequence_column is not None:
            limit(stream, TABLE)
            return table_blocks(stream, separator, rows_at_once, self.shown, line, self.sequence_column)
        return line_blocks(stream, size, self.shown, line)


def _first_line(stream: io.BufferedReader) -> tuple[int, bytes]:
    """Skip a byte order mark and empty lines: how many, and what is known of the next line without reading it."""
    if stream.peek(3).startswith(b"\xef\xbb\xbf"):
        stream.read(3)
    line = 0
    while (head := stream.peek(1))[:1] in (b"\n", b"\r"):
        line += stream.read(1) == b"\n"
    return line, head.split(b"\n", 1)[0]


def read_sequences(path: str | Path) -> tuple[list[str], list[Codes]]:
    """Read a whole sequence file.

    Args:
        path: FASTA, one sequence per line, TSV or CSV; plain or gzipped.

    Returns:
        Names, and codes as an array uint8 (L,) per sequence.

    Raises:
        InputError: a file that cannot be read, or a letter that is not an IUPAC nucleotide code.
    """
    file = SequenceFile(str(path))
    names: list[str] = []
    codes: list[Codes] = []
    for records in file:
        names += records.names
        codes += file.codes(records)
    return names, codes


def stack_codes(codes: list[Codes], names: list[str], files: Sequence[str], option: str = "") -> Codes:
    """Stack sequences of equal length.

    Args:
        codes: uint8 (L,) each (N).
        names: names of the sequences (N).
        files: file of each, which a message names (N).
        option: option that resizes them, for a message; empty for that of training.

    Returns:
        uint8 (N, L).

    Raises:
        InputError: lengths differ; names the commonest length, and the first sequence of another one.
    """
    lengths = np.array([len(one) for one in codes])
    if (lengths == lengths[0]).all():
        return np.stack(codes)
    sizes, counts = np.unique(lengths, return_counts=True)
    commonest = int(sizes[counts.argmax()])
    other = int((lengths != commonest).argmax())
    longest = f" (or {sizes[-1]}, the longest)" if sizes[-1] > commonest else ""
    raise InputError(
        f"{files[other]}: sequences of one length are needed: {counts.max():,} of {len(codes):,} have "
        f"{commonest:,} bases, but {quoted(names[other])} has {lengths[other]:,} (from {sizes[0]:,} to {sizes[-1]:,}); "
        f"{option or f'--data.resize {commonest}{longest}'} cuts or pads all around their centres"
    )


def ambiguity_notes(where: str, count: int) -> list[str]:
    """A sentence about IUPAC letters that were read as N; none if there were none.

    Args:
        where: the file, or what a message calls the sequences.
        count: number of such letters.
    """
    letters = counted(count, "IUPAC letter")
    verb = "was" if count == 1 else "were"
    return [f"{where}: {letters} other than A, C, G, T, U and N {verb} read as N"] if count else []
