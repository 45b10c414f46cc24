"""yeast_reporter: expression from the oligos of `yeast_variants`, to learn effects of variants in a reporter assay.

Each variant is a pair of sequences: the oligo with the reference allele, then the one with the other allele.
Shapes: V pairs, 2 V sequences, L bases.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from zoo.batch import Batch, DataSpec
from zoo.data.base import batch_loader
from zoo.data.labelled import LabelledSequences, SequenceDataset, shift_codes
from zoo.data.samplers import EpochSampler
from zoo.data.sequences.module import SequenceDataModule
from zoo.data.sequences.similarity import group_overlapping
from zoo.data.splits import SPLITS
from zoo.datasets.sources import files_of
from zoo.datasets.yeast_genome import CONTIGS, TEST, VAL
from zoo.datasets.yeast_variants import PromoterVariants, read_variants
from zoo.errors import ConfigError
from zoo.genome.sequence import UNKNOWN, Codes, encode
from zoo.nn.losses import Loss
from zoo.outputs import Output
from zoo.utils.download import PublicFile

__all__ = ["LENGTH", "TARGETS", "Pairs", "YeastReporterDataModule", "end_aligned", "expression"]

# One target for each library of `zoo.datasets.yeast_variants.LIBRARIES`.
TARGETS = ("core_promoter", "upstream")
# Bases of an oligo as designed; insertions make some longer, and deletions some shorter.
LENGTH = 144
_DESCRIPTIONS = {
    "core_promoter": "Reporter assay: expression from an oligo that ends at the transcription start (TSS library)",
    "upstream": "Reporter assay: expression from an oligo in front of a core promoter (upstream library)",
}


class YeastReporterDataModule(SequenceDataModule):
    """Pairs of oligos that differ in one variant, and the log2 of the reporter's RNA over DNA from each.

    An oligo was measured in one of two libraries, and has a label for its target alone. Of each pair two numbers were
    published, the mean of both alleles and their difference. In training the loss is that of these, not of the oligos:
    the differences, which are small, are learnt about as well as the levels. Whole contigs are held out; training pairs
    that share a k-mer with held-out ones, on either strand, are left out.

    Args:
        val_contigs: contigs whose pairs are for validation.
        test_contigs: contigs whose pairs are for the test.
        difference_weight: weight of the loss of differences between alleles, relative to that of their means.
        shared_kmer: length k of these k-mers.
        options: options of SequenceDataModule; both oligos of a pair are shifted alike.

    Raises:
        ConfigError: contigs that the genome lacks or that are in two splits, a weight of 0 or less, or
            reverse_complement.
    """

    train_options = SequenceDataModule.train_options | frozenset({"difference_weight"})

    def __init__(
        self,
        val_contigs: Sequence[str] = tuple(VAL),
        test_contigs: Sequence[str] = tuple(TEST),
        difference_weight: float = 2.0,
        shared_kmer: int = 24,
        **options: Any,
    ) -> None:
        super().__init__(classify=False, shared_kmer=shared_kmer, strands="both", **options)
        held = [*val_contigs, *test_contigs]
        if unknown := [name for name in held if name not in CONTIGS]:
            raise ConfigError(f"{unknown[0]!r} is no contig of yeast; there are {', '.join(CONTIGS)}")
        if len(set(held)) < len(held):
            raise ConfigError("a contig is named twice among val_contigs and test_contigs")
        if difference_weight <= 0:
            raise ConfigError(f"difference_weight is a number above 0, not {difference_weight}")
        if self.reverse_complement:
            raise ConfigError("oligos have a strand, that of the gene: leave out reverse_complement")
        self.val_contigs, self.test_contigs = list(val_contigs), list(test_contigs)
        self.difference_weight = difference_weight
        self._left_out = 0

    def spec(self) -> DataSpec:
        """Specify the two libraries as targets, and sequences of 144 bases."""
        return DataSpec("labels", TARGETS, LENGTH)

    @property
    def public_files(self) -> list[PublicFile]:
        """The authors' results and oligos."""
        return files_of("yeast_variants")

    @property
    def target_facts(self) -> dict[str, tuple[str, str]]:
        """Library of each target."""
        return {target: (_DESCRIPTIONS[target], "log2 RNA/DNA") for target in TARGETS}

    def prepare_data(self) -> None:
        """Fetch the files; Lightning calls it on rank 0."""
        read_variants()

    def read(self) -> LabelledSequences:
        """Read all pairs (2 V, 144) with their splits, without those of training that held-out ones resemble."""
        variants = read_variants()
        codes = np.stack([end_aligned(variants.reference_oligo), end_aligned(variants.alternative_oligo)], 1)
        split = np.full(len(codes), SPLITS.index("train"))
        split[np.isin(variants.contig, self.val_contigs)] = SPLITS.index("val")
        split[np.isin(variants.contig, self.test_contigs)] = SPLITS.index("test")
        rows = LabelledSequences(codes.reshape(-1, LENGTH), expression(variants), split.repeat(2))
        assert self.shared_kmer is not None
        groups = group_overlapping(rows.codes, self.shared_kmer)
        last = np.zeros(groups.max() + 1, np.int64)
        np.maximum.at(last, groups, rows.split)
        shared = (rows.split < last[groups]).reshape(-1, 2).any(1)  # a pair stays whole
        self._left_out = int(shared.sum())
        return rows.subset(~shared.repeat(2))

    def assign_splits(self, data: LabelledSequences) -> LabelledSequences:
        """Keep the splits that `read` gives: by contig, and checked."""
        return data

    def check_model(self, output: Output, loss: Loss) -> None:
        """Refuse a loss that is no squared error: of others, differences of raw outputs are not those of the targets.

        Raises:
            ConfigError: another loss than mean_squared_error.
        """
        super().check_model(output, loss)
        if loss.classifies or loss.counts:
            raise ConfigError("pairs of alleles are learnt by their differences: add --model.loss mean_squared_error")

    def train_dataloader(self) -> DataLoader[Batch]:
        """Training batches of whole pairs, in a new random order each epoch; the last short batch is dropped."""
        dataset = Pairs(self.dataset("train"), self.difference_weight, self.shift)
        sampler = EpochSampler(len(dataset), self.seed, None, self.epoch_size, self.next_epoch)
        size = max(1, min(self.batch_size // 2, len(sampler)))
        return batch_loader(dataset, self.num_workers, batch_size=size, sampler=sampler, drop_last=True)

    def describe(self) -> list[str]:
        """Summarize each split in one line, and what was left out."""
        splits = super().describe()  # reads the data
        return [
            *splits,
            f"each two sequences are a pair of alleles; left out: {self._left_out} pairs of train or val that share a "
            f"{self.shared_kmer}-mer with a later split",
        ]


class Pairs(Dataset[Batch]):
    """Pairs of alleles, as batches in which the rows 2 i and 2 i + 1 are a pair.

    Args:
        dataset: sequences of training (2 V), pair by pair.
        difference_weight: weight of the loss of their differences.
        shift: largest random shift of a pair in bases, to either side; N fills the gap.
    """

    def __init__(self, dataset: SequenceDataset[Codes], difference_weight: float, shift: int = 0) -> None:
        self.dataset, self.difference_weight, self.shift = dataset, difference_weight, shift
        dataset.shift = 0  # which would shift the two of a pair differently

    def __len__(self) -> int:
        return len(self.dataset) // 2

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """Read a batch; an index is `epoch * V + pair`, as those of `SequenceDataset` are."""
        first = 2 * np.asarray(indices)
        rows = np.stack([first, first + 1], 1).ravel()
        batch = self.dataset.__getitems__(rows.tolist())._replace(
            difference_weight=torch.tensor(self.difference_weight)
        )
        if not self.shift:
            return batch
        # The first indices carry the epoch, so a batch of another epoch is shifted otherwise.
        rng = np.random.default_rng([self.dataset.seed, *indices[:2]])
        offset = rng.integers(-self.shift, self.shift + 1, len(first)).repeat(2)
        return batch._replace(codes=torch.from_numpy(shift_codes(batch.codes.numpy(), offset)))


def end_aligned(oligos: Sequence[str]) -> Codes:
    """Codes of oligos (N, 144), aligned at their ends: longer ones lose bases in front, shorter ones have N there."""
    codes = np.full((len(oligos), LENGTH), UNKNOWN, np.uint8)
    for row, oligo in zip(codes, oligos, strict=True):
        kept = oligo[-LENGTH:]
        row[LENGTH - len(kept) :] = encode(kept)
    return codes


def expression(variants: PromoterVariants) -> NDArray[np.float32]:
    """Expression from both oligos of each variant, pair by pair (2 V, 2); NaN for the other library than theirs."""
    labels = np.full((len(variants.names), 2, len(TARGETS)), np.nan, np.float32)
    half = variants.effect / 2
    labels[np.arange(len(labels)), :, variants.library] = np.stack([variants.mean - half, variants.mean + half], 1)
    return labels.reshape(-1, len(TARGETS))
