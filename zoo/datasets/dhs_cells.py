"""dhs_cells: 47,872 DNase hypersensitive sites of 200 bp (human, hg38), each open in one of four cell lines.

Sites of the index of Meuleman 2020 (doi:10.1038/s41586-020-2559-3), as prepared for DNA-Diffusion (DaSilva 2024,
doi:10.1101/2024.02.01.578352): chromosome 2 is for validation, chromosome 1 for the test.

Shapes: N sequences, n of them in a block, L bases.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from zoo.batch import Batch, DataSpec
from zoo.data.base import batch_loader
from zoo.data.labelled import LabelledSequences, SequenceDataset
from zoo.data.samplers import EpochSampler
from zoo.data.sequences.files import Columns, read_tables
from zoo.data.sequences.module import SequenceDataModule
from zoo.data.shuffle import dinucleotide_shuffle
from zoo.data.splits import SPLITS, Split
from zoo.datasets.sources import files_of
from zoo.errors import ConfigError, IntegrityError
from zoo.genome.sequence import Codes
from zoo.utils.download import PublicFile, fetch
from zoo.utils.progress import spinner

__all__ = ["CELLS", "DhsCellsDataModule", "open_target"]

# Cell line -> its column in the file.
CELLS = {
    "GM12878": "GM12878_ENCLB441ZZZ",
    "hESC": "hESCT0_ENCLB449ZZZ",
    "K562": "K562_ENCLB843GMH",
    "HepG2": "HepG2_ENCLB029COU",
}
_DESCRIPTIONS = {
    "GM12878": "DNase-seq in GM12878 (lymphoblastoid cells)",
    "hESC": "DNase-seq in H9 (embryonic stem cells), day 0",
    "K562": "DNase-seq in K562 (chronic myeloid leukaemia)",
    "HepG2": "DNase-seq in HepG2 (hepatocellular carcinoma)",
}
_LENGTH = 200
# Seed of the shuffles of validation and test sites.
_HELD_OUT_SEED = 0


def open_target(cell: str) -> str:
    """Name of the target that tells the sites of a cell line from shuffles."""
    return f"{cell}_open"


class DhsCellsDataModule(SequenceDataModule):
    """The sites, each open in one of four cell lines; in training, shuffles of some of them are negatives.

    The published splits are by chromosome: 2 for validation, 1 for the test. The targets named as the cell lines are
    scored there on sites alone, so that a score tells cell lines apart, whatever the negatives of training were.

    Args:
        negatives: fraction of the sequences of a training epoch that are a dinucleotide-preserving shuffle of the site,
            fresh in every epoch, with all labels 0. All else are sites.
        open_targets: add a target for each cell line, as `K562_open`: 1 for its sites, 0 for shuffles, missing for the
            sites of the others. A motif that opens DNA in every cell line raises it, but is of no use to the target
            `K562`, whose negatives are mostly sites of the others and have that motif too. Validation and test then
            have one fixed shuffle of each site, without labels of the targets named as the cell lines.
        options: options of SequenceDataModule but for `shuffles`.

    Raises:
        ConfigError: a fraction below 0, or of 1 or more; `open_targets` without negatives.
    """

    train_options = SequenceDataModule.train_options | frozenset({"negatives"})

    def __init__(self, negatives: float = 0.0, open_targets: bool = False, **options: Any) -> None:
        if not 0 <= negatives < 1:
            raise ConfigError(f"negatives is a fraction from 0 up to, not including, 1: not {negatives}")
        if open_targets and not negatives:
            raise ConfigError("open_targets tells sites from shuffles: give a fraction of `negatives`")
        super().__init__(**options)
        if self.shuffles:
            raise ConfigError("say with `negatives` which fraction of the training sequences are shuffles")
        self.negatives, self.open_targets = negatives, open_targets

    def spec(self) -> DataSpec:
        """Specify the four cell lines as targets, and sequences of 200 bases."""
        opens = [open_target(cell) for cell in CELLS] if self.open_targets else []
        return DataSpec("labels", (*CELLS, *opens), _LENGTH)

    @property
    def public_files(self) -> list[PublicFile]:
        """The table of sites."""
        return files_of("dhs_cells")

    @property
    def target_facts(self) -> dict[str, tuple[str, str]]:
        """Cell line of each target."""
        facts = {cell: (_DESCRIPTIONS[cell], "probability") for cell in CELLS}
        if self.open_targets:
            opens = {open_target(cell): f"{_DESCRIPTIONS[cell]}, against shuffled DNA" for cell in CELLS}
            facts |= {target: (what, "probability") for target, what in opens.items()}
        return facts

    def prepare_data(self) -> None:
        """Fetch the table; Lightning calls it on rank 0."""
        fetch(self.public_files[0])

    def read(self) -> LabelledSequences:
        """Read the sites with their published splits.

        Raises:
            IntegrityError: a site that is open in none of the cell lines, or in several.
        """
        path = fetch(self.public_files[0])
        with spinner(f"reading {path}"):
            data = read_tables([(str(path), -1)], Columns("sequence", list(CELLS.values()), "data_label"))
        if not (data.labels.sum(1) == 1).all():
            raise IntegrityError(f"{path}: each site is to be open in exactly one of {', '.join(CELLS)}")
        return _with_open_targets(data) if self.open_targets else data

    def sequences_of(self, splits: Sequence[Split]) -> Iterator[Codes]:
        """Read the sites of splits, without shuffles, in blocks (n, L)."""
        return self.data.subset(~self.data.is_negative()).blocks(splits)

    def dataset(self, split: Split) -> SequenceDataset[Codes]:
        """Create the dataset of one split: its sequences, and in training a shuffle of each if there are negatives."""
        dataset = super().dataset(split)
        dataset.shuffles = int(split == "train" and self.negatives > 0)
        return dataset

    def train_dataloader(self) -> DataLoader[Batch]:
        """Training batches, in a new random order each epoch; the last short batch is dropped."""
        if not self.negatives:
            return super().train_dataloader()
        dataset = PartlyShuffled(self.dataset("train"), self.negatives)
        sampler = EpochSampler(len(dataset), self.seed, None, self.epoch_size, self.next_epoch)
        size = min(self.batch_size, len(sampler))
        return batch_loader(dataset, self.num_workers, batch_size=size, sampler=sampler, drop_last=True)

    def describe(self) -> list[str]:
        """Summarize each split in one line, and the negatives of training."""
        drawn = f"of each training epoch {self.negatives:.0%} of the sequences are shuffles, in place of their sites"
        return [*super().describe(), *([drawn] if self.negatives else [])]


def _with_open_targets(sites: LabelledSequences) -> LabelledSequences:
    """Add to sites (N) the labels of the open targets, and to those of validation and test a shuffle each."""
    held_out = sites.subset(sites.split != SPLITS.index("train"))
    shuffled = dinucleotide_shuffle(held_out.codes, np.random.default_rng(_HELD_OUT_SEED))
    opens = np.where(sites.labels == 1, 1, np.nan)
    of_shuffles = np.repeat([[np.nan, 0.0]], len(CELLS), axis=1).repeat(len(shuffled), axis=0)
    labels = np.concatenate([np.concatenate([sites.labels, opens], axis=1), of_shuffles]).astype(np.float32)
    codes, split = np.concatenate([sites.codes, shuffled]), np.concatenate([sites.split, held_out.split])
    return LabelledSequences(codes, labels, split)


class PartlyShuffled(Dataset[Batch]):
    """Training sequences of which some, drawn anew in every epoch, are replaced by a shuffle with all labels 0.

    Args:
        dataset: the sequences (N) with one shuffle of each, in training.
        share: fraction that is replaced.
    """

    def __init__(self, dataset: SequenceDataset[Codes], share: float) -> None:
        self.dataset, self.share = dataset, share

    def __len__(self) -> int:
        return len(self.dataset.data)

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """Read a batch, as `SequenceDataset` does; an index is `epoch * N + row`."""
        index: NDArray[np.int64] = np.asarray(indices)
        epoch, row = np.divmod(index, len(self))
        # The first indices carry the epoch, so a batch of another epoch has other negatives.
        shuffled = np.random.default_rng([self.dataset.seed, *index[:2], 1]).random(len(index)) < self.share
        positions = epoch * len(self.dataset) + row + len(self) * shuffled
        return self.dataset.__getitems__(positions.tolist())
