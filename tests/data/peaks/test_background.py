"""Background windows of a genome that has too few: drawn without looking twice, and the same however they are drawn."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from zoo.data.genome_split import GenomeSplit
from zoo.data.peaks import background
from zoo.data.peaks.rules import PeakRules
from zoo.genome.fasta import Genome
from zoo.genome.sequence import decode

LENGTH, SIZE = 100, 30_000
Windows = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


@pytest.fixture
def genome(tmp_path: Path) -> Genome:
    """One contig on one line, half of it richer in G and C."""
    rng = np.random.default_rng(0)
    rich = rng.choice(4, SIZE // 2, p=[0.2, 0.3, 0.3, 0.2])
    codes = np.concatenate([rng.integers(0, 4, SIZE // 2), rich]).astype(np.uint8)
    (tmp_path / "genome.fa").write_text(f">chr1\n{decode(codes)}\n")
    return Genome(tmp_path / "genome.fa")


def draw(genome: Genome) -> Windows:
    """Windows of all GC contents, of which the genome has none at the ends."""
    wanted = np.linspace(0, 1, 201)
    occupied = pd.DataFrame({"chrom": ["chr1"], "start": [5_000], "end": [6_000]})
    rules = PeakRules(length=LENGTH, val=[], test=[])
    splits = GenomeSplit(genome.contigs, rules.for_windows(LENGTH))
    rng = np.random.default_rng(1)
    return background.draw_background(genome, occupied, wanted, np.zeros(201, np.int64), splits, rules, rng)


def test_no_window_is_looked_at_twice_and_none_is_missed(genome: Genome, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    count = background.base_counts

    def counted(*arguments: object) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        looked.extend(arguments[2].tolist())  # type: ignore[attr-defined]
        return count(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(background, "base_counts", counted)
    _, start, _ = draw(genome)
    # All that touch no occupied region: 4,901 before it and 23,901 after it.
    assert len(looked) == len(set(looked)) == 4_901 + 23_901
    assert len(start) == len(set(start.tolist()))
    assert not ((start > 4_900) & (start < 6_000)).any()
    # Of each GC content as many as are wanted or as there are.
    letters = genome.window_letters(np.zeros(SIZE - 99, np.int64), np.arange(SIZE - 99), LENGTH)
    gc = np.isin(letters, [ord("G"), ord("C")]).mean(1)
    step, wanted = np.round(gc * 50), np.bincount(np.round(np.linspace(0, 1, 201) * 50).astype(int))
    there = np.bincount(step[looked].astype(int), minlength=51)
    assert np.bincount(step[start].astype(int), minlength=51).tolist() == np.minimum(wanted, there).tolist()


def test_what_was_looked_at_changes_nothing(genome: Genome, monkeypatch: pytest.MonkeyPatch) -> None:
    small = draw(genome)
    monkeypatch.setattr(background, "_MOST_REMEMBERED", 0)
    monkeypatch.setattr(background, "_MORE_DRAWS", 300_000)  # there is no other end, where nothing is remembered
    for one, other in zip(small, draw(genome), strict=True):
        np.testing.assert_array_equal(one, other)
