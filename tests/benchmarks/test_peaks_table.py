"""The benchmark of peaks: what it makes is a table and a DataModule that the zoo takes."""

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoo.data.peaks.build import build_peak_table
from zoo.data.peaks.rules import PeakRules
from zoo.formats.peaks import name_peak_files
from zoo.genome.contigs import read_contig_lengths
from zoo.hub.registry import shipped_folder


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(shipped_folder("benchmarks") / "speed" / "bench_peaks.py"))


def test_the_made_peaks_become_one_table(script: dict[str, Any], tmp_path: Path) -> None:
    files = name_peak_files(script["make_peaks"](tmp_path, files=3, peaks=3001))
    lengths = read_contig_lengths(tmp_path / "sizes")
    assert sum(lengths.values()) == script["GIGABASES"] * 1e9
    table, report = build_peak_table(files, lengths, PeakRules())
    assert report.lines[0].startswith("3,001 peaks")
    assert 500 < len(table) <= 601  # a fifth as many places as peaks, most of them drawn by more than one peak


def test_the_made_sites_are_trained_on_and_none_is_left_out(script: dict[str, Any], tmp_path: Path) -> None:
    data = script["made_module"](tmp_path, sites=600)
    splits = data.data.split
    assert np.bincount(splits).tolist() == np.bincount(data.sites.split).tolist()
    batches = script["endless"](data)
    shapes = [next(batches).codes.shape for _ in range(2 * ((splits == 0).sum() // script["BATCH"]))]
    assert set(shapes) == {(script["BATCH"], script["LENGTH"])}  # epoch after epoch
