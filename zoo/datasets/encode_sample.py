"""A sample of one ENCODE experiment, as small as the data of a laboratory can be: to measure fine-tuning.

Peaks are those of `encode_loci`: 101 bp, human hg19. Shapes: N peaks.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.batch import DataSpec
from zoo.data.labelled import LabelledSequences
from zoo.data.labels import LabelsDataModule
from zoo.data.splits import SPLITS
from zoo.datasets.encode_loci import encode_loci
from zoo.datasets.encode_tf import LENGTH, encode_experiments, files_of_experiments
from zoo.errors import ConfigError, UnknownNameError
from zoo.genome.sequence import Codes
from zoo.utils.download import PublicFile

__all__ = ["EncodeSampleDataModule"]

# Validation has a quarter of the training sequences, within these bounds.
_LEAST_VAL, _MOST_VAL = 20, 1_000


class EncodeSampleDataModule(LabelsDataModule[Codes]):
    """Some peaks of an experiment and as many dinucleotide-preserving shuffles of them, fresh in each epoch.

    The test set is the same for every size and sample. No two splits share a 31-mer, on either strand.

    Args:
        experiment: key of the experiment, such as `rest_gm12878`.
        size: training sequences, half of them peaks; validation has a quarter of that in addition, from 20 to 1,000.
        sample_seed: seed of the choice of peaks for training and validation.
        test_peaks: peaks of the test set.
        options: options of LabelsDataModule.

    Raises:
        UnknownNameError: no such experiment.
        ConfigError: more sequences than the experiment has.
    """

    def __init__(
        self, experiment: str, size: int = 1_000, sample_seed: int = 0, test_peaks: int = 1_400, **options: Any
    ) -> None:
        super().__init__(shuffles=1, **options)
        if experiment not in encode_experiments():
            known = ", ".join(encode_experiments())
            raise UnknownNameError(f"there is no ENCODE experiment {experiment!r}; there are {known}")
        if size < 2 or test_peaks < 1 or sample_seed < 0:
            raise ConfigError("size is at least 2, test_peaks at least 1, and sample_seed at least 0")
        self.experiment, self.size = experiment, size
        self.sample_seed, self.test_peaks = sample_seed, test_peaks

    @property
    def public_files(self) -> list[PublicFile]:
        """Both files of each experiment."""
        return files_of_experiments()

    def spec(self) -> DataSpec:
        """Specify the experiment as the only target, and sequences of 101 bases."""
        return DataSpec("labels", (self.experiment,), LENGTH)

    def prepare_data(self) -> None:
        """Fetch all files and join their peaks; Lightning calls it on rank 0."""
        encode_loci()

    def read(self) -> LabelledSequences:
        """Choose the peaks of each split.

        Raises:
            ConfigError: the experiment has fewer.
        """
        loci = encode_loci()
        rows = np.flatnonzero(loci.labels[:, list(encode_experiments()).index(self.experiment)])
        order = _by_group(rows, loci.group, 0)
        test, rest = order[: self.test_peaks], order[_group_end(order, loci.group, self.test_peaks) :]
        rest = _by_group(rest, loci.group, self.sample_seed + 1)
        train, val = self.size // 2, min(_MOST_VAL, max(_LEAST_VAL, self.size // 4)) // 2
        first = _group_end(rest, loci.group, train)
        if first + val > len(rest):
            raise ConfigError(
                f"{self.experiment} has {len(rows):,} peaks: too few for {self.size:,} training sequences, "
                f"{2 * val:,} for validation and {2 * self.test_peaks:,} for the test"
            )
        chosen = np.concatenate([rest[:train], rest[first : first + val], test])
        split = np.repeat([SPLITS.index(name) for name in SPLITS], [train, val, len(test)])
        return LabelledSequences(loci.codes[chosen], np.ones((len(chosen), 1), np.float32), split)


def _by_group(rows: NDArray[np.int64], group: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Shuffle rows (N,) so that those of one group follow each other.

    Args:
        rows: indices of loci.
        group: group of each locus (S,).
        seed: seed of the order.
    """
    known, index = np.unique(group[rows], return_inverse=True)
    rank = np.random.default_rng(seed).permutation(len(known))
    return rows[np.argsort(rank[index], kind="stable")]


def _group_end(rows: NDArray[np.int64], group: NDArray[np.int64], count: int) -> int:
    """The first position from `count` on at which a group of rows (N,), each in one piece, ends; else N + 1."""
    if count > len(rows):
        return len(rows) + 1
    ends = np.append(np.flatnonzero(np.diff(group[rows])) + 1, len(rows))
    return int(ends[np.searchsorted(ends, count)])
