"""Splits of sequences into train, val and test; groups, such as identical sequences on either strand, stay together.

Shapes: N sequences, L bases.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ConfigError
from zoo.genome.sequence import Codes, reverse_complement
from zoo.utils.text import check_file

__all__ = [
    "SPLITS",
    "FileBySplit",
    "Split",
    "draw_splits",
    "files_by_split",
    "group_identical",
    "split_fractions",
    "split_index",
    "split_kfold",
    "with_test_file",
]

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
# The names of splits, and other words that tables use for them.
_SPLIT_WORDS = {name: index for index, name in enumerate(SPLITS)} | {"valid": 1, "validation": 1, "training": 0}

Groups = NDArray[np.int64]
# A file, or a file for each split.
FileBySplit = str | Mapping[str, str]


def split_index(word: str) -> int | None:
    """Look up the split that a word names, upper or lower case: index into `SPLITS`, None for an unknown word."""
    return _SPLIT_WORDS.get(word.strip().lower())


def files_by_split(given: FileBySplit) -> list[tuple[str, int]]:
    """List files with their splits: index into `SPLITS`, -1 where splits are drawn or are in a column.

    Args:
        given: a file, or split -> file.

    Raises:
        ConfigError: a key that is no split, or standard input, which can be read only once.
        InputError: a file that does not exist or cannot be read.
    """
    files = []
    for word, path in given.items() if isinstance(given, Mapping) else [("", given)]:
        split = split_index(word) if word else -1
        if split is None:
            raise ConfigError(f"{word!r} is no split: files are given by {', '.join(SPLITS)}, or one for all")
        if path == "-":
            raise ConfigError("training data must be a file: standard input can be read only once")
        check_file(path)
        files.append((path, split))
    return files


def with_test_file(given: FileBySplit, test: str | None, option: str) -> FileBySplit:
    """Add a separate file of test data: what was given is then for training, but for its own files of val.

    Args:
        given: a file, or split -> file.
        test: the file of test data; None for none.
        option: name of the option that gives it, for messages.

    Raises:
        ConfigError: a file of test data is among those given already.
    """
    if test is None:
        return given
    by_split: Mapping[str, str] = given if isinstance(given, Mapping) else {"train": given}
    if any(split_index(word) == SPLITS.index("test") for word in by_split):
        raise ConfigError(f"the test data are given twice, by {option} and as `test`: leave one out")
    return {**by_split, "test": test}


def group_identical(codes: Codes, both_strands: bool = True) -> Groups:
    """Number sequences so that those that are equal, or each other's reverse complement, have one number.

    Args:
        codes: uint8 (N, L).
        both_strands: whether a sequence and its reverse complement are the same.

    Returns:
        Number of each sequence's group, from 0 (N,).
    """
    other = reverse_complement(codes) if both_strands else codes
    strands = [np.ascontiguousarray(strand).view(f"V{codes.shape[1]}").ravel() for strand in (codes, other)]
    _, numbers = np.unique(np.concatenate(strands), return_inverse=True)
    forward, backward = numbers.reshape(2, -1)
    return np.unique(np.minimum(forward, backward), return_inverse=True)[1].astype(np.int64)


def split_kfold(groups: Groups, strata: NDArray[np.int64], folds: int, seed: int) -> NDArray[np.int64]:
    """Assign groups to folds at random, evenly over strata.

    Args:
        groups: number of each sequence's group, which stays together (N,).
        strata: number of each sequence's stratum, such as its class (N,).
        folds: number of folds.
        seed: seed of the random order.

    Returns:
        Fold of each sequence, 0 to folds - 1 (N,).

    Raises:
        ConfigError: fewer groups than folds.
    """
    rank, _ = _rank_in_stratum(groups, strata, seed, smallest=folds)
    if rank.max() + 1 < folds:
        raise ConfigError(f"{rank.max() + 1} distinct sequences cannot make {folds} folds")
    return rank % folds


def split_fractions(groups: Groups, strata: NDArray[np.int64], val: float, test: float, seed: int) -> NDArray[np.int64]:
    """Split groups at random into train, val and test, evenly over strata.

    Args:
        groups: number of each sequence's group, which stays together (N,).
        strata: number of each sequence's stratum, such as its class (N,).
        val: fraction for validation.
        test: fraction for test.
        seed: seed of the random order.

    Returns:
        Split of each sequence as an index into `SPLITS` (N,).

    Raises:
        ConfigError: fractions that leave nothing to train on.
    """
    if val < 0 or test < 0 or val + test >= 1:
        raise ConfigError(f"a validation fraction of {val} and a test fraction of {test} leave nothing to train on")
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
    """Draw the split of each sequence (N,) by fractions, or with a fold of a cross-validation as the test set.

    Args:
        groups: number of each sequence's group, which stays together (N,).
        strata: number of each sequence's stratum, such as its class (N,).
        val: fraction for validation (of what the fold leaves).
        test: fraction for test, without folds.
        seed: seed of the random order.
        folds: number of folds; None for no cross-validation.
        fold: number of the fold that is the test set.

    Returns:
        Index into `SPLITS` (N,).
    """
    if folds is None:
        return split_fractions(groups, strata, val, test, seed)
    is_test = split_kfold(groups, strata, folds, seed) == fold
    split = np.full(len(groups), SPLITS.index("test"))
    split[~is_test] = split_fractions(groups[~is_test], strata[~is_test], val, 0.0, seed)
    return split


def _rank_in_stratum(
    groups: Groups, strata: NDArray[np.int64], seed: int, smallest: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rank the groups of each stratum in random order.

    A group has the stratum of its first sequence; strata of fewer groups than `smallest`, which cannot be spread
    evenly, are merged into one.

    Returns:
        For each sequence the rank of its group in its stratum, from 0, and the number of groups there (N,), (N,).
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
