"""SequenceDataModule: labelled sequences from FASTA files or a table, for models that predict `Labels`.

Shapes: N sequences, L bases, T targets.
"""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from zoo.batch import DataSpec
from zoo.data.labelled import LabelledSequences
from zoo.data.labels import LabelsDataModule
from zoo.data.leaks import OnLeak, check_on_leak, find_leak, treat_leak
from zoo.data.sequences.files import (
    Columns,
    Resizing,
    check_table,
    read_fasta_classes,
    read_tables,
    with_test_files,
)
from zoo.data.splits import SPLITS, FileBySplit, draw_splits, files_by_split, group_identical
from zoo.errors import ConfigError
from zoo.formats.sequences import SequenceFile
from zoo.genome.sequence import Codes, decode
from zoo.utils.text import some_of

__all__ = ["SequenceDataModule"]

# Letters of a sequence that a message names.
_LETTERS = 30


class SequenceDataModule(LabelsDataModule[Codes]):
    """Labelled sequences from one FASTA file per class, or from a table with a column of sequences.

    Identical sequences, on either strand, are always in the same split. A file of test data of its own (`test_fasta`,
    `test_table`) leaves all of the others for training and validation: `test_fraction` does not count then.

    Args:
        fasta: class name -> FASTA file, or {train: file, test: file}. Every class but `negative_class` is a target.
        negative_class: class in `fasta` whose labels are all 0; None to make every class a target.
        table: TSV or CSV file, instead of `fasta`; or {train: file, test: file}.
        sequence_column: column of `table` with the sequence; None for `sequence` or `seq`.
        label_columns: columns of `table` with numbers, one per target; an empty cell or NA is missing.
        split_column: column of `table` with `train`, `val` or `test`; None to draw the splits. Where train and test are
            given alone, validation is drawn from train.
        shared_kmer: length k: sequences that share a k-mer, on either strand, are in the same split; None for identical
            sequences only.
        val_fraction: fraction held out for validation (of what `fold` leaves, in cross-validation).
        test_fraction: fraction held out for test, without `folds`.
        folds: number of folds of a cross-validation, whose test set is fold number `fold`; None for none.
        fold: number of the fold that is the test set, from 0.
        split_seed: seed of the splits.
        on_leak: where sequences that must stay together are in several of the given splits: `refuse` them, `drop` those
            of train (of val where others are in test), or `warn` and keep all.
        resize: bases to which sequences are cut, or padded with N, around their centres; None for sequences that all
            have one length.
        strands: `both`: a sequence and its reverse complement are identical; `forward`: they are not, for models that
            read one strand.
        test_fasta: class name -> FASTA file of test data, of the classes in `fasta`; the same as {test: file} there.
        test_table: file of test data with the columns of `table`; the same as {test: file} there.
        options: options of LabelsDataModule.
    """

    # Option that resizes sequences, for messages; empty for that of training.
    resize_option = ""

    def __init__(
        self,
        fasta: Mapping[str, FileBySplit] | None = None,
        negative_class: str | None = None,
        table: FileBySplit | None = None,
        sequence_column: str | None = None,
        label_columns: list[str] | None = None,
        split_column: str | None = None,
        shared_kmer: int | None = None,
        val_fraction: float = 0.1,
        test_fraction: float = 0.1,
        folds: int | None = None,
        fold: int = 0,
        split_seed: int = 0,
        on_leak: OnLeak = "refuse",
        strands: Literal["both", "forward"] = "both",
        resize: int | None = None,
        test_fasta: Mapping[str, str] | None = None,
        test_table: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if folds is not None and not 0 <= fold < folds:
            raise ConfigError(f"there is no fold {fold} among {folds}; the first is 0")
        check_on_leak(on_leak)
        if resize is not None and resize < 1:
            raise ConfigError(f"resize is a number of bases from 1 up, not {resize}")
        if resize is not None and type(self).read is not SequenceDataModule.read:
            raise ConfigError(f"resize is for sequences of your own; those of {type(self).__name__} have one length")
        if strands not in ("both", "forward"):
            raise ConfigError(f"strands is both or forward, not {strands!r}")
        if strands == "forward" and self.reverse_complement:
            raise ConfigError("strands forward does not go with reverse_complement, which trains on both strands")
        fasta, table = with_test_files(fasta, table, test_fasta, test_table, folds)
        if split_column is not None and isinstance(table, Mapping):
            raise ConfigError("a file for each split leaves no use for split_column: give one of the two")
        self.on_leak, self.strands = on_leak, strands
        self.fasta, self.negative_class, self.table = fasta, negative_class, table
        self.sequence_column, self.label_columns, self.split_column = sequence_column, label_columns, split_column
        self.shared_kmer = shared_kmer
        self.val_fraction, self.test_fraction = val_fraction, test_fraction
        self.folds, self.fold, self.split_seed = folds, fold, split_seed
        self._resizing = Resizing(resize, self.resize_option)
        self._spec: DataSpec | None = None
        self._report: list[str] = []

    def spec(self) -> DataSpec:
        """Specify the targets and the length of the first sequence, from the first record of each file."""
        if self._spec is None:
            if (self.fasta is None) == (self.table is None):
                raise ConfigError("give the data either as `fasta`, one file for each class, or as a `table`")
            self._spec = self._fasta_spec(self.fasta) if self.fasta is not None else self._table_spec()
        return self._spec

    @property
    def target_facts(self) -> dict[str, tuple[str, str]]:
        """Target -> what its file or column holds, and the unit of its predictions, not known of measurements."""
        if self.fasta is None and self.table is None:
            return {}  # a public data set, which its configuration describes
        what, unit = ("class", "probability") if self.classify else ("measurement", "")
        return {target: (f"{what} {target}", unit) for target in self.targets}

    def _fasta_spec(self, fasta: Mapping[str, FileBySplit]) -> DataSpec:
        if self.negative_class is not None and self.negative_class not in fasta:
            raise ConfigError(f"the negative_class {self.negative_class!r} is none of the classes {', '.join(fasta)}")
        targets = [name for name in fasta if name != self.negative_class]
        if not targets:
            raise ConfigError("`fasta` needs a class besides the negative_class")
        first = [SequenceFile(path).first() for given in fasta.values() for path, _ in files_by_split(given)]
        return DataSpec("labels", tuple(targets), self._resizing.length or len(first[0].sequences[0]))

    def _table_spec(self) -> DataSpec:
        if not self.label_columns:
            path, _ = self._tables()[0]
            rows = SequenceFile(path, self.sequence_column).first().rows
            columns = f"; there are {some_of(rows[0], 20)}" if rows else ""
            raise ConfigError(f"{path}: name the columns of labels with --data.label_columns '[NAME, ...]'{columns}")
        length, *_ = [check_table(path, self._columns()) for path, _ in self._tables()]
        return DataSpec("labels", tuple(self.label_columns), self._resizing.length or length)

    def _tables(self) -> list[tuple[str, int]]:
        return [] if self.table is None else files_by_split(self.table)

    def _columns(self) -> Columns:
        return Columns(self.sequence_column, self.label_columns or [], self.split_column)

    def read(self) -> LabelledSequences:
        """Read all sequences of the files or the table, with their labels."""
        self.spec()  # checks the options and the columns
        resizing = self._resizing = Resizing(self._resizing.length, self.resize_option)
        if self.fasta is not None:
            return read_fasta_classes(self.fasta, self.targets, resizing)
        return read_tables(self._tables(), self._columns(), resizing)

    def assign_splits(self, data: LabelledSequences) -> LabelledSequences:
        """Draw a split for each sequence that has none yet, and treat leaks of those that were given.

        Raises:
            InputError: sequences that must stay together are in different splits, and that is to be refused.
        """
        groups = self._groups(data.codes, self.strands == "both")
        undecided, test = data.split < 0, self.test_fraction
        given = set(data.split.tolist())
        if not undecided.any() and SPLITS.index("val") not in given and len(given) > 1 and self.val_fraction:
            undecided, test = data.split == SPLITS.index("train"), 0.0
            self._report.append(f"no validation sequences are given: {self.val_fraction:.0%} of train are drawn for it")
        if undecided.any():
            strata = np.zeros(len(data), np.int64)
            if self.classify:
                strata = np.unique(np.nan_to_num(data.labels, nan=-1), axis=0, return_inverse=True)[1].ravel()
            data.split[undecided] = draw_splits(
                groups[undecided],
                strata[undecided],
                val=self.val_fraction,
                test=test,
                seed=self.split_seed,
                folds=self.folds,
                fold=self.fold,
            )
        return self._without_leaks(data, groups)

    def _groups(self, codes: Codes, both_strands: bool) -> NDArray[np.int64]:
        """Number the sequences (N, L) so that those that must stay together have one number (N,)."""
        if self.shared_kmer is None:
            return group_identical(codes, both_strands)
        from zoo.data.sequences.similarity import group_overlapping  # needs scipy, which predicting labels does not

        return group_overlapping(codes, self.shared_kmer, both_strands)

    def _without_leaks(self, data: LabelledSequences, groups: NDArray[np.int64]) -> LabelledSequences:
        """Refuse, drop or keep sequences whose group is in several splits."""
        leak = find_leak(groups, data.split)
        if not leak.groups:
            return data
        k, both = self.shared_kmer, self.strands == "both"
        one = int(leak.dropped.argmax())
        other = int(np.flatnonzero((groups == groups[one]) & (data.split != data.split[one]))[0])
        places = [SPLITS[data.split[index]] for index in (one, other)]
        kind = "identical sequences" if k is None else f"sequences that share a {k}-mer"
        what = (
            f"{leak.groups:,} groups of {kind} are in more than one split "
            f"({'both strands' if both else 'one strand'} considered), such as "
            f"{decode(data.codes[one][:_LETTERS])}... in {' and '.join(places)}"
        )
        forward = find_leak(self._groups(data.codes, False), data.split).groups if both else leak.groups
        cure = f", and --data.strands forward counts {forward:,} groups (for a model that reads one strand)"
        self._report.append(treat_leak(leak, data.split, self.on_leak, what, cure if forward < leak.groups else ""))
        return data.subset(~leak.dropped) if self.on_leak == "drop" else data

    def describe(self) -> list[str]:
        """Summarize what was done about given splits, then each split in one line."""
        splits = super().describe()  # reads the data
        return [*self._resizing.report, *self._report, *splits, *self._on_classes()]

    def _on_classes(self) -> list[str]:
        """A line on several classes of which none is named as the negatives."""
        if self.fasta is None or len(self.fasta) < 2 or self.negative_class is not None:
            return []
        return [
            f"classes {some_of(self.fasta)}: each is a target of its own; if one of them is your negatives, say so "
            "with --data.negative_class NAME"
        ]
