"""Splits of sequences into train, valid and test, with identical sequences (on either strand) on one side."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ConfigError
from zoo.sequence import UNKNOWN, Codes, reverse_complement

__all__ = [
    "PARTS",
    "Part",
    "draw_parts",
    "group_identical",
    "group_overlapping",
    "leaking_groups",
    "split_fractions",
    "split_kfold",
]

Part = Literal["train", "valid", "test"]
PARTS: tuple[Part, ...] = ("train", "valid", "test")

Groups = NDArray[np.int64]

_LONGEST_STRETCH = 27  # 5 ** 27 is the largest power of five below 2 ** 64


def group_identical(codes: Codes) -> Groups:
    """Number sequences (N, L) so that those that are equal, or each other's reverse complement, share a number (N,)."""
    strands = [
        np.ascontiguousarray(strand).view(f"V{codes.shape[1]}").ravel() for strand in (codes, reverse_complement(codes))
    ]
    _, numbers = np.unique(np.concatenate(strands), return_inverse=True)
    forward, backward = numbers.reshape(2, -1)
    return np.unique(np.minimum(forward, backward), return_inverse=True)[1].astype(np.int64)


def group_overlapping(codes: Codes, stretch: int) -> Groups:
    """Number sequences (N, L) so that those that share a stretch of that many bases, on either strand, share a number,
    and so do those that are joined by a chain of such neighbours. A stretch with an N in it joins nothing.

    Raises:
        ConfigError: a stretch that is longer than the sequences, or than the 27 bases that one number can hold.
    """
    if not 1 <= stretch <= min(_LONGEST_STRETCH, codes.shape[1]):
        raise ConfigError(
            f"sequences of {codes.shape[1]} bases cannot be compared by stretches of {stretch}; "
            f"the longest is {min(_LONGEST_STRETCH, codes.shape[1])}"
        )
    forward = _stretches(codes, stretch)
    backward = _stretches(reverse_complement(codes), stretch)[:, ::-1]
    known = _stretches((codes == UNKNOWN).astype(np.uint8), stretch) == 0
    row = np.nonzero(known)[0]
    word = np.unique(np.minimum(forward, backward)[known], return_inverse=True)[1]
    group = np.arange(len(codes))
    while True:  # each sequence takes the lowest number among its words' sequences, until nothing changes
        lowest = np.full(word.max(initial=-1) + 1, len(codes))
        np.minimum.at(lowest, word, group[row])
        joined = group.copy()
        np.minimum.at(joined, row, lowest[word])
        joined = joined[joined]
        if (joined == group).all():
            return np.unique(group, return_inverse=True)[1].astype(np.int64)
        group = joined


def _stretches(codes: Codes, length: int) -> NDArray[np.uint64]:
    """Each stretch of that length as one number (N, L - length + 1)."""
    windows = codes.shape[1] - length + 1
    number = np.zeros((len(codes), windows), dtype=np.uint64)
    for offset in range(length):
        number = number * np.uint64(5) + codes[:, offset : offset + windows]
    return number


def split_kfold(groups: Groups, strata: NDArray[np.int64], folds: int, seed: int) -> NDArray[np.int64]:
    """Deal groups into folds at random, every stratum evenly.

    Args:
        groups: which sequences belong together (N,).
        strata: what is to be spread evenly, such as the class (N,).
        folds: how many folds.
        seed: of the random order.

    Returns:
        The fold of each sequence, 0 to folds - 1 (N,).
    """
    rank, _ = _rank_in_stratum(groups, strata, seed, smallest=folds)
    if rank.max() + 1 < folds:
        raise ConfigError(f"{rank.max() + 1} distinct sequences cannot make {folds} folds")
    return rank % folds


def split_fractions(
    groups: Groups, strata: NDArray[np.int64], valid: float, test: float, seed: int
) -> NDArray[np.int64]:
    """Split at random into train, valid and test by share, every stratum evenly.

    Returns:
        The part of each sequence as an index into `PARTS` (N,).
    """
    if valid < 0 or test < 0 or valid + test >= 1:
        raise ConfigError(f"a validation share of {valid} and a test share of {test} leave nothing to train on")
    shares = [share for share in (valid, test) if share > 0]
    rank, size = _rank_in_stratum(groups, strata, seed, smallest=int(2 / min(shares)) if shares else 1)
    share = (rank + 0.5) / size
    return np.select([share < test, share < test + valid], [2, 1], 0).astype(np.int64)


def draw_parts(
    groups: NDArray[np.int64],
    strata: NDArray[np.int64],
    *,
    valid: float,
    test: float,
    seed: int,
    folds: int | None = None,
    fold: int = 0,
) -> NDArray[np.int64]:
    """Draw the part of each sequence (N,), groups together and strata evenly: by shares, or with a fold as test set."""
    if folds is None:
        return split_fractions(groups, strata, valid, test, seed)
    is_test = split_kfold(groups, strata, folds, seed) == fold
    part = np.full(len(groups), PARTS.index("test"))
    part[~is_test] = split_fractions(groups[~is_test], strata[~is_test], valid, 0.0, seed)
    return part


def leaking_groups(groups: NDArray[np.int64], part: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """The groups of identical sequences that stand in more than one part, and how many they are."""
    pairs = np.unique(np.stack([groups, part]), axis=1)[0]
    unique, count = np.unique(pairs, return_counts=True)
    return unique[count > 1], int((count > 1).sum())


def _rank_in_stratum(
    groups: Groups, strata: NDArray[np.int64], seed: int, smallest: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each sequence's group's place in a random order of its stratum, from 0, and how many groups that has (N,), (N,).

    A group whose sequences differ in stratum goes with its first one; strata of fewer groups than `smallest`, which
    cannot be spread evenly, are taken together.
    """
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    stratum = np.unique(strata[first], return_inverse=True)[1]
    rare = np.bincount(stratum)[stratum] < smallest
    stratum = np.unique(np.where(rare, -1, stratum), return_inverse=True)[1]
    shuffled = np.random.default_rng(seed).permutation(len(first))
    ordered = shuffled[np.argsort(stratum[shuffled], kind="stable")]
    sizes = np.bincount(stratum)
    starts = np.cumsum(sizes) - sizes
    rank = np.empty(len(first), dtype=np.int64)
    rank[ordered] = np.arange(len(first)) - starts[stratum[ordered]]
    return rank[inverse], sizes[stratum][inverse]
