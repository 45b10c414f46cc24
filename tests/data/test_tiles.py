"""Splits of a genome and the windows that tile it: no base in two splits, each bin that can be predicted once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from zoo.data.genome_split import GenomeSplit, SplitRules
from zoo.data.splits import SPLITS
from zoo.data.tiles import Tiles, tile, touched_bins
from zoo.errors import ConfigError, InputError

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
            size = rules.block_size or 0
            assert all(len(set(block)) == 1 for block in np.split(found, range(size, length, size)))
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


def dealt(contigs: dict[str, int], size: int, splits: list[int], monkeypatch: pytest.MonkeyPatch) -> GenomeSplit:
    """Random blocks that happen to have these splits."""
    monkeypatch.setattr("zoo.data.genome_split._draw", lambda *_: np.array(splits))
    return GenomeSplit(contigs, SplitRules(block_size=size))


def test_tiles_on_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    # Blocks of 100 bases: 0-100 train, 100-300 val, 300-345 train. Windows of 3 bins with 2 of context on each side.
    genome_split = dealt({"c": 345}, 100, [0, 1, 1, 0], monkeypatch)
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
    assert [values.tolist() for values in genome_split.regions()] == [
        [0, 1, 2, 3],
        [0] * 4,
        [50, 90, 10, 30],
        [2, 0, 1, 2],
    ]


def test_blocks_are_dealt_by_share_and_seed() -> None:
    contigs = {"a": 9_950, "b": 10_000}
    rules = SplitRules(block_size=100, val_fraction=0.2, test_fraction=0.1, split_seed=3)

    def blocks(rules: SplitRules) -> list[int]:
        contig, start = np.repeat([0, 1], 100), np.tile(np.arange(100) * 100, 2)
        return [int(split) for split in GenomeSplit(contigs, rules).split_of(contig, start, 50)]

    assert np.bincount(blocks(rules)).tolist() == [140, 40, 20]
    assert blocks(rules) == blocks(rules)
    assert blocks(rules) != blocks(replace(rules, split_seed=4))
    # The test contig is given, and a fifth of the blocks of the other is for validation.
    given = blocks(replace(rules, test=["b"]))
    assert set(given[100:]) == {2}
    assert np.bincount(given[:100]).tolist()[1] in range(10, 31)
    assert 2 not in given[:100]


def regions_of(bed: Path, *regions: tuple[str, int, int]) -> str:
    bed.write_text("".join(f"{name}\t{start}\t{end}\n" for name, start, end in regions))
    return str(bed)


def test_regions_of_bed_files_are_for_their_splits(tmp_path: Path) -> None:
    contigs = {"chr1": 1_000, "chr2": 500, "chr3": 300}
    val = regions_of(tmp_path / "val.bed", ("1", 100, 200), ("1", 150, 250), ("chr2", 400, 9_999))
    test = regions_of(tmp_path / "test.bed", ("chr1", 250, 300), ("chr1", 900, 1_000))
    genome_split = GenomeSplit(contigs, SplitRules(val=[val], test=[test, "chr3"]))
    expected = {name: np.zeros(size, int) for name, size in contigs.items()}
    expected["chr1"][100:250] = expected["chr2"][400:] = 1
    expected["chr1"][250:300] = expected["chr1"][900:] = expected["chr3"][:] = 2
    for number, (name, size) in enumerate(contigs.items()):
        found = genome_split.split_of(np.full(size, number), np.arange(size), 1)
        assert found.tolist() == expected[name].tolist()
    contig, start, end, split = genome_split.regions()
    assert list(zip(contig.tolist(), start.tolist(), end.tolist(), split.tolist(), strict=True)) == [
        (0, 0, 100, 0), (0, 100, 250, 1), (0, 250, 300, 2), (0, 300, 900, 0), (0, 900, 1000, 2),
        (1, 0, 400, 0), (1, 400, 500, 1), (2, 0, 300, 2),
    ]  # fmt: skip
    assert SplitRules(val=[val], test=[test, "chr3"]).contigs == ["chr3", "1", "chr2", "chr1"]


def test_regions_alone_for_test_leave_blocks_for_validation(tmp_path: Path) -> None:
    test = regions_of(tmp_path / "test.bed", ("a", 1_000, 2_000))
    rules = SplitRules(test=[test], block_size=100, val_fraction=0.2)
    split = GenomeSplit({"a": 10_000}, rules).split_of(np.zeros(10_000, np.int64), np.arange(10_000), 1)
    assert (split == 2).tolist() == [1_000 <= place < 2_000 for place in range(10_000)]
    assert 1_000 <= (split == 1).sum() <= 2_000


def test_regions_of_two_splits_and_of_other_contigs_are_refused(tmp_path: Path) -> None:
    one, other = regions_of(tmp_path / "1.bed", ("a", 5, 20)), regions_of(tmp_path / "2.bed", ("a", 19, 30))
    with pytest.raises(ConfigError, match="a:20 is in both the val and the test split"):
        GenomeSplit({"a": 100}, SplitRules(val=[one], test=[other]))
    with pytest.raises(ConfigError, match="the contig 'a' of the test split is not in the genome, which has b"):
        GenomeSplit({"b": 100}, SplitRules(val=[], test=[other]))
    with pytest.raises(InputError, match="no such file"):
        GenomeSplit({"b": 100}, SplitRules(val=[], test=["nothing.bed"]))


def test_a_window_over_the_border_of_two_splits_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    genome_split = dealt({"a": 30, "b": 45}, 10, [0, 0, 1, 2, 2, 2, 0, 1], monkeypatch)
    contig, start = np.array([0, 0, 0, 0, 1, 1, 1]), np.array([0, 11, 15, 20, 5, 29, 40])
    assert genome_split.split_of(contig, start, 5).tolist() == [0, 0, 0, 1, 2, -1, 1]
    assert genome_split.split_of(contig[:4], start[:4], 10).tolist() == [0, -1, -1, 1]


BAD_RULES = {
    "val alone": (SplitRules(val=["a"]), "name the contigs of `test` as well as those of `val`"),
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


@pytest.mark.parametrize(("length", "size"), [(600, 100_000), (32_768, 131_072), (1_024_000, 4_096_000)])
def test_blocks_suit_the_windows(length: int, size: int) -> None:
    assert SplitRules().for_windows(length).block_size == size
    assert SplitRules(block_size=2 * length).for_windows(length).block_size == 2 * length


@pytest.mark.parametrize("seed", range(20))
def test_no_split_is_made_of_ends_and_short_contigs(seed: int) -> None:
    contigs = {"a": 25 * 10 + 1} | {f"scaffold_{number}": 3 for number in range(60)} | {"b": 14}
    split = GenomeSplit(contigs, SplitRules(block_size=10, split_seed=seed))
    found = split.split_of(np.zeros(25, np.int64), np.arange(25) * 10, 10)
    # 27 whole blocks, of which the last two are b's 10 and 4 (short) bases.
    assert {0, 1, 2} == set(found.tolist())
    assert np.bincount(found, minlength=3)[1] in (2, 3)


@pytest.mark.parametrize("blocks", [3, 4, 5, 9, 10, 50])
def test_few_blocks_leave_no_split_empty(blocks: int) -> None:
    found = GenomeSplit({"a": 10 * blocks}, SplitRules(block_size=10)).split_of(
        np.zeros(blocks, np.int64), np.arange(blocks) * 10, 10
    )
    share = max(1, round(blocks / 10))
    assert np.bincount(found).tolist() == [blocks - 2 * share, share, share]


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
