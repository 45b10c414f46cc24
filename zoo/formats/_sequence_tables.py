"""Blocks of records of tables of sequences: TSV and CSV."""

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

from zoo.errors import InputError
from zoo.formats._sequence_blocks import Block, Row, check_sequences, numbered_names
from zoo.utils.streams import TABLE
from zoo.utils.text import quoted, some_of

__all__ = ["NAME_COLUMNS", "SEQUENCE_COLUMNS", "is_sequence_column", "table_blocks"]

SEQUENCE_COLUMNS = ("sequence", "seq")
NAME_COLUMNS = ("name", "id", "eventid", "sequence_id", "seq_id")


def is_sequence_column(name: str) -> bool:
    """Return whether a column of this name holds sequences."""
    return name.strip().lower() in SEQUENCE_COLUMNS


def table_blocks(
    stream: BinaryIO, delimiter: str, rows_at_once: int, path: str, line: int, sequence_column: str | None
) -> Iterator[Block]:
    """Read a table with a header, in blocks of rows.

    Args:
        stream: the file.
        delimiter: what separates cells.
        rows_at_once: rows of a block.
        path: file that messages name.
        line: lines that were read before.
        sequence_column: the column with the sequence; None for `sequence` or `seq`.

    Raises:
        InputError: no such column or two, a row of another number of cells, or a cell without a sequence.
    """
    csv.field_size_limit(TABLE.line)  # a sequence may be a megabase; a quoted cell may have line breaks
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
    try:
        reader = csv.DictReader(text, delimiter=delimiter, strict=True)
        columns = list(reader.fieldnames or [])
        key = _find_column(columns, sequence_column, path)
        name_column = next((column for column in columns if column.lower() in NAME_COLUMNS), None)
        rows: list[Row] = []
        numbers: list[int] = []
        first = 1
        for row in reader:
            if None in row or None in row.values():
                raise InputError(
                    f"{path}, line {line + reader.line_num}: {len(columns)} cells were expected, as in the header"
                )
            rows.append(row)
            numbers.append(line + reader.line_num)
            if len(rows) == rows_at_once:
                yield _block(rows, numbers, key, name_column, first, path)
                first += len(rows)
                rows, numbers = [], []
        if rows:
            yield _block(rows, numbers, key, name_column, first, path)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as a table ({error})") from None
    finally:
        text.detach()  # standard input stays open


def _find_column(columns: list[str], wanted: str | None, path: str) -> str:
    """The column with the sequence.

    Raises:
        InputError: there is none, or more than one.
    """
    twice = [name for name in columns if name and columns.count(name) > 1]
    if twice:
        raise InputError(f"{path}: two columns are called {quoted(twice[0])}")
    if wanted is not None:
        candidates = [column for column in columns if column == wanted]
    else:
        candidates = [column for column in columns if is_sequence_column(column)]
    if len(candidates) > 1:
        raise InputError(
            f"{path}: the columns {' and '.join(map(quoted, candidates))} could both be the sequence: choose one with "
            "--sequence-column (or `sequence_column`)"
        )
    if not candidates:
        names = " or ".join(map(repr, [wanted] if wanted is not None else SEQUENCE_COLUMNS))
        raise InputError(f"{path}: no column {names}; its first line has {some_of(columns, 8)}")
    return candidates[0]


def _block(rows: list[Row], lines: list[int], key: str, name_column: str | None, first: int, path: str) -> Block:
    names = [row[name_column] for row in rows] if name_column else numbered_names(first, len(rows))
    sequences = [row[key].strip().encode("utf-8", "replace") for row in rows]
    check_sequences(path, names, sequences, lines)
    return names, sequences, rows, lines
