"""Files of sequences, read in blocks: FASTA, plain lines, tables (TSV, CSV), plain or gzipped, or standard input."""

import csv
import gzip
import io
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import numpy as np

from zoo.errors import InputError
from zoo.genome.sequence import Codes, count_ambiguous, encode

__all__ = ["Records", "SequenceFile", "read_sequences", "stack_codes"]

_BLOCK_BYTES = 1 << 22
_SEQUENCE_COLUMNS = ("sequence", "seq")
_NAME_COLUMNS = ("name", "id", "eventid", "sequence_id", "seq_id")
_LINES_AT_ONCE = 16384
Row = dict[str, str]
Block = tuple[list[str], list[bytes], list[Row], list[int]]  # names, sequences, rows and their lines


class Records(NamedTuple):
    """Some records of a file, in order.

    Attributes:
        names: what the file calls them.
        sequences: letters as bytes.
        rows: the whole rows where the file is a table, else empty.
        first: the number of the first record in the file, from 1.
        lines: the line on which each row ends, where the file is a table.
    """

    names: list[str]
    sequences: list[bytes]
    rows: list[Row]
    first: int
    lines: Sequence[int] = ()


@dataclass
class SequenceFile:
    """A file of sequences, or standard input as `-`.

    Args:
        path: the file; its format is told by what it holds.
        sequence_column: in a table, the column with the sequence; by default `sequence` or `seq`.

    Attributes:
        ambiguous: after reading, how many IUPAC letters other than N were read as N.
    """

    path: str
    sequence_column: str | None = None
    ambiguous: int = field(default=0, init=False)

    def __iter__(self) -> Iterator[Records]:
        """Read the file block by block: memory does not grow with its length.

        Raises:
            InputError: no such file, nothing in it, a broken archive, or a record that is no sequence.
        """
        count = 0
        with self._opened() as stream:
            try:
                for names, sequences, rows, lines in self._blocks(stream):
                    for name, sequence in zip(names, sequences, strict=True):
                        if not sequence:
                            raise InputError(f"{self.path}: the record {name!r} has no sequence")
                    yield Records(names, sequences, rows, count + 1, lines)
                    count += len(names)
            except (EOFError, OSError, zlib.error) as error:
                raise InputError(f"{self.path} cannot be read to its end ({error})") from None
        if count == 0:
            raise InputError(f"{self.path}: no sequence in it")

    def codes(self, records: Records) -> list[Codes]:
        """Turn letters into codes, one array a record; the message of an error names the record."""
        if not records.sequences:
            return []
        joined = b"".join(records.sequences)
        self.ambiguous += count_ambiguous(joined)
        ends = np.cumsum([len(sequence) for sequence in records.sequences])
        try:
            return np.split(encode(joined), ends[:-1])
        except InputError:
            # Only now, to name the record, is each one looked at for itself.
            for name, sequence in zip(records.names, records.sequences, strict=True):
                try:
                    encode(sequence)
                except InputError as error:
                    raise InputError(f"{self.path}, record {name!r}: {error}") from None
            raise

    def ambiguity_note(self) -> str | None:
        """The sentence to say once about letters that were read as N, if there were any."""
        if not self.ambiguous:
            return None
        return f"{self.path}: {self.ambiguous} IUPAC letters other than A, C, G, T, U and N were read as N"

    @contextmanager
    def _opened(self) -> Iterator[io.BufferedReader]:
        if self.path != "-" and not Path(self.path).is_file():
            raise InputError(f"{self.path}: no such file")
        raw = sys.stdin.buffer if self.path == "-" else Path(self.path).open("rb")  # noqa: SIM115  (closed below)
        try:
            stream = cast(io.BufferedReader, raw)
            if stream.peek(2)[:2] == b"\x1f\x8b":
                stream = io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=stream)), _BLOCK_BYTES)
            yield stream
        finally:
            if self.path != "-":
                raw.close()

    def _blocks(self, stream: io.BufferedReader) -> Iterator[Block]:
        try:
            head = stream.peek(1)
        except (EOFError, OSError, zlib.error) as error:
            raise InputError(f"{self.path}: not a whole gzip file ({error})") from None
        first_line = head.split(b"\n", 1)[0]
        if head[:1] == b">":
            return _read_fasta(stream)
        if b"\t" in first_line or b"," in first_line or self.sequence_column is not None:
            return self._read_table(stream, "\t" if b"\t" in first_line else ",")
        return _read_lines(stream)

    def _read_table(self, stream: BinaryIO, delimiter: str) -> Iterator[Block]:
        csv.field_size_limit(2**31 - 1)  # a sequence may be a megabase
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
        try:
            reader = csv.DictReader(text, delimiter=delimiter, strict=True)
            columns = list(reader.fieldnames or [])
            key = self._find_column(columns)
            named = next((c for c in columns if c.lower() in _NAME_COLUMNS), None)
            rows: list[Row] = []
            numbers: list[int] = []
            first = 1
            for row in reader:
                if None in row or None in row.values():
                    raise InputError(
                        f"{self.path}, line {reader.line_num}: not {len(columns)} columns as in the header"
                    )
                rows.append(row)
                numbers.append(reader.line_num)
                if len(rows) == _LINES_AT_ONCE:
                    yield _table_block(rows, numbers, key, named, first)
                    first += len(rows)
                    rows, numbers = [], []
            if rows:
                yield _table_block(rows, numbers, key, named, first)
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"{self.path}: not a table that can be read ({error})") from None
        finally:
            text.detach()  # standard input stays open

    def _find_column(self, columns: list[str]) -> str:
        wanted = (self.sequence_column,) if self.sequence_column else _SEQUENCE_COLUMNS
        for column in columns:
            if column in wanted or (self.sequence_column is None and column.lower() in wanted):
                return column
        names = " or ".join(repr(name) for name in wanted)
        raise InputError(f"{self.path}: no column {names}; its first line has {', '.join(columns[:8])}")


def _table_block(rows: list[Row], lines: list[int], key: str, named: str | None, first: int) -> Block:
    names = [row[named] for row in rows] if named else _numbered(first, len(rows))
    return names, [row[key].strip().encode("utf-8", "replace") for row in rows], rows, lines


def _numbered(first: int, count: int) -> list[str]:
    return [f"sequence_{number}" for number in range(first, first + count)]


def _read_fasta(stream: BinaryIO) -> Iterator[Block]:
    rest = b""
    while block := stream.read(_BLOCK_BYTES):
        block = rest + block
        cut = block.rfind(b"\n>") + 1
        rest = block[cut:]
        if cut:
            yield _parse_fasta(block[:cut])
    yield _parse_fasta(rest)


def _parse_fasta(block: bytes) -> Block:
    names, sequences = [], []
    for record in block[1:].split(b"\n>"):
        head, _, body = record.partition(b"\n")
        words = head.split(None, 1)
        names.append(words[0].decode("utf-8", "replace") if words else "")
        sequences.append(body.translate(None, b" \t\r\n"))
    return names, sequences, [], []


def _read_lines(stream: BinaryIO) -> Iterator[Block]:
    first = 1
    while lines := stream.readlines(_BLOCK_BYTES):
        sequences = [line for line in map(bytes.strip, lines) if line]
        yield _numbered(first, len(sequences)), sequences, [], []
        first += len(sequences)


def read_sequences(path: str | Path) -> tuple[list[str], list[Codes]]:
    """Read a whole file of sequences.

    Args:
        path: FASTA, plain lines, TSV or CSV, plain or gzipped.

    Returns:
        The names and the codes, uint8 (L,) each.
    """
    file = SequenceFile(str(path))
    names: list[str] = []
    codes: list[Codes] = []
    for records in file:
        names += records.names
        codes += file.codes(records)
    return names, codes


def stack_codes(codes: list[Codes], names: list[str], where: str) -> Codes:
    """Stack sequences of one length: uint8 (N, L).

    Raises:
        InputError: the first sequence whose length differs from the first one's, and how many do.
    """
    length = len(codes[0])
    odd = [i for i, one in enumerate(codes) if len(one) != length]
    if odd:
        raise InputError(
            f"{where}: training needs sequences of one length; {names[0]!r} has {length} bases but "
            f"{names[odd[0]]!r} has {len(codes[odd[0]])} ({len(odd)} of {len(codes)} differ)"
        )
    return np.stack(codes)
