"""Counts of k-mers against a slow loop over the letters."""

from itertools import product

import numpy as np
import pytest
from accuracy.kmers import count_kmers

from zoo.genome.sequence import decode


def reverse_complement(word: str) -> str:
    return word[::-1].translate(str.maketrans("ACGT", "TGCA"))


@pytest.mark.parametrize(("k", "merge_strands", "columns"), [(4, False, 256), (6, True, 2080), (5, True, 512)])
def test_kmers_are_counted_and_those_with_n_left_out(k: int, merge_strands: bool, columns: int) -> None:
    def name(word: str) -> str:
        return min(word, reverse_complement(word)) if merge_strands else word

    codes = np.random.default_rng(0).integers(0, 5, (5, 40)).astype(np.uint8)
    counted = count_kmers(codes, k, merge_strands)
    words = sorted({name(word) for word in map("".join, product("ACGT", repeat=k))})
    assert counted.shape == (5, len(words)) == (5, columns)
    for row, counts in zip(codes, counted, strict=True):
        text = decode(row)
        expected = dict.fromkeys(words, 0)
        for word in (text[i : i + k] for i in range(41 - k)):
            if "N" not in word:
                expected[name(word)] += 1
        assert counts.tolist() == list(expected.values())
