"""plant_terminators: activity of 53,409 terminators of 170 bp in tobacco and maize.

Plant STARR-seq (Gorjifard 2024, doi:10.1038/s41467-024-50174-7): log2 enrichment, in tobacco leaves and in maize
protoplasts, of sequences of Arabidopsis, of maize, and of controls. The test set is the authors'.
Shapes: N sequences.
"""

import warnings
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zoo.batch import DataSpec
from zoo.data.labelled import LabelledSequences
from zoo.data.sequences.module import SequenceDataModule
from zoo.data.sequences.similarity import group_overlapping
from zoo.data.splits import SPLITS, group_identical
from zoo.datasets.sources import files_of
from zoo.errors import ConfigError, IntegrityError
from zoo.genome.sequence import Codes, encode
from zoo.utils.cache import cached_arrays
from zoo.utils.download import PublicFile, fetch
from zoo.utils.progress import spinner

__all__ = ["TARGETS", "TerminatorDataModule", "Terminators", "read_terminators"]

TARGETS = ("tobacco", "maize")
_FILES = {"tobacco": "data_seq.Rdata", "maize": "data_seq_proto.Rdata"}
_PREDICTIONS = "terminator_data_predictions.tsv"
_LENGTH = 170
# Version of how the assays are joined: a table joined otherwise is not taken from the cache.
_VERSION = 1


class Terminators(NamedTuple):
    """The two assays joined by id.

    Attributes:
        names: ids of the sequences, sorted (N).
        codes: uint8 (N, 170).
        labels: float32 (N, 2), log2 enrichment in tobacco and maize.
        predicted: float32 (N, 2), predictions of the authors' DenseNet for the test sequences, NaN for the others.
        is_test: whether the sequence is in the authors' test set (N,).
        other_length: number of sequences left out because they do not have 170 bases.
        repeated: number of training sequences left out because the test set has the same one, on either strand.
    """

    names: list[str]
    codes: Codes
    labels: NDArray[np.float32]
    predicted: NDArray[np.float32]
    is_test: NDArray[np.bool_]
    other_length: int
    repeated: int


@cache
def read_terminators() -> Terminators:
    """Fetch and join the authors' files.

    Takes about 20 seconds, once, for the R files; after that the sequences are read from the cache.

    Raises:
        IntegrityError: the files do not fit each other.
        ConfigError: the package rdata is not installed.
    """
    key = [_VERSION, [file.sha256 for file in files_of("plant_terminators")]]
    arrays = cached_arrays("plant_terminators", key, lambda: _as_arrays(_join_assays()))
    names, other_length, repeated = (arrays.pop(name).tolist() for name in ("names", "other_length", "repeated"))
    return Terminators(names=names, other_length=other_length, repeated=repeated, **arrays)


def _as_arrays(terminators: Terminators) -> dict[str, NDArray[Any]]:
    return {name: np.asarray(value) for name, value in terminators._asdict().items()}


def _join_assays() -> Terminators:
    files = {file.name: file for file in files_of("plant_terminators")}
    assays = [_read_assay(str(fetch(files[name])), target) for target, name in _FILES.items()]
    both = assays[0].join(assays[1].drop(columns="seq"), how="inner").sort_index()
    whole = both["seq"].str.len() == _LENGTH
    both, other_length = both[whole], int((~whole).sum())
    predictions = pd.read_csv(fetch(files[_PREDICTIONS]), sep="\t", index_col="id")
    if not predictions.index.isin(both.index).all():
        raise IntegrityError(f"{_PREDICTIONS} predicts sequences that {' and '.join(_FILES.values())} do not share")
    codes = encode("".join(both["seq"])).reshape(-1, _LENGTH).copy()
    is_test = both.index.isin(predictions.index)
    groups = group_identical(codes)
    repeated = np.isin(groups, groups[is_test]) & ~is_test
    both, codes, is_test = both[~repeated], codes[~repeated], is_test[~repeated]
    columns = [f"enrichment_{target}_predictions" for target in TARGETS]
    return Terminators(
        list(both.index),
        codes,
        both[list(TARGETS)].to_numpy(np.float32),
        predictions[columns].reindex(both.index).to_numpy(np.float32),
        is_test,
        other_length,
        int(repeated.sum()),
    )


def _read_assay(path: str, target: str) -> pd.DataFrame:
    """Read one assay: columns `seq` and mean enrichment, indexed by id."""
    try:
        import rdata
    except ImportError:
        raise ConfigError("reading R files needs the package rdata: pip install 'regzoo[rdata]'") from None
    with spinner(f"reading {path}"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about R classes of columns that are not used here
        (table,) = rdata.read_rda(path).values()
    table = pd.DataFrame({"id": table["id"].astype(str), "seq": table["seq"], target: table["mean_enrichment"]})
    table = table[table[target].notna() & table["seq"].notna()].set_index("id")
    if not table.index.is_unique:
        raise IntegrityError(f"{path}: two sequences have one id")
    return table


class TerminatorDataModule(SequenceDataModule):
    """Both assays of the terminators, on the authors' test set; validation is drawn from their training set.

    With `shared_kmer`, training sequences that share a k-mer with the test set are left out; the test set stays whole.

    Args:
        val_fraction: fraction of the authors' training set that is held out for validation.
        options: options of SequenceDataModule.
    """

    def __init__(self, val_fraction: float = 0.1, **options: Any) -> None:
        super().__init__(classify=False, val_fraction=val_fraction, test_fraction=0.0, **options)
        self._shared = 0

    def spec(self) -> DataSpec:
        """Specify the two hosts as targets, and sequences of 170 bases."""
        return DataSpec("labels", TARGETS, _LENGTH)

    @property
    def public_files(self) -> list[PublicFile]:
        """The files of both assays and the authors' test set."""
        return files_of("plant_terminators")

    @property
    def target_facts(self) -> dict[str, tuple[str, str]]:
        """Host of each assay; the unit is that of the authors."""
        hosts = {"tobacco": "tobacco leaves", "maize": "maize protoplasts"}
        return {
            target: (f"Plant STARR-seq: strength of a terminator in {host}", "log2 enrichment")
            for target, host in hosts.items()
        }

    def prepare_data(self) -> None:
        """Fetch the files and join the assays; Lightning calls it on rank 0."""
        read_terminators()

    def read(self) -> LabelledSequences:
        """Read the sequences; only those of the authors' test set have a split."""
        terminators = read_terminators()
        is_test = terminators.is_test
        data = LabelledSequences(terminators.codes, terminators.labels, np.where(is_test, SPLITS.index("test"), -1))
        if self.shared_kmer is None:
            return data
        groups = group_overlapping(terminators.codes, self.shared_kmer)
        shared = np.isin(groups, groups[is_test]) & ~is_test
        self._shared = int(shared.sum())
        return data.subset(~shared)

    def describe(self) -> list[str]:
        """Summarize each split in one line, and what was left out."""
        splits = super().describe()  # reads the data
        terminators = read_terminators()
        dropped = (
            f"left out: {terminators.other_length} that do not have {_LENGTH} bases, "
            f"{terminators.repeated} of train that are in the test set too"
        )
        if self._shared:
            dropped += f", {self._shared:,} of train that share a {self.shared_kmer}-mer with the test set"
        return [*splits, dropped]
