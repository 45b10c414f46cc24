"""SequenceDataModule: labelled sequences from FASTA files or a table, for models that predict `Labels`.

Shapes: N sequences, L bases, T targets.
"""

import logging
from typing import Any

import numpy as np

from zoo.data.base import LabelsDataModule
from zoo.data.labelled import LabelledSequences
from zoo.data.sequences.similarity import group_overlapping
from zoo.data.splits import SPLITS, draw_splits, group_identical, leaking_groups, split_index
from zoo.errors import ConfigError, InputError
from zoo.formats.sequences import Row, SequenceFile, stack_codes
from zoo.genome.sequence import Codes

__all__ = ["SequenceDataModule"]

_log = logging.getLogger("zoo")


class SequenceDataModule(LabelsDataModule[Codes]):
    """Labelled sequences from one FASTA file per class, or from a table with a column of sequences.

    Sequences that are identical, on either strand, always land in the same split.

    Args:
        fasta: class name -> FASTA file. Every class but `background` becomes a target.
        background: the class in `fasta` whose labels are all 0; without it every class is a target.
        table: TSV or CSV file, instead of `fasta`.
        sequence_column: the column of `table` with the sequence.
        label_columns: the columns of `table` with numbers, one for each target; an empty cell is a missing label.
        split_column: the column of `table` that says `train`, `val` or `test`.
        shared_bases: sequences that share a stretch of this many bases, on either strand, land in the same split; None
            for identical sequences only.
        val_fraction: share held out for validation (of what `fold` leaves, in cross-validation).
        test_fraction: share held out for test, without `folds`.
        folds: number of folds of a cross-validation; the test set is fold number `fold`.
        fold: which fold is the test set, from 0.
        split_seed: of the split.
        options: of LabelsDataModule.
    """

    def __init__(
        self,
        fasta: dict[str, str] | None = None,
        background: str | None = None,
        table: str | None = None,
        sequence_column: str | None = None,
        label_columns: list[str] | None = None,
        split_column: str | None = None,
        shared_bases: int | None = None,
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
        self.fasta, self.background, self.table = fasta, background, table
        self.sequence_column, self.label_columns, self.split_column = sequence_column, label_columns, split_column
        self.shared_bases = shared_bases
        self.val_fraction, self.test_fraction = val_fraction, test_fraction
        self.folds, self.fold, self.split_seed = folds, fold, split_seed

    @property
    def targets(self) -> list[str]:
        """The names of the targets."""
        if self.fasta is not None:
            return [name for name in self.fasta if name != self.background]
        return list(self.label_columns or [])

    def read(self) -> LabelledSequences:
        """Read the files. A named data set overrides this."""
        if self.fasta is not None and not self.targets:
            raise ConfigError("`fasta` needs a class besides the background")
        if (self.fasta is None) == (self.table is None):
            raise ConfigError("give the data either as `fasta`, one file for each class, or as a `table`")
        return self._read_fasta(self.fasta) if self.fasta is not None else self._read_table(str(self.table))

    def _read_fasta(self, fasta: dict[str, str]) -> LabelledSequences:
        if self.background is not None and self.background not in fasta:
            raise ConfigError(f"the background {self.background!r} is none of the classes {', '.join(fasta)}")
        codes: list[Codes] = []
        names: list[str] = []
        labels = []
        for index, path in enumerate(fasta.values()):
            file = SequenceFile(path)
            before = len(codes)
            for records in file:
                codes += file.codes(records)
                names += records.names
            self._note(file)
            labels.append(np.full(len(codes) - before, index))
        number = np.concatenate(labels)
        classes = list(fasta)
        columns = [classes.index(target) for target in self.targets]
        one_hot = (number[:, None] == np.array(columns)).astype(np.float32)
        return LabelledSequences(stack_codes(codes, names, "fasta"), one_hot, np.full(len(codes), -1))

    def _read_table(self, table: str) -> LabelledSequences:
        if not self.label_columns:
            raise ConfigError(f"{table}: name the `label_columns`")
        file = SequenceFile(table, self.sequence_column)
        codes: list[Codes] = []
        names: list[str] = []
        labels: list[list[float]] = []
        splits: list[int] = []
        for records in file:
            if not records.rows:
                raise InputError(f"{table} is not a table: it has no columns")
            codes += file.codes(records)
            names += records.names
            for line, row in zip(records.lines, records.rows, strict=True):
                labels.append([self._label(row, column, line) for column in self.label_columns])
                splits.append(self._split_of(row, line))
        self._note(file)
        return LabelledSequences(stack_codes(codes, names, table), np.array(labels, dtype=np.float32), np.array(splits))

    def _label(self, row: Row, column: str, line: int) -> float:
        if column not in row:
            raise InputError(f"{self.table}: no column {column!r}; there are {', '.join(row)}")
        text = row[column].strip()
        if not text:
            return float("nan")
        try:
            value = float(text)
        except ValueError:
            raise InputError(f"{self.table}, line {line}: the label {text!r} in {column!r} is not a number") from None
        if not np.isfinite(value):
            raise InputError(
                f"{self.table}, line {line}: the label {text!r} in {column!r} is not finite; leave a missing one empty"
            )
        return value

    def _split_of(self, row: Row, line: int) -> int:
        if self.split_column is None:
            return -1
        if self.split_column not in row:
            raise InputError(f"{self.table}: no column {self.split_column!r}; there are {', '.join(row)}")
        value = row[self.split_column]
        index = split_index(value)
        if index is None:
            raise InputError(f"{self.table}, line {line}: the split {value!r} is none of {', '.join(SPLITS)}")
        return index

    def _note(self, file: SequenceFile) -> None:
        if note := file.ambiguity_note():
            _log.warning(note)

    def assign_splits(self, data: LabelledSequences) -> LabelledSequences:
        """Give each sequence that has no split one, and refuse a given split that leaks."""
        stretch = self.shared_bases
        groups = group_identical(data.codes) if stretch is None else group_overlapping(data.codes, stretch)
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
            what = "identical sequences" if stretch is None else f"sequences that share {stretch} bases"
            raise InputError(
                f"the given split leaks: {leaks} groups of {what} are in two splits (both strands looked at)"
            )
        return data
