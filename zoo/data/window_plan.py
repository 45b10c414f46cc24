"""Which windows of a genome are read: planned from headers alone, then selected by what was measured in them.

Shapes: N windows, P stored bins of all contigs, one contig after the other.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.data.genome_split import GenomeSplit, SplitRules
from zoo.data.splits import SPLITS, Split
from zoo.data.tiles import Tiles, tile
from zoo.data.window_dataset import WindowShape
from zoo.errors import ConfigError
from zoo.genome.contigs import match_contigs

__all__ = ["WindowPlan", "drop_masked", "named_contigs", "plan_windows", "wanted_contigs", "what_helps"]

# Shorter windows than of so many bins are not proposed.
_FEWEST_BINS = 16


class WindowPlan(NamedTuple):
    """Windows as they follow from the lengths of contigs.

    Attributes:
        contigs: contig -> length, of the contigs that are in all files.
        genome_split: split of these.
        tiles: windows of all splits, before masked ones are dropped.
        report: what was left out, one line per reason.
    """

    contigs: dict[str, int]
    genome_split: GenomeSplit
    tiles: Tiles
    report: list[str]


def wanted_contigs(contigs: dict[str, int], chosen: Sequence[str] | None) -> dict[str, int]:
    """Select contigs by name.

    Args:
        contigs: contig -> length, of the genome.
        chosen: names in any convention (`chr1`, `1`, `chrI`); None for all.

    Returns:
        contig -> length of the chosen ones, in the genome's order.

    Raises:
        ConfigError: an empty list.
        InputError: a name that the genome does not have.
    """
    if chosen is None:
        return contigs
    if not chosen:
        raise ConfigError("name at least one contig, or leave `contigs` out for all")
    names = set(match_contigs(chosen, contigs).values())
    return {name: length for name, length in contigs.items() if name in names}


def named_contigs(contigs: dict[str, int], chosen: Sequence[str] | None, rules: SplitRules) -> list[str]:
    """Contigs that an option names, so that no file may lack them: those of `contigs` and of the split.

    Args:
        contigs: contig -> length, as `wanted_contigs` returns them.
        chosen: the option `contigs`.
        rules: the option `split`.

    Raises:
        InputError: a name that is not among `contigs`.
    """
    named = [] if chosen is None else list(contigs)
    return named + list(match_contigs(rules.contigs, contigs).values())


def plan_windows(
    contigs: dict[str, int], rules: SplitRules, shape: WindowShape, stride: int, jitter: int, report: list[str]
) -> WindowPlan:
    """Tile contigs with windows.

    Args:
        contigs: contig -> length.
        rules: how the genome is split.
        shape: geometry of the windows.
        stride: bins from one training window to the next.
        jitter: bases by which a sequence may be shifted. They count as context, so that no base is read in two splits.
        report: lines about contigs that were left out.

    Raises:
        ConfigError: windows that are longer than every region, or a split that does not fit the contigs.
    """
    genome_split = GenomeSplit(contigs, rules)
    context = shape.crop + -(-jitter // shape.bin_size)
    tiles, too_short = tile(contigs, genome_split, shape.bin_size, shape.bins, context, stride)
    if too_short:
        report = [*report, f"{too_short:,} bins dropped: in regions that are too short for a window"]
    if not len(tiles):
        raise ConfigError(
            f"windows of {shape.length:,} bases are longer than every region: the longest contig has "
            f"{max(contigs.values()):,}; "
            + (
                _what_fits(contigs, rules, shape, stride, jitter)
                or "set --data.length to less, with --data.crop to fit"
            )
        )
    return WindowPlan(contigs, genome_split, tiles, report)


def what_helps(plan: WindowPlan, split: Split, rules: SplitRules, shape: WindowShape, stride: int, jitter: int) -> str:
    """Options that give a split windows where it has none; arguments are those of `plan_windows`."""
    cure = "name contigs or regions for it (--data.split.val, --data.split.test), or set --data.split.block_size"
    if (plan.tiles.split == SPLITS.index(split)).any():  # all of them were dropped
        return cure
    return "; ".join(filter(None, [cure, _what_fits(plan.contigs, rules, shape, stride, jitter)]))


def _what_fits(contigs: dict[str, int], rules: SplitRules, shape: WindowShape, stride: int, jitter: int) -> str:
    """Options of the longest windows, of half the length or a quarter, ..., of which every split has some; or none."""
    if rules.block_size == SplitRules().for_windows(shape.length).block_size:
        rules = replace(rules, block_size=None)  # it follows from the length
    total = (shape.bins + 2 * shape.crop) // 2
    while total >= _FEWEST_BINS:
        crop = min(shape.crop, total // 4)
        bins, length = total - 2 * crop, total * shape.bin_size
        genome_split = GenomeSplit(contigs, rules.for_windows(length))
        context = crop + -(-jitter // shape.bin_size)
        tiles, _ = tile(contigs, genome_split, shape.bin_size, bins, context, min(stride, bins))
        if set(tiles.split.tolist()) == set(range(len(SPLITS))):
            steps = f" --data.stride {bins}" if stride > bins and stride != shape.bins else ""
            return f"windows of {length:,} fit: --data.length {length} --data.crop {crop}{steps}"
        total //= 2
    return ""


def drop_masked(
    tiles: Tiles,
    shape: WindowShape,
    first: NDArray[np.int64],
    observed: NDArray[np.bool_],
    max_masked: float,
) -> tuple[Tiles, list[str]]:
    """Drop windows of which too many bins are masked.

    Args:
        tiles: the windows (N).
        shape: their geometry.
        first: first stored bin of each contig.
        observed: which stored bins count (P,).
        max_masked: largest fraction of masked bins of a window that is kept.

    Returns:
        The windows that are kept, and a report line if any was dropped.
    """
    size = shape.bins * shape.fine
    before = np.append(0, observed.cumsum())  # number of observed bins before each (P + 1,)
    start = first[tiles.contig] + tiles.start * shape.fine
    masked = size - (before[start + size] - before[start])  # (N,)
    keep = masked <= max_masked * size + 1e-6  # in floats the product may fall just short of a whole number
    if keep.all():
        return tiles, []
    whole = int((masked == size).sum())
    completely = f" ({whole:,} of them completely)" if whole else ""
    dropped = f"{(~keep).sum():,} windows dropped: over {max_masked:.0%} of their bins are masked{completely}"
    return tiles.subset(keep), [dropped]
