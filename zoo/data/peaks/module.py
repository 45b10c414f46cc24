"""PeakDataModule: peaks of many experiments on a genome, for models of `Labels`.

Shapes: N sites, L bases, T targets.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.batch import DataSpec
from zoo.data.genome_split import GenomeSplit, SplitRules
from zoo.data.labelled import LabelledWindows
from zoo.data.labels import LabelsDataModule
from zoo.data.leaks import Leak, OnLeak, check_on_leak, find_leak, treat_leak
from zoo.data.peaks.cached import cached_peak_table
from zoo.data.peaks.given_test import name_test_files, rules_with_test
from zoo.data.peaks.inputs import SiteInputs, input_spec
from zoo.data.peaks.rules import PeakRules
from zoo.data.peaks.table import PeakTable, read_table_header
from zoo.data.splits import SPLITS, FileBySplit, Split, files_by_split, with_test_file
from zoo.data.windows import GenomeWindows
from zoo.errors import ConfigError
from zoo.formats.peaks import name_peak_files
from zoo.genome.fasta import Genome
from zoo.genome.regions import Regions
from zoo.utils.text import check_file, counted

__all__ = ["PeakDataModule"]

_log = logging.getLogger("zoo")


class PeakDataModule(LabelsDataModule[GenomeWindows]):
    """Sites of a genome, labelled with the experiments that have a peak there.

    Only the coordinates of sites are kept in memory: each batch is read from the FASTA file. With `inputs_table`,
    tracks such as accessibility are read along each site in addition to the sequence. Test data of their own
    (`test_peaks`, `test_table`) leave all sites of the others for training and validation.

    Args:
        genome: FASTA file; in Python also an opened `zoo.Genome`.
        peaks: peak files: a path, a list of paths, or target -> path.
        table: instead of `peaks`, the table that `zoo data peaks` wrote; it has the sites, their length and splits. Or
            {train: table, test: table}. Without sites for validation, random blocks of the training sites are taken.
        rules: with `peaks`, how peaks become sites.
        inputs_table: TSV with a line per bigWig that is read in addition to the sequence (see
            `zoo.data.tracks.table.Track`); None for the sequence alone.
        input_size: bases per value of these tracks; it divides the length of a site.
        on_leak: where sites of a table, or of `test_peaks`, overlap or have the same bases in several splits: `refuse`
            them, `drop` those of train (of val where others are in test), or `warn` and keep all.
        test_peaks: peak files of test data, of the same targets and genome as `peaks`.
        test_table: table of test data; the same as {train: table, test: test_table} as `table`.
        options: options of LabelsDataModule.
    """

    def __init__(
        self,
        genome: str,
        peaks: str | list[str] | dict[str, str] | None = None,
        table: FileBySplit | None = None,
        rules: PeakRules | None = None,
        inputs_table: str | None = None,
        input_size: int = 1,
        on_leak: OnLeak = "refuse",
        test_peaks: str | list[str] | dict[str, str] | None = None,
        test_table: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if (table is None) == (peaks is None):
            raise ConfigError("give either the `table` that `zoo data peaks` wrote, or the files as `peaks`")
        if table is not None and rules is not None:
            raise ConfigError("`rules` are for `peaks`: a table has its sites already")
        check_on_leak(on_leak)
        for test, given, name in ((test_peaks, peaks, "peaks"), (test_table, table, "table")):
            if test is not None and given is None:
                raise ConfigError(f"test_{name} goes with training data of its form: give `{name}` too")
        if peaks is not None and test_peaks is None and on_leak != "refuse":
            raise ConfigError("on_leak is for splits that are given: sites of `peaks` alone are split without leaks")
        if inputs_table is not None and self.shuffles:
            raise ConfigError(
                "`shuffles` have no measured tracks for `inputs_table`: take `negatives` of the `rules`, which are "
                "windows of the genome"
            )
        # A class among the types of the argument would keep a checkpoint's recipe from naming a file.
        self.genome: str | Genome = genome
        self.rules = rules or PeakRules()
        self.table = None if table is None else with_test_file(table, test_table, "test_table")
        if self.shuffles and self.rules.negatives is None:
            self.rules = replace(self.rules, negatives=0.0)  # shuffles are made where there are no negatives
        self.peaks, self.test_peaks = ([files] if isinstance(files, str) else files for files in (peaks, test_peaks))
        self.inputs_table, self.value_size, self.on_leak = inputs_table, input_size, on_leak
        if table is None and self.rules.val is None:
            self.on_empty_split = "; set --data.rules.block_size to less, or name contigs with --data.rules.test"
        self._spec: DataSpec | None = None
        self._opened: Genome | None = None
        self._sites: PeakTable | None = None
        self._report, self._logged = list[str](), list[str]()

    def spec(self) -> DataSpec:
        """Specify targets, length and inputs, from the names of the peak files or the first lines of the table."""
        if self._spec is None:
            if not isinstance(self.genome, Genome):
                check_file(self.genome)
            if self.peaks is not None:
                targets, length = list(self._peak_files()[0]), self.rules.length
            else:
                targets, length = next(read_table_header(path) for path, _ in files_by_split(self.table or ""))
            inputs = input_spec(self.inputs_table, self.value_size, length)
            self._spec = DataSpec("labels", tuple(targets), length, inputs=inputs)
        return self._spec

    @property
    def target_facts(self) -> dict[str, tuple[str, str]]:
        """Target -> that a peak of it is predicted, and the unit of the prediction."""
        return {target: (f"peak of {target}", "probability") for target in self.targets}

    def prepare_data(self) -> None:
        """Make the table of the peak files, and read the input tracks along its sites; Lightning calls it on rank 0."""
        data = self.sites.on(self._genome())
        if self.inputs_table is not None:
            self._site_inputs(data.codes).build()

    @property
    def sites(self) -> PeakTable:
        """Table of sites; read, or built from the peak files, at first use."""
        if self._sites is None:
            if self.peaks is None:
                self._sites = PeakTable.read_all(files_by_split(self.table or ""))
            else:
                files, test_files = self._peak_files()
                self._sites, lines = cached_peak_table(files, self._genome(), self.rules, test_files)
                self._log(lines)
        return self._sites

    def read(self) -> LabelledWindows:
        """Place the sites on the genome; their bases are read later, batch by batch."""
        data = self.sites.on(self._genome())
        if self.inputs_table is not None:
            data.inputs = self._site_inputs(data.codes)
        return data

    def regions_of(self, splits: Sequence[Split]) -> Regions:
        """Find the sites of splits."""
        return self.data.codes.select(self.data.is_in(splits)).regions()

    def _site_inputs(self, windows: GenomeWindows) -> SiteInputs:
        return SiteInputs(str(self.inputs_table), windows, self.value_size, self.shift)

    def assign_splits(self, data: LabelledWindows) -> LabelledWindows:
        """Check the splits of a table, and drop training sites that a shift could move into another split's site.

        Raises:
            InputError: sites of different splits overlap or have the same bases.
        """
        if self.table is not None or self.test_peaks is not None:
            data = self._without_leaks(self.with_val(data))
        train = data.split == SPLITS.index("train")
        near = _near_others(data.codes, train, ~train, data.codes.length + self.shift)
        keep = self.on_leak == "warn"
        if not near.any() or (keep and not self.shift):  # without a shift they overlap, which the report says already
            return data
        why = f"a shift of {counted(self.shift, 'base')} could reach" if self.shift else "they overlap"
        sites, what = counted(int(near.sum()), "training site"), "kept, though" if keep else "dropped:"
        self._log([f"{sites} {what} {why} another split's site"])
        return data if keep else data.subset(~near)

    def _peak_files(self) -> tuple[dict[str, str], dict[str, str] | None]:
        """Target -> peak file, and the same of the test data where these are separate."""
        files = name_peak_files(self.peaks or [])
        if self.test_peaks is None:
            return files, None
        rules_with_test(self.rules)
        return files, name_test_files(files, self.test_peaks)

    def with_val(self, data: LabelledWindows) -> LabelledWindows:
        """Take random blocks of the training sites for validation, where there are sites of train and test alone."""
        train, val, _ = range(len(SPLITS))
        if (data.split == val).any() or not (data.split > val).any():
            return data
        blocks = GenomeSplit(self._genome().contigs, SplitRules(test=[], split_seed=self.seed))
        drawn = blocks.split_of(data.codes.contig, data.codes.start, data.codes.length)
        across = (data.split == train) & (drawn < 0)
        data.split[(data.split == train) & (drawn == val)] = val
        line = f"no sites for validation are given: {(data.split == val).sum():,} of train are taken, in random blocks"
        self._report.append(line + (f"; {across.sum():,} across their borders dropped" if across.any() else ""))
        return data.subset(~across)

    def _without_leaks(self, data: LabelledWindows) -> LabelledWindows:
        """Refuse, drop or keep sites that overlap or copy one of another split."""
        windows, split = data.codes, data.split
        contig, order = windows.contig, np.lexsort((windows.start, windows.contig))
        near = (np.diff(contig[order]) == 0) & (np.diff(windows.start[order]) < windows.length)
        # All sites have one length: where any two of different splits overlap, so do two neighbours.
        overlaps = int((near & (np.diff(split[order]) != 0)).sum())
        copies = find_leak(np.unique(windows.digest(), return_inverse=True)[1], split)
        if not overlaps and not copies.groups:
            return data
        dropped = copies.dropped.copy()
        for earlier in (0, 1):  # sites of train next to val or test, then of val next to test
            dropped |= _near_others(windows, split == earlier, split > earlier, windows.length)
        what = (
            f"{overlaps:,} sites overlap one of another split, and {copies.groups:,} groups of sites with the same "
            "bases are in more than one split (both strands considered)"
        )
        cure = "; `zoo data peaks --genome` leaves such sites out" if self.table is not None else ""
        leak = Leak(overlaps + copies.groups, dropped)
        given = "test_peaks" if self.table is None else self.table
        self._report.append(f"{given}: {treat_leak(leak, split, self.on_leak, what, cure)}")
        return data.subset(~dropped) if self.on_leak == "drop" else data

    def describe(self) -> list[str]:
        """Summarize what happened to the peaks, where they were read here, then each split in one line."""
        splits = super().describe()  # reads the data, which adds to the report
        return [*self._report, *splits]

    @property
    def logged(self) -> list[str]:
        """Lines of `describe` that were logged when the data were prepared."""
        return self._logged

    def _log(self, lines: list[str]) -> None:
        """Log lines of the report."""
        self._report += lines
        self._logged += lines
        for line in lines:
            _log.warning(line)

    def _genome(self) -> Genome:
        if self._opened is None:
            self._opened = self.genome if isinstance(self.genome, Genome) else Genome(self.genome)
        return self._opened


def _near_others(
    windows: GenomeWindows, some: NDArray[np.bool_], others: NDArray[np.bool_], reach: int
) -> NDArray[np.bool_]:
    """Mark those of `some` windows (N,) that begin fewer than `reach` bases from one of the `others` (N,)."""
    # One coordinate for all contigs, which are further apart than any window reaches.
    position = windows.contig * (int(windows.start.max(initial=0)) + reach) + windows.start
    ends = np.array([-reach, np.iinfo(np.int64).max])
    sorted_others = np.insert(ends, 1, np.sort(position[others]))
    after = np.searchsorted(sorted_others, position)
    distance = np.minimum(sorted_others[after] - position, position - sorted_others[after - 1])
    near: NDArray[np.bool_] = some & (distance < reach)
    return near
