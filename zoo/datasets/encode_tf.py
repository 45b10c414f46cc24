"""encode_tf: DeepBind's own ENCODE ChIP-seq files, human hg19, 101 bp (Alipanahi 2015, doi:10.1038/nbt.3300).

Peaks are sorted by strength. Of the top 1,000 of each experiment, the even ranks are the test set (file B, with as many
shuffles as negatives); the odd ranks and all other peaks are for training (file AC).
"""

import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from zoo.batch import DataSpec
from zoo.data.labelled import LabelledSequences
from zoo.data.sequences.module import SequenceDataModule
from zoo.data.splits import SPLITS, group_identical
from zoo.datasets.sources import files_of
from zoo.errors import UnknownNameError
from zoo.formats.sequences import SequenceFile
from zoo.utils.download import PublicFile, fetch

__all__ = [
    "LENGTH",
    "EncodeDataModule",
    "Experiment",
    "encode_experiments",
    "files_of_experiments",
    "read_sequences",
]

LENGTH = 101
# One in so many training peaks, from the strongest down, is held out for validation.
_VAL_EVERY = 10


class Experiment(NamedTuple):
    """One ChIP-seq experiment.

    Attributes:
        key: protein and cell line in lower-case letters and digits, as in `deepbind.encode_<key>`.
        protein: gene symbol.
        cell: cell line.
        title: name of the experiment in the file names.
        training: file AC, peaks only.
        test: file B, peaks and their shuffles.
    """

    key: str
    protein: str
    cell: str
    title: str
    training: PublicFile
    test: PublicFile

    @property
    def description(self) -> str:
        """What is measured, such as `ChIP-seq peak of USF1 in H1-hESC cells`."""
        return f"ChIP-seq peak of {self.protein} in {self.cell} cells"


@cache
def encode_experiments() -> dict[str, Experiment]:
    """List the 21 experiments: key -> experiment."""
    files = {file.name: file for file in files_of("encode_tf")}
    experiments = {}
    for name in sorted(files):
        if name.endswith("_AC.seq.gz"):
            title = name.removesuffix("_AC.seq.gz")
            protein, cell = title.split("_")[:2]
            key = f"{_normalized(protein)}_{_normalized(cell)}"
            experiments[key] = Experiment(key, protein, cell, title, files[name], files[f"{title}_B.seq.gz"])
    return experiments


def _normalized(text: str) -> str:
    return re.sub("[^a-z0-9]", "", text.lower())


def files_of_experiments() -> list[PublicFile]:
    """Both files of each experiment, in their order."""
    return [file for one in encode_experiments().values() for file in (one.training, one.test)]


class EncodeDataModule(SequenceDataModule):
    """One ENCODE ChIP-seq experiment: peaks against their dinucleotide shuffles, fresh every epoch.

    Every tenth peak of the training file, from the strongest down, is for validation; the test set is the authors'.

    Args:
        experiment: key of the experiment, such as `usf1_h1hesc`; `encode_experiments` lists them.
        rank_scale: draw the peak of rank r (0 is the strongest) in proportion to 1 / (1 + r / rank_scale), because the
            test set has strong peaks only; None to draw all alike.
        options: options of SequenceDataModule.

    Raises:
        UnknownNameError: no such experiment.
    """

    train_options = SequenceDataModule.train_options | frozenset({"rank_scale"})

    def __init__(self, experiment: str, rank_scale: float | None = None, **options: Any) -> None:
        if experiment not in encode_experiments():
            raise UnknownNameError(
                f"there is no ENCODE experiment {experiment!r}; there are {', '.join(encode_experiments())}"
            )
        super().__init__(shuffles=1, **options)
        self.experiment = encode_experiments()[experiment]
        self.rank_scale = rank_scale

    def spec(self) -> DataSpec:
        """Specify the protein as the only target, and sequences of 101 bases."""
        return DataSpec("labels", (self.experiment.protein,), LENGTH)

    def prepare_data(self) -> None:
        """Fetch both files."""
        fetch(self.experiment.training)
        fetch(self.experiment.test)

    @property
    def public_files(self) -> list[PublicFile]:
        """Both files of the experiment."""
        return [self.experiment.training, self.experiment.test]

    @property
    def card_values(self) -> dict[str, str]:
        """Key, protein, cell and title of the experiment."""
        chosen = self.experiment
        return {"key": chosen.key, "protein": chosen.protein, "cell": chosen.cell, "title": chosen.title}

    def read(self) -> LabelledSequences:
        """Fetch and read both files."""
        peaks, ones = read_sequences(fetch(self.experiment.training))
        test, labels = read_sequences(fetch(self.experiment.test))
        # Identical peaks are in the split of the first one.
        groups = group_identical(peaks)
        _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
        val = first[inverse] % _VAL_EVERY == _VAL_EVERY - 1
        codes = np.concatenate([peaks, test])
        split = np.full(len(codes), SPLITS.index("test"))
        split[: len(peaks)] = np.where(val, SPLITS.index("val"), SPLITS.index("train"))
        weight = None if self.rank_scale is None else 1 / (1 + np.arange(len(codes)) / self.rank_scale)
        return LabelledSequences(codes, np.concatenate([ones, labels])[:, None], split, weight)


def read_sequences(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read one file, the strongest peak first: codes uint8 (N, 101) and labels float32 (N,)."""
    file = SequenceFile(str(path))
    codes, labels = [], []
    for records in file:
        codes += file.codes(records)
        labels += [float(row["Bound"]) for row in records.rows]
    return np.stack(codes), np.array(labels, dtype=np.float32)
