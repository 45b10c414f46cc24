"""How a user's sequences are split where they come without splits. Shapes: N sequences, L bases."""

import numpy as np

from zoo.data.base import GenomicDataModule
from zoo.data.sequences import SequenceDataModule
from zoo.data.sequences.similarity import group_overlapping
from zoo.training.finetune.data import DataPlan
from zoo.training.near_duplicates import KMER, can_be_compared, has_given_test

__all__ = ["split_by_overlap"]

# Of a group that is larger, as a share of all sequences and as a number, the sizes of splits would depend.
_LARGEST_SHARE, _LARGEST = 0.1, 2


def split_by_overlap(plan: DataPlan, data: GenomicDataModule) -> bool:
    """Choose splits in which no test sequence overlaps one of training, where splits are drawn.

    Args:
        plan: the data, whose arguments and reasons are added to.
        data: the DataModule of them and of the user's options.

    Returns:
        Whether an argument was added.

    Raises:
        InputError: sequences that cannot be read.
    """
    if type(data) is not SequenceDataModule or data.shared_kmer is not None or has_given_test(data):
        return False
    codes = data.read().codes
    if not can_be_compared(codes):
        return False
    groups = group_overlapping(codes, KMER, data.strands == "both")
    largest = int(np.bincount(groups).max(initial=0))
    if largest > max(_LARGEST_SHARE * len(codes), _LARGEST):
        plan.reasons.append(
            f"splits: drawn without regard to overlaps: shared bases join {largest:,} of {len(codes):,} sequences into "
            "one group, too large for a split; a column of splits (train, val, test) would say how to divide them"
        )
        return False
    plan.config["init_args"]["shared_kmer"] = KMER
    plan.reasons.append(f"splits: drawn; sequences that share {KMER} bases, on either strand, are in the same one")
    return True
