"""SplitRules and GenomeSplit: which regions of a genome are for train, val and test.

Shapes: N windows, R regions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from zoo.data.splits import SPLITS
from zoo.errors import ConfigError
from zoo.formats.bed import read_bed
from zoo.genome.contigs import find_contigs
from zoo.utils.text import some_of

__all__ = ["GenomeSplit", "SplitRules"]

Index = NDArray[np.int64]
# Random blocks have so many bases, or so many windows.
_BLOCK_SIZE, _WINDOWS_PER_BLOCK = 100_000, 4


@dataclass(frozen=True, kw_only=True)
class SplitRules:
    """Options of the split of a genome: by whole contigs, by the regions of BED files, or into random blocks.

    Args:
        val: contigs, or BED files (names that end with .bed or .bed.gz), for validation; with `test`.
        test: contigs or BED files for test. All else is for training; without `val`, some blocks of it for validation.
        block_size: bases of the blocks that are assigned to train, val and test at random; None for 100,000, or four
            windows if that is more.
        val_fraction: fraction of the blocks for validation.
        test_fraction: fraction of the blocks for test.
        split_seed: seed of the random blocks.
    """

    val: list[str] | None = None
    test: list[str] | None = None
    block_size: int | None = None
    val_fraction: float = 0.1
    test_fraction: float = 0.1
    split_seed: int = 0

    def check(self, length: int) -> None:
        """Check the rules against each other, and against the length of windows in bases.

        Raises:
            ConfigError: `val` without `test`, blocks shorter than a window, or fractions that leave nothing.
        """
        if self.val is not None and self.test is None:
            raise ConfigError("name the contigs of `test` as well as those of `val`")
        if self.val is None and self.block_size is not None and self.block_size < length:
            raise ConfigError(f"blocks of {self.block_size} bases are shorter than a window of {length}")
        val, test = self.val_fraction, self.test_fraction
        if not (val >= 0 and test >= 0 and val + test < 1):  # written so that NaN is refused
            raise ConfigError(f"a validation fraction of {val} and a test fraction of {test} leave nothing to train on")
        if self.split_seed < 0:
            raise ConfigError("split_seed is a number from 0 up")

    def for_windows(self, length: int) -> Self:
        """The rules, checked, with blocks of a size that suits windows of `length` bases.

        Raises:
            ConfigError: as `check`.
        """
        self.check(length)
        size = self.block_size or max(_BLOCK_SIZE, _WINDOWS_PER_BLOCK * length)
        return replace(self, block_size=size)

    def describe(self, length: int) -> str:
        """Describe in a line how windows of `length` bases are split."""
        size, val, test = self.for_windows(length).block_size, self.val, self.test
        if val is not None:
            return f"splits: validation {some_of(val) or 'none'}; test {some_of(test or []) or 'none'}"
        parts = f"{self.val_fraction:.0%} of them for validation"
        parts += f" and {self.test_fraction:.0%} for test" if test is None else ""
        others = "" if test is None else f"test {some_of(test) or 'none'}; of the rest, "
        return f"splits: {others}random blocks of {size:,} bases, {parts}"

    @property
    def contigs(self) -> list[str]:
        """Contigs that are named for val or test, themselves or in a BED file."""
        chosen = [*(self.val or []), *(self.test or [])]
        named = [name for name in chosen if not _is_file(name)]
        return list(dict.fromkeys([*named, *(interval.chrom for file in self.files for interval in read_bed(file))]))

    @property
    def files(self) -> list[Path]:
        """BED files of regions."""
        return [Path(name) for name in [*(self.val or []), *(self.test or [])] if _is_file(name)]


class GenomeSplit:
    """The regions of a genome that are for train, val and test, each as long as possible.

    Args:
        contigs: contig -> length.
        rules: contigs or regions of val and test, or size and fractions of random blocks.
        sites: contig and first base of each site (N,), (N,): the blocks that have some are shared out among train, val
            and test apart from the others. None for windows everywhere.

    Raises:
        ConfigError: a contig of the rules that the genome does not have, or what is both for val and for test.
        InputError: a BED file that cannot be read.
    """

    def __init__(self, contigs: Mapping[str, int], rules: SplitRules, sites: tuple[Index, Index] | None = None) -> None:
        lengths = np.array(list(contigs.values()))
        # One coordinate for all contigs, one after the other.
        self._offset = lengths.cumsum() - lengths
        val, test = (_spans(contigs, self._offset, rules, index) for index in (1, 2))
        edges, split = _random_blocks(lengths, self._offset, rules, sites)
        every = np.unique(np.concatenate([edges, self._offset, val.ravel(), test.ravel()]))
        every = every[every < lengths.sum()]
        in_val, in_test = (_covered(every, spans) for spans in (val, test))
        if (in_val & in_test).any():
            position = int(every[(in_val & in_test).argmax()])
            contig = int(np.searchsorted(self._offset, position, "right")) - 1
            name = list(contigs)[contig]
            raise ConfigError(f"{name}:{position - self._offset[contig] + 1:,} is in both the val and the test split")
        split = np.where(in_test, 2, np.where(in_val, 1, split[np.searchsorted(edges, every, "right") - 1]))
        contig = np.searchsorted(self._offset, every, "right") - 1
        new = (np.diff(contig, prepend=-1) != 0) | (np.diff(split, prepend=-1) != 0)
        self._edges, self._contig, self._split = every[new], contig[new], split[new]
        self._ends = np.append(self._edges[1:], lengths.sum())

    def split_of(self, contig: Index, start: Index, length: int) -> Index:
        """Find the split of windows.

        Args:
            contig: index of each window's contig (N,).
            start: first base of each window (N,).
            length: bases of every window.

        Returns:
            Index into `SPLITS` (N,), -1 for a window across a border between two splits.
        """
        first = self._offset[contig] + start
        head = np.searchsorted(self._edges, first, "right") - 1
        return np.where(first + length <= self._ends[head], self._split[head], -1)

    def regions(self) -> tuple[Index, Index, Index, Index]:
        """List the regions of one split, as long as possible: contig, start, end and split (R,) each."""
        before = self._offset[self._contig]
        return self._contig, self._edges - before, self._ends - before, self._split


def _is_file(name: str) -> bool:
    """Whether a name is that of a BED file, not of a contig."""
    return name.endswith((".bed", ".bed.gz"))


def _spans(contigs: Mapping[str, int], offset: Index, rules: SplitRules, index: int) -> Index:
    """Start and end of what the rules name for a split, (spans, 2), in one coordinate for all contigs."""
    given, named, spans = (rules.val, rules.test)[index - 1] or [], [], []
    order = {name: number for number, name in enumerate(contigs)}
    for name in given:
        if _is_file(name):
            entries = read_bed(name)
            matched = find_contigs({entry.chrom for entry in entries}, contigs)
            spans += [(_known(matched, entry.chrom, contigs, index), entry.start, entry.end) for entry in entries]
        else:
            named.append(name)
    in_val = find_contigs([name for name in rules.val or [] if not _is_file(name)], contigs).values()
    matched = find_contigs(named, contigs)
    for name in named:
        contig = _known(matched, name, contigs, index)
        if index == 2 and contig in in_val:
            raise ConfigError(f"the contig {contig!r} cannot be in both the val and the test split")
        spans.append((contig, 0, contigs[contig]))
    ends = [(offset[order[name]] + start, offset[order[name]] + min(end, contigs[name])) for name, start, end in spans]
    return np.array([(start, end) for start, end in ends if start < end], np.int64).reshape(-1, 2)


def _known(matched: Mapping[str, str | None], name: str, contigs: Mapping[str, int], index: int) -> str:
    """The name of a contig in the genome."""
    contig = matched[name]
    if contig is None:
        raise ConfigError(
            f"the contig {name!r} of the {SPLITS[index]} split is not in the genome, which has {some_of(contigs)}"
        )
    return contig


def _covered(places: Index, spans: Index) -> NDArray[np.bool_]:
    """Whether each place (N,) lies in a span (spans, 2)."""
    begun = np.searchsorted(np.sort(spans[:, 0]), places, "right")
    ended = np.searchsorted(np.sort(spans[:, 1]), places, "right")
    return begun > ended


def _random_blocks(
    lengths: Index, offset: Index, rules: SplitRules, sites: tuple[Index, Index] | None
) -> tuple[Index, Index]:
    """First base and split of each block; where val and test are named, each contig is one block, for training."""
    if rules.val is not None:
        return offset, np.zeros(len(offset), np.int64)
    size = rules.block_size or _BLOCK_SIZE
    blocks = -(-lengths // size)
    contig = np.repeat(np.arange(len(blocks)), blocks)
    index = np.arange(len(contig)) - (blocks.cumsum() - blocks)[contig]
    edges = offset[contig] + index * size
    if sites is not None:  # those without a site are shared out too: negatives are drawn there
        holds_site = np.zeros(len(edges), bool)
        holds_site[np.searchsorted(edges, offset[sites[0]] + sites[1], "right") - 1] = True
        return edges, _draw(~holds_site, rules)
    bases = np.minimum(lengths[contig] - index * size, size)
    return edges, _draw(2 * bases < size, rules)


def _draw(apart: NDArray[np.bool_], rules: SplitRules) -> Index:
    """Draw the splits of blocks; those that may hold no window on their own, if there are enough others."""
    split = np.zeros(len(apart), np.int64)
    for chosen in (apart, ~apart) if (~apart).sum() > 2 else (np.ones_like(apart),):
        split[chosen] = _at_random(int(chosen.sum()), rules)
    return split


def _at_random(blocks: int, rules: SplitRules) -> Index:
    rank = (np.random.default_rng(rules.split_seed).permutation(blocks) + 0.5) / max(blocks, 1)  # in (0, 1)
    test, val = (0.0 if rules.test is not None else rules.test_fraction), rules.val_fraction
    if blocks > 2:  # few blocks: one for each split that shall have any
        test, val = (max(fraction, 1 / blocks) if fraction else 0.0 for fraction in (test, val))
    return np.select([rank < test, rank < test + val], [2, 1], 0).astype(np.int64)
