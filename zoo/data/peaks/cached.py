"""The table that peak files make, kept in the cache: training starts with it, in each of its processes."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.peaks.build import build_peak_table
from zoo.data.peaks.given_test import build_with_test
from zoo.data.peaks.rules import PeakRules
from zoo.data.peaks.table import PeakTable
from zoo.genome.fasta import Genome
from zoo.utils.cache import cached_arrays, fingerprint
from zoo.utils.download import sha256_of

__all__ = ["cached_peak_table"]

# Version of how a table is made: one made otherwise is not taken from the cache.
_VERSION = 5


def cached_peak_table(
    files: Mapping[str, str], genome: Genome, rules: PeakRules, test_files: Mapping[str, str] | None = None
) -> tuple[PeakTable, list[str]]:
    """Make a table as `build_peak_table` does, once; after that it is read from the cache.

    Args:
        files: target -> peak file.
        genome: the genome.
        rules: how peaks become sites.
        test_files: target -> peak file of a separate test set (`build_with_test`); None without one.

    Returns:
        The table, and the lines of the report.
    """
    # The name of a file decides whether its tenth column holds summits, and is in the report.
    contents, test_contents = (
        {name: [Path(path).name, sha256_of(Path(path))] for name, path in (paths or {}).items()}
        for paths in (files, test_files)
    )
    blacklist = sha256_of(Path(rules.blacklist)) if rules.blacklist and Path(rules.blacklist).is_file() else ""
    regions = [sha256_of(path) for path in rules.files if path.is_file()]
    key = [_VERSION, contents, fingerprint(genome.path), asdict(rules), blacklist, regions]
    key += [test_contents] if test_files else []

    def build() -> dict[str, NDArray[Any]]:
        """Make the table, as named arrays."""
        if test_files:
            table, lines = build_with_test(files, test_files, genome, rules)
        else:
            table, report = build_peak_table(files, genome, rules)
            lines = report.lines
        columns: dict[str, NDArray[Any]] = {
            name: np.asarray(getattr(table, name)) for name in ("contig", "start", "labels", "split", "contigs")
        }
        return {**columns, "report": np.array(lines)}

    arrays = cached_arrays("peaks", key, build)
    lines = arrays.pop("report").tolist()
    contigs = arrays.pop("contigs").tolist()
    return PeakTable(targets=list(files), contigs=contigs, length=rules.length, **arrays), lines
