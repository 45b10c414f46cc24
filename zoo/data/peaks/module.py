"""PeakDataModule: the peaks of many experiments on a genome, for models of `Labels`, read on the fly."""

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.base import LabelsDataModule
from zoo.data.labelled import LabelledWindows
from zoo.data.peaks.build import build_peak_table
from zoo.data.peaks.rules import PeakRules
from zoo.data.peaks.table import PeakTable
from zoo.data.splits import SPLITS, leaking_groups
from zoo.data.windows import GenomeWindows
from zoo.errors import ConfigError, InputError
from zoo.formats.peaks import name_peak_files
from zoo.genome.fasta import Genome

__all__ = ["PeakDataModule"]

_log = logging.getLogger("zoo")


class PeakDataModule(LabelsDataModule[GenomeWindows]):
    """Sites of a genome, labelled with the experiments that have a peak there.

    Nothing is kept of the sequences but where they lie: each batch is read from the FASTA file.

    Args:
        genome: FASTA file.
        peaks: the peak files: a path, a list of paths, or target -> path.
        table: instead, what `zoo data peaks` made of them; it fixes the length, the sites and their splits.
        rules: with `peaks`, how they become sites.
        options: of LabelsDataModule.
    """

    def __init__(
        self,
        genome: str | Genome,
        peaks: str | list[str] | dict[str, str] | None = None,
        table: str | None = None,
        rules: PeakRules | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if (table is None) == (peaks is None):
            raise ConfigError("give either the `table` that `zoo data peaks` wrote, or the files as `peaks`")
        if table is not None and rules is not None:
            raise ConfigError("`rules` are for `peaks`: a table has its sites already")
        self.genome, self.table, self.rules = genome, table, rules or PeakRules()
        self.peaks = [peaks] if isinstance(peaks, str) else peaks
        self._sites: PeakTable | None = None
        self._report: list[str] = []

    @property
    def sites(self) -> PeakTable:
        """The table, read or built once."""
        if self._sites is None:
            if self.peaks is None:
                self._sites = PeakTable.read(str(self.table))
            else:
                self._sites, report = build_peak_table(name_peak_files(self.peaks), self._genome(), self.rules)
                self._report = report.lines
                for line in report.lines:
                    _log.warning(line)
        return self._sites

    @property
    def targets(self) -> list[str]:
        """The names of the experiments."""
        return self.sites.targets

    def read(self) -> LabelledWindows:
        """The sites on the genome."""
        return self.sites.on(self._genome())

    def assign_splits(self, data: LabelledWindows) -> LabelledWindows:
        """The splits are given; those of a table that leak are refused, and what a shift would make leak is dropped."""
        if self.table is not None:
            self._refuse_leaks(data)
        near = _trains_near_others(data.codes, data.split, data.codes.length + self.shift)
        if near.any():
            line = (
                f"{near.sum():,} training sites dropped: a shift of {self.shift} bases could reach another split's site"
            )
            self._report.append(line)
            _log.warning(line)
            data = data.subset(~near)
        return data

    def _refuse_leaks(self, data: LabelledWindows) -> None:
        windows = data.codes
        order = np.lexsort((windows.start, windows.contig))
        contig, start, split = windows.contig[order], windows.start[order], data.split[order]
        # Of equal lengths: where any two of different splits overlap, so do two that are next to each other.
        leaks = (np.diff(contig) == 0) & (np.diff(start) < windows.length) & (np.diff(split) != 0)
        if leaks.any():
            raise InputError(f"{self.table}: the split leaks: {leaks.sum()} sites overlap one of another split")
        _, copies = leaking_groups(np.unique(windows.digest(), return_inverse=True)[1], data.split)
        if copies:
            raise InputError(
                f"{self.table}: the split leaks: {copies} groups of sites with the same bases are in two splits (both "
                "strands looked at); `zoo data peaks --genome` leaves such sites out"
            )

    def describe(self) -> list[str]:
        """What happened to the peaks, where they were read here, then a line for each split."""
        return [*self._report, *super().describe()]

    def _genome(self) -> Genome:
        return self.genome if isinstance(self.genome, Genome) else Genome(self.genome)


def _trains_near_others(windows: GenomeWindows, split: NDArray[np.int64], reach: int) -> NDArray[np.bool_]:
    """Which windows for training (N,) begin fewer than `reach` bases from one of another split."""
    place = windows.contig * (int(windows.start.max(initial=0)) + reach) + windows.start  # contigs are far apart
    train = split == SPLITS.index("train")
    ends = np.array([-reach, np.iinfo(np.int64).max])
    others = np.insert(ends, 1, np.sort(place[~train]))
    after = np.searchsorted(others, place)
    near: NDArray[np.bool_] = train & ((others[after] - place < reach) | (place - others[after - 1] < reach))
    return near
