"""What windows of a genome hold: splits, what is dropped, N, disk; read without preparing the data.

Shapes: P stored bins of all contigs, one contig after the other.
"""

import shutil
from collections.abc import Callable
from copy import copy
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.data.splits import SPLITS, Split
from zoo.data.target_values import Variation
from zoo.data.tiles import Tiles, blacklisted
from zoo.data.tracks.coverage import fractions_unknown
from zoo.data.window_plan import WindowPlan, drop_masked
from zoo.data.windowed import WindowDataModule
from zoo.training.preflight.report import Report
from zoo.training.preflight.sources import check_headers, check_sources
from zoo.training.preflight.values import Items, check_variation, report_splits, report_unknown
from zoo.utils.download import cache_folder
from zoo.utils.text import some_of

__all__ = ["Reading", "check_windows"]

# Fractions of the genome, and of the windows, that may be left out without a warning.
_FEW_BASES, _FEW_WINDOWS = 0.05, 0.2

Mask = NDArray[np.bool_]


class Reading(NamedTuple):
    """How values of one kind are read without preparing them.

    Attributes:
        first: first stored bin of each contig.
        observed: stored bins that count, given those that are known and not blacklisted (P,) -> (P,).
        variation: range of each target in the windows of a split.
        bytes: size of the prepared values in the cache; 0 where they are there.
        noun: what the files are, such as `bigWigs`.
    """

    first: NDArray[np.int64]
    observed: Callable[[Mask], Mask]
    variation: Callable[[Tiles, Split, Mask], Variation]
    bytes: int
    noun: str


def check_windows(
    data: WindowDataModule, report: Report, reading_of: Callable[[Any, WindowPlan], Reading]
) -> Items | None:
    """Check windows of a genome, from headers, the bases of the genome and samples of the targets.

    Args:
        data: the data; it is not changed.
        report: where findings are added.
        reading_of: how the targets are read.

    Returns:
        Windows of each split; None where they cannot be planned.
    """
    data = copy(data)
    with report.collecting("public files"):
        data.fetch()
    check_sources(vars(data), report)
    plan = reading = None
    with report.collecting("windows"), report.logged("windows"):
        plan = data.plan
        _ = data.opened_inputs
        reading = reading_of(data, plan)
    if plan is None or reading is None:
        check_headers(vars(data), report)
        return None
    _report_contigs(data, plan, reading.noun, report)
    observed = unknown = None
    with report.collecting("bases"):
        unknown = _unknown(data, plan)
        observed = (unknown <= 0.5) & ~blacklisted(data.blacklist, plan.contigs, data.shape.resolution)
        observed = reading.observed(observed)
    if observed is None or unknown is None:
        return None
    items = _select(data, plan, reading, observed, report)
    report_splits(items, "window", report)
    report.ok("leaks", "windows lie, with their context, in regions of one split: no base is read in two")
    tiles = {split: data.tiles(split) for split in SPLITS if items.sizes[split]}
    report_unknown({split: _mean(unknown, one, reading.first, data) for split, one in tiles.items()}, report)
    for split, one in tiles.items():
        with report.collecting("targets"):
            check_variation(reading.variation(one, split, observed), data.targets, split, report)
    _report_disk(reading.bytes, report)
    is_prepared = not reading.bytes and data.opened_inputs is None
    return items._replace(dataset=data.dataset("train")) if is_prepared and items.sizes["train"] else items


def _report_contigs(data: WindowDataModule, plan: WindowPlan, noun: str, report: Report) -> None:
    """Report the contigs that all files have, and those that are left out."""
    wanted, used = sum(data.wanted()[0].values()), sum(plan.contigs.values())
    report.ok("contigs", f"{len(plan.contigs)} are in all {noun} ({some_of(plan.contigs)}), {used:,} bases")
    for line in plan.report:
        if line.startswith("0 "):
            continue
        if "contigs left out" in line and wanted - used > _FEW_BASES * wanted:
            detail = f"{line}: {1 - used / wanted:.1%} of the bases"
            report.warn(
                "contigs", detail, f"use {noun} of the same assembly, or name the contigs to use (--data.contigs)"
            )
        else:
            report.ok("dropped", line)


def _unknown(data: WindowDataModule, plan: WindowPlan) -> NDArray[np.float32]:
    """Fraction of N in each stored bin (P,)."""
    size = data.shape.resolution
    unknown = np.zeros(sum(-(-length // size) for length in plan.contigs.values()), np.float32)
    for index, fraction in fractions_unknown(data.reference, plan.contigs, size):
        unknown[index : index + len(fraction)] = fraction
    return unknown


def _select(data: WindowDataModule, plan: WindowPlan, reading: Reading, observed: Mask, report: Report) -> Items:
    """Select the windows as training does, and report what is dropped and which split is empty."""
    masked = int((~observed).sum())
    if masked:
        report.ok("dropped", f"{masked:,} of {len(observed):,} bins are masked: blacklisted, N, or without a value")
    data.selected = tiles, lines = drop_masked(plan.tiles, data.shape, reading.first, observed, data.max_masked)
    for line in lines:
        if len(plan.tiles) - len(tiles) > _FEW_WINDOWS * len(plan.tiles):
            detail = f"{line}, of {len(plan.tiles):,}"
            report.warn("dropped", detail, "look at the blacklist and the contigs, or raise --data.max_masked")
        else:
            report.ok("dropped", line)
    sizes: dict[Split, int] = dict.fromkeys(SPLITS, 0)
    for split in SPLITS:
        with report.collecting("splits"):
            sizes[split] = len(data.tiles(split))
    return Items(sizes)


def _mean(values: NDArray[np.float32], tiles: Tiles, first: NDArray[np.int64], data: WindowDataModule) -> float:
    """Mean of stored bins (P,) over the bins that windows predict."""
    before = np.append(0.0, values.cumsum(dtype=np.float64))
    size = data.bins * data.shape.fine
    start = first[tiles.contig] + tiles.start * data.shape.fine
    return float((before[start + size] - before[start]).mean() / size)


def _report_disk(needed: int, report: Report) -> None:
    """Report the room that prepared values take in the cache."""
    folder = cache_folder()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    report.facts["cache_bytes"] = needed
    detail = f"prepared values take {needed / 1e9:,.2f} GB in the cache, where {free / 1e9:,.1f} GB are free"
    if needed > free:
        report.error("disk", detail, "let ZOO_CACHE name a folder on a larger disk, or use fewer targets")
    elif needed:
        report.ok("disk", detail)
