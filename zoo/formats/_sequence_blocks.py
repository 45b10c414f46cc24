"""Blocks of records of sequence files without columns: FASTA, and one sequence per line."""

import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from zoo.errors import InputError
from zoo.genome.scan import describe_empty, describe_invalid_name
from zoo.utils.streams import SEQUENCES
from zoo.utils.text import quoted

__all__ = ["Block", "Row", "check_sequences", "fasta_blocks", "line_blocks", "numbered_names"]

Row = dict[str, str]
Block = tuple[list[str], list[bytes], list[Row], list[int]]  # names, sequences, table rows, their line numbers

# What programs and people write for a missing value, in lower case. Those of the first line would be read as bases:
# `nd` is not determined, `nr` not reported, `ns` not sequenced, `nv` no value.
_MISSING = {
    *(b"na", b"nan", b"nd", b"nr", b"ns", b"nv", b"tba", b"tbd", b"unk", b"unkn"),
    *(b"n/a", b"n.a.", b"n.a", b"n/d", b"n.d.", b"n.d", b"#n/a", b"#na", b"<na>", b"<nan>", b"-nan", b"(null)"),
    *(b"#value!", b"#ref!", b"#name?", b"#null!", b"#num!", b"#div/0!", b"-", b"--", b".", b"?", b"*"),
    *(b"none", b"null", b"nil", b"missing", b"unknown", b"undefined", b"empty", b"blank", b"no data"),
}
_FASTA_HEADER = ord(">")
_LONGEST_MISSING = max(map(len, _MISSING))
# A header of one word whose letters are all IUPAC codes: DNA, RNA, cDNA, sgRNA, ...
_HEADER = re.compile(rb"[a-z]{0,5}[dr]na", re.IGNORECASE)
_LONGEST_HEADER = 12
_BASES = b"ACGTUNacgtun"


def numbered_names(first: int, count: int) -> list[str]:
    """Name `count` records by their number in the file, which begins with `first`."""
    return [f"sequence_{number}" for number in range(first, first + count)]


def check_sequences(path: str, names: Sequence[str], sequences: Sequence[bytes], lines: Sequence[int]) -> None:
    """Check that no sequence of a table, or line of a file, is empty or a missing value.

    Raises:
        InputError: one is; names the line and record.
    """
    index = _find_missing(sequences)
    if index is None:
        return
    where = f"{path}, line {lines[index]}: the record {quoted(names[index])}"
    if not sequences[index]:
        raise InputError(f"{where} has no sequence")
    raise InputError(
        f"{where} has the missing value {sequences[index].decode()!r} for a sequence: leave it out, or give it in "
        "FASTA, which has bases alone"
    )


def _find_missing(sequences: Sequence[bytes]) -> int | None:
    """Find the first sequence that is empty or a missing value."""
    for index, sequence in enumerate(sequences):
        if len(sequence) <= _LONGEST_MISSING and (not sequence or sequence.lower() in _MISSING):
            return index
    return None


def fasta_blocks(stream: BinaryIO, size: int, path: str) -> Iterator[Block]:
    """Read whole FASTA records, in blocks of `size` bytes or as many as the longest record needs.

    Raises:
        InputError: a record without a sequence or a name, with a name so long that a line break must be lost, or
            longer than any chromosome.
    """
    blocks, length, count = list[bytes](), 0, 0  # of records that are not whole yet; joined once
    while block := stream.read(size):
        # A header that begins with a block follows the line break that ended the one before.
        ends = b"\n>" in block or (block[:1] == b">" and bool(blocks) and blocks[-1][-1:] == b"\n")
        blocks.append(block)
        length += len(block)
        if ends:
            block = b"".join(blocks)
            cut = block.rfind(b"\n>") + 1
            blocks, length = [block[cut:]], len(block) - cut
            parsed = _parse_fasta(block[1:cut], path, count)
            count += len(parsed[0])
            yield parsed
        elif length > SEQUENCES.line:
            raise InputError(f"{path}, record {count + 1}: more than {SEQUENCES.line:,} bytes, the most that is read")
    yield _parse_fasta(b"".join(blocks)[1:], path, count)


def _parse_fasta(block: bytes, path: str, count: int) -> Block:
    """Parse whole records, without the first `>`, of which `count` were read before."""
    names, sequences = list[str](), []
    for record in block.split(b"\n>"):
        head, _, body = record.partition(b"\n")
        words = head.split(None, 1)
        sequence = body.translate(None, b" \t\r\n")
        if not sequence:
            raise InputError(f"{path}: {describe_empty(head.rstrip())}")
        names.append(words[0].decode("utf-8", "replace") if words else "")
        if message := describe_invalid_name(names[-1]):
            raise InputError(f"{path}, record {count + len(names)}: {message}")
        sequences.append(sequence)
    return names, sequences, [], []


def line_blocks(stream: BinaryIO, size: int, path: str, line: int) -> Iterator[Block]:
    """Read one sequence per line, in blocks of about `size` bytes; empty lines are skipped.

    Args:
        stream: the file.
        size: bytes of a block.
        path: file that messages name.
        line: lines that were read before.

    Raises:
        InputError: a FASTA header, a header of one word, or a missing value.
    """
    first = 1
    while lines := stream.readlines(size):
        sequences = [text for text in map(bytes.strip, lines) if text]
        names = numbered_names(first, len(sequences))
        if first == 1 and sequences:
            _refuse_column_name(sequences[0], sequences[1:], path)
        header = any(text[0] == _FASTA_HEADER for text in sequences)
        if header or _find_missing(sequences) is not None:
            numbers = [number for number, text in enumerate(lines, line + 1) if text.strip()]
            if header:
                number = next(n for n, text in zip(numbers, sequences, strict=True) if text[0] == _FASTA_HEADER)
                raise InputError(f"{path}, line {number}: a header of FASTA after sequences that have none")
            check_sequences(path, names, sequences, numbers)
        yield names, sequences, [], []
        first += len(sequences)
        line += len(lines)


def _refuse_column_name(word: bytes, others: Sequence[bytes], path: str) -> None:
    """Check that the first line of a file is a sequence as the others are.

    Raises:
        InputError: it looks like a header; says which line.
    """
    if _is_column_name(word, others):
        name = word.decode()
        raise InputError(
            f"{path}: its first line {name!r} looks like the name of a column: say so with --sequence-column {name}, "
            "or delete the line; if it is a sequence, give the file as FASTA"
        )


def _is_column_name(word: bytes, others: Sequence[bytes]) -> bool:
    """Return whether a word is much shorter than the other lines, and these have one length or other letters."""
    if _HEADER.fullmatch(word):
        return True
    if not others or len(word) > _LONGEST_HEADER or not word.isalpha():
        return False
    shortest, longest = min(map(len, others)), max(map(len, others))
    if word.translate(None, _BASES):  # `data`, `CDS`, `strand`
        return 2 * len(word) <= shortest and not any(text.translate(None, _BASES) for text in others)
    # `tag`: bases alone, like the others.
    return 4 * len(word) <= shortest == longest and (len(others) > 1 or word.islower() != others[0].islower())
