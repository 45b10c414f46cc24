"""What labelled sequences hold: splits, classes, constant targets, N, duplicates and leaks.

Shapes: N sequences, L bases, T targets.
"""

from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.labelled import Labelled
from zoo.data.labels import LabelsDataModule
from zoo.data.peaks.background import base_counts
from zoo.data.sequences import SequenceDataModule
from zoo.data.splits import SPLITS, Split, group_identical
from zoo.data.windows import GenomeWindows
from zoo.errors import InputError
from zoo.genome.sequence import UNKNOWN
from zoo.nn.losses import Loss
from zoo.training.near_duplicates import cure_near_duplicates, find_near_duplicates, is_split_by_kmer
from zoo.training.preflight.report import Report
from zoo.training.preflight.sources import check_headers, check_sources
from zoo.training.preflight.values import Items, check_variation, report_splits, report_unknown
from zoo.utils.text import counted, some_of

__all__ = ["check_labels"]

# Positives, or negatives, of a target in a split: with fewer, its score says little.
_FEWEST = 10
# Fraction of duplicates from which a warning is due.
_MANY_DUPLICATES = 0.1

Counts = NDArray[np.int64]


def check_labels(data: LabelsDataModule[Any], loss: Loss | None, report: Report) -> Items | None:
    """Check labelled sequences: what training would read, drop, warn of or refuse.

    Args:
        data: the data; it is not changed.
        loss: the loss that the labels must fit; None where it is not known.
        report: where findings are added.

    Returns:
        Sequences of each split, shuffles included; None where the data cannot be read.
    """
    data = _copied(data)
    check_sources(vars(data), report)
    check_headers(vars(data), report)
    raw: Labelled[Any] | None = None
    with report.collecting("data"), report.logged("preparation"):
        raw = data.read()
    if raw is None:
        return None
    for problem in data.problems(raw):
        report.error("labels", str(problem))
    if not _assign(data, raw, report):
        return None
    if loss is not None:
        with report.collecting("labels"):
            data.check_values(loss)
    items = Items({split: _size(data, split, report) for split in SPLITS})
    report_splits(items, "sequence", report)
    splits = [split for split in SPLITS if items.sizes[split]]
    report_unknown({split: _unknown(data.subset(split).codes) for split in splits}, report)
    for split in splits:
        _check_balance(data, split, report)
        check_variation(data.variation(split), data.targets, split, report)
    _check_duplicates(data, report)
    with report.collecting("splits"), report.logged("preparation"):
        for line in data.describe():
            if not line.startswith(tuple(f"{split}:" for split in SPLITS)):
                report.note("preparation", line)
    return items._replace(dataset=data.dataset("train")) if items.sizes["train"] else items


def _copied(data: LabelsDataModule[Any]) -> LabelsDataModule[Any]:
    """A copy of a DataModule that can be filled and changed; the lines of its report are its own."""
    copied = copy(data)
    for name, value in vars(data).items():
        if isinstance(value, list):
            setattr(copied, name, list(value))
    return copied


def _assign(data: LabelsDataModule[Any], raw: Labelled[Any], report: Report) -> bool:
    """Assign splits; leaks that would be refused are reported, and kept to go on with."""
    wanted = getattr(data, "on_leak", "refuse")
    for on_leak in dict.fromkeys(("refuse", wanted, "warn")):
        if hasattr(data, "on_leak"):
            data.on_leak = on_leak
        try:
            with report.logged("preparation"):
                data.data = data.assign_splits(replace(raw, split=raw.split.copy()))
            return True
        except InputError as error:
            if wanted == "refuse" or not hasattr(data, "on_leak"):
                report.error("leaks", str(error))
            else:
                treated = "they are dropped" if wanted == "drop" else "they are kept"
                report.warn("leaks", f"{error}; {treated}, as on_leak {wanted} says", "split the data anew")
    return False


def _size(data: LabelsDataModule[Any], split: Split, report: Report) -> int:
    """Number of sequences of a split, shuffles included; an empty one is an error."""
    with report.collecting("splits", "name data for this split, or give it a fraction"):
        return len(data.dataset(split))
    return 0


def _unknown(codes: Any) -> float:
    """Fraction of N among all bases of sequences (N, L)."""
    if isinstance(codes, GenomeWindows):
        known, _ = base_counts(codes.genome, codes.contig, codes.start, codes.length, soft_masked=False)
        return 1 - float(known.mean())
    return float((codes == UNKNOWN).mean())


def _check_balance(data: LabelsDataModule[Any], split: Split, report: Report) -> None:
    """Report positives and negatives of each target in a split, or the spread of measurements."""
    dataset = data.dataset(split)
    labels, targets = dataset.data.labels, data.targets
    measured = ~np.isnan(labels)
    if not data.classify:
        spread = [float(np.std(column[known])) for column, known in zip(labels.T, measured.T, strict=True)]
        pairs = sorted(zip(spread, targets, strict=True))
        report.ok("labels", f"{split}: standard deviation {pairs[0][0]:.3g} ({pairs[0][1]}) to {pairs[-1][0]:.3g}")
        _keep(report, split, {name: {"measured": int(n)} for name, n in zip(targets, measured.sum(0), strict=True)})
        return
    positives: Counts = (labels == 1).sum(0)
    negatives: Counts = measured.sum(0) - positives + dataset.shuffles * len(labels)
    _keep(
        report,
        split,
        {
            name: {"positives": int(one), "negatives": int(other)}
            for name, one, other in zip(targets, positives, negatives, strict=True)
        },
    )
    fraction = positives / np.maximum(positives + negatives, 1)
    low, high = int(fraction.argmin()), int(fraction.argmax())
    ends = f"{fraction[low]:.2%} positive ({targets[low]}: {positives[low]:,})"
    if len(targets) > 1:
        ends = f"{ends} to {fraction[high]:.2%} ({targets[high]}: {positives[high]:,})"
    report.ok("classes", f"{split}: {ends}")
    rare = [
        f"{name} ({one:,} positives, {other:,} negatives)"
        for name, one, other in zip(targets, positives, negatives, strict=True)
        if 0 < min(one, other) < _FEWEST
    ]
    if rare:
        detail = f"{split}: fewer than {_FEWEST} of a class of {some_of(rare)}"
        report.warn("classes", detail, "leave these targets out, or give them more data")


def _keep(report: Report, split: Split, counts: dict[str, dict[str, int]]) -> None:
    report.facts.setdefault("targets", {})[split] = counts


def _check_duplicates(data: LabelsDataModule[Any], report: Report) -> None:
    """Report duplicates, duplicates of different labels, and near duplicates in several splits."""
    every = data.data
    both = getattr(data, "strands", "both") == "both"
    if isinstance(every.codes, GenomeWindows):
        groups = np.unique(every.codes.digest(), return_inverse=True)[1]
    else:
        groups = group_identical(every.codes, both)
    duplicates = len(groups) - len(np.unique(groups))
    report.facts["duplicates"] = duplicates
    where = "on either strand" if both else "on one strand"
    detail = f"{duplicates:,} of {len(groups):,} sequences are copies of another, {where}"
    if duplicates > _MANY_DUPLICATES * len(groups):
        report.warn("duplicates", detail, "keep one of each, unless they were measured anew")
    else:
        report.ok("duplicates", detail)
    if duplicates and data.classify:
        _check_conflicts(every.labels, groups, report)
    if isinstance(data, SequenceDataModule) and not isinstance(every.codes, GenomeWindows):
        _check_near(data, every, report)


def _check_conflicts(labels: Any, groups: NDArray[np.int64], report: Report) -> None:
    """Count groups of identical sequences of which a target is 1 in one and 0 in another."""
    seen: NDArray[np.bool_] = np.zeros((2, groups.max(initial=0) + 1, labels.shape[1]), np.bool_)  # (2, groups, T)
    for label in (0, 1):
        np.logical_or.at(seen[label], groups, labels == label)
    conflicts = int((seen[0] & seen[1]).any(1).sum())
    if conflicts:
        groups_have = f"{counted(conflicts, 'group')} of identical sequences {'has' if conflicts == 1 else 'have'}"
        detail = f"{groups_have} both labels of a target"
        report.warn("duplicates", detail, "decide on one label for each, or leave them out")


def _check_near(data: SequenceDataModule, every: Labelled[Any], report: Report) -> None:
    """Report sequences of val and test that share a k-mer with one of an earlier split."""
    if is_split_by_kmer(data):
        report.ok("leaks", f"sequences that share {data.shared_kmer} bases are in one split")
        return
    near = find_near_duplicates(data, every)
    if near is None:
        report.ok("leaks", "no identical sequence is in two splits; near duplicates were not looked for")
        return
    report.facts["near_duplicates"] = sum(near.near.values())
    detail = near.describe("val", "test")
    if any(near.near.values()):
        report.warn("leaks", detail, f"split by shared bases: {cure_near_duplicates(data)}")
    else:
        report.ok("leaks", detail)
