"""encode_loci: the peaks of all 21 encode_tf experiments joined into loci, each labelled with the experiments that have
a peak there (human hg19, 101 bp; Alipanahi 2015, doi:10.1038/nbt.3300).

The files hold sequences without coordinates. Peaks of one locus overlap, so their sequences share a k-mer, on either
strand: this gives them common coordinates, and they are merged as Basset merges peaks.

Shapes: N peaks, S loci, L bases.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.batch import DataSpec
from zoo.data.labelled import LabelledSequences
from zoo.data.labels import LabelsDataModule
from zoo.data.peaks.merge import merge_peaks
from zoo.data.sequences.similarity import connected, find_joins, lay_out, share_kmers
from zoo.data.splits import SPLITS, draw_splits
from zoo.datasets.dhs_cells import DhsCellsDataModule
from zoo.datasets.encode_tf import LENGTH, encode_experiments, files_of_experiments, read_sequences
from zoo.errors import ConfigError, UnknownNameError
from zoo.genome.sequence import Codes
from zoo.utils.cache import cached_arrays
from zoo.utils.download import PublicFile, fetch
from zoo.utils.progress import bar, spinner

__all__ = ["EncodeLociDataModule", "Loci", "encode_loci", "without_experiments", "without_sequences"]

# Peaks that share a k-mer of this length are of one locus; what a path of such k-mers joins stays in one split.
SHARED_KMER = 31
# Peaks whose centres are this close, in bases, become one locus: they overlap by half of their bases or more.
REACH = 50
# Version of how peaks are joined: loci joined otherwise are not taken from the cache.
_VERSION = 1


class Loci(NamedTuple):
    """Loci of the genome where some experiment has a peak.

    Attributes:
        codes: uint8 (S, 101), the peak nearest to the middle of each locus.
        labels: 0 or 1, uint8 (S, 21), in the order of `encode_experiments`.
        group: number of each locus's group (S,): loci that a path of shared k-mers joins, through any peak.
    """

    codes: Codes
    labels: NDArray[np.uint8]
    group: NDArray[np.int64]


@cache
def encode_loci() -> Loci:
    """Read all peaks, training and test files together, and join them.

    Takes about 20 seconds, once; after that the loci are read from the cache.
    """
    files = [file.sha256 for file in files_of_experiments()]
    return Loci(**cached_arrays("encode_loci", [_VERSION, SHARED_KMER, REACH, files], lambda: _join_all()._asdict()))


def _join_all() -> Loci:
    codes, task = [], []
    experiments = list(encode_experiments().values())
    for number, experiment in enumerate(bar(experiments, "reading peaks")):
        for file in (experiment.training, experiment.test):
            sequences, bound = read_sequences(fetch(file))
            codes.append(sequences[bound == 1])  # the others are shuffles of peaks, which have no locus
            task.append(np.full(int(bound.sum()), number))
    with spinner("joining peaks that overlap"):
        return join_peaks(np.concatenate(codes), np.concatenate(task))


def join_peaks(codes: Codes, task: NDArray[np.int64]) -> Loci:
    """Join overlapping peaks into loci.

    Args:
        codes: the peaks, uint8 (N, L).
        task: number of each peak's experiment (N,).
    """
    joins = find_joins(codes, SHARED_KMER)
    layout = lay_out(codes, joins)
    centre = layout.offset + layout.sign * (codes.shape[1] // 2)
    locus, middle = merge_peaks(layout.group, centre, REACH)
    order = np.lexsort((np.abs(centre - middle[locus]), locus))
    nearest = order[np.unique(locus[order], return_index=True)[1]]
    labels = np.zeros((len(middle), int(task.max()) + 1), np.uint8)
    labels[locus, task] = 1
    return Loci(codes[nearest], labels, connected(len(codes), joins)[nearest])


def without_experiments(loci: Loci, experiments: Sequence[str]) -> Loci:
    """Leave out the groups of loci in which an experiment has a peak: what is left shares no 31-mer with its peaks.

    Args:
        loci: loci of all experiments.
        experiments: keys of the experiments that are held out.
    """
    known = list(encode_experiments())
    labels = loci.labels[:, [known.index(experiment) for experiment in experiments]]
    return _without_groups(loci, labels.max(axis=1) == 1)


def without_sequences(loci: Loci, codes: Codes) -> Loci:
    """Leave out the groups of loci of which one shares a 31-mer with other sequences, on either strand.

    Args:
        loci: loci of all experiments.
        codes: the sequences, uint8 (N, L).
    """
    return _without_groups(loci, share_kmers(loci.codes, codes, SHARED_KMER))


def _without_groups(loci: Loci, unwanted: NDArray[np.bool_]) -> Loci:
    """Leave out the groups of unwanted loci (S,)."""
    kept = ~np.isin(loci.group, loci.group[unwanted])
    return Loci(loci.codes[kept], loci.labels[kept], loci.group[kept])


class EncodeLociDataModule(LabelsDataModule[Codes]):
    """Loci of the 21 ENCODE ChIP-seq experiments; the negatives of one are the loci of the others.

    Splits are drawn by locus: loci that a path of shared 31-mers joins, on either strand, are in one split.

    Args:
        experiments: keys of the experiments that are targets, such as `usf1_h1hesc`; None for all. Loci and splits do
            not depend on it.
        held_out: keys of experiments of which the model is to see nothing: neither their labels nor any sequence that a
            path of shared 31-mers joins with one of their peaks.
        apart_from_dhs_cells: leave out what shares a 31-mer with a validation or test site of `dhs_cells`, so that a
            model that goes on from this one can be scored there.
        positive_share: fraction of the sequences drawn for training that have a positive label, for targets that are
            rare among the loci; None to draw every locus once.
        val_fraction: fraction of the loci for validation.
        test_fraction: fraction of the loci for the test.
        split_seed: seed of the splits.
        options: options of LabelsDataModule.

    Raises:
        UnknownNameError: no such experiment.
    """

    train_options = LabelsDataModule.train_options | frozenset({"positive_share"})

    def __init__(
        self,
        experiments: list[str] | None = None,
        held_out: list[str] | None = None,
        apart_from_dhs_cells: bool = False,
        positive_share: float | None = None,
        val_fraction: float = 0.1,
        test_fraction: float = 0.1,
        split_seed: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        known = list(encode_experiments())
        for experiment in [*(experiments or []), *(held_out or [])]:
            if experiment not in known:
                raise UnknownNameError(f"there is no ENCODE experiment {experiment!r}; there are {', '.join(known)}")
        if both := sorted(set(experiments or []) & set(held_out or [])):
            raise ConfigError(f"{both[0]} cannot be a target and held out: name it in experiments or in held_out")
        if positive_share is not None and not 0 < positive_share < 1:
            raise ConfigError(f"positive_share must lie between 0 and 1, not {positive_share}")
        self.held_out, self.apart_from_dhs_cells = held_out or [], apart_from_dhs_cells
        self.experiments = experiments or [experiment for experiment in known if experiment not in self.held_out]
        self.positive_share = positive_share
        self.val_fraction, self.test_fraction, self.split_seed = val_fraction, test_fraction, split_seed

    @property
    def public_files(self) -> list[PublicFile]:
        """Both files of each experiment, and those of the sites that are left out."""
        return [*files_of_experiments(), *(DhsCellsDataModule().public_files if self.apart_from_dhs_cells else [])]

    def spec(self) -> DataSpec:
        """Specify the experiments' keys as targets, and sequences of 101 bases."""
        return DataSpec("labels", tuple(self.experiments), LENGTH)

    @property
    def target_facts(self) -> dict[str, tuple[str, str]]:
        """Protein and cell line of each experiment."""
        known = encode_experiments()
        return {key: (known[key].description, "probability") for key in self.experiments}

    def prepare_data(self) -> None:
        """Fetch all files and join their peaks; Lightning calls it on rank 0."""
        encode_loci()
        if self.apart_from_dhs_cells:
            DhsCellsDataModule().prepare_data()

    def read(self) -> LabelledSequences:
        """Read the loci, their labels and splits."""
        loci = encode_loci()
        if self.held_out:
            loci = without_experiments(loci, self.held_out)
        if self.apart_from_dhs_cells:
            sites = DhsCellsDataModule().data
            loci = without_sequences(loci, sites.codes[sites.split != SPLITS.index("train")])
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
            raise ConfigError("every locus has a positive label: `positive_share` is for some of the `experiments`")
        weight: NDArray[np.float64] = np.where(
            positive, self.positive_share / share, (1 - self.positive_share) / (1 - share)
        )
        return weight
