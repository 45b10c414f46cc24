"""Splits of sequences into train, valid and test, with identical sequences (on either strand) on one side."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ConfigError
from zoo.sequence import Codes, reverse_complement

__all__ = ["PARTS", "Part", "group_identical", "split_fractions", "split_kfold"]

Part = Literal["train", "valid", "test"]
PARTS: tuple[Part, ...] = ("train", "valid", "test")

Groups = NDArray[np.int64]


def group_identical(codes: Codes) -> Groups:
    """Number sequences (N, L) so that those that are equal, or each other's reverse complement, share a number (N,)."""
    strands = [np.ascontiguousarray(strand).view(f"V{codes.shape[1]}").ravel() for strand in (codes, reverse_complement(codes))]
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
    rank, _ = _rank_in_stratum(groups, strata, seed)
    if rank.max() + 1 < folds:
        raise ConfigError(f"{rank.max() + 1} distinct sequences of a class cannot make {folds} folds")
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
    rank, size = _rank_in_stratum(groups, strata, seed)
    share = (rank + 0.5) / size
    return np.select([share < test, share < test + valid], [2, 1], 0).astype(np.int64)


def _rank_in_stratum(
    groups: Groups, strata: NDArray[np.int64], seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each sequence's group's place in a random order of its stratum, from 0, and how many groups that has (N,), (N,).

    A group whose sequences differ in stratum goes with its first one.
    """
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    stratum = np.unique(strata[first], return_inverse=True)[1]
    shuffled = np.random.default_rng(seed).permutation(len(first))
    ordered = shuffled[np.argsort(stratum[shuffled], kind="stable")]
    sizes = np.bincount(stratum)
    starts = np.cumsum(sizes) - sizes
    rank = np.empty(len(first), dtype=np.int64)
    rank[ordered] = np.arange(len(first)) - starts[stratum[ordered]]
    return rank[inverse], sizes[stratum][inverse]
