"""Splits of a genome and the windows that tile it: no base in two splits, each bin that can be predicted once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from zoo.data.genome_split import GenomeSplit, SplitRules
from zoo.data.splits import SPLITS
from zoo.data.tiles import Tiles, tile, touched_bins
from zoo.errors import ConfigError

Ints = NDArray[np.int64]


class Case(NamedTuple):
    """A made genome and how it is tiled."""

    contigs: dict[str, int]
    rules: SplitRules
    bin_size: int
    bins: int
    crop: int

    @property
    def length(self) -> int:
        return (self.bins + 2 * self.crop) * self.bin_size

    def tiles(self, stride: int | None = None) -> tuple[Tiles, int]:
        genome_split = GenomeSplit(self.contigs, self.rules)
        return tile(self.contigs, genome_split, self.bin_size, self.bins, self.crop, stride or self.bins)


def random_case(seed: int) -> Case:
    """Contigs shorter and longer than a window, ends within a bin; half of the cases are split by contig."""
    rng = np.random.default_rng(seed)
    bin_size, bins, crop = int(rng.integers(1, 9)), int(rng.integers(1, 7)), int(rng.integers(0, 4))
    length = (bins + 2 * crop) * bin_size
    contigs = {f"c{i}": int(size) for i, size in enumerate(rng.integers(1, 25 * length, 6))}
    contigs["short"] = int(rng.integers(1, length + 1))
    if seed % 2:
        names = [str(name) for name in rng.permutation(list(contigs))]
        return Case(contigs, SplitRules(val=names[:1], test=names[1:3]), bin_size, bins, crop)
    block = int(rng.integers(length, 3 * length + 1))
    rules = SplitRules(block_size=block, val_fraction=0.25, test_fraction=0.25, split_seed=seed)
    return Case(contigs, rules, bin_size, bins, crop)


CASES = [random_case(seed) for seed in range(40)]
ALL = pytest.mark.parametrize("case", CASES, ids=[f"{seed}" for seed in range(len(CASES))])


def split_of_bases(case: Case) -> list[Ints]:
    """The split of each base of each contig: by its contig's name, or as the split deals its block."""
    rules, splits = case.rules, []
    genome_split = GenomeSplit(case.contigs, rules)
    for number, (name, length) in enumerate(case.contigs.items()):
        if rules.val is not None and rules.test is not None:
            splits.append(np.full(length, 1 if name in rules.val else 2 if name in rules.test else 0))
        else:
            contig = np.full(length, number)
            found = genome_split.split_of(contig, np.arange(length), 1)
            assert all(
                len(set(block)) == 1 for block in np.split(found, range(rules.block_size, length, rules.block_size))
            )
            splits.append(found)
    return splits


def read_by(case: Case, start: int, contig_length: int) -> slice:
    """The bases of its contig that a window reads."""
    first, last = (start - case.crop) * case.bin_size, (start + case.bins + case.crop) * case.bin_size
    return slice(max(first, 0), min(last, contig_length))


def possible(case: Case, split: Ints) -> dict[int, int]:
    """The first bins of all windows that might be on a contig -> their split: what they read is of one split."""
    found = {}
    for start in range(len(split) // case.bin_size - case.bins + 1):
        inside = set(split[read_by(case, start, len(split))].tolist())
        if len(inside) == 1:
            found[start] = inside.pop()
    return found


@ALL
def test_no_base_is_read_by_windows_of_two_splits(case: Case) -> None:
    for stride in (1, case.bins, 2 * case.bins + 1):
        tiles, _ = case.tiles(stride)
        lengths = list(case.contigs.values())
        reads = np.zeros((len(SPLITS), len(lengths), max(lengths)), dtype=bool)
        # Wherever a window may be moved.
        for start in (tiles.start, tiles.lowest, tiles.highest):
            for contig, first, split in zip(tiles.contig, start, tiles.split, strict=True):
                reads[split, contig, read_by(case, first, lengths[contig])] = True
        assert reads.any()
        assert reads.sum(0).max() == 1


@ALL
def test_a_window_has_the_split_of_its_bases_wherever_it_is_moved(case: Case) -> None:
    tiles, _ = case.tiles()
    allowed = [possible(case, split) for split in split_of_bases(case)]
    for row in range(len(tiles)):
        contig, lowest, highest = tiles.contig[row], tiles.lowest[row], tiles.highest[row]
        assert lowest <= tiles.start[row] <= highest
        for start in range(lowest, highest + 1):
            assert allowed[contig][start] == tiles.split[row]
        # And it is moved as far as that goes.
        assert allowed[contig].get(lowest - 1) != tiles.split[row]
        assert allowed[contig].get(highest + 1) != tiles.split[row]


@ALL
def test_every_bin_that_a_window_can_predict_is_predicted_once(case: Case) -> None:
    tiles, _ = case.tiles()
    overlap = tiles.overlap(case.bins)
    for contig, split in enumerate(split_of_bases(case)):
        wanted, found = np.zeros((2, len(split) // case.bin_size), dtype=np.int64)
        for start in possible(case, split):
            wanted[start : start + case.bins] = 1
        for row in np.flatnonzero(tiles.contig == contig):
            found[tiles.start[row] + overlap[row] : tiles.start[row] + case.bins] += 1
        assert found.tolist() == wanted.tolist()


@ALL
@pytest.mark.parametrize("stride", [1, 3, 20])
def test_windows_are_a_stride_apart_and_the_last_ends_with_its_region(case: Case, stride: int) -> None:
    tiles, _ = case.tiles(stride)
    overlap = tiles.overlap(case.bins)
    regions = np.stack([tiles.contig, tiles.lowest, tiles.highest])
    new = np.append(True, (np.diff(regions) != 0).any(0))
    for row in range(len(tiles)):
        if new[row]:
            assert (tiles.start[row], overlap[row]) == (tiles.lowest[row], 0)
            continue
        before, start = tiles.start[row - 1], tiles.start[row]
        step = case.bins if tiles.split[row] else stride  # a stride is for training alone
        assert before < start == min(before + step, tiles.highest[row])
        assert overlap[row] == max(before + case.bins - start, 0)
    last = np.append(new[1:], True)
    assert (tiles.start == tiles.highest)[last].all()


def test_regions_that_are_too_short_are_counted() -> None:
    # Windows of (4 + 2 * 1) * 10 bases. "b" has 3 bins and a half, "d" none; "c" is just long enough at both ends.
    case = Case({"a": 200, "b": 35, "c": 45, "d": 7}, SplitRules(val=[], test=[]), 10, 4, 1)
    tiles, too_short = case.tiles()
    assert sorted(set(tiles.contig.tolist())) == [0, 2]
    assert too_short == 4  # 42 bases in bins of 10


def test_tiles_on_paper() -> None:
    # Blocks of 100 bases: 0-100 train, 100-300 val, 300-345 train. Windows of 3 bins with 2 of context on each side.
    rules = SplitRules(block_size=100)
    genome_split = GenomeSplit({"c": 345}, rules)
    genome_split.block_split = np.array([0, 1, 1, 0])
    assert [values.tolist() for values in genome_split.regions()] == [
        [0, 0, 0],
        [0, 100, 300],
        [100, 300, 345],
        [0, 1, 0],
    ]
    tiles, too_short = tile({"c": 345}, genome_split, 10, 3, 2, 3)
    # The first region reaches over the contig's beginning, and its last 2 bins are context. The third, which reaches
    # over the end, has 4 bins and a half, of which the first 2 are context: too few.
    assert tiles.start.tolist() == [0, 3, 5, 12, 15, 18, 21, 24, 25]
    assert tiles.overlap(3).tolist() == [0, 0, 1, 0, 0, 0, 0, 0, 2]
    assert tiles.lowest.tolist() == [0] * 3 + [12] * 6
    assert tiles.highest.tolist() == [5] * 3 + [25] * 6
    assert tiles.split.tolist() == [0] * 3 + [1] * 6
    assert too_short == 4


def test_a_subset_keeps_what_belongs_together() -> None:
    tiles, _ = CASES[0].tiles()
    keep = np.arange(len(tiles)) % 3 == 1
    chosen = tiles.subset(keep)
    assert len(chosen) == keep.sum() < len(tiles)
    for name, values in vars(tiles).items():
        assert getattr(chosen, name).tolist() == values[keep].tolist()


# The split itself.


def test_contigs_go_to_the_splits_that_they_are_named_for() -> None:
    contigs = {"chr1": 50, "chr2": 90, "chr3": 10, "chrX": 30}
    genome_split = GenomeSplit(contigs, SplitRules(val=["3"], test=["chr1", "X"]))
    assert genome_split.block_split.tolist() == [2, 0, 1, 2]
    assert [values.tolist() for values in genome_split.regions()] == [
        [0, 1, 2, 3],
        [0] * 4,
        [50, 90, 10, 30],
        [2, 0, 1, 2],
    ]


def test_blocks_are_dealt_by_share_and_seed() -> None:
    contigs = {"a": 9_950, "b": 10_000}
    rules = SplitRules(block_size=100, val_fraction=0.2, test_fraction=0.1, split_seed=3)
    genome_split = GenomeSplit(contigs, rules)
    assert np.bincount(genome_split.block_split).tolist() == [140, 40, 20]
    assert genome_split.block_split.tolist() == GenomeSplit(contigs, rules).block_split.tolist()
    other = SplitRules(block_size=100, val_fraction=0.2, test_fraction=0.1, split_seed=4)
    assert genome_split.block_split.tolist() != GenomeSplit(contigs, other).block_split.tolist()


def test_a_window_over_the_border_of_two_splits_has_none() -> None:
    genome_split = GenomeSplit({"a": 30, "b": 45}, SplitRules(block_size=10))
    genome_split.block_split = np.array([0, 0, 1, 2, 2, 2, 0, 1])
    contig, start = np.array([0, 0, 0, 0, 1, 1, 1]), np.array([0, 11, 15, 20, 5, 29, 40])
    assert genome_split.split_of(contig, start, 5).tolist() == [0, 0, 0, 1, 2, -1, 1]
    assert genome_split.split_of(contig[:4], start[:4], 10).tolist() == [0, -1, -1, 1]


BAD_RULES = {
    "valid alone": (SplitRules(val=["a"]), "name the contigs of both `val` and `test`, or of neither"),
    "test alone": (SplitRules(test=["a"]), "name the contigs of both `val` and `test`, or of neither"),
    "short blocks": (SplitRules(block_size=99), "blocks of 99 bases are shorter than a window of 100"),
    "all": (SplitRules(val_fraction=0.5, test_fraction=0.5), "leave nothing"),
    "negative": (SplitRules(val_fraction=-0.1), "a validation fraction of -0.1"),
    "nan": (SplitRules(test_fraction=float("nan")), "a test fraction of nan"),
    "seed": (SplitRules(split_seed=-1), "split_seed is a number from 0 up"),
}


@pytest.mark.parametrize(("rules", "said"), BAD_RULES.values(), ids=BAD_RULES)
def test_rules_that_do_not_fit_are_refused(rules: SplitRules, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        rules.check(100)
    assert said in str(error.value)


def test_rules_that_fit_are_taken() -> None:
    SplitRules(block_size=100).check(100)
    SplitRules(val=["a"], test=["b"], block_size=5).check(100)


@pytest.mark.parametrize(
    ("val", "test", "said"),
    [
        (["a"], ["z"], "the contig 'z' of the test split is not in the genome, which has a, b"),
        (["z"], ["a"], "the contig 'z' of the val split is not in the genome"),
        (["a"], ["b", "a"], "the contig 'a' cannot be in both the val and the test split"),
    ],
)
def test_contigs_of_splits_that_do_not_fit_are_refused(val: list[str], test: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as error:
        GenomeSplit({"a": 10, "b": 20}, SplitRules(val=val, test=test))
    assert said in str(error.value)


def test_bins_that_regions_touch() -> None:
    # Contigs of 3 bins of 10 and of 2 and a half; a region past the end touches nothing, one over it what there is.
    regions = pd.DataFrame(
        {"chrom": ["a", "b", "b", "b"], "start": [9, 10, 30, 12], "end": [11, 11, 40, 90]}, index=[5, 6, 7, 8]
    )
    found = touched_bins({"a": 30, "b": 25}, 10, regions)
    assert found.tolist() == [True, True, False, False, True, True]
    assert not touched_bins({"a": 30, "b": 25}, 10, regions[2:3]).any()
    assert touched_bins({"a": 30, "b": 25}, 10, regions[:1]).tolist() == [True, True, False, False, False, False]
