"""Leaks between given splits: items of one group, such as identical sequences, in more than one split.

Shapes: N items.
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.data.splits import SPLITS
from zoo.errors import ConfigError, InputError

__all__ = ["Leak", "OnLeak", "check_on_leak", "find_leak", "treat_leak"]

OnLeak = Literal["refuse", "drop", "warn"]


class Leak(NamedTuple):
    """Groups in more than one split.

    Attributes:
        groups: their number.
        dropped: items to drop, so that no group is in more than one split: those of train, or of val where the group is
            in test (N,).
    """

    groups: int
    dropped: NDArray[np.bool_]


def check_on_leak(on_leak: str) -> None:
    """Raises: ConfigError: a word that is none of the three."""
    if on_leak not in ("refuse", "drop", "warn"):
        raise ConfigError(f"on_leak is refuse, drop or warn, not {on_leak!r}")


def find_leak(groups: NDArray[np.int64], split: NDArray[np.int64]) -> Leak:
    """Find the groups that are in more than one split.

    Args:
        groups: number of each item's group, from 0 (N,).
        split: index into `SPLITS` (N,).
    """
    first, last = np.full(groups.max(initial=0) + 1, len(SPLITS)), np.full(groups.max(initial=0) + 1, -1)
    np.minimum.at(first, groups, split)
    np.maximum.at(last, groups, split)
    return Leak(int((first < last).sum()), split < last[groups])


def treat_leak(leak: Leak, split: NDArray[np.int64], on_leak: OnLeak, what: str, cure: str = "") -> str:
    """Refuse a leak, or describe what is done about it.

    Args:
        leak: with at least one group.
        split: index into `SPLITS` (N,).
        on_leak: what to do.
        what: text that names the groups, such as `3 groups of identical sequences`.
        cure: further text for a refusal.

    Returns:
        A line for the report; the caller drops the items.

    Raises:
        InputError: leaks are to be refused.
    """
    counts = [(int((leak.dropped & (split == index)).sum()), name) for index, name in enumerate(SPLITS)]
    out = " and ".join(f"{count:,} of {name}" for count, name in counts if count)
    if on_leak == "refuse":
        raise InputError(
            f"the given split leaks: {what}; --data.on_leak drop leaves {out} out, --data.on_leak warn keeps all{cure}"
        )
    return f"the given split leaks: {what}; {f'{out} left out' if on_leak == 'drop' else 'all are kept'}"
