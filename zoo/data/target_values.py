"""Values of targets in one split: whether a target varies at all, and the units in which it is learnt.

Values come in blocks (b, T, ...): b sequences or windows, T targets, NaN where nothing was measured.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.data.splits import Split
from zoo.errors import ConfigError
from zoo.nn.scale import TargetScaleConfig
from zoo.utils.text import some_of

__all__ = [
    "Variation",
    "blocks_at_random",
    "learn_scale",
    "measure_variation",
    "refuse_constant",
    "unscored",
]

Block = NDArray[np.float32]
_VALUES_AT_ONCE = 4_000_000
# Values of all targets from which their scale is learnt.
_MOST_VALUES = 40_000_000
# Values outside these percentiles do not move the centre and spread of measurements.
_PERCENTILES = (1, 99)
# Coverage over so many times its typical value is soft-clipped.
_SOFT_CLIP = 2


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


def learn_scale(
    blocks: Callable[[], Iterable[Block]], targets: int, counts: bool, soft_clip: bool
) -> TargetScaleConfig:
    """Learn the units in which each target varies by about one, from a random part of the training split.

    Measurements have the mean and standard deviation of their values, those outside the 1st to 99th percentile moved
    there. Counts have a typical value: bins with no more than it hold half of the sum of the counts' square roots. So
    the many bins with little do not decide, and those with very much only where they have half of that sum.

    Args:
        blocks: reads the values; each target varies in them.
        targets: number of targets, T.
        counts: whether values are never negative, and predicted by a softplus.
        soft_clip: with `counts`, whether values over twice the typical one are soft-clipped.
    """
    parts, size = [], 0
    for block in blocks():
        parts.append(np.moveaxis(block, 1, 0).reshape(targets, -1))  # (b, T, ...) -> (T, b ...)
        size += block.size
        if size >= _MOST_VALUES:
            break
    measure = _typical_count if counts else _centre_and_spread
    units = [measure(np.concatenate([part[target] for part in parts])) for target in range(targets)]
    if not all(spread > 0 for _, spread in units):  # what varies is not in the part that was read
        varied = measure_variation(blocks(), targets)
        ranges = zip(units, varied.lowest.tolist(), varied.highest.tolist(), strict=True)
        units = [(centre, spread or (high if counts else high - low)) for (centre, spread), low, high in ranges]
    spreads = [_rounded(spread) for _, spread in units]
    return TargetScaleConfig(
        centre=None if counts else [_rounded(centre, spread) for centre, spread in units],
        spread=spreads,
        soft_clip=[_rounded(_SOFT_CLIP * spread) for spread in spreads] if counts and soft_clip else None,
        scaled_loss=True,
    )


def _centre_and_spread(values: NDArray[np.float32]) -> tuple[float, float]:
    """Mean and standard deviation of values (N,), those outside the percentiles moved there."""
    values = values[~np.isnan(values)].astype(np.float64)
    clipped = values.clip(*np.percentile(values, _PERCENTILES)) if len(values) else values
    if len(values) and clipped.min() == clipped.max():
        clipped = values
    return (float(clipped.mean()), float(clipped.std())) if len(values) else (0.0, 0.0)


def _typical_count(values: NDArray[np.float32]) -> tuple[float, float]:
    """0, and the count up to which bins (N,) hold half of the sum of square roots."""
    values = np.sort(values[values > 0].astype(np.float64))  # without NaN
    total = np.sqrt(values).cumsum()
    return 0.0, float(values[np.searchsorted(total, total[-1] / 2)]) if len(values) else 0.0


def _rounded(value: float, spread: float | None = None) -> float:
    """A number that people can read: of four digits, or as many as tell values apart that vary by `spread`."""
    if spread is None:
        return float(f"{value:.4g}")
    return round(value, 3 - math.floor(math.log10(spread))) if spread > 0 else value


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
