"""How a user's data are split where they come without splits. Shapes: N sequences, L bases."""

import numpy as np

from zoo.data.base import GenomicDataModule
from zoo.data.labels import LabelsDataModule
from zoo.data.peaks import PeakDataModule
from zoo.data.sequences import SequenceDataModule
from zoo.data.sequences.similarity import group_overlapping
from zoo.data.windowed import WindowDataModule
from zoo.training.finetune.data import DataPlan
from zoo.training.near_duplicates import KMER, can_be_compared, has_given_test
from zoo.utils.text import counted

__all__ = ["choose_splits", "few_of_validation"]

# Of a group that is larger, as a share of all sequences and as a number, the sizes of splits would depend.
_LARGEST_SHARE, _LARGEST = 0.1, 2
# Of fewer of a class, or measurements, a score by rank is often the same for different models.
_FEW = 10


def choose_splits(plan: DataPlan, data: GenomicDataModule) -> bool:
    """Choose splits in which no test sequence overlaps one of training, where splits are drawn, and say so.

    Args:
        plan: the data, whose arguments and reasons are added to.
        data: the DataModule of them and of the user's options.

    Returns:
        Whether an argument was added.

    Raises:
        InputError: sequences that cannot be read.
    """
    if isinstance(data, PeakDataModule | WindowDataModule):
        option = "data.rules" if isinstance(data, PeakDataModule) else "data.split"
        if getattr(data, "table", None) is None and getattr(data, "test_peaks", None) is None:
            contigs = f"; --{option}.test '[CONTIG, ...]' holds contigs out" if data.rules.test is None else ""
            plan.reasons.append(f"{data.rules.describe(data.length)}{contigs}")
        return False
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


def few_of_validation(data: GenomicDataModule) -> str:
    """Describe the validation split where it has few sequences of a class of some target, or few measurements.

    Args:
        data: the DataModule, prepared.

    Returns:
        A description; empty where there are enough, or of windows.
    """
    if not isinstance(data, LabelsDataModule):
        return ""
    dataset = data.dataset("val")
    labels, shuffles = dataset.data.labels, dataset.shuffles * len(dataset.data.labels)
    if data.classify:
        counts = np.minimum((labels == 1).sum(0), (labels == 0).sum(0) + shuffles)
    else:
        counts = (~np.isnan(labels)).sum(0)
    least = int(counts.min())
    if least >= _FEW:
        return ""
    what = "of a class" if data.classify else "measured"
    return f"the validation split has {counted(least, 'sequence')} {what} of {data.targets[int(counts.argmin())]}"
