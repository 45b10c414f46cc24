"""Near duplicates of training sequences in val and test: sequences that share 24 bases. Shapes: N sequences."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from zoo.data.labelled import LabelledSequences
from zoo.data.sequences import SequenceDataModule
from zoo.data.sequences.similarity import group_overlapping
from zoo.data.splits import SPLITS
from zoo.data.windows import GenomeWindows
from zoo.genome.sequence import Codes

__all__ = [
    "KMER",
    "NearDuplicates",
    "can_be_compared",
    "cure_near_duplicates",
    "find_near_duplicates",
    "has_given_test",
    "is_split_by_kmer",
]

# Two sequences that share so many bases are near duplicates; they are looked for among no more bases than these.
KMER = 24
_MOST_BASES = 50_000_000


class NearDuplicates(NamedTuple):
    """Held-out sequences that share 24 bases with one of an earlier split, directly or through others.

    Attributes:
        near: number of these by split, `val` and `test`.
        total: number of all sequences by split.
    """

    near: dict[str, int]
    total: dict[str, int]

    def describe(self, *splits: str) -> str:
        """Describe those of some splits, all of them held out."""
        count, total = (sum(numbers[split] for split in splits) for numbers in (self.near, self.total))
        what = "held-out" if len(splits) > 1 else splits[0]
        return (
            f"{count:,} of {total:,} {what} sequences share {KMER} bases with one of an earlier split, directly or "
            "through others"
        )


def find_near_duplicates(data: SequenceDataModule, every: LabelledSequences) -> NearDuplicates | None:
    """Find near duplicates.

    Args:
        data: the DataModule.
        every: its sequences with their splits.

    Returns:
        Their numbers; None where sequences are too short, or have too many bases to be compared.
    """
    codes = every.codes
    if isinstance(codes, GenomeWindows) or not can_be_compared(codes):
        return None
    groups = group_overlapping(codes, KMER, data.strands == "both")
    first = np.full(groups.max(initial=0) + 1, len(SPLITS))
    np.minimum.at(first, groups, every.split)
    is_near = every.split > first[groups]
    held_out = dict(enumerate(SPLITS[1:], 1))
    return NearDuplicates(
        {name: int((is_near & (every.split == index)).sum()) for index, name in held_out.items()},
        {name: int((every.split == index).sum()) for index, name in held_out.items()},
    )


def can_be_compared(codes: Codes) -> bool:
    """Whether sequences (N, L) are long enough to share 24 bases, and few enough to be compared in seconds."""
    return codes.shape[1] >= KMER and codes.size <= _MOST_BASES


def is_split_by_kmer(data: SequenceDataModule) -> bool:
    """Whether near duplicates are kept in one split, or refused."""
    return data.shared_kmer is not None and data.shared_kmer <= KMER


def cure_near_duplicates(data: SequenceDataModule) -> str:
    """Options with which there are none."""
    return f"--data.shared_kmer {KMER}" + (" --data.on_leak drop" if has_given_test(data) else "")


def has_given_test(data: SequenceDataModule) -> bool:
    """Whether test data are given, in files or rows of their own, instead of drawn."""
    given = [*(data.fasta or {}).values(), data.table]
    return data.split_column is not None or any(isinstance(one, Mapping) and "test" in one for one in given)
