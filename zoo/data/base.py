"""Base class of all DataModules, and the DataLoader that they share."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, cast

import numpy as np
from lightning import LightningDataModule
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from zoo.batch import Batch, DataSpec
from zoo.data.splits import Split
from zoo.data.target_values import Variation, learn_scale, measure_variation, refuse_constant
from zoo.genome.regions import Regions
from zoo.genome.sequence import Codes
from zoo.nn.losses import Loss
from zoo.nn.scale import TargetScaleConfig
from zoo.outputs import Output
from zoo.utils.download import PublicFile
from zoo.utils.text import counted

__all__ = ["GenomicDataModule", "batch_loader"]


class GenomicDataModule(LightningDataModule):
    """Base class of all data that `zoo train` accepts: a LightningDataModule that can specify what it holds.

    A subclass implements `spec`, which must be cheap, and what Lightning defines: `prepare_data` does expensive work
    once, on rank 0, and keeps the result in the cache; `setup` opens it; the dataloaders give `zoo.batch.Batch`.

    Attributes:
        reads_regions: whether `sequences_of` gives whole regions of a genome, block by block, instead of sequences.
        train_options: arguments that change training alone: with any value, the validation split has the same items,
            so that `zoo tune` may search them.
    """

    reads_regions = False
    train_options: ClassVar[frozenset[str]] = frozenset()

    def spec(self) -> DataSpec:
        """Specify what the data hold, from headers and tables alone, in about a second.

        Raises:
            InputError: a file is missing or cannot be read.
            ConfigError: options contradict each other or the files.
        """
        raise NotImplementedError

    def __str__(self) -> str:
        # Lightning's own makes all dataloaders, and jsonargparse calls it when it links options.
        return f"{type(self).__module__}.{type(self).__qualname__}"

    @property
    def next_epoch(self) -> int:
        """The epoch that the Trainer trains next: a resumed run's workers read ahead before `set_epoch` is called."""
        # `Trainer.current_epoch` is updated later than the first dataloader of a resumed run is made.
        if self.trainer is None:
            return 0
        return int(self.trainer.fit_loop.epoch_progress.current.processed)  # type: ignore[attr-defined]

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
    def public_files(self) -> list[PublicFile]:
        """The published files that the data are read from; none of data of the user's own."""
        return []

    @property
    def card_values(self) -> dict[str, str]:
        """Values of the placeholders `{key}` in a checkpoint's name and card."""
        count = len(self.targets)
        return {"targets": ", ".join(self.targets), "tasks": str(count), "experiments": counted(count, "experiment")}

    @property
    def limits(self) -> list[str]:
        """Sentences on what a model of these data cannot tell, for its card."""
        return []

    def check_model(self, output: Output, loss: Loss) -> None:
        """Refuse a model that cannot learn from these data.

        Raises:
            ConfigError: the model's output or loss does not fit.
        """

    def check_values(self, loss: Loss) -> None:
        """Refuse prepared values that a loss cannot learn.

        Raises:
            ConfigError: such as negative values, and a loss of counts.
        """

    def target_blocks(self, split: Split) -> Iterator[NDArray[np.float32]]:
        """Read the targets of one split in a fixed random order, in blocks (b, T, ...), NaN where not measured."""
        raise NotImplementedError

    def variation(self, split: Split) -> Variation:
        """Find the range of each target in a split; not to its ends where a part of it shows that a target varies."""
        return measure_variation(self.target_blocks(split), len(self.targets))

    def check_targets(self, splits: Sequence[Split]) -> None:
        """Refuse values that cannot be learnt or scored, by name of target and split.

        Raises:
            ConfigError: a target without two different values in the training split, a held-out split without any
                target that has them, or values that the Trainer's model cannot learn.
        """
        for split in splits:
            refuse_constant(self.variation(split), self.targets, split)
        model: Any = self.trainer and self.trainer.lightning_module
        if isinstance(getattr(model, "loss", None), Loss):
            self.check_model(model.output, model.loss)
            self.check_values(model.loss)

    def learn_scale(self, counts: bool) -> TargetScaleConfig:
        """Learn units in which targets vary by about one, from the training split.

        Args:
            counts: whether the model predicts counts, never negative.
        """
        is_tracks = self.spec().kind == "tracks"
        return learn_scale(lambda: self.target_blocks("train"), len(self.targets), counts, is_tracks)

    def sequences_of(self, splits: Sequence[Split]) -> Iterator[Codes]:
        """Read the sequences of splits, without negatives made of them: blocks of codes uint8 (n, L); none by default.

        `zoo.hub.seen` keeps a sample of those of training, and looks up those that a model is tested on.
        """
        return iter(())

    def regions_of(self, splits: Sequence[Split]) -> Regions | None:
        """Find the regions of a genome that are read in splits; None for data without coordinates."""
        return None

    @property
    def target_facts(self) -> dict[str, tuple[str, str]]:
        """Target -> its description and unit, for targets of which more is known than the card says."""
        return {}

    @property
    def headline_note(self) -> str:
        """Note on the headline score, such as the smoothing of the targets; empty for none."""
        return ""

    @property
    def logged(self) -> list[str]:
        """Lines of `describe` that were logged when the data were prepared."""
        return []

    def describe(self) -> list[str]:
        """Summarize each split in one line; reads the data."""
        raise NotImplementedError


def batch_loader(dataset: Dataset[Batch], num_workers: int, **options: Any) -> DataLoader[Batch]:
    """Create the DataLoader of a dataset that reads whole batches (`__getitems__` returns a `Batch`)."""
    return DataLoader(
        dataset,
        num_workers=num_workers,
        persistent_workers=num_workers > 0,
        collate_fn=cast(Any, _already_a_batch),
        **options,
    )


def _already_a_batch(batch: Batch) -> Batch:
    return batch
