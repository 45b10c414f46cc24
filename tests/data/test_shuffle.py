from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import chisquare

from zoo.data.shuffle import dinucleotide_shuffle
from zoo.genome.sequence import Codes, decode, encode


def random_codes(rows: int, length: int, weights: list[float], seed: int = 0) -> Codes:
    return np.random.default_rng(seed).choice(5, (rows, length), p=weights).astype(np.uint8)


def dinucleotides(text: str) -> Counter[tuple[str, str]]:
    return Counter(pairwise(text))


def orderings(text: str) -> set[str]:
    """All sequences that begin with the first letter of `text` and use each of its dinucleotides as often."""
    found = set()

    def walk(so_far: str, left: Counter[tuple[str, str]]) -> None:
        if not +left:
            found.add(so_far)
        for pair in +left:
            if pair[0] == so_far[-1]:
                walk(so_far + pair[1], left - Counter([pair]))

    walk(text[0], dinucleotides(text))
    return found


def test_the_orderings_on_paper() -> None:
    assert orderings("AACA") == {"AACA", "ACAA"}
    assert orderings("ACGTACA") == {"ACGTACA", "ACACGTA"}


@pytest.mark.parametrize(
    "weights",
    [[0.25, 0.25, 0.25, 0.25, 0], [0.2] * 5, [0.9, 0.1, 0, 0, 0], [0.6, 0.02, 0.02, 0.35, 0.01], [0, 0, 0.5, 0, 0.5]],
    ids=["even", "with N", "two letters", "skewed", "G and N"],
)
@pytest.mark.parametrize("length", [1, 2, 3, 10, 101])
def test_ends_and_dinucleotide_counts_are_kept(weights: list[float], length: int) -> None:
    codes = random_codes(60, length, weights)
    shuffled = dinucleotide_shuffle(codes, np.random.default_rng(1))
    assert shuffled.shape == codes.shape
    assert shuffled.dtype == np.uint8
    for before, after in zip(map(decode, codes), map(decode, shuffled), strict=True):
        assert (before[0], before[-1]) == (after[0], after[-1])
        assert dinucleotides(before) == dinucleotides(after)


@pytest.mark.parametrize(
    "text",
    [
        "AACA",
        "AACAA",
        "ACAAGA",
        "ACGTACA",
        "AACCAACC",
        "ACGTTGCAGT",
        "GATTACAGA",
        "ACACAGTGA",
        "NANCNNA",
        "CCCGCCGGC",
        "AACCGGTTA",
        "TGTGCTGT",
    ],
)
def test_every_ordering_is_equally_likely(text: str) -> None:
    possible = sorted(orderings(text))
    draws = 400 * len(possible)
    codes = np.tile(encode(text), (draws, 1))
    seen = Counter(map(decode, dinucleotide_shuffle(codes, np.random.default_rng(2))))
    assert set(seen) == set(possible)
    assert chisquare([seen[one] for one in possible]).pvalue > 1e-4


def test_a_repeat_with_one_way_out_is_shuffled() -> None:
    # The last C must lead to G: its chance is 1 in 100 at each draw.
    text = "AC" * 100 + "G" + "AC" * 3
    shuffled = dinucleotide_shuffle(np.tile(encode(text), (20, 1)), np.random.default_rng(3))
    assert all(dinucleotides(decode(row)) == dinucleotides(text) for row in shuffled)
    assert len({decode(row) for row in shuffled}) > 10


def test_a_sequence_without_another_ordering_stays() -> None:
    codes = np.stack([encode("AAAAAA"), encode("NNNNNN"), encode("ACGTNN")])
    assert dinucleotide_shuffle(codes, np.random.default_rng(0)).tolist() == codes.tolist()


def test_rows_are_shuffled_apart_also_over_blocks() -> None:
    codes = np.tile(random_codes(1, 60, [0.25, 0.25, 0.25, 0.25, 0]), (5000, 1))
    shuffled = dinucleotide_shuffle(codes, np.random.default_rng(0))
    assert len(np.unique(shuffled, axis=0)) == 5000
    assert {tuple(sorted(dinucleotides(decode(row)).items())) for row in shuffled[[0, 4095, 4096, 4999]]} == {
        tuple(sorted(dinucleotides(decode(codes[0])).items()))
    }


def test_the_same_generator_gives_the_same_shuffles_and_another_gives_others() -> None:
    codes = random_codes(20, 50, [0.25, 0.25, 0.25, 0.25, 0])
    one, same, other = (dinucleotide_shuffle(codes, np.random.default_rng(seed)) for seed in (4, 4, 5))
    assert one.tolist() == same.tolist()
    assert one.tolist() != other.tolist()


def test_what_was_given_is_left_alone() -> None:
    codes = random_codes(20, 50, [0.2] * 5)
    before = codes.copy()
    dinucleotide_shuffle(codes, np.random.default_rng(0))
    short = codes[:, :2]
    dinucleotide_shuffle(short, np.random.default_rng(0))[:] = 0
    assert codes.tolist() == before.tolist()


def test_no_sequences_give_none() -> None:
    assert dinucleotide_shuffle(np.empty((0, 9), np.uint8), np.random.default_rng(0)).shape == (0, 9)


def test_shuffles_of_random_sequences_are_random_sequences_at_their_ends_too() -> None:
    # A shuffle that can be told by its last two bases teaches a model nothing else.
    codes = random_codes(4000, 101, [0.25, 0.25, 0.25, 0.25, 0])
    shuffled = dinucleotide_shuffle(codes, np.random.default_rng(1))
    for place in (1, 50, 100):
        doubled = float((shuffled[:, place] == shuffled[:, place - 1]).mean())
        assert doubled == pytest.approx(0.25, abs=0.03)  # four standard errors
