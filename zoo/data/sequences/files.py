"""Files of labelled sequences: FASTA files of classes, or tables with a column for each target.

Shapes: N sequences, L bases, T targets.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from zoo.data.labelled import LabelledSequences
from zoo.data.splits import SPLITS, FileBySplit, files_by_split, split_index, with_test_file
from zoo.errors import ConfigError, InputError
from zoo.formats._sequence_blocks import Row
from zoo.formats.sequences import SequenceFile, ambiguity_notes, stack_codes
from zoo.genome.sequence import UNKNOWN, Codes
from zoo.utils.text import parse_number, quoted, some_of

__all__ = [
    "Columns",
    "Resizing",
    "check_table",
    "is_missing",
    "read_fasta_classes",
    "read_tables",
    "with_test_files",
]

# Missing labels, in lower case: as R, pandas and spreadsheets write them.
_MISSING = {"", "na", "nan", "n/a", "#n/a", "<na>"}
_LARGEST = float(np.finfo(np.float32).max)
_log = logging.getLogger("zoo")


class Columns(NamedTuple):
    """Columns of a table: of sequences (None for `sequence` or `seq`), of labels (T), and of splits (None for none)."""

    sequence: str | None
    labels: Sequence[str]
    split: str | None


@dataclass
class Resizing:
    """Cut sequences to one length, or pad them with N, around their centres, as `zoo predict --resize` does.

    Args:
        length: bases, None to leave sequences as they are.
        option: option that asks for it, for a message; empty for that of training.

    Attributes:
        cut: number of those that were longer.
        padded: number of those that were shorter.
    """

    length: int | None = None
    option: str = ""
    cut: int = 0
    padded: int = 0

    def resize(self, codes: list[Codes]) -> list[Codes]:
        """Resize sequences, uint8 of any length each -> (L,) each."""
        return codes if self.length is None else [self._resized(one, self.length) for one in codes]

    def _resized(self, codes: Codes, length: int) -> Codes:
        if len(codes) == length:
            return codes
        start = (len(codes) - length) // 2
        if start >= 0 and len(codes) > length:
            self.cut += 1
            return codes[start : start + length]
        self.padded += 1
        resized = np.full(length, UNKNOWN, np.uint8)
        resized[-start : -start + len(codes)] = codes
        return resized

    @property
    def report(self) -> list[str]:
        """A line on what was done, where anything was."""
        if not self.cut + self.padded:
            return []
        return [f"resized to {self.length:,} bases: {self.cut:,} sequences cut, {self.padded:,} padded with N"]


def read_fasta_classes(
    fasta: Mapping[str, FileBySplit], targets: Sequence[str], resizing: Resizing | None = None
) -> LabelledSequences:
    """Read the FASTA files of classes.

    Args:
        fasta: class -> file, or file by split.
        targets: the classes that are targets (T); the labels of the others are 0.
        resizing: what is done to sequences of other lengths; None for nothing.
    """
    resizing = resizing or Resizing()
    codes: list[Codes] = []
    names: list[str] = []
    files: list[str] = []
    number, splits = [], []
    for index, given in enumerate(fasta.values()):
        for path, split in files_by_split(given):
            file, before = SequenceFile(path), len(codes)
            for records in file:
                codes += resizing.resize(file.codes(records))
                names += records.names
            files += [path] * (len(codes) - before)
            _warn_of_ambiguity(file)
            number.append(np.full(len(codes) - before, index))
            splits.append(np.full(len(codes) - before, split))
    columns = [list(fasta).index(target) for target in targets]
    label = (np.concatenate(number)[:, None] == np.array(columns)).astype(np.float32)  # (N, 1) == (T,) -> (N, T)
    return LabelledSequences(stack_codes(codes, names, files, resizing.option), label, np.concatenate(splits))


def is_missing(text: str) -> bool:
    """Whether a cell stands for a missing label: empty or NA, as R, pandas and spreadsheets write it."""
    return text.strip().lower() in _MISSING


def check_table(path: str, columns: Columns) -> int:
    """Check the first record of a table; its bases.

    Raises:
        InputError: no table, or a column that is missing.
    """
    first = SequenceFile(path, columns.sequence).first()
    if not first.rows:
        raise InputError(f"{path} is not a table: it has no columns")
    for column in [*columns.labels, *([columns.split] if columns.split else [])]:
        _check_column(column, first.rows[0], path)
    return len(first.sequences[0])


def read_tables(
    files: Sequence[tuple[str, int]], columns: Columns, resizing: Resizing | None = None
) -> LabelledSequences:
    """Read tables, each with its split or -1; labels of empty cells, or NA, are NaN.

    Args:
        files: path and split of each.
        columns: columns that are read.
        resizing: what is done to sequences of other lengths; None for nothing.

    Raises:
        InputError: a cell that is no number or no split, with file and line.
    """
    resizing = resizing or Resizing()
    codes: list[Codes] = []
    names: list[str] = []
    labels: list[list[float]] = []
    splits: list[int] = []
    paths: list[str] = []
    for path, split in files:
        file = SequenceFile(path, columns.sequence)
        for records in file:
            codes += resizing.resize(file.codes(records))
            names += records.names
            paths += [path] * len(records.names)
            for line, row in zip(records.lines, records.rows, strict=True):
                where = f"{path}, line {line}"
                labels.append([_label(row, column, where) for column in columns.labels])
                splits.append(split if columns.split is None else _split_of(row[columns.split], where))
        _warn_of_ambiguity(file)
    stacked = stack_codes(codes, names, paths, resizing.option)
    return LabelledSequences(stacked, np.array(labels, dtype=np.float32), np.array(splits))


def _label(row: Row, column: str, where: str) -> float:
    text = row[column].strip()
    if is_missing(text):
        return float("nan")
    value = parse_number(text)
    if value is None or not abs(value) <= _LARGEST:
        what = "not a number" if value is None else "not finite" if np.isinf(value) else f"beyond {_LARGEST:.2g}"
        raise InputError(
            f"{where}: the label {quoted(text)} in {column!r} is {what}; leave a missing one empty, or write NA"
        )
    return value


def _split_of(text: str, where: str) -> int:
    index = split_index(text)
    if index is None:
        raise InputError(f"{where}: the split {quoted(text)} is none of {', '.join(SPLITS)}")
    return index


def _check_column(column: str, columns: Collection[str], table: str) -> None:
    if column not in columns:
        raise InputError(f"{table}: no column {column!r}; there are {some_of(columns, 20)}")


def _warn_of_ambiguity(file: SequenceFile) -> None:
    for note in ambiguity_notes(file.path, file.ambiguous):
        _log.warning(note)


def with_test_files(
    fasta: Mapping[str, FileBySplit] | None,
    table: FileBySplit | None,
    test_fasta: Mapping[str, str] | None,
    test_table: str | None,
    folds: int | None,
) -> tuple[Mapping[str, FileBySplit] | None, FileBySplit | None]:
    """Add files of test data: `fasta` and `table` with the files of test data among them.

    Raises:
        ConfigError: test data without training data of their form, of a class that is not trained, given twice, or
            beside folds.
    """
    for test, given, name in ((test_fasta, fasta, "fasta"), (test_table, table, "table")):
        if test is not None and given is None:
            raise ConfigError(f"test_{name} goes with training data of its form: give `{name}` too")
        if test is not None and folds is not None:
            raise ConfigError(f"test_{name} does not go with folds, of which one is the test set: give one of the two")
    if fasta is not None and test_fasta is not None:
        if not test_fasta or (unknown := [name for name in test_fasta if name not in fasta]):
            what = f"the class {unknown[0]!r}, which is not in `fasta`" if test_fasta else "no class"
            raise ConfigError(f"test_fasta names {what}: its classes are those of `fasta`, {some_of(fasta)}")
        files = {name: with_test_file(given, test_fasta.get(name), "test_fasta") for name, given in fasta.items()}
        fasta = {name: given if isinstance(given, Mapping) else {"train": given} for name, given in files.items()}
    return fasta, table if table is None else with_test_file(table, test_table, "test_table")
