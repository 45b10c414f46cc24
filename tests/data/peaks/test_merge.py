"""Peaks merged greedily: what is done to all local minima at once is what is done one pair at a time."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from zoo.data.peaks.merge import merge_peaks

Index = NDArray[np.int64]


def merge_one_by_one(contig: Index, centre: Index, reach: int) -> tuple[list[int], list[int]]:
    """The closest two neighbours anywhere, the leftmost first, again and again, in exact fractions."""
    order = sorted(range(len(centre)), key=lambda i: (contig[i], centre[i]))
    sites = [[i] for i in order]

    def middle(site: list[int]) -> Fraction:
        return Fraction(int(sum(centre[i] for i in site)), len(site))

    while True:
        gaps = [
            (middle(right) - middle(left), index)
            for index, (left, right) in enumerate(pairwise(sites))
            if contig[left[0]] == contig[right[0]]
        ]
        if not gaps or min(gaps)[0] > reach:
            break
        index = min(gaps)[1]
        sites[index] += sites.pop(index + 1)
    found = [0] * len(centre)
    for number, site in enumerate(sites):
        for peak in site:
            found[peak] = number
    return found, [int(middle(site)) for site in sites]


@pytest.mark.parametrize("seed", range(60))
def test_all_at_once_is_one_at_a_time(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 70))
    contig, centre = rng.integers(0, 3, count), rng.integers(0, int(rng.integers(20, 2000)), count)
    reach = int(rng.integers(-1, 120))
    site, middle = merge_peaks(contig, centre, reach)
    assert (site.tolist(), middle.tolist()) == merge_one_by_one(contig, centre, reach)


def test_the_two_closest_are_merged_first_and_what_they_become_may_be_out_of_reach() -> None:
    # 100 and 130 become 115, which lies 65 from 180; had 130 and 180 been first, 100 would have stayed alone.
    site, middle = merge_peaks(np.zeros(3, np.int64), np.array([180, 100, 130]), 60)
    assert site.tolist() == [1, 0, 0]
    assert middle.tolist() == [115, 180]


def test_three_equally_spaced_peaks_are_merged_from_the_left() -> None:
    site, middle = merge_peaks(np.zeros(4, np.int64), np.array([0, 10, 20, 30]), 12)
    assert site.tolist() == [0, 0, 1, 1]
    assert middle.tolist() == [5, 25]


def test_contigs_are_never_joined_and_a_negative_reach_merges_nothing() -> None:
    contig, centre = np.array([1, 0, 0, 1]), np.array([5, 5, 5, 5])
    assert merge_peaks(contig, centre, 0)[0].tolist() == [1, 0, 0, 1]
    assert merge_peaks(contig, centre, -1)[0].tolist() == [2, 0, 1, 3]
    assert merge_peaks(contig[:0], centre[:0], 10)[0].tolist() == []


@pytest.mark.parametrize("reach", [10, 12, 15, 25])
def test_runs_of_equal_gaps_are_merged_as_one_at_a_time(reach: int) -> None:
    for seed in range(40):
        gaps = np.random.default_rng(seed).choice([0, 8, 10, 10, 10, 10, 11, 40], 30)
        centre, contig = np.cumsum(gaps), np.zeros(30, np.int64)
        site, middle = merge_peaks(contig, centre, reach)
        assert (site.tolist(), middle.tolist()) == merge_one_by_one(contig, centre, reach)


def test_a_chromosome_of_tiles_is_merged_in_a_few_rounds() -> None:
    site, middle = merge_peaks(np.zeros(400_000, np.int64), np.arange(400_000) * 10, 12)
    assert (site == np.arange(400_000) // 2).all()
    assert (middle == np.arange(200_000) * 20 + 5).all()
