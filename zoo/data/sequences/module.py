"""SequenceDataModule: labelled sequences from FASTA files or a table, for models that predict `Labels`.

Shapes: N sequences, L bases, T targets.
"""

import logging
from collections.abc import Collection
from typing import Any

import numpy as np

from zoo.batch import DataSpec
from zoo.data.labelled import LabelledSequences
from zoo.data.labels import LabelsDataModule
from zoo.data.sequences.similarity import group_overlapping
from zoo.data.splits import SPLITS, draw_splits, group_identical, leaking_groups, split_index
from zoo.errors import ConfigError, InputError
from zoo.formats._sequence_blocks import Row
from zoo.formats.sequences import SequenceFile, stack_codes
from zoo.genome.sequence import Codes
from zoo.utils.text import check_file, quoted, some_of

__all__ = ["SequenceDataModule"]

_log = logging.getLogger("zoo")


class SequenceDataModule(LabelsDataModule[Codes]):
    """Labelled sequences from one FASTA file per class, or from a table with a column of sequences.

    Identical sequences, on either strand, are always in the same split.

    Args:
        fasta: class name -> FASTA file. Every class but `negative_class` is a target.
        negative_class: class in `fasta` whose labels are all 0; None to make every class a target.
        table: TSV or CSV file, instead of `fasta`.
        sequence_column: column of `table` with the sequence; None for `sequence` or `seq`.
        label_columns: columns of `table` with numbers, one per target; an empty cell is a missing label.
        split_column: column of `table` with `train`, `val` or `test`; None to draw the splits.
        shared_kmer: length k: sequences that share a k-mer, on either strand, are in the same split; None for identical
            sequences only.
        val_fraction: fraction held out for validation (of what `fold` leaves, in cross-validation).
        test_fraction: fraction held out for test, without `folds`.
        folds: number of folds of a cross-validation, whose test set is fold number `fold`; None for none.
        fold: number of the fold that is the test set, from 0.
        split_seed: seed of the splits.
        options: options of LabelsDataModule.
    """

    def __init__(
        self,
        fasta: dict[str, str] | None = None,
        negative_class: str | None = None,
        table: str | None = None,
        sequence_column: str | None = None,
        label_columns: list[str] | None = None,
        split_column: str | None = None,
        shared_kmer: int | None = None,
        val_fraction: float = 0.1,
        test_fraction: float = 0.1,
        folds: int | None = None,
        fold: int = 0,
        split_seed: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if folds is not None and not 0 <= fold < folds:
            raise ConfigError(f"there is no fold {fold} among {folds}; the first is 0")
        self.fasta, self.negative_class, self.table = fasta, negative_class, table
        self.sequence_column, self.label_columns, self.split_column = sequence_column, label_columns, split_column
        self.shared_kmer = shared_kmer
        self.val_fraction, self.test_fraction = val_fraction, test_fraction
        self.folds, self.fold, self.split_seed = folds, fold, split_seed
        self._spec: DataSpec | None = None

    def spec(self) -> DataSpec:
        """Specify the targets and the length of the first sequence, from the first record of each file."""
        if self._spec is None:
            if (self.fasta is None) == (self.table is None):
                raise ConfigError("give the data either as `fasta`, one file for each class, or as a `table`")
            self._spec = self._fasta_spec(self.fasta) if self.fasta is not None else self._table_spec(str(self.table))
        return self._spec

    def _fasta_spec(self, fasta: dict[str, str]) -> DataSpec:
        if self.negative_class is not None and self.negative_class not in fasta:
            raise ConfigError(f"the negative_class {self.negative_class!r} is none of the classes {', '.join(fasta)}")
        targets = [name for name in fasta if name != self.negative_class]
        if not targets:
            raise ConfigError("`fasta` needs a class besides the negative_class")
        first = [SequenceFile(_file(path)).first() for path in fasta.values()]
        return DataSpec("labels", tuple(targets), len(first[0].sequences[0]))

    def _table_spec(self, table: str) -> DataSpec:
        if not self.label_columns:
            raise ConfigError(f"{table}: name the `label_columns`")
        first = SequenceFile(_file(table), self.sequence_column).first()
        if not first.rows:
            raise InputError(f"{table} is not a table: it has no columns")
        for column in [*self.label_columns, *([self.split_column] if self.split_column else [])]:
            _check_column(column, first.rows[0], table)
        return DataSpec("labels", tuple(self.label_columns), len(first.sequences[0]))

    def read(self) -> LabelledSequences:
        """Read all sequences of the files or the table, with their labels."""
        self.spec()  # checks the options and the columns
        return self.read_fasta(self.fasta) if self.fasta is not None else self._read_table(str(self.table))

    def read_fasta(self, fasta: dict[str, str]) -> LabelledSequences:
        """Read one FASTA file per class: class name -> file."""
        codes: list[Codes] = []
        names: list[str] = []
        labels = []
        for index, path in enumerate(fasta.values()):
            file = SequenceFile(path)
            before = len(codes)
            for records in file:
                codes += file.codes(records)
                names += records.names
            self._warn_of_ambiguity(file)
            labels.append(np.full(len(codes) - before, index))
        number = np.concatenate(labels)
        classes = list(fasta)
        columns = [classes.index(target) for target in self.targets]
        label = (number[:, None] == np.array(columns)).astype(np.float32)  # (N, 1) == (T,) -> (N, T)
        return LabelledSequences(stack_codes(codes, names, "fasta"), label, np.full(len(codes), -1))

    def _read_table(self, table: str) -> LabelledSequences:
        file = SequenceFile(table, self.sequence_column)
        codes: list[Codes] = []
        names: list[str] = []
        labels: list[list[float]] = []
        splits: list[int] = []
        for records in file:
            codes += file.codes(records)
            names += records.names
            for line, row in zip(records.lines, records.rows, strict=True):
                labels.append([self._label(row, column, line) for column in self.label_columns or []])
                splits.append(self._split_of(row, line))
        self._warn_of_ambiguity(file)
        return LabelledSequences(stack_codes(codes, names, table), np.array(labels, dtype=np.float32), np.array(splits))

    def _label(self, row: Row, column: str, line: int) -> float:
        text = row[column].strip()
        if not text:
            return float("nan")
        try:
            value = float(text)
        except ValueError:
            raise InputError(
                f"{self.table}, line {line}: the label {quoted(text)} in {column!r} is not a number"
            ) from None
        if not np.isfinite(value):
            raise InputError(
                f"{self.table}, line {line}: the label {quoted(text)} in {column!r} is not finite; leave missing ones "
                "empty"
            )
        return value

    def _split_of(self, row: Row, line: int) -> int:
        if self.split_column is None:
            return -1
        value = row[self.split_column]
        index = split_index(value)
        if index is None:
            raise InputError(f"{self.table}, line {line}: the split {quoted(value)} is none of {', '.join(SPLITS)}")
        return index

    def _warn_of_ambiguity(self, file: SequenceFile) -> None:
        if note := file.ambiguity_note():
            _log.warning(note)

    def assign_splits(self, data: LabelledSequences) -> LabelledSequences:
        """Draw a split for each sequence that has none yet.

        Raises:
            InputError: sequences that must stay together are in different splits of the table.
        """
        k = self.shared_kmer
        groups = group_identical(data.codes) if k is None else group_overlapping(data.codes, k)
        undecided = data.split < 0
        if undecided.any():
            strata = np.zeros(len(data), np.int64)
            if self.classify:
                strata = np.unique(np.nan_to_num(data.labels, nan=-1), axis=0, return_inverse=True)[1].ravel()
            data.split[undecided] = draw_splits(
                groups[undecided],
                strata[undecided],
                val=self.val_fraction,
                test=self.test_fraction,
                seed=self.split_seed,
                folds=self.folds,
                fold=self.fold,
            )
        _, leaks = leaking_groups(groups, data.split)
        if leaks:
            what = "identical sequences" if k is None else f"sequences that share a {k}-mer"
            raise InputError(
                f"the given split leaks: {leaks} groups of {what} are in more than one split (both strands considered)"
            )
        return data


def _file(path: str) -> str:
    """The path of a file that can be read more than once."""
    if path == "-":
        raise ConfigError("training data must be a file: standard input can be read only once")
    check_file(path)
    return path


def _check_column(column: str, columns: Collection[str], table: str) -> None:
    if column not in columns:
        raise InputError(f"{table}: no column {column!r}; there are {some_of(columns, 20)}")
