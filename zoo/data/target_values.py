"""Values of targets in one split: whether a target varies at all.

Values come in blocks (b, T, ...): b sequences or windows, T targets, NaN where nothing was measured.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.data.splits import Split
from zoo.errors import ConfigError
from zoo.utils.text import some_of

__all__ = ["Variation", "blocks_at_random", "measure_variation", "refuse_constant", "unscored"]

Block = NDArray[np.float32]
_VALUES_AT_ONCE = 4_000_000


class Variation(NamedTuple):
    """Range of each target's observed values.

    Attributes:
        lowest: lowest value (T,), inf where nothing was observed.
        highest: highest value (T,), -inf where nothing was observed.
    """

    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]

    @property
    def constant(self) -> NDArray[np.bool_]:
        """Targets without two different values (T,)."""
        return ~(self.highest > self.lowest)


def blocks_at_random(items: int, values_per_item: int) -> Iterator[NDArray[np.int64]]:
    """Deal out items in a fixed random order, in blocks whose values fit into memory.

    Args:
        items: number of sequences or windows.
        values_per_item: number of values of each.
    """
    order = np.random.default_rng(0).permutation(items)
    size = max(1, _VALUES_AT_ONCE // values_per_item)
    for first in range(0, items, size):
        yield order[first : first + size]


def measure_variation(blocks: Iterable[Block], targets: int) -> Variation:
    """Find the range of each target (T); reads no further than until every target has two different values."""
    result = Variation(np.full(targets, np.inf), np.full(targets, -np.inf))
    for block in blocks:
        axes = (0, *range(2, block.ndim))
        result = Variation(
            np.fmin(result.lowest, np.fmin.reduce(block, axes, initial=np.inf)),  # fmin and fmax pass over NaN
            np.fmax(result.highest, np.fmax.reduce(block, axes, initial=-np.inf)),
        )
        if not result.constant.any():
            break
    return result


def refuse_constant(variation: Variation, targets: list[str], split: Split) -> None:
    """Refuse targets that cannot be learnt from the training split, or a split in which no target can be scored.

    Raises:
        ConfigError: the targets and the split, and why.
    """
    constant = variation.constant
    if not (constant.any() if split == "train" else constant.all()):
        return
    names = [target for target, is_constant in zip(targets, constant, strict=True) if is_constant]
    reason = _reason(variation, targets.index(names[0]))
    what = f"the target {names[0]!r} has {reason} in the {split} split"
    if len(names) > 1:
        what += f", and {len(names) - 1} more cannot be used either ({some_of(names[1:])})"
    cure = (
        "nothing can be learnt: leave the target out, or change the splits"
        if split == "train"
        else "nothing can be scored: hold out other data"
    )
    raise ConfigError(f"{what}: {cure}")


def unscored(variation: Variation, targets: list[str]) -> str:
    """Name the targets of a held-out split for which no score is defined; empty where there are none."""
    names = [target for target, is_constant in zip(targets, variation.constant, strict=True) if is_constant]
    return f"; not scored, for want of two different values: {some_of(names)}" if names else ""


def _reason(variation: Variation, index: int) -> str:
    if variation.highest[index] < variation.lowest[index]:
        return "no value"
    return f"the same value everywhere ({variation.lowest[index]:g})"
