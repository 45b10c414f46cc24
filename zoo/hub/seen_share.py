"""Test data compared with what a checkpoint, and the models that it began with, were trained on."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zoo.data.base import GenomicDataModule
from zoo.data.splits import Split
from zoo.errors import ZooError
from zoo.genome.sketch import KmerSketch
from zoo.hub.config import read_config
from zoo.hub.facts import BaseFacts
from zoo.hub.load import resolve
from zoo.hub.seen import read_seen

__all__ = ["SEEN_FROM", "SeenReport", "seen_reports", "seen_share"]

# Share of the data from which on it is warned of, or refused.
SEEN_FROM = 0.001
_LONGEST_LINEAGE = 20


@dataclass(frozen=True)
class SeenReport:
    """Share of test data that a model, or the one that it began with, has seen in training.

    Attributes:
        model: name of the model.
        share: of the sequences, or of the bases; None where that cannot be told.
        unit: what is counted: `sequence` or `base`.
        compared: number of sequences or bases that could be compared.
        total: number of all of them.
        how: how they were compared, or why they could not be.
    """

    model: str
    share: float | None
    unit: str = ""
    compared: int = 0
    total: int = 0
    how: str = ""

    def __str__(self) -> str:
        if self.share is None:
            return f"whether {self.model} has seen these data in training is not known: {self.how}"
        few = "" if self.compared == self.total else f" (of {self.compared:,} that could be compared)"
        return f"{self.share:.2%} of {self.total:,} {self.unit}s{few} were seen in training of {self.model}: {self.how}"

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
    those of its k-mers that the sketch samples are in it, on either strand; so is one that is shifted by a third.

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
    """Compare the sequences of data with a sketch."""
    total = compared = seen = 0
    for codes in data.sequences_of([split]):
        counts = sketch.look_up(codes)
        is_compared = counts.looked_up > 0
        total += len(codes)
        compared += int(is_compared.sum())
        seen += int((is_compared & (2 * counts.seen >= counts.looked_up)).sum())
    sampled = "" if sketch.fraction == 1 else f", of which 1 in {1 / sketch.fraction:,.0f} is compared"
    how = f"at least half of their {sketch.k}-mers{sampled}"
    if not compared:
        return SeenReport(name, None, how=f"no sequence has a {sketch.k}-mer that can be compared")
    return SeenReport(name, seen / compared, "sequence", compared, total, how)
