"""How peaks become sites, which part each belongs to, and the report of what happened to them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zoo.data.splits import PARTS
from zoo.errors import ConfigError, InputError
from zoo.intervals import find_contigs, some_of

__all__ = ["PeakRules", "Report", "Split"]

Index = NDArray[np.int64]


@dataclass(frozen=True)
class PeakRules:
    """How peaks become sites.

    Args:
        length: bases of every site: what the model will read.
        merge_overlap: windows that overlap by so many bases become one site; None for a third of the length, as Basset.
        summits: centre a narrowPeak on its summit; else every peak on its middle.
        blacklist: BED file of what no site may touch.
        min_unmasked: share of a site's bases that must be unmasked; N is masked.
        soft_masked: whether lower-case letters count as masked too.
        valid: contigs whose sites are for validation; with `test`, instead of random blocks.
        test: contigs whose sites are for the test.
        block_size: bases of the blocks that are dealt to train, valid and test at random.
        valid_fraction: share of the blocks for validation.
        test_fraction: share of the blocks for the test.
        negatives: windows without a peak added for each site, matched in GC content and part.
        split_seed: of the blocks and the negatives.
    """

    length: int = 600
    merge_overlap: int | None = None
    summits: bool = True
    blacklist: str | None = None
    min_unmasked: float = 0.5
    soft_masked: bool = False
    valid: list[str] | None = None
    test: list[str] | None = None
    block_size: int = 100_000
    valid_fraction: float = 0.1
    test_fraction: float = 0.1
    negatives: float = 0.0
    split_seed: int = 0

    def __post_init__(self) -> None:
        overlap = self.overlap
        if self.length < 1 or not 0 < overlap <= self.length:
            raise ConfigError(f"windows of {self.length} bases cannot overlap by {overlap}")
        if (self.valid is None) != (self.test is None):
            raise ConfigError("name the contigs of both `valid` and `test`, or of neither")
        if self.valid is None and self.block_size < self.length:
            raise ConfigError(f"blocks of {self.block_size} bases are shorter than a window of {self.length}")
        valid, test = self.valid_fraction, self.test_fraction
        if not (valid >= 0 and test >= 0 and valid + test < 1):  # said so that nan is refused
            raise ConfigError(
                f"a validation share of {self.valid_fraction} and a test share of {self.test_fraction} leave nothing"
            )
        if not 0 <= self.min_unmasked <= 1 or not 0 <= self.negatives < math.inf or self.split_seed < 0:
            raise ConfigError("min_unmasked is a share from 0 to 1, negatives and split_seed numbers from 0 up")

    @property
    def overlap(self) -> int:
        """Bases by which windows overlap that become one site."""
        return self.length // 3 if self.merge_overlap is None else self.merge_overlap


@dataclass
class Report:
    """What happened to the peaks: one line a step, with how many were dropped, and why."""

    lines: list[str] = field(default_factory=list)

    def say(self, line: str) -> None:
        """Add a line."""
        self.lines.append(line)

    def drop(self, count: int, kind: str, why: str) -> None:
        """Add a line for what was dropped, if anything was."""
        if count:
            self.say(f"{count:,} {kind} dropped: {why}")

    def refuse_if_empty(self, left: int, kind: str) -> None:
        """Refuse to go on with nothing, showing the count of every step."""
        if not left:
            raise InputError(f"no {kind} is left: {'; '.join(self.lines)}")


class Split:
    """Which part a window belongs to: by its contig, or by the block it lies in.

    Args:
        contigs: contig -> length.
        rules: `valid` and `test` contigs, or the size and shares of random blocks.
    """

    def __init__(self, contigs: Mapping[str, int], rules: PeakRules) -> None:
        self.length = rules.length
        # By contig, the whole of one is one block.
        size = max(contigs.values()) if rules.valid is not None else rules.block_size
        blocks = np.array([-(-length // size) for length in contigs.values()])
        self.size, self.first = size, blocks.cumsum() - blocks
        self.part = (
            _by_contig(list(contigs), rules) if rules.valid is not None else _at_random(int(blocks.sum()), rules)
        )

    def part_of(self, contig: Index, start: Index) -> Index:
        """The part of windows (N,), -1 where one lies across a border between two."""
        head = self.part[self.first[contig] + start // self.size]
        tail = self.part[self.first[contig] + (start + self.length - 1) // self.size]
        return np.where(head == tail, head, -1)


def _by_contig(names: list[str], rules: PeakRules) -> Index:
    part = np.zeros(len(names), np.int64)
    for index, chosen in ((1, rules.valid or []), (2, rules.test or [])):
        for name, found in find_contigs(chosen, names).items():
            if found is None:
                raise ConfigError(
                    f"the contig {name!r} of the {PARTS[index]} part is not in the genome, which has {some_of(names)}"
                )
            if part[names.index(found)]:
                raise ConfigError(f"the contig {found!r} cannot be in the valid and the test part")
            part[names.index(found)] = index
    return part


def _at_random(blocks: int, rules: PeakRules) -> Index:
    share = (np.random.default_rng(rules.split_seed).permutation(blocks) + 0.5) / blocks
    test, valid = rules.test_fraction, rules.valid_fraction
    return np.select([share < test, share < test + valid], [2, 1], 0).astype(np.int64)
