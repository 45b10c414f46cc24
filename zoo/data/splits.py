"""Splits of sequences into train, val and test, with identical sequences (on either strand) on one side."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ConfigError
from zoo.genome.sequence import Codes, reverse_complement

__all__ = [
    "SPLITS",
    "Split",
    "draw_splits",
    "group_identical",
    "leaking_groups",
    "split_fractions",
    "split_index",
    "split_kfold",
]

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
# Other words for a split that tables use.
_SPLIT_WORDS = {name: index for index, name in enumerate(SPLITS)} | {"valid": 1, "validation": 1, "training": 0}

Groups = NDArray[np.int64]


def split_index(word: str) -> int | None:
    """Index into `SPLITS` of the split that a table's word names, in either case; None for a word that names none."""
    return _SPLIT_WORDS.get(word.strip().lower())


def group_identical(codes: Codes) -> Groups:
    """Number sequences (N, L) so that those that are equal, or each other's reverse complement, share a number (N,)."""
    strands = [
        np.ascontiguousarray(strand).view(f"V{codes.shape[1]}").ravel() for strand in (codes, reverse_complement(codes))
    ]
    _, numbers = np.unique(np.concatenate(strands), return_inverse=True)
    forward, backward = numbers.reshape(2, -1)
    return np.unique(np.minimum(forward, backward), return_inverse=True)[1].astype(np.int64)


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


def split_fractions(groups: Groups, strata: NDArray[np.int64], val: float, test: float, seed: int) -> NDArray[np.int64]:
    """Split at random into train, val and test by share, every stratum evenly.

    Returns:
        The split of each sequence as an index into `SPLITS` (N,).
    """
    if val < 0 or test < 0 or val + test >= 1:
        raise ConfigError(f"a validation share of {val} and a test share of {test} leave nothing to train on")
    shares = [share for share in (val, test) if share > 0]
    rank, size = _rank_in_stratum(groups, strata, seed, smallest=int(2 / min(shares)) if shares else 1)
    share = (rank + 0.5) / size
    return np.select([share < test, share < test + val], [2, 1], 0).astype(np.int64)


def draw_splits(
    groups: NDArray[np.int64],
    strata: NDArray[np.int64],
    *,
    val: float,
    test: float,
    seed: int,
    folds: int | None = None,
    fold: int = 0,
) -> NDArray[np.int64]:
    """Draw the split of each sequence (N,), by whole groups and evenly over strata: by fractions, or a fold as test."""
    if folds is None:
        return split_fractions(groups, strata, val, test, seed)
    is_test = split_kfold(groups, strata, folds, seed) == fold
    split = np.full(len(groups), SPLITS.index("test"))
    split[~is_test] = split_fractions(groups[~is_test], strata[~is_test], val, 0.0, seed)
    return split


def leaking_groups(groups: NDArray[np.int64], split: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """The groups of identical sequences that stand in more than one split, and how many they are."""
    pairs = np.unique(np.stack([groups, split]), axis=1)[0]
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
