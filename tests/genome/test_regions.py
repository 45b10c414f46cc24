"""Regions of a genome: merged, and bases that two sets share, compared with sets of positions."""

import numpy as np
import pytest

from zoo.genome.regions import Regions

CONTIGS = {"chr1": 300, "chr2": 200, "chr3": 50}


def drawn(seed: int, count: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    contig = rng.integers(0, 3, count)
    start = rng.integers(0, 40, count) * np.array([7, 4, 1])[contig]
    return np.stack([contig, start, start + rng.integers(1, 10, count)], 1)


def positions(spans: np.ndarray) -> set[tuple[int, int]]:
    return {(contig, base) for contig, start, end in spans.tolist() for base in range(start, end)}


@pytest.mark.parametrize("seed", range(5))
def test_bases_are_those_of_sets_of_positions(seed: int) -> None:
    one, other = drawn(seed, 30), drawn(seed + 100, 40)
    regions = [Regions.of(CONTIGS, spans) for spans in (one, other)]
    assert [each.bases for each in regions] == [len(positions(one)), len(positions(other))]
    shared = len(positions(one) & positions(other))
    assert regions[0].shared_bases(regions[1]) == regions[1].shared_bases(regions[0]) == shared


def test_regions_that_touch_are_one_and_contigs_are_matched_by_name() -> None:
    regions = Regions.of(CONTIGS, np.array([[1, 10, 20], [1, 20, 30], [0, 290, 300], [1, 0, 5]]))
    assert regions.contigs == {"chr1": 300, "chr2": 200}
    assert regions.spans.tolist() == [[0, 290, 300], [1, 0, 5], [1, 10, 30]]
    plain = Regions.of({"2": 200, "5": 70}, np.array([[0, 25, 40], [1, 0, 70]]))
    assert regions.shared_bases(plain) == plain.shared_bases(regions) == 5
    assert regions.shared_bases(Regions.of({"chrX": 10}, np.array([[0, 0, 10]]))) == 0
    assert Regions.of(CONTIGS, np.empty((0, 3), np.int64)).shared_bases(regions) == 0


def test_an_assembly_is_known_by_the_lengths_of_its_contigs() -> None:
    regions = Regions.of(CONTIGS, drawn(0, 30))
    assert regions.is_of({"1": 300, "2": 200})
    assert not regions.is_of({"chr1": 301, "chr2": 200})
    assert not regions.is_of({"chrX": 300})
