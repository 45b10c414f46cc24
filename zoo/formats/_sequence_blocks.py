"""Blocks of records of sequence files without columns: FASTA, and one sequence per line."""

from collections.abc import Iterator
from typing import BinaryIO

__all__ = ["Block", "Row", "fasta_blocks", "line_blocks", "numbered_names"]

Row = dict[str, str]
Block = tuple[list[str], list[bytes], list[Row], list[int]]  # names, sequences, table rows, their line numbers


def numbered_names(first: int, count: int) -> list[str]:
    """Name `count` records by their number in the file, which begins with `first`."""
    return [f"sequence_{number}" for number in range(first, first + count)]


def fasta_blocks(stream: BinaryIO, size: int) -> Iterator[Block]:
    """Read whole FASTA records, in blocks of `size` bytes or as many as the longest record needs."""
    rest = b""
    while block := stream.read(max(size, len(rest))):  # a long record is not copied again for each block of it
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


def line_blocks(stream: BinaryIO, size: int) -> Iterator[Block]:
    """Read one sequence per line, in blocks of about `size` bytes; empty lines are skipped."""
    first = 1
    while lines := stream.readlines(size):
        sequences = [line for line in map(bytes.strip, lines) if line]
        yield numbered_names(first, len(sequences)), sequences, [], []
        first += len(sequences)
