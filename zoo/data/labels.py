"""LabelsDataModule: what all data of labelled sequences share: splits, checks and loaders.

Shapes: N sequences, L bases, T targets.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Generic

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from zoo.batch import Batch
from zoo.data.base import GenomicDataModule, batch_loader
from zoo.data.labelled import Labelled, SequenceDataset, Source
from zoo.data.samplers import EpochSampler, ShareSampler
from zoo.data.splits import SPLITS, Split
from zoo.data.target_values import blocks_at_random, unscored
from zoo.errors import ConfigError, InputError
from zoo.genome.sequence import Codes
from zoo.nn.losses import Loss
from zoo.outputs import Output
from zoo.utils.text import counted

__all__ = ["LabelsDataModule"]


class LabelsDataModule(GenomicDataModule, Generic[Source]):
    """Labelled sequences in the splits train, val and test. A subclass implements `spec` and `read`.

    Args:
        classify: labels are classes, 0 or 1, and both must occur; else they are measurements, any numbers.
        shift: largest random shift of a training sequence, in bases, to either side.
        reverse_complement: reverse-complement each training sequence with probability 1/2.
        shuffles: dinucleotide-preserving shuffles of each sequence that are added as negatives to splits without
            negatives of their own, where all labels are 0; fresh in every training epoch, fixed in val and test. Of
            measurements none are made.
        epoch_size: sequences drawn per training epoch, shuffles included; None for all.
        batch_size: sequences per batch, shuffles included.
        num_workers: processes that read batches; 0 for the main process.
        seed: seed of the training order, shuffles, shifts and strands.
    """

    train_options = frozenset({"batch_size", "epoch_size", "shift", "reverse_complement"})
    on_empty_split = ""  # what helps, as the end of a message

    def __init__(
        self,
        classify: bool = True,
        shift: int = 0,
        reverse_complement: bool = False,
        shuffles: int = 0,
        epoch_size: int | None = None,
        batch_size: int = 128,
        num_workers: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if min(shift, shuffles, num_workers, seed) < 0 or batch_size < 1 or (epoch_size is not None and epoch_size < 1):
            raise ConfigError(
                "batch_size and epoch_size must be at least 1; shift, shuffles, num_workers and seed at least 0"
            )
        self.classify, self.shift, self.reverse_complement = classify, shift, reverse_complement
        self.shuffles, self.epoch_size, self.batch_size = shuffles, epoch_size, batch_size
        self.num_workers, self.seed = num_workers, seed

    def setup(self, stage: str) -> None:
        """Read the data, in each process; called by Lightning.

        Args:
            stage: `fit`, `validate`, `test` or `predict`; the same data serve all of them.
        """
        _ = self.data
        if stage == "fit":
            self.check_targets(["train", "val"])

    @cached_property
    def data(self) -> Labelled[Source]:
        """All sequences with their splits; read on first use.

        Raises:
            InputError: sequences or labels that do not agree with the specification or cannot be learned from.
        """
        data = self.read()
        for problem in self.problems(data):
            raise problem
        return self.assign_splits(data)

    def read(self) -> Labelled[Source]:
        """Read all sequences and their labels."""
        raise NotImplementedError

    def assign_splits(self, data: Labelled[Source]) -> Labelled[Source]:
        """Assign a split to each sequence that has none yet; a subclass whose `read` leaves some open overrides it."""
        return data

    def describe(self) -> list[str]:
        """Summarize each split in one line: sequences, positives, and targets without both classes."""
        lines = []
        for split in SPLITS:
            dataset = self.dataset(split)
            labels = dataset.data.labels
            positive = f", {int((labels == 1).any(1).sum()):,} positive" if self.classify else ""
            shuffles = f", and {dataset.shuffles * len(labels):,} shuffles of them as negatives"
            lack = unscored(self.variation(split), self.targets) if split != "train" else ""
            count = int(np.isnan(labels).sum()) if labels.dtype.kind == "f" else 0
            missing = f", {count:,} of {labels.size:,} labels missing" if count else ""
            added = shuffles if dataset.shuffles else ""
            lines.append(f"{split}: {counted(len(labels), 'sequence')}{positive}{missing}{added}{lack}")
        if self.shuffles and not self.classify:
            lines.append("no shuffles are added: they are negatives of classes, and these labels are measurements")
        if self.classify:
            lines += self._without_negatives()
        return lines

    def _without_negatives(self) -> list[str]:
        """Name in one line the splits that have no negatives, neither their own nor shuffles."""
        datasets = {split: self.dataset(split) for split in SPLITS}
        without = [name for name, one in datasets.items() if not one.shuffles and not one.data.is_negative().any()]
        if not without:
            return []
        where = "" if len(without) == len(SPLITS) else f" of {' and '.join(without)}"
        what = "a model of them tells" if "train" in without else "scores of them show how a model tells"
        more = ", and its scores say no more" if "train" in without else ""
        return [
            f"every sequence{where} is a positive of some target: {what} the targets apart, not positives from other "
            f"DNA{more}; that takes negatives"
        ]

    @property
    def limits(self) -> list[str]:
        """Sentences on what a model of these data cannot tell, for its card."""
        if not any(self.dataset(split).shuffles for split in SPLITS):
            return []
        return [
            "Negatives are shuffles of the sequences with the same dinucleotide counts, not other genomic DNA: a high "
            "probability is no proof that a site of a genome is a positive."
        ]

    def subset(self, split: Split) -> Labelled[Source]:
        """Select the sequences of one split, without shuffles."""
        return self.data.subset(self.data.split == SPLITS.index(split))

    def sequences_of(self, splits: Sequence[Split]) -> Iterator[Codes]:
        """Read the sequences of splits, without shuffles, in blocks (n, L)."""
        return self.data.blocks(splits)

    def dataset(self, split: Split) -> SequenceDataset[Source]:
        """Create the dataset of one split, with shuffles where it has no negatives of its own.

        Raises:
            ConfigError: the split is empty.
        """
        data = self.subset(split)
        if not len(data):
            raise ConfigError(f"the {split} split is empty: {len(self.data)} sequences in all{self.on_empty_split}")
        seed = self.seed + SPLITS.index(split)
        shuffles = 0 if not self.classify or data.is_negative().any() else self.shuffles
        if split == "train":
            return SequenceDataset(data, shuffles, seed, self.shift, self.reverse_complement, training=True)
        return SequenceDataset(data, shuffles, seed)

    def target_blocks(self, split: Split) -> Iterator[NDArray[np.float32]]:
        """Labels of a split in blocks (b, T); of shuffles, which are all 0, one row."""
        dataset = self.dataset(split)
        labels = dataset.data.labels
        if dataset.shuffles:
            yield np.zeros((1, labels.shape[1]), np.float32)
        for rows in blocks_at_random(len(labels), labels.shape[1]):
            yield labels[rows].astype(np.float32)

    def check_model(self, output: Output, loss: Loss) -> None:
        """Refuse a loss of classes for measurements.

        Raises:
            ConfigError: the loss learns classes, and labels are measurements.
        """
        if loss.classifies and not self.classify:
            raise ConfigError(
                "with --data.classify false labels are measurements, which a loss of classes cannot learn: add "
                "--model.loss mean_squared_error, or leave out --data.classify for classes, 0 or 1"
            )

    def check_values(self, loss: Loss) -> None:
        """Refuse labels that a loss cannot learn.

        Raises:
            ConfigError: negative labels, and a loss of counts.
        """
        if loss.counts:
            for target, column in zip(self.targets, self.data.labels.T, strict=True):
                if (column < 0).any():
                    raise ConfigError(
                        f"the target {target!r} has {int((column < 0).sum()):,} negative labels, down to "
                        f"{np.nanmin(column):g}, which a loss of counts cannot learn"
                    )

    def train_dataloader(self) -> DataLoader[Batch]:
        """Training batches, in a new random order each epoch; the last short batch is dropped."""
        dataset = self.dataset("train")
        weight = dataset.data.weight
        if weight is not None:
            weight = np.tile(weight, 1 + dataset.shuffles)
        sampler = EpochSampler(len(dataset), self.seed, weight, self.epoch_size, self.next_epoch)
        size = min(self.batch_size, len(sampler))  # where a process has fewer sequences, they are one batch
        return batch_loader(dataset, self.num_workers, batch_size=size, sampler=sampler, drop_last=True)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Validation batches in order, shared among the processes."""
        return self._shared_loader("val")

    def test_dataloader(self) -> DataLoader[Batch]:
        """Test batches in order, shared among the processes."""
        return self._shared_loader("test")

    def predict_dataloader(self) -> DataLoader[Batch]:
        """Batches of the test split in order, for `Trainer.predict`."""
        return batch_loader(self.dataset("test"), self.num_workers, batch_size=self.batch_size)

    def _shared_loader(self, split: Split) -> DataLoader[Batch]:
        dataset = self.dataset(split)
        # Whole batches are shared: their shuffles are those of one process, whatever the number of processes.
        sampler = ShareSampler(len(dataset), self.batch_size)
        return batch_loader(dataset, self.num_workers, batch_size=self.batch_size, sampler=sampler)

    def problems(self, data: Labelled[Source]) -> Iterator[InputError]:
        """List what is refused: sequences that contradict the specification, labels that nothing can be learned from.

        Args:
            data: sequences as `read` gives them.
        """
        spec = self.spec()
        if (length := data.codes.shape[1]) != spec.length:
            yield InputError(f"the sequences have {length} bases where {spec.length} were expected")
        shuffled = self.classify and self.shuffles and not data.is_negative().any()
        for target, column in zip(spec.targets, data.labels.T, strict=True):
            observed = column[~np.isnan(column)]
            if not len(observed):
                yield InputError(f"the target {target!r} has no label at all")
                continue
            if self.classify and not np.isin(observed, (0, 1)).all():
                invalid = observed[~np.isin(observed, (0, 1))][0]
                yield InputError(
                    f"the target {target!r} has the label {invalid:g} where a class is 0 or 1; set `classify: false` "
                    "for measurements (--data.classify false)"
                )
            if (observed == observed[0]).all() and not (shuffled and observed[0] == 1):
                cure = "; give negatives, or `shuffles: 1` to make them" if observed[0] == 1 else ""
                yield InputError(f"all {len(observed)} labels of the target {target!r} are {observed[0]:g}{cure}")
