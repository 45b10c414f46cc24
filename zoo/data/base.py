"""What `zoo train` asks of data, and what all data of `Labels` shares: splits, checks, loaders.

Shapes: N sequences, L bases, T targets.
"""

from typing import Any, Generic, cast

import numpy as np
from lightning import LightningDataModule
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from zoo.batch import Batch, DataSpec
from zoo.data.labelled import Labelled, SequenceDataset, Source
from zoo.data.samplers import EpochSampler
from zoo.data.splits import SPLITS, Split
from zoo.errors import ConfigError, InputError
from zoo.nn.losses import Loss
from zoo.outputs import Output
from zoo.utils.text import some_of

__all__ = ["GenomicDataModule", "LabelsDataModule", "batch_loader"]


class GenomicDataModule(LightningDataModule):
    """Base class of all data that `zoo train` accepts: a LightningDataModule that can specify what it holds.

    A subclass implements `spec`, which must be cheap, and Lightning's `prepare_data`, `setup` and dataloaders.
    """

    def spec(self) -> DataSpec:
        """Specify what the data hold, from headers and tables alone, in about a second.

        Raises:
            InputError: a file that is missing or cannot be read.
            ConfigError: options that contradict each other or the files.
        """
        raise NotImplementedError

    @property
    def targets(self) -> list[str]:
        """Names of the targets."""
        return list(self.spec().targets)

    @property
    def length(self) -> int:
        """Bases of every sequence."""
        return self.spec().length

    @property
    def strand_pairs(self) -> list[int]:
        """For each target the index of its partner on the other strand, its own index without a partner."""
        return list(self.spec().strand_pairs)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tracks that are read in addition to the sequence."""
        return self.spec().inputs.names

    @property
    def input_size(self) -> int:
        """Bases per value of these tracks."""
        return self.spec().inputs.size

    @property
    def input_pairs(self) -> tuple[int, ...]:
        """For each of these tracks the index of its partner on the other strand."""
        return self.spec().inputs.strand_pairs

    @property
    def card_values(self) -> dict[str, str]:
        """What `{key}` in a checkpoint's name and card stands for."""
        return {"targets": ", ".join(self.targets), "tasks": str(len(self.targets))}

    def check_model(self, output: Output, loss: Loss) -> None:
        """Raises: ConfigError: a model of this output and loss cannot learn from these data."""

    @property
    def target_facts(self) -> dict[str, tuple[str, str]]:
        """For targets of which more is known than the card says: what was measured, and its unit."""
        return {}

    @property
    def headline_note(self) -> str:
        """What has to be known beside a score of these data, such as how they were smoothed; empty for nothing."""
        return ""

    def describe(self) -> list[str]:
        """One line for each split: what it holds."""
        raise NotImplementedError


class LabelsDataModule(GenomicDataModule, Generic[Source]):
    """Labelled sequences in three splits. A subclass reads them.

    Args:
        classify: whether labels must be 0 or 1, both present; else they may be any number.
        shift: bases by which each training sequence is moved at most, to either side.
        reverse_complement: read each training sequence on one strand or the other, at random.
        shuffles: dinucleotide-preserving shuffles of each sequence that are added as negatives to the splits that
            have none of their own, where all labels are 0; fresh every epoch in training, fixed in validation and test.
        epoch_size: sequences drawn in an epoch, shuffles counted; None for all of them.
        batch_size: sequences in a batch, shuffles counted.
        num_workers: processes that read.
        seed: of order, shuffles, shifts and strands.
    """

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
                "batch_size and epoch_size are numbers from 1 up; shift, shuffles, num_workers and seed from 0 up"
            )
        self.classify, self.shift, self.reverse_complement = classify, shift, reverse_complement
        self.shuffles, self.epoch_size, self.batch_size = shuffles, epoch_size, batch_size
        self.num_workers, self.seed = num_workers, seed
        self._data: Labelled[Source] | None = None

    def spec(self) -> DataSpec:
        """Specify the targets and the length of the sequences."""
        return DataSpec("labels", tuple(self.targets), int(self.data.codes.shape[1]))

    @property
    def data(self) -> Labelled[Source]:
        """All sequences, read once, with the split of each."""
        if self._data is None:
            data = self.read()
            self._check(data)
            self._data = self.assign_splits(data)
        return self._data

    def read(self) -> Labelled[Source]:
        """Read what there is."""
        raise NotImplementedError

    def assign_splits(self, data: Labelled[Source]) -> Labelled[Source]:
        """Give each sequence that has no split one, where `read` has not given it to all."""
        return data

    def describe(self) -> list[str]:
        """One line for each split: how many sequences, how many of them positive."""
        lines = []
        for split in SPLITS:
            dataset = self.dataset(split)
            labels = dataset.data.labels
            positive = f", {int((labels == 1).any(1).sum()):,} positive" if self.classify else ""
            made = f", and {dataset.shuffles * len(labels):,} shuffles of them as negatives" if dataset.shuffles else ""
            lacking = self._of_one_class(dataset) if split != "train" else []
            unscored = f"; not scored, for want of both classes: {some_of(lacking)}" if lacking else ""
            lines.append(f"{split}: {len(labels):,} sequences{positive}{made}{unscored}")
        return lines

    def subset(self, split: Split) -> Labelled[Source]:
        """The sequences of one split."""
        return self.data.subset(self.data.split == SPLITS.index(split))

    def dataset(self, split: Split) -> SequenceDataset[Source]:
        """The sequences of one split, with shuffles where it has no negatives of its own."""
        data = self.subset(split)
        if not len(data):
            raise ConfigError(f"the {split} split is empty: {len(self.data)} sequences in all")
        seed = self.seed + SPLITS.index(split)
        shuffles = 0 if _negative(data).any() else self.shuffles
        if split == "train":
            return SequenceDataset(data, shuffles, seed, self.shift, self.reverse_complement)
        dataset = SequenceDataset(data, shuffles, seed)
        if split == "val" and len(self._of_one_class(dataset)) == len(self.targets):
            raise ConfigError("no target has both classes in the val split: nothing tells which epoch is best")
        return dataset

    def _of_one_class(self, dataset: SequenceDataset[Source]) -> list[str]:
        """The targets of which AUROC and AUPRC are not defined."""
        if not self.classify:
            return []
        labels = dataset.data.labels
        both = (labels == 1).any(0) & ((labels == 0).any(0) | bool(dataset.shuffles))
        return [target for target, scored in zip(self.targets, both, strict=True) if not scored]

    def train_dataloader(self) -> DataLoader[Batch]:
        """Shuffled anew each epoch; the last short batch is left out."""
        dataset = self.dataset("train")
        weight = dataset.data.weight
        if weight is not None:
            weight = np.tile(weight, 1 + dataset.shuffles)
        sampler = EpochSampler(len(dataset), self.seed, weight, self.epoch_size)
        size = min(self.batch_size, len(sampler))  # of this process's share: none may be left without a batch
        return batch_loader(dataset, self.num_workers, batch_size=size, sampler=sampler, drop_last=True)

    def val_dataloader(self) -> DataLoader[Batch]:
        """In order, the same every time."""
        return batch_loader(self.dataset("val"), self.num_workers, batch_size=self.batch_size)

    def test_dataloader(self) -> DataLoader[Batch]:
        """In order, the same every time."""
        return batch_loader(self.dataset("test"), self.num_workers, batch_size=self.batch_size)

    def predict_dataloader(self) -> DataLoader[Batch]:
        """Batches of the test split, in order."""
        return batch_loader(self.dataset("test"), self.num_workers, batch_size=self.batch_size)

    def _check(self, data: Labelled[Source]) -> None:
        """Refuse labels that nothing can be learnt from."""
        shuffled = self.shuffles and not _negative(data).any()
        for target, column in zip(self.targets, data.labels.T, strict=True):
            there = column[~np.isnan(column)]
            if not len(there):
                raise InputError(f"the target {target!r} has no label at all")
            if self.classify and not np.isin(there, (0, 1)).all():
                odd = there[~np.isin(there, (0, 1))][0]
                raise InputError(
                    f"the target {target!r} has the label {odd:g} where a class is 0 or 1; set `classify: false` "
                    "and a regression loss for measurements"
                )
            if (there == there[0]).all() and not (shuffled and there[0] == 1):
                cure = "; give negatives, or `shuffles: 1` to make them" if there[0] == 1 else ""
                raise InputError(f"all {len(there)} labels of the target {target!r} are {there[0]:g}{cure}")


def _negative(data: Labelled[Source]) -> NDArray[np.bool_]:
    """Which sequences are negatives: every label that is there is 0 (N,)."""
    missing = np.isnan(data.labels)
    found: NDArray[np.bool_] = ((data.labels == 0) | missing).all(1) & ~missing.all(1)
    return found


def batch_loader(dataset: Dataset[Batch], num_workers: int, **options: Any) -> DataLoader[Batch]:
    """A loader of a dataset that reads whole batches."""
    return DataLoader(
        dataset,
        num_workers=num_workers,
        persistent_workers=num_workers > 0,
        collate_fn=cast(Any, _already_a_batch),
        **options,
    )


def _already_a_batch(batch: Batch) -> Batch:
    return batch
