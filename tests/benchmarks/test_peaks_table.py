"""The synthetic data of the peak benchmark become a table and a DataModule."""

from pathlib import Path

import numpy as np
from speed.synthetic_peaks import BATCH_SIZE, GIGABASES, LENGTH, make_module, make_peaks
from speed.timing import endless_batches

from zoo.data.peaks.build import build_peak_table
from zoo.data.peaks.rules import PeakRules
from zoo.formats.peaks import name_peak_files
from zoo.genome.contigs import read_contig_lengths


def test_the_synthetic_peaks_become_one_table(tmp_path: Path) -> None:
    files = name_peak_files(make_peaks(tmp_path, files=3, peaks=3001))
    lengths = read_contig_lengths(tmp_path / "sizes")
    assert sum(lengths.values()) == GIGABASES * 1e9
    table, report = build_peak_table(files, lengths, PeakRules())
    assert report.lines[0].startswith("3,001 peaks")
    assert 500 < len(table) <= 601  # a fifth as many positions as peaks, most of them drawn by more than one peak


def test_the_synthetic_sites_are_trained_on_and_none_is_dropped(tmp_path: Path) -> None:
    data = make_module(tmp_path, sites=600)
    splits = data.data.split
    assert np.bincount(splits).tolist() == np.bincount(data.sites.split).tolist()
    batches = endless_batches(data)
    shapes = [next(batches).codes.shape for _ in range(2 * ((splits == 0).sum() // BATCH_SIZE))]
    assert set(shapes) == {(BATCH_SIZE, LENGTH)}  # epoch after epoch
