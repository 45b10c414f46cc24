"""plant_terminators: 53,409 terminators of 170 bp and how much of a reporter they let tobacco and maize make.

Plant STARR-seq (Gorjifard 2024, doi:10.1038/s41467-024-50174-7): log2 enrichment, in tobacco leaves and in maize
protoplasts, of sequences of Arabidopsis, of maize, and of controls. The test set is the authors' own.
"""

import warnings
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zoo.data.labelled import LabelledSequences
from zoo.data.sequences.module import SequenceDataModule
from zoo.data.sequences.similarity import group_overlapping
from zoo.data.splits import SPLITS, group_identical
from zoo.datasets.sources import files_of
from zoo.errors import ConfigError, IntegrityError
from zoo.genome.sequence import Codes, encode
from zoo.utils.download import fetch
from zoo.utils.progress import spinner

__all__ = ["TARGETS", "TerminatorDataModule", "Terminators", "read_terminators"]

TARGETS = ("tobacco", "maize")
_FILES = {"tobacco": "data_seq.Rdata", "maize": "data_seq_proto.Rdata"}
_PREDICTIONS = "terminator_data_predictions.tsv"
_LENGTH = 170


class Terminators(NamedTuple):
    """The two assays joined by id.

    Attributes:
        names: of the sequences, sorted (N).
        codes: uint8 (N, 170).
        labels: float32 (N, 2): log2 enrichment in tobacco and maize.
        predicted: float32 (N, 2): what the authors' DenseNet predicts for the test sequences, NaN for the rest.
        is_test: whether the authors held it out (N,).
        odd: sequences left out because they do not have 170 bases.
        repeated: training sequences left out because the test set has the same one, on either strand.
    """

    names: list[str]
    codes: Codes
    labels: NDArray[np.float32]
    predicted: NDArray[np.float32]
    is_test: NDArray[np.bool_]
    odd: int
    repeated: int


@cache
def read_terminators() -> Terminators:
    """Fetch and join the authors' files. Takes about 20 seconds, most of them for the R files."""
    files = {file.name: file for file in files_of("plant_terminators")}
    assays = [_read_assay(str(fetch(files[name])), target) for target, name in _FILES.items()]
    both = assays[0].join(assays[1].drop(columns="seq"), how="inner").sort_index()
    whole = both["seq"].str.len() == _LENGTH
    both, odd = both[whole], int((~whole).sum())
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
        odd,
        int(repeated.sum()),
    )


def _read_assay(path: str, target: str) -> pd.DataFrame:
    """One assay: `seq` and its mean enrichment by id."""
    try:
        import rdata
    except ImportError:
        raise ConfigError("reading R files needs the package rdata: pip install 'regzoo[rdata]'") from None
    with spinner(f"reading {path}"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of R classes of columns that are not used here
        (table,) = rdata.read_rda(path).values()
    table = pd.DataFrame({"id": table["id"].astype(str), "seq": table["seq"], target: table["mean_enrichment"]})
    return table[table[target].notna() & table["seq"].notna()].set_index("id", verify_integrity=True)


class TerminatorDataModule(SequenceDataModule):
    """Both assays of the terminators, on the authors' test set; validation is drawn from their training set.

    With `shared_bases`, training sequences that share so many with the test set are left out: that stays the authors'.

    Args:
        val_fraction: share of the authors' training set that is held out for validation.
        options: of SequenceDataModule.
    """

    def __init__(self, val_fraction: float = 0.1, **options: Any) -> None:
        super().__init__(classify=False, val_fraction=val_fraction, test_fraction=0.0, **options)
        self._sharing = 0

    @property
    def targets(self) -> list[str]:
        """The two hosts."""
        return list(TARGETS)

    def read(self) -> LabelledSequences:
        """The sequences; the split of those that the authors trained on is still to be drawn."""
        found = read_terminators()
        data = LabelledSequences(found.codes, found.labels, np.where(found.is_test, SPLITS.index("test"), -1))
        if self.shared_bases is None:
            return data
        groups = group_overlapping(found.codes, self.shared_bases)
        sharing = np.isin(groups, groups[found.is_test]) & ~found.is_test
        self._sharing = int(sharing.sum())
        return data.subset(~sharing)

    def describe(self) -> list[str]:
        """One line for each split, and what was left out."""
        found = read_terminators()
        dropped = (
            f"left out: {found.odd} that do not have 170 bases, {found.repeated} of train that the test set has too"
        )
        if self._sharing:
            dropped += f", {self._sharing:,} of train that share {self.shared_bases} bases with the test set"
        return [*super().describe(), dropped]
