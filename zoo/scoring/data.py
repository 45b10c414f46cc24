"""Data to score a model on: a split of a DataModule, and which of its targets are the model's."""

from dataclasses import dataclass, field

from zoo.data.base import GenomicDataModule
from zoo.data.splits import Split
from zoo.scoring.matching import Matching

__all__ = ["EvaluationData"]


@dataclass
class EvaluationData:
    """Data to evaluate.

    Attributes:
        module: the DataModule.
        split: split of it that is read.
        matching: which of its targets are the model's.
        notes: sentences on what was chosen.
        is_all: whether that split holds all of the data.
    """

    module: GenomicDataModule
    split: Split
    matching: Matching
    notes: list[str] = field(default_factory=list)
    is_all: bool = False
