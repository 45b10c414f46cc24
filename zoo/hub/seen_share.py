"""Test data compared with what a checkpoint, and the models that it began with, were trained on."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from zoo.data.base import GenomicDataModule
from zoo.data.splits import Split
from zoo.errors import ZooError
from zoo.genome.regions import REGION_BLOCK
from zoo.genome.sketch import KmerSketch
from zoo.hub.config import read_config
from zoo.hub.facts import BaseFacts
from zoo.hub.load import resolve
from zoo.hub.seen import read_seen
from zoo.utils.text import counted

__all__ = ["SEEN_FROM", "UNCERTAIN_FROM", "SeenReport", "most_seen", "seen_reports", "seen_share"]

# Share of the data from which on it is warned of, or refused.
SEEN_FROM = 0.001
# Where too few could be compared to tell that less than this share was seen, it is not known whether they were.
UNCERTAIN_FROM = 0.05
_CONFIDENCE = 0.95
# K-mers that are compared of a block of a region, about; and blocks that are joined for that, at most.
_KMERS, _MOST_JOINED = 16, 500
_LONGEST_LINEAGE = 20


@dataclass(frozen=True)
class SeenReport:
    """Share of test data that a model, or the one that it began with, has seen in training.

    Attributes:
        model: name of the model.
        share: of the bases, of blocks of regions, or of the sequences; None where that cannot be told.
        unit: what is counted: `base`, `block` or `sequence`.
        compared: number of these that could be compared.
        total: number of all of them.
        how: how they were compared, or why they could not be.
        at_most: upper end of the share of all with 95 % confidence; None where all were compared, or are a leak.
    """

    model: str
    share: float | None
    unit: str = ""
    compared: int = 0
    total: int = 0
    how: str = ""
    at_most: float | None = None

    def __str__(self) -> str:
        if self.share is None:
            return f"whether {self.model} has seen these data in training is not known: {self.how}"
        bound = "" if self.at_most is None else f"; up to {self.at_most:.2%} of all with {_CONFIDENCE:.0%} confidence"
        few = "" if self.compared == self.total else f" (of {self.compared:,} that could be compared{bound})"
        what = f"{self.share:.2%} of {counted(self.total, self.unit)}{few} {'was' if self.total == 1 else 'were'}"
        return f"{what} seen in training of {self.model}: {self.how}"

    @property
    def is_leak(self) -> bool:
        """Whether so much was seen that scores are too high."""
        return self.share is not None and self.share >= SEEN_FROM

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return asdict(self)


def seen_share(folder: Path, data: GenomicDataModule, split: Split = "test") -> SeenReport:
    """Compare data with what a checkpoint was trained on.

    Data on the same assembly are compared by bases, all others by k-mers: a sequence was seen where at least half of
    those of its k-mers that the sketch samples are in it, on either strand; so is one that is shifted by a third. Of
    windows, blocks of their regions are compared like sequences. Where fewer than all could be compared, and these are
    too few to tell that less than 5 % of all were seen, that is not known.

    Args:
        folder: the checkpoint.
        data: the data, prepared or not.
        split: split that is compared.

    Raises:
        IntegrityError: a broken checkpoint.
    """
    name, seen = read_config(folder).facts.name, read_seen(folder)
    if seen is None:
        return SeenReport(name, None, how="its checkpoint does not say on what it was trained")
    ours = data.regions_of([split])
    if seen.regions is not None and ours is not None and seen.regions.is_of(ours.contigs):
        shared = ours.shared_bases(seen.regions) / max(ours.bases, 1)
        return SeenReport(name, shared, "base", ours.bases, ours.bases, "regions of the same assembly")
    if seen.sketch is None:
        return SeenReport(name, None, how="the data are of another genome than those of its training")
    return _by_kmers(name, seen.sketch, data, split)


def seen_reports(folder: Path, data: GenomicDataModule, split: Split = "test") -> list[SeenReport]:
    """Compare data with what a checkpoint and the models that it began with were trained on; see `seen_share`.

    Raises:
        IntegrityError: a broken checkpoint.
    """
    return [one if isinstance(one, SeenReport) else seen_share(one, data, split) for one in _lineage(folder)]


def _lineage(folder: Path) -> Iterator[Path | SeenReport]:
    """The checkpoint, the one that it began with, and so on; a report on one that is not here, or is another."""
    for _ in range(_LONGEST_LINEAGE):
        yield folder
        base = _base_of(folder)
        if base is None:
            return
        try:
            folder = resolve(base.name)
        except ZooError as error:
            yield SeenReport(base.name, None, how=f"it is not here ({error})")
            return
        config = read_config(folder)
        if config.sha256[config.weights_file] != base.sha256:
            yield SeenReport(base.name, None, how="the model of that name has other weights now")
            return


def _base_of(folder: Path) -> BaseFacts | None:
    run = read_config(folder).facts.run
    return None if run is None else run.base


def _by_kmers(name: str, sketch: KmerSketch, data: GenomicDataModule, split: Split) -> SeenReport:
    """Compare the sequences of data, or blocks of their regions, with a sketch."""
    joined = _joined(sketch) if data.reads_regions else 1
    total = compared = seen = 0
    for codes in data.sequences_of([split]):
        if not len(codes):
            continue
        first = np.arange(0, len(codes), joined)
        looked_up, in_sketch = (np.add.reduceat(counts, first) for counts in sketch.look_up(codes))
        total += len(first)
        compared += int((looked_up > 0).sum())
        seen += int(((looked_up > 0) & (2 * in_sketch >= looked_up)).sum())
    unit, whose = (
        ("block", f"each block of {joined * REGION_BLOCK:,} bases") if data.reads_regions else ("sequence", "each")
    )
    sampled = "" if sketch.fraction == 1 else f", of which 1 in {1 / sketch.fraction:,.0f} is compared"
    how = f"at least half of the {sketch.k}-mers of {whose}{sampled}"
    if not compared:
        return SeenReport(name, None, how=f"no {unit} has a {sketch.k}-mer that can be compared")
    at_most = None
    if compared < total and seen < SEEN_FROM * compared:
        at_most = most_seen(seen, compared, total)
        if at_most > UNCERTAIN_FROM:
            how = (
                f"{compared:,} of {counted(total, unit)} can be compared, and {seen or 'none'} of these was seen: up "
                f"to {at_most:.0%} of all may have been ({_CONFIDENCE:.0%} confidence)"
            )
            return SeenReport(name, None, unit, compared, total, how, at_most)
    return SeenReport(name, seen / compared, unit, compared, total, how, at_most)


def _joined(sketch: KmerSketch) -> int:
    """Number of blocks that are compared as one: of a large genome few k-mers are sampled."""
    return min(_MOST_JOINED, math.ceil(_KMERS / (sketch.fraction * REGION_BLOCK)))


def most_seen(seen: int, compared: int, total: int) -> float:
    """Upper end of the share that was seen, with 95 % confidence, where a random sample was compared.

    Args:
        seen: number of those in the sample that were seen.
        compared: size of the sample.
        total: number of all.
    """
    low, high = seen, seen + total - compared
    while low < high:  # the largest number of all of which a sample with so few is not unlikely
        middle = (low + high + 1) // 2
        if _probability(seen, compared, middle, total) > 1 - _CONFIDENCE:
            low = middle
        else:
            high = middle - 1
    return low / total


def _probability(seen: int, compared: int, among: int, total: int) -> float:
    """Probability of at most `seen` in a sample where `among` of all were (hypergeometric distribution)."""
    drawn = torch.arange(max(0, compared + among - total), seen + 1, dtype=torch.float64)
    ways = _log_ways(among, drawn) + _log_ways(total - among, compared - drawn)
    return float((ways - _log_ways(total, torch.tensor(float(compared), dtype=torch.float64))).exp().sum())


def _log_ways(size: int, drawn: torch.Tensor) -> torch.Tensor:
    """Logarithm of the binomial coefficients of `size` over `drawn`."""
    one = torch.tensor(size + 1.0, dtype=torch.float64)
    return one.lgamma() - (drawn + 1).lgamma() - (size - drawn + 1).lgamma()
