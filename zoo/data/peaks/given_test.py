"""Peak files of a separate test set: one table of sites for training and validation, and sites for test."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from zoo.data.peaks.build import build_peak_table
from zoo.data.peaks.rules import PeakRules
from zoo.data.peaks.table import PeakTable, join_tables
from zoo.data.splits import SPLITS
from zoo.errors import ConfigError
from zoo.formats.peaks import name_peak_files, read_blacklist
from zoo.genome.fasta import Genome
from zoo.utils.text import some_of

__all__ = ["build_with_test", "name_test_files", "rules_with_test"]


def name_test_files(files: Mapping[str, str], given: Iterable[str] | Mapping[str, str]) -> dict[str, str]:
    """Name the files of a separate test set by the targets of the training files.

    One file for one target needs no name.

    Args:
        files: target -> peak file for training.
        given: the files for test, as `name_peak_files` takes them.

    Raises:
        ConfigError: other targets than those for training.
    """
    named = name_peak_files(given)
    if len(named) == len(files) == 1:
        named = dict(zip(files, named.values(), strict=True))
    if set(named) != set(files):
        raise ConfigError(
            f"test_peaks has the targets {some_of(named)}, and peaks {some_of(files)}: name each file for test by the "
            "target that it measures, NAME=FILE"
        )
    return {name: named[name] for name in files}


def rules_with_test(rules: PeakRules) -> PeakRules:
    """The rules of training sites beside a separate test set: no site of theirs is for test.

    Raises:
        ConfigError: they name regions for test.
    """
    if rules.test:
        raise ConfigError("test_peaks and rules.test both name the test data: leave one out")
    return replace(rules, test_fraction=0.0)


def build_with_test(
    files: Mapping[str, str], test_files: Mapping[str, str], genome: Genome, rules: PeakRules
) -> tuple[PeakTable, list[str]]:
    """Make one table of peak files for training and validation, and of others for test.

    No negative touches a peak of either, and none of test a site of the others; sites of peaks may overlap.

    Args:
        files: target -> peak file for training and validation.
        test_files: the same for test.
        genome: genome of both.
        rules: how peaks become sites, and which are for validation.

    Returns:
        The table, and the lines of both reports.
    """
    own, report = build_peak_table(files, genome, rules_with_test(rules), _around(test_files, genome, rules.length))
    ends = own.start + own.length
    sites = pd.DataFrame({"chrom": np.array(own.contigs)[own.contig], "start": own.start, "end": ends})
    others = pd.concat([sites, _around(files, genome, rules.length)], ignore_index=True)
    everywhere = replace(rules, val=None, test=None, block_size=None, val_fraction=0.0, test_fraction=0.0)
    test, test_report = build_peak_table(test_files, genome, everywhere, others)
    test = replace(test, split=np.full(len(test), SPLITS.index("test")))
    lines = [line for line in report.lines if not line.startswith("test: ")]
    # All sites of the test data were made as if for training.
    test_lines = [line.replace("train: ", "test: ", 1) for line in test_report.lines if not _is_of_none(line)]
    return join_tables([own, test]), [*lines, *(f"test_peaks: {line}" for line in test_lines)]


def _is_of_none(line: str) -> bool:
    """Whether a line of a report is on a split that was not asked for, or on how splits are drawn."""
    return line.startswith(("splits: ", "val: ", "test: "))


def _around(files: Mapping[str, str], genome: Genome, length: int) -> pd.DataFrame:
    """The peaks of files, with half a window on each side: chrom, start, end."""
    peaks = pd.concat([read_blacklist(path, list(genome.contigs)) for path in files.values()], ignore_index=True)
    return peaks.assign(start=(peaks["start"] - length).clip(lower=0), end=peaks["end"] + length)
