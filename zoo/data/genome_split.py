"""SplitRules and GenomeSplit: which regions of a genome are for train, val and test."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo.data.splits import SPLITS
from zoo.errors import ConfigError
from zoo.genome.contigs import find_contigs
from zoo.utils.text import some_of

__all__ = ["GenomeSplit", "SplitRules"]

Index = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class SplitRules:
    """Options of the split of a genome: by whole contigs, or into random blocks.

    Args:
        val: contigs for validation; with `test`, instead of random blocks.
        test: contigs for test.
        block_size: bases of the blocks that are assigned to train, val and test at random.
        val_fraction: fraction of the blocks for validation.
        test_fraction: fraction of the blocks for test.
        split_seed: seed of the random blocks.
    """

    val: list[str] | None = None
    test: list[str] | None = None
    block_size: int = 100_000
    val_fraction: float = 0.1
    test_fraction: float = 0.1
    split_seed: int = 0

    def check(self, length: int) -> None:
        """Check the rules against each other, and against the length of windows in bases.

        Raises:
            ConfigError: contigs of one split alone, blocks shorter than a window, or fractions that leave nothing.
        """
        if (self.val is None) != (self.test is None):
            raise ConfigError("name the contigs of both `val` and `test`, or of neither")
        if self.val is None and self.block_size < length:
            raise ConfigError(f"blocks of {self.block_size} bases are shorter than a window of {length}")
        val, test = self.val_fraction, self.test_fraction
        if not (val >= 0 and test >= 0 and val + test < 1):  # written so that NaN is refused
            raise ConfigError(f"a validation fraction of {val} and a test fraction of {test} leave nothing to train on")
        if self.split_seed < 0:
            raise ConfigError("split_seed is a number from 0 up")


class GenomeSplit:
    """The split of each region of a genome, in blocks of one split each: whole contigs, or random blocks.

    Args:
        contigs: contig -> length.
        rules: contigs of val and test, or size and fractions of random blocks.

    Attributes:
        block_split: index into `SPLITS` of each block, contig after contig.

    Raises:
        ConfigError: a contig of the rules that the genome does not have, or that is both for val and for test.
    """

    def __init__(self, contigs: Mapping[str, int], rules: SplitRules) -> None:
        self.lengths = np.array(list(contigs.values()))
        # If split by contig, each contig is one block.
        self.size = int(self.lengths.max()) if rules.val is not None else rules.block_size
        blocks = -(-self.lengths // self.size)
        self.first = blocks.cumsum() - blocks
        self.block_split = (
            _by_contig(list(contigs), rules) if rules.val is not None else _at_random(int(blocks.sum()), rules)
        )

    def split_of(self, contig: Index, start: Index, length: int) -> Index:
        """Find the split of windows.

        Args:
            contig: index of each window's contig (N,).
            start: first base of each window (N,).
            length: bases of every window; no more than a block has.

        Returns:
            Index into `SPLITS` (N,), -1 for a window across a border between two splits.
        """
        head = self.block_split[self.first[contig] + start // self.size]
        tail = self.block_split[self.first[contig] + (start + length - 1) // self.size]
        return np.where(head == tail, head, -1)

    def regions(self) -> tuple[Index, Index, Index, Index]:
        """List the regions of one split, as long as possible: contig, start, end and split (R,) each."""
        blocks = np.diff(np.append(self.first, len(self.block_split)))
        contig = np.repeat(np.arange(len(blocks)), blocks)
        start = (np.arange(len(self.block_split)) - self.first[contig]) * self.size
        new = np.flatnonzero((np.diff(contig, prepend=-1) != 0) | (np.diff(self.block_split, prepend=-1) != 0))
        last = np.append(new[1:], len(self.block_split)) - 1
        end = np.minimum(start[last] + self.size, self.lengths[contig[last]])
        return contig[new], start[new], end, self.block_split[new]


def _by_contig(names: list[str], rules: SplitRules) -> Index:
    split = np.zeros(len(names), np.int64)
    for index, chosen in ((1, rules.val or []), (2, rules.test or [])):
        for name, contig in find_contigs(chosen, names).items():
            if contig is None:
                raise ConfigError(
                    f"the contig {name!r} of the {SPLITS[index]} split is not in the genome, which has {some_of(names)}"
                )
            if split[names.index(contig)]:
                raise ConfigError(f"the contig {contig!r} cannot be in both the val and the test split")
            split[names.index(contig)] = index
    return split


def _at_random(blocks: int, rules: SplitRules) -> Index:
    rank = (np.random.default_rng(rules.split_seed).permutation(blocks) + 0.5) / blocks  # in (0, 1)
    test, val = rules.test_fraction, rules.val_fraction
    return np.select([rank < test, rank < test + val], [2, 1], 0).astype(np.int64)
