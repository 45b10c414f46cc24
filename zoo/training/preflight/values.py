"""Findings that all kinds of data share: sizes of splits, targets without two different values, unknown bases."""

from typing import Any, NamedTuple

from zoo.data.splits import SPLITS, Split
from zoo.data.target_values import Variation, refuse_constant
from zoo.errors import ConfigError
from zoo.training.preflight.report import Report
from zoo.utils.text import counted, some_of

__all__ = ["Items", "check_variation", "report_splits", "report_unknown"]

# Fraction of N from which a warning is due.
_MANY_UNKNOWN = 0.1
# Held-out sequences, and windows of many bins, with fewer of which scores are unsure.
_FEW_HELD_OUT = {"sequence": 50, "window": 5}


class Items(NamedTuple):
    """Sequences or windows that a run reads.

    Attributes:
        sizes: split -> number of sequences or windows.
        dataset: those for training, where they can be read now; None where they must be prepared first.
    """

    sizes: dict[Split, int]
    dataset: Any = None


def report_splits(items: Items, noun: str, report: Report) -> None:
    """Report the sizes of the splits, and warn of held-out ones that are very small.

    Args:
        items: their sizes.
        noun: what they hold, `sequence` or `window`.
        report: where findings are added.
    """
    total = max(sum(items.sizes.values()), 1)
    sizes = ", ".join(f"{split} {size:,} ({size / total:.0%})" for split, size in items.sizes.items())
    report.facts["splits"] = dict(items.sizes)
    report.ok("splits", f"{noun}s: {sizes}")
    for split in SPLITS[1:]:
        if 0 < items.sizes[split] < _FEW_HELD_OUT[noun]:
            report.warn(
                "splits",
                f"the {split} split has {items.sizes[split]:,} {noun}s: scores of so few are unsure",
                "hold out more",
            )


def check_variation(variation: Variation, targets: list[str], split: Split, report: Report) -> None:
    """Report targets without two different values in a split, as training refuses or names them.

    Args:
        variation: range of each target.
        targets: their names.
        split: the split.
        report: where findings are added.
    """
    constant = variation.constant
    names = [target for target, is_constant in zip(targets, constant, strict=True) if is_constant]
    report.facts.setdefault("constant_targets", {})[split] = names
    try:
        refuse_constant(variation, targets, split)
    except ConfigError as error:
        report.error("targets", str(error), "leave these targets out, or hold out other data")
        return
    if names:
        what = (
            f"{split}: not scored, for want of two different values: {len(names)} of {counted(len(targets), 'target')}"
        )
        report.warn("targets", f"{what} ({some_of(names, 20)})", "hold out data in which they vary")
    else:
        report.ok("targets", f"{split}: {len(targets)} of {counted(len(targets), 'target')} vary")


def report_unknown(fractions: dict[Split, float], report: Report) -> None:
    """Report the fraction of N among the bases of each split.

    Args:
        fractions: split -> fraction, from 0 to 1.
        report: where findings are added.
    """
    report.facts["fraction_unknown"] = {split: round(fraction, 6) for split, fraction in fractions.items()}
    detail = ", ".join(f"{split} {fraction:.2%}" for split, fraction in fractions.items())
    if max(fractions.values(), default=0.0) > _MANY_UNKNOWN:
        cure = "leave out sequences or regions without known bases: a blacklist, or min_unmasked"
        report.warn("bases", f"many are N: {detail}", cure)
    elif fractions:
        report.ok("bases", f"fraction of N: {detail}")
