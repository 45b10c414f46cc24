"""SequenceDataModule: labelled sequences from FASTA files or a table, for models that predict `Labels`.

Shapes: N sequences, L bases, T targets.
"""

import logging
from typing import Any, cast

import numpy as np
from lightning import LightningDataModule
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from zoo.data.batch import Batch
from zoo.data.labelled import LabelledSequences, SequenceDataset
from zoo.data.readers import Row, SequenceFile, stack_codes
from zoo.data.sampler import EpochSampler
from zoo.data.splits import PARTS, Part, group_identical, group_overlapping, split_fractions, split_kfold
from zoo.errors import ConfigError, InputError
from zoo.sequence import Codes

__all__ = ["SequenceDataModule", "leaking_groups"]

_log = logging.getLogger("zoo")


class SequenceDataModule(LightningDataModule):
    """Labelled sequences from one FASTA file per class, or from a table with a column of sequences.

    Sequences that are identical, on either strand, always land in the same part.

    Args:
        fasta: class name -> FASTA file. Every class but `background` becomes a target.
        background: the class in `fasta` whose labels are all 0; without it every class is a target.
        table: TSV or CSV file, instead of `fasta`.
        sequence_column: the column of `table` with the sequence.
        label_columns: the columns of `table` with numbers, one for each target; an empty cell is a missing label.
        split_column: the column of `table` that says `train`, `valid` or `test`.
        shared_bases: sequences that share a stretch of this many bases, on either strand, land in the same part; None
            for identical sequences only.
        classify: whether labels must be 0 or 1, both present; else they may be any number.
        shift: bases by which each training sequence is moved at most, to either side, N filling the gap.
        shuffles: dinucleotide-preserving shuffles of each sequence that are added as negatives to the parts that
            have no negatives of their own; fresh every epoch in training, fixed in validation and test.
        valid_fraction: share held out for validation (of what `fold` leaves, in cross-validation).
        test_fraction: share held out for test, without `folds`.
        folds: number of folds of a cross-validation; the test set is fold number `fold`.
        fold: which fold is the test set, from 0.
        split_seed: of the split.
        epoch_size: sequences drawn in an epoch, shuffles counted; None for all of them.
        batch_size: sequences in a batch, shuffles counted.
        num_workers: processes that read.
        seed: of order and shuffles.
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
        classify: bool = True,
        shift: int = 0,
        shuffles: int = 0,
        valid_fraction: float = 0.1,
        test_fraction: float = 0.1,
        folds: int | None = None,
        fold: int = 0,
        split_seed: int = 0,
        epoch_size: int | None = None,
        batch_size: int = 128,
        num_workers: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if folds is not None and not 0 <= fold < folds:
            raise ConfigError(f"there is no fold {fold} among {folds}; the first is 0")
        self.fasta, self.background, self.table = fasta, background, table
        self.sequence_column, self.label_columns, self.split_column = (
            sequence_column,
            label_columns,
            split_column,
        )
        self.shared_bases, self.classify, self.shift, self.shuffles = shared_bases, classify, shift, shuffles
        self.valid_fraction, self.test_fraction = valid_fraction, test_fraction
        self.folds, self.fold, self.split_seed = folds, fold, split_seed
        self.epoch_size, self.batch_size, self.num_workers, self.seed = (
            epoch_size,
            batch_size,
            num_workers,
            seed,
        )
        self._data: LabelledSequences | None = None

    @property
    def targets(self) -> list[str]:
        """The names of the targets."""
        if self.fasta is not None:
            return [name for name in self.fasta if name != self.background]
        return list(self.label_columns or [])

    @property
    def length(self) -> int:
        """Bases of every sequence."""
        return int(self.data.codes.shape[1])

    @property
    def data(self) -> LabelledSequences:
        """All sequences, read once, with the part of each."""
        if self._data is None:
            data = self.read()
            self._check(data)
            self._split(data)
            self._data = data
        return self._data

    @property
    def card_values(self) -> dict[str, str]:
        """What `{key}` in a checkpoint's name and card stands for."""
        return {"targets": ", ".join(self.targets)}

    def describe(self) -> list[str]:
        """One line for each part: how many sequences, how many of them positive."""
        lines = []
        for part in PARTS:
            dataset = self.dataset(part)
            labels = dataset.data.labels
            positive = f", {int((labels == 1).any(1).sum()):,} positive" if self.classify else ""
            made = f", and {dataset.shuffles * len(labels):,} shuffles of them as negatives" if dataset.shuffles else ""
            lines.append(f"{part}: {len(labels):,} sequences{positive}{made}")
        return lines

    def read(self) -> LabelledSequences:
        """Read the files. A named data set overrides this."""
        if self.fasta is not None and not self.targets:
            raise ConfigError("`fasta` needs a class besides the background")
        if (self.fasta is None) == (self.table is None):
            raise ConfigError("give the data either as `fasta`, one file for each class, or as a `table`")
        return self._read_fasta(self.fasta) if self.fasta is not None else self._read_table(str(self.table))

    def part(self, part: Part) -> LabelledSequences:
        """The sequences of one part."""
        return self.data.subset(self.data.part == PARTS.index(part))

    def dataset(self, part: Part) -> SequenceDataset:
        """The sequences of one part, with shuffles where it has no negatives of its own."""
        data = self.part(part)
        if not len(data):
            raise ConfigError(f"the {part} part is empty: {len(self.data)} sequences in all")
        shuffles = 0 if (data.labels == 0).any() else self.shuffles
        return SequenceDataset(data, shuffles, self.seed + PARTS.index(part), self.shift if part == "train" else 0)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Shuffled anew each epoch; the last short batch is left out."""
        dataset = self.dataset("train")
        weight = dataset.data.weight
        if weight is not None:
            weight = np.tile(weight, 1 + dataset.shuffles)
        sampler = EpochSampler(len(dataset), self.seed, weight, self.epoch_size)
        size = min(self.batch_size, len(sampler))  # of this process's share: none may be left without a batch
        return self._loader(dataset, batch_size=size, sampler=sampler, drop_last=True)

    def val_dataloader(self) -> DataLoader[Batch]:
        """In order, the same every time."""
        return self._loader(self.dataset("valid"), batch_size=self.batch_size)

    def test_dataloader(self) -> DataLoader[Batch]:
        """In order, the same every time."""
        return self._loader(self.dataset("test"), batch_size=self.batch_size)

    def _loader(self, dataset: SequenceDataset, **options: Any) -> DataLoader[Batch]:
        return DataLoader(
            dataset,
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
            collate_fn=cast(Any, _already_a_batch),
            **options,
        )

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
        parts: list[int] = []
        for records in file:
            if not records.rows:
                raise InputError(f"{table} is not a table: it has no columns")
            codes += file.codes(records)
            names += records.names
            for line, row in zip(records.lines, records.rows, strict=True):
                labels.append([self._label(row, column, line) for column in self.label_columns])
                parts.append(self._part_of(row, line))
        self._note(file)
        return LabelledSequences(stack_codes(codes, names, table), np.array(labels, dtype=np.float32), np.array(parts))

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

    def _part_of(self, row: Row, line: int) -> int:
        if self.split_column is None:
            return -1
        if self.split_column not in row:
            raise InputError(f"{self.table}: no column {self.split_column!r}; there are {', '.join(row)}")
        value = row[self.split_column].strip().lower()
        if value not in PARTS:
            raise InputError(f"{self.table}, line {line}: the split {value!r} is none of {', '.join(PARTS)}")
        return PARTS.index(value)

    def _note(self, file: SequenceFile) -> None:
        if note := file.ambiguity_note():
            _log.warning(note)

    def _check(self, data: LabelledSequences) -> None:
        for target, column in zip(self.targets, data.labels.T, strict=True):
            there = column[~np.isnan(column)]
            if not len(there):
                raise InputError(f"the target {target!r} has no label at all")
            if self.classify and not np.isin(there, (0, 1)).all():
                odd = there[~np.isin(there, (0, 1))][0]
                raise InputError(
                    f"the target {target!r} has the label {odd:g} where a class is 0 or 1; set `classify: false` "
                    "and a regression loss for measurements"
                )
            if len(np.unique(there)) == 1 and not (self.shuffles and there[0] == 1 and not (data.labels == 0).any()):
                cure = "; give negatives, or `shuffles: 1` to make them" if there[0] == 1 else ""
                raise InputError(f"all {len(there)} labels of the target {target!r} are {there[0]:g}{cure}")

    def _split(self, data: LabelledSequences) -> None:
        """Give each sequence that has no part one, and refuse a given split that leaks."""
        stretch = self.shared_bases
        groups = group_identical(data.codes) if stretch is None else group_overlapping(data.codes, stretch)
        undecided = data.part < 0
        if undecided.any():
            part_of_group = np.full(groups.max() + 1, -1)
            part_of_group[groups[~undecided]] = data.part[~undecided]
            data.part[undecided] = part_of_group[groups[undecided]]
            free = data.part < 0
            strata = np.zeros(len(data), np.int64)
            if self.classify:
                strata = np.unique(np.nan_to_num(data.labels, nan=-1), axis=0, return_inverse=True)[1].ravel()
            data.part[free] = self._draw_parts(groups[free], strata[free])
        _, leaks = leaking_groups(groups, data.part)
        if leaks:
            what = "identical sequences" if stretch is None else f"sequences that share {stretch} bases"
            raise InputError(
                f"the given split leaks: {leaks} groups of {what} stand in two parts (both strands looked at)"
            )

    def _draw_parts(self, groups: NDArray[np.int64], strata: NDArray[np.int64]) -> NDArray[np.int64]:
        if self.folds is None:
            return split_fractions(groups, strata, self.valid_fraction, self.test_fraction, self.split_seed)
        test = split_kfold(groups, strata, self.folds, self.split_seed) == self.fold
        part = np.full(len(groups), PARTS.index("test"))
        part[~test] = split_fractions(groups[~test], strata[~test], self.valid_fraction, 0.0, self.split_seed)
        return part


def leaking_groups(groups: NDArray[np.int64], part: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """The groups of identical sequences that stand in more than one part, and how many they are."""
    pairs = np.unique(np.stack([groups, part]), axis=1)[0]
    unique, count = np.unique(pairs, return_counts=True)
    return unique[count > 1], int((count > 1).sum())


def _already_a_batch(batch: Batch) -> Batch:
    return batch
