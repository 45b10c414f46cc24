"""Which columns of a table of sequences hold labels."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass

from zoo.data.sequences.files import is_missing
from zoo.data.splits import split_index
from zoo.errors import InputError
from zoo.formats._sequence_blocks import Row
from zoo.formats._sequence_tables import NAME_COLUMNS, is_sequence_column
from zoo.formats.sequences import SequenceFile
from zoo.utils.text import open_text, parse_number, some_of

__all__ = ["SequenceColumns", "read_header", "sequence_columns"]

# Columns of numbers that are no measurements.
_NO_LABELS = {*NAME_COLUMNS, "chrom", "chr", "start", "end", "pos", "position", "index", "rank", "length", "fold"}


@dataclass(frozen=True)
class SequenceColumns:
    """Columns of a table of sequences.

    Attributes:
        labels: columns of labels.
        split: column of splits; None where there is none.
        are_classes: whether all labels are 0, 1 or missing.
    """

    labels: list[str]
    split: str | None
    are_classes: bool


def read_header(path: str) -> list[str]:
    """Read the names of the columns in the first line of a table, separated by tabs or commas."""
    with open_text(path) as file:
        line = file.readline().rstrip("\r\n")
    return next(csv.reader([line], delimiter="\t" if "\t" in line else ","), [])


def sequence_columns(path: str, labels: Sequence[str] | None = None) -> SequenceColumns:
    """Find the columns of labels and of splits; reads the whole table once.

    Args:
        path: TSV or CSV with a column of sequences.
        labels: columns of labels; None for all columns of numbers but names and places.

    Raises:
        InputError: no table of sequences, or no column of numbers.
    """
    candidates: set[str] | None = None
    splits: set[str] | None = None
    classes = True
    for records in SequenceFile(path):
        if not records.rows:
            raise InputError(f"{path} is not a table: it has no columns")
        columns = list(records.rows[0])
        candidates = candidates if candidates is not None else _candidates(columns, labels, path)
        splits = splits if splits is not None else {name for name in columns if not is_sequence_column(name)}
        splits = {name for name in splits if all(split_index(row[name]) is not None for row in records.rows)}
        if labels is None:
            candidates = {name for name in candidates if _are_numbers(records.rows, name)}
        values = {row[name].strip() for name in candidates for row in records.rows}
        classes = classes and all(is_missing(value) or parse_number(value) in (0, 1) for value in values)
    chosen = list(labels or [name for name in read_header(path) if name in (candidates or ())])
    if not chosen:
        raise InputError(
            f"{path}: no column of numbers that could be labels; its columns are {some_of(read_header(path), 20)}"
        )
    split = next((name for name in read_header(path) if name in (splits or ()) and name not in chosen), None)
    return SequenceColumns(chosen, split, classes)


def _candidates(columns: Sequence[str], labels: Sequence[str] | None, path: str) -> set[str]:
    if labels is None:
        return {name for name in columns if name.lower() not in _NO_LABELS and not is_sequence_column(name)}
    if missing := [name for name in labels if name not in columns]:
        raise InputError(f"{path}: no column {missing[0]!r}; there are {some_of(columns, 20)}")
    return set(labels)


def _are_numbers(rows: Sequence[Row], column: str) -> bool:
    """Whether all cells of a column are numbers or missing."""
    return all(is_missing(row[column]) or parse_number(row[column]) is not None for row in rows)
