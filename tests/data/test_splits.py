from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from zoo.data.sequences.similarity import group_overlapping
from zoo.data.splits import group_identical, split_fractions, split_kfold
from zoo.errors import ConfigError
from zoo.genome.sequence import Codes, encode, reverse_complement

Ints = NDArray[np.int64]


def stack(*texts: str) -> Codes:
    return np.stack([encode(text) for text in texts])


def random_codes(rows: int, length: int, seed: int = 0, letters: int = 4) -> Codes:
    return np.random.default_rng(seed).integers(0, letters, (rows, length)).astype(np.uint8)


def same_partition(one: Ints, other: Ints) -> bool:
    return bool(((one[:, None] == one) == (other[:, None] == other)).all())


def words_of(row: Codes, length: int) -> set[bytes]:
    strands = (row, reverse_complement(row))
    windows = {strand[i : i + length].tobytes() for strand in strands for i in range(len(row) - length + 1)}
    return {word for word in windows if 4 not in word}


def slow_groups(codes: Codes, length: int) -> Ints:
    """Join what shares a word, pair by pair, until nothing changes."""
    words = [words_of(row, length) for row in codes]
    group = np.arange(len(codes))
    for i, j in combinations(range(len(codes)), 2):
        if words[i] & words[j]:
            group[group == group[j]] = group[i]
    return group


def test_identical_sequences_on_either_strand_share_a_number() -> None:
    codes = stack("AACG", "CCCC", "CGTT", "AACG", "GGGG", "ACGT", "AACC")
    assert same_partition(group_identical(codes), np.array([0, 1, 0, 0, 1, 2, 3]))


def test_a_sequence_with_n_is_identical_to_itself_only() -> None:
    codes = stack("AANG", "AACG", "CNTT", "NNNN", "AANG")
    assert same_partition(group_identical(codes), np.array([0, 1, 0, 2, 0]))


def test_groups_are_numbered_without_gaps() -> None:
    codes = random_codes(300, 4)
    for groups in (group_identical(codes), group_overlapping(codes, 3)):
        assert set(groups.tolist()) == set(range(groups.max() + 1))


@pytest.mark.parametrize("length", [1, 2, 5, 8])
def test_identical_groups_are_those_of_a_slow_loop(length: int) -> None:
    codes = random_codes(120, length, letters=5)
    keys = [min(row.tobytes(), reverse_complement(row).tobytes()) for row in codes]
    assert same_partition(group_identical(codes), np.array([sorted(set(keys)).index(key) for key in keys]))


@pytest.mark.parametrize(("length", "k"), [(12, 5), (12, 6), (30, 8), (9, 9), (40, 7)])
@pytest.mark.parametrize("letters", [4, 5])
def test_overlapping_groups_are_those_of_a_slow_loop(length: int, k: int, letters: int) -> None:
    codes = random_codes(70, length, seed=length, letters=letters)
    assert same_partition(group_overlapping(codes, k), slow_groups(codes, k))


@pytest.mark.parametrize("turned", [False, True], ids=["same strand", "other strand"])
@pytest.mark.parametrize(("planted", "joined"), [(27, True), (20, True), (19, False)])
def test_a_planted_overlap_joins_from_its_full_length_on(planted: int, joined: bool, turned: bool) -> None:
    codes = random_codes(40, 60, seed=1)
    piece = codes[3, 10 : 10 + planted]
    codes[17, 25 : 25 + planted] = reverse_complement(piece) if turned else piece
    # The bases around the piece differ, so that it does not grow by chance.
    around = (codes[3, 9], codes[3, 10 + planted])
    before, after = (3 - around[1], 3 - around[0]) if turned else around
    codes[17, 24], codes[17, 25 + planted] = (before + 1) % 4, (after + 1) % 4
    groups = group_overlapping(codes, 20)
    assert bool(groups[3] == groups[17]) is joined
    assert groups.max() + 1 == (39 if joined else 40)


def test_a_chain_of_overlaps_is_one_group() -> None:
    # Windows of 50 every 30 bases share 20 with their neighbours only; every other one is turned round.
    genome = random_codes(1, 30 * 99 + 50, seed=2)[0]
    chain = np.stack([genome[i : i + 50] for i in range(0, 30 * 100, 30)])
    chain[1::2] = reverse_complement(chain[1::2])
    order = np.random.default_rng(0).permutation(120)
    codes = np.concatenate([chain, random_codes(20, 50, seed=3)])[order]
    groups = group_overlapping(codes, 20)
    assert len(set(groups[order < 100].tolist())) == 1
    assert groups.max() + 1 == 21
    assert group_overlapping(codes, 21).max() + 1 == 120


def test_n_joins_nothing() -> None:
    assert group_overlapping(stack("NNNNNNNN", "NNNNNNNN", "ACNGTTTN", "CCNGAAGN"), 3).tolist() == [0, 1, 2, 3]
    # ACG on both sides; with the N it would be ACGN.
    codes = stack("TTACGNTT", "GGACGNGG")
    assert len(set(group_overlapping(codes, 4).tolist())) == 2
    assert len(set(group_overlapping(codes, 3).tolist())) == 1


@pytest.mark.parametrize(("length", "k"), [(10, 11), (10, 0), (60, 33), (60, -1)])
def test_kmers_that_cannot_be_compared_are_refused(length: int, k: int) -> None:
    with pytest.raises(ConfigError, match=f"{length} bases .* {k}-mers: k must be 1 to"):
        group_overlapping(random_codes(3, length), k)


def grouped(seed: int, rows: int = 600) -> tuple[Ints, Ints]:
    """Groups of one to three, one stratum a group, in a random order."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, rows // 2, rows)
    return groups, (rng.random(rows // 2) < 0.2).astype(np.int64)[groups]


def splits_of(groups: Ints, splits: Ints) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for group, split in zip(groups.tolist(), splits.tolist(), strict=True):
        found.setdefault(group, set()).add(split)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_a_group_stays_together(seed: int) -> None:
    groups, strata = grouped(seed)
    mixed = np.random.default_rng(9).integers(0, 3, len(groups))
    for stratum in (strata, mixed):
        for splits in (split_fractions(groups, stratum, 0.2, 0.3, seed), split_kfold(groups, stratum, 5, seed)):
            assert all(len(where) == 1 for where in splits_of(groups, splits).values())


def test_every_stratum_is_spread_evenly_over_folds() -> None:
    groups, strata = np.arange(1000), np.repeat([0, 1, 7], [700, 280, 20])
    folds = split_kfold(groups, strata, 5, seed=0)
    counts = {stratum: np.bincount(folds[strata == stratum]).tolist() for stratum in (0, 1, 7)}
    assert counts == {0: [140] * 5, 1: [56] * 5, 7: [4] * 5}


def test_fold_sizes_differ_by_one_group_at_most() -> None:
    folds = split_kfold(np.arange(103), np.zeros(103, np.int64), 5, seed=0)
    assert sorted(np.bincount(folds).tolist()) == [20, 20, 21, 21, 21]


def test_every_stratum_gives_its_share() -> None:
    groups, strata = np.arange(1000), np.repeat([0, 1, 7], [700, 280, 20])
    splits = split_fractions(groups, strata, val=0.1, test=0.25, seed=0)
    counts = {stratum: np.bincount(splits[strata == stratum]).tolist() for stratum in (0, 1, 7)}
    assert counts == {0: [455, 70, 175], 1: [182, 28, 70], 7: [13, 2, 5]}


def test_no_share_leaves_a_split_empty() -> None:
    assert np.bincount(split_fractions(np.arange(50), np.zeros(50, np.int64), 0, 0, 0), minlength=3).tolist() == [
        50,
        0,
        0,
    ]


def test_a_split_is_the_seeds_and_does_not_follow_the_order_of_the_file() -> None:
    groups, strata = np.arange(400), np.zeros(400, np.int64)
    one, same, other = (split_fractions(groups, strata, 0.2, 0.2, seed) for seed in (0, 0, 1))
    assert one.tolist() == same.tolist()
    assert one.tolist() != other.tolist()
    # 80 of 400 at random: a tenth of the file holds 8 of them, give or take.
    assert all(0 < (one[start : start + 40] == 2).sum() < 25 for start in range(0, 400, 40))


@pytest.mark.parametrize(("val", "test"), [(0.5, 0.5), (0.1, 1.0), (-0.1, 0.2), (0.1, -0.2)])
def test_shares_that_leave_nothing_are_refused(val: float, test: float) -> None:
    with pytest.raises(ConfigError, match=f"{val}.*{test}"):
        split_fractions(np.arange(9), np.zeros(9, np.int64), val, test, 0)


def test_more_folds_than_sequences_are_refused() -> None:
    groups = np.repeat(np.arange(4), 10)
    with pytest.raises(ConfigError, match=r"4 distinct sequences .* 5 folds"):
        split_kfold(groups, np.zeros(40, np.int64), 5, 0)
    assert set(split_kfold(groups, np.zeros(40, np.int64), 4, 0).tolist()) == {0, 1, 2, 3}


def test_rare_combinations_of_labels_do_not_empty_a_split() -> None:
    rng = np.random.default_rng(0)
    groups = np.arange(2000)
    strata = np.unique(rng.random((2000, 20)) < 0.3, axis=0, return_inverse=True)[1].ravel().astype(np.int64)
    split = split_fractions(groups, strata, val=0.1, test=0.2, seed=0)
    assert np.bincount(split).tolist() == [1400, 200, 400]
    assert np.bincount(split_kfold(groups, strata, folds=5, seed=0)).tolist() == [400] * 5
