"""DataModules of data on a genome that are evaluated, not learnt."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

from zoo.data.labelled import Labelled, LabelledWindows
from zoo.data.peaks.module import PeakDataModule
from zoo.data.splits import SPLITS
from zoo.data.tracks.module import TrackDataModule
from zoo.data.tracks.table import Track
from zoo.errors import InputError

__all__ = ["EvaluatedPeaks", "EvaluatedTracks"]


class EvaluatedPeaks(PeakDataModule):
    """Sites with peaks, of which a target may have none: it has no score then."""

    def problems(self, data: Labelled[Any]) -> Iterator[InputError]:
        """Refuse nothing for what could not be learnt."""
        return iter(())

    def _log(self, lines: list[str]) -> None:
        """Log lines of the report, but for those of splits that there are none of: all sites are for test."""
        nothing = tuple(f"{split}: 0 sites" for split in SPLITS)
        super()._log([line for line in lines if not line.startswith(nothing)])

    def with_val(self, data: LabelledWindows) -> LabelledWindows:
        """Take no sites for validation."""
        return data


class EvaluatedTracks(TrackDataModule):
    """Some of the tracks of a table.

    Args:
        kept: names of the tracks that are read.
        options: options of TrackDataModule.
    """

    def __init__(self, kept: list[str], **options: Any) -> None:
        super().__init__(**options)
        self.kept = kept

    @cached_property
    def tracks(self) -> list[Track]:
        """The tracks that are read; strands do not matter, for no window is read on the other one."""
        return [replace(track, strand_partner="") for track in super().tracks if track.name in self.kept]
