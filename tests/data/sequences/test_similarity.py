"""Sequences of one random genome get common coordinates by the k-mers they share: their true positions are known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from zoo.data.sequences.similarity import find_joins, group_overlapping, lay_out, share_kmers
from zoo.errors import ConfigError
from zoo.genome.sequence import UNKNOWN, Codes, reverse_complement

LENGTH = 60
STRETCH = 21


def made(rng: np.random.Generator, size: int = 4000) -> Codes:
    return rng.integers(0, 4, size).astype(np.uint8)


def cut(genome: Codes, start: NDArray[np.int64], turned: NDArray[np.bool_]) -> Codes:
    codes: Codes = genome[start[:, None] + np.arange(LENGTH)]
    codes[turned] = reverse_complement(codes[turned])
    return codes


@pytest.mark.parametrize("seed", range(5))
def test_places_and_strands_are_found_again(seed: int) -> None:
    rng = np.random.default_rng(seed)
    genome = made(rng)
    start, turned = rng.integers(0, len(genome) - LENGTH, 150), rng.random(150) < 0.5
    codes = cut(genome, start, turned)
    found = lay_out(codes, find_joins(codes, STRETCH))
    order = np.sort(start)
    # A new group begins where two neighbours share fewer than k bases.
    group_of = np.concatenate([[0], np.cumsum(np.diff(order) > LENGTH - STRETCH)])
    expected = group_of[np.searchsorted(order, start)]
    assert len(set(zip(found.group.tolist(), expected.tolist(), strict=True))) == expected.max() + 1
    assert found.group.max() == expected.max()
    # Within a group, true places are the found ones up to a shift and a turn.
    first_base = np.where(turned, start + LENGTH - 1, start)
    direction = np.where(turned, -1, 1)
    for group in range(int(found.group.max()) + 1):
        rows = np.flatnonzero(found.group == group)
        turn = direction[rows[0]] * found.sign[rows[0]]
        assert (direction[rows] == turn * found.sign[rows]).all()
        assert len(set((first_base[rows] - turn * found.offset[rows]).tolist())) == 1


def test_a_repeat_joins_a_group_but_no_place() -> None:
    rng = np.random.default_rng(1)
    one, other = made(rng, LENGTH), made(rng, LENGTH)
    other[5:35] = one[20:50]
    codes = np.stack([one, other])
    assert group_overlapping(codes, STRETCH).tolist() == [0, 0]
    assert lay_out(codes, find_joins(codes, STRETCH)).group.tolist() == [0, 1]


def test_a_base_that_differs_anywhere_in_the_overlap_keeps_two_apart() -> None:
    genome = made(np.random.default_rng(2), 100)
    codes = np.stack([genome[:LENGTH], genome[10 : 10 + LENGTH]])
    assert lay_out(codes, find_joins(codes, STRETCH)).group.tolist() == [0, 0]
    assert lay_out(codes, find_joins(codes, STRETCH)).offset.tolist() == [0, 10]
    codes[1, 2] = (codes[1, 2] + 1) % 4
    assert group_overlapping(codes, STRETCH).tolist() == [0, 0]
    assert lay_out(codes, find_joins(codes, STRETCH)).group.tolist() == [0, 1]


def test_a_kmer_with_an_n_joins_nothing() -> None:
    codes = np.tile(made(np.random.default_rng(3), LENGTH), (2, 1))
    codes[:, STRETCH - 1 :: STRETCH] = UNKNOWN
    assert group_overlapping(codes, STRETCH).tolist() == [0, 1]
    assert group_overlapping(codes, STRETCH - 1).tolist() == [0, 0]


@pytest.mark.parametrize("k", [0, 33])
def test_kmers_that_cannot_be_compared_are_refused(k: int) -> None:
    with pytest.raises(ConfigError, match=f"by {k}-mers: k must be 1 to 32"):
        find_joins(made(np.random.default_rng(0), 120).reshape(2, 60), k)


def test_a_kmer_that_all_have_joins_a_hundred_thousand_sequences() -> None:
    codes = made(np.random.default_rng(4), 100_000 * 24).reshape(-1, 24)
    codes[:, :12] = codes[0, :12]
    assert (group_overlapping(codes, 12) == 0).all()


@pytest.mark.parametrize("turned", [False, True])
def test_sequences_that_share_a_kmer_with_others_are_marked(turned: bool) -> None:
    rng = np.random.default_rng(3)
    codes, others = (rng.integers(0, 4, (9, length)).astype(np.uint8) for length in (60, 90))
    piece = reverse_complement(others[5:6, 20:51])[0] if turned else others[5, 20:51]
    codes[2, 11:42] = piece
    codes[4, 11:41] = piece[:30]  # one base short of a 31-mer
    codes[4, 10] = others[5, 51] if turned else 3 - others[5, 19]  # nor does it go on before, or behind
    codes[4, 41] = 3 - piece[30]
    codes[6, 11:42] = piece
    codes[6, 20] = UNKNOWN
    assert share_kmers(codes, others, 31).nonzero()[0].tolist() == [2]
    others[5, 30] = UNKNOWN
    assert not share_kmers(codes, others, 31).any()
    assert not share_kmers(codes, np.full((2, 40), UNKNOWN, np.uint8), 31).any()
