"""Which columns of a table of sequences hold labels, and which one their splits."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from zoo.data.sequences.files import is_missing
from zoo.data.splits import split_index
from zoo.errors import InputError
from zoo.formats._sequence_tables import NAME_COLUMNS, is_sequence_column
from zoo.formats.sequences import SequenceFile
from zoo.utils.text import open_text, parse_number, some_of

__all__ = ["SequenceColumns", "read_header", "sequence_columns"]

# Columns of numbers that are no measurements.
_NO_LABELS = {*NAME_COLUMNS, "chrom", "chr", "start", "end", "pos", "position", "index", "rank", "length", "fold"}
# What pandas calls the column of its row numbers, when it writes one and when it reads that.
_ROW_NUMBERS = re.compile(r"|unnamed: \d+", re.IGNORECASE)


@dataclass(frozen=True)
class SequenceColumns:
    """Columns of a table of sequences.

    Attributes:
        labels: columns of labels.
        split: column of splits; None where there is none.
        are_classes: whether all labels are 0, 1 or missing.
        others: columns that are neither, without that of the sequences.
    """

    labels: list[str]
    split: str | None
    are_classes: bool
    others: list[str]


def read_header(path: str) -> list[str]:
    """Read the names of the columns in the first line of a table, separated by tabs or commas."""
    with open_text(path) as file:
        line = file.readline().rstrip("\r\n")
    return next(csv.reader([line], delimiter="\t" if "\t" in line else ","), [])


def sequence_columns(path: str, labels: Sequence[str] | None = None) -> SequenceColumns:
    """Find the columns of labels and of splits; reads the whole table once.

    A column belongs to what most of its cells are: a word among numbers, or among names of splits, is a mistake that
    the DataModule refuses by its line.

    Args:
        path: TSV or CSV with a column of sequences.
        labels: columns of labels; None for all columns of numbers but names and places.

    Raises:
        InputError: no table of sequences, or no column of numbers.
    """
    cells = _count_cells(path)
    if missing := [name for name in labels or () if name not in cells]:
        raise InputError(f"{path}: no column {missing[0]!r}; there are {some_of(list(cells), 20)}")
    others = [name for name in cells if not is_sequence_column(name)]
    chosen = list(labels or [name for name in others if _holds_labels(name, cells[name])])
    if not chosen:
        raise InputError(
            f"{path}: no column of numbers that could be labels (write classes as 1 and 0); its columns are "
            f"{some_of(list(cells), 20)}"
        )
    split = next((name for name in others if name not in chosen and cells[name]["split"] > cells[name]["other"]), None)
    classes = all(cells[name]["number"] == 0 and cells[name]["other"] == 0 for name in chosen)
    return SequenceColumns(chosen, split, classes, [name for name in others if name not in (*chosen, split)])


def _count_cells(path: str) -> dict[str, Counter[str]]:
    """Count the cells of each column that are empty, 0 or 1 (`class`), other numbers, names of splits, or others."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in read_header(path)}
    for records in SequenceFile(path):
        if not records.rows:
            raise InputError(f"{path} is not a table: it has no columns")
        for name in records.rows[0]:
            column = Counter(row[name].strip() for row in records.rows)
            for cell, number in column.items():
                counts.setdefault(name, Counter())[_kind(cell)] += number
    return counts


def _kind(cell: str) -> str:
    if is_missing(cell):
        return "missing"
    if (number := parse_number(cell)) is not None:
        return "class" if number in (0, 1) else "number"
    return "other" if split_index(cell) is None else "split"


def _holds_labels(name: str, cells: Counter[str]) -> bool:
    """Whether a column holds labels, for its name and the kinds of its cells."""
    is_named_so = name.lower() not in _NO_LABELS and not _ROW_NUMBERS.fullmatch(name)
    return is_named_so and cells["number"] + cells["class"] >= cells["other"] and not cells["split"]
