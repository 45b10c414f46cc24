"""encode_loci: the peaks of all 21 encode_tf experiments joined into loci, each labelled with the experiments that have
a peak there (human hg19, 101 bp; Alipanahi 2015, doi:10.1038/nbt.3300).

The files hold sequences without coordinates. Peaks of one place overlap, so their sequences share a stretch of bases,
on either strand: that is how they are laid out beside each other, and merged as Basset merges peaks.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.data.base import LabelsDataModule
from zoo.data.labelled import LabelledSequences
from zoo.data.peaks.merge import merge_peaks
from zoo.data.sequences.similarity import connected, find_joins, lay_out
from zoo.data.splits import SPLITS, draw_splits
from zoo.datasets.encode_tf import encode_experiments, read_sequences
from zoo.errors import ConfigError, UnknownNameError
from zoo.genome.sequence import Codes
from zoo.utils.download import fetch
from zoo.utils.progress import bar, spinner

__all__ = ["EncodeLociDataModule", "Loci", "encode_loci"]

# Peaks that share so many bases are of one place; sequences that a path of such stretches joins stay in one split.
STRETCH = 31
# Peaks whose centres lie so close become one locus: they overlap by half of their bases or more.
REACH = 50


class Loci(NamedTuple):
    """Places in the genome where some experiment has a peak.

    Attributes:
        codes: uint8 (S, 101): of the peak that lies nearest to the middle of the locus.
        labels: 0 or 1 (S, 21), in the order of `encode_experiments`.
        group: loci that a path of shared stretches joins, through any peak, share a number (S,).
    """

    codes: Codes
    labels: NDArray[np.uint8]
    group: NDArray[np.int64]


@cache
def encode_loci() -> Loci:
    """Read all peaks, training and test files together, and join them. Takes about 20 seconds."""
    codes, task = [], []
    experiments = list(encode_experiments().values())
    for number, experiment in enumerate(bar(experiments, "reading peaks")):
        for file in (experiment.training, experiment.test):
            found, bound = read_sequences(fetch(file))
            codes.append(found[bound == 1])  # the rest are shuffles of peaks, of no place at all
            task.append(np.full(int(bound.sum()), number))
    with spinner("joining peaks that overlap"):
        return join_peaks(np.concatenate(codes), np.concatenate(task))


def join_peaks(codes: Codes, task: NDArray[np.int64]) -> Loci:
    """Join peaks (N, L) of experiments (N,) into loci."""
    joins = find_joins(codes, STRETCH)
    layout = lay_out(codes, joins)
    centre = layout.offset + layout.sign * (codes.shape[1] // 2)
    locus, middle = merge_peaks(layout.group, centre, REACH)
    order = np.lexsort((np.abs(centre - middle[locus]), locus))
    nearest = order[np.unique(locus[order], return_index=True)[1]]
    labels = np.zeros((len(middle), int(task.max()) + 1), np.uint8)
    labels[locus, task] = 1
    return Loci(codes[nearest], labels, connected(len(codes), joins)[nearest])


class EncodeLociDataModule(LabelsDataModule[Codes]):
    """Loci of the 21 ENCODE ChIP-seq experiments; the negatives of one are the loci of the others.

    Split by locus at random: whatever a path of shared 31-mers joins, on either strand, stays in one split.

    Args:
        experiments: which of them are the targets, such as `usf1_h1hesc`; None for all. Loci and split stay the same.
        positive_share: share of the sequences drawn for training that have a label above 0, for a target that is rare
            among the loci; None draws every locus once.
        val_fraction: share of the loci for validation.
        test_fraction: share of the loci for the test.
        split_seed: of the split.
        options: of LabelsDataModule.
    """

    def __init__(
        self,
        experiments: list[str] | None = None,
        positive_share: float | None = None,
        val_fraction: float = 0.1,
        test_fraction: float = 0.1,
        split_seed: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        known = list(encode_experiments())
        for experiment in experiments or []:
            if experiment not in known:
                raise UnknownNameError(f"there is no ENCODE experiment {experiment!r}; there are {', '.join(known)}")
        if positive_share is not None and not 0 < positive_share < 1:
            raise ConfigError(f"a share of positives of {positive_share} is not between 0 and 1")
        self.experiments = experiments or known
        self.positive_share = positive_share
        self.val_fraction, self.test_fraction, self.split_seed = val_fraction, test_fraction, split_seed

    @property
    def targets(self) -> list[str]:
        """The experiments' keys: protein and cell."""
        return self.experiments

    def read(self) -> LabelledSequences:
        """Join the peaks and split the loci."""
        loci = encode_loci()
        strata = np.unique(loci.labels, axis=0, return_inverse=True)[1].ravel()
        split = draw_splits(loci.group, strata, val=self.val_fraction, test=self.test_fraction, seed=self.split_seed)
        known = list(encode_experiments())
        labels = loci.labels[:, [known.index(experiment) for experiment in self.experiments]]
        return LabelledSequences(loci.codes, labels, split, self._weight(labels, split))

    def _weight(self, labels: NDArray[np.uint8], split: NDArray[np.int64]) -> NDArray[np.float64] | None:
        if self.positive_share is None:
            return None
        positive: NDArray[np.bool_] = np.any(labels == 1, axis=1)
        share = float(positive[split == SPLITS.index("train")].mean())
        if share == 1:
            raise ConfigError("every locus has a label above 0: `positive_share` is for some of the `experiments`")
        weight: NDArray[np.float64] = np.where(
            positive, self.positive_share / share, (1 - self.positive_share) / (1 - share)
        )
        return weight
