"""From coolers to batches: maps and bases belong together, shifted, reverse-complemented, masked or split by process.

What a window shall hold is computed from the dense matrices that `cooler` reads, diagonal by diagonal.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cooler
import numpy as np
import pandas as pd
import pyBigWig
import pytest
import torch
from made.contacts import BIN, bins_of, make_contacts
from made.tracks import PARTNERS, MadeInputs, make_inputs, slow_inputs
from numpy.typing import NDArray

from zoo.batch import Batch
from zoo.data.contacts.dataset import ContactDataset
from zoo.data.contacts.maps import MapRules
from zoo.data.contacts.module import ContactDataModule
from zoo.data.genome_split import SplitRules
from zoo.data.samplers import EpochSampler
from zoo.data.splits import Split
from zoo.errors import ConfigError, InputError
from zoo.formats.cooler import CoolerFile
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import decode
from zoo.models.akita import Akita
from zoo.models.mlp import MLP
from zoo.nn.losses import find_loss
from zoo.outputs import Contacts

Values = NDArray[np.float64]
# Of 256 bases: 159, 64, 48 and 3 bins; the last of each is no whole one.
SIZES = {"chr1": 40_500, "chr2": 16_300, "chr3": 12_033, "chr4": 700}
# Windows of 18 bins, the outer two on each side context.
BINS, CROP, DIAGONAL = 14, 2, 2
LENGTH = (BINS + 2 * CROP) * BIN
BY_CONTIG = SplitRules(val=["chr2"], test=["3"])
IN_BLOCKS = SplitRules(block_size=10_000, val_fraction=0.2, test_fraction=0.2, split_seed=3)
# What the split by contig leaves for training, in bins.
TRAIN = [("chr1", 0, 159), ("chr4", 0, 3)]
# Maps as they come: neither coarse-grained nor filled nor smoothed.
RAW = MapRules(least_count=0, fill=0)
# Bins without a weight: one alone, and several together.
UNWEIGHTED = {"chr1": [50, 90, 91, 92], "chr2": [20, 40, 41]}
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


class World(NamedTuple):
    """A genome, and two coolers of it; the other one has its contigs in another order and calls them 1, 2, 3, 4."""

    genome: str
    one: str
    other: str


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    made = make_contacts(folder, SIZES, weights=False)
    (folder / "second").mkdir()
    second = make_contacts(folder / "second", SIZES, seed=1, weights=False)
    weights = {name: np.random.default_rng(2).uniform(0.5, 1.5, -(-size // BIN)) for name, size in SIZES.items()}
    for name, places in UNWEIGHTED.items():
        weights[name][places] = np.nan
    one = write_cooler(folder / "one.cool", counts_of(made.cooler), weights)
    counts = {name[3:]: counts for name, counts in reversed(counts_of(second.cooler).items())}
    other = write_cooler(
        folder / "other.cool", counts, {name: np.full(len(each), 2.0) for name, each in counts.items()}
    )
    return World(str(made.genome), one, other)


def counts_of(path: str | Path) -> dict[str, NDArray[np.int64]]:
    """The contacts within each contig."""
    file = cooler.Cooler(str(path))
    return {name: file.matrix(balance=False).fetch(name) for name in file.chromnames}


def weights_of(path: str) -> dict[str, Values]:
    file = cooler.Cooler(path)
    return {name: file.bins().fetch(name)["weight"].to_numpy().copy() for name in file.chromnames}


def write_cooler(
    path: Path,
    counts: Mapping[str, NDArray[np.int64]],
    weights: Mapping[str, Values] | None = None,
    sizes: Mapping[str, int] | None = None,
) -> str:
    """A cooler of contacts within contigs."""
    sizes = sizes or {name: SIZES["chr" + name.removeprefix("chr")] for name in counts}
    pieces, offset = [], 0
    for name, matrix in counts.items():
        row, column = np.nonzero(np.triu(matrix))
        count = matrix[row, column]
        pieces.append(pd.DataFrame({"bin1_id": row + offset, "bin2_id": column + offset, "count": count}))
        offset += -(-sizes[name] // BIN)
    table = bins_of({name: sizes[name] for name in counts}, BIN)
    if weights is not None:
        table["weight"] = np.concatenate([weights[name] for name in counts])
    cooler.create_cooler(str(path), table, pd.concat(pieces), ordered=True)
    return str(path)


def module(world: World, **options: Any) -> ContactDataModule:
    """Still windows of maps as they come, split by contig, unless the options say otherwise."""
    given: dict[str, Any] = {"genome": world.genome, "coolers": {"one": world.one}, "length": LENGTH, "crop": CROP}
    given |= {"maps": RAW, "split": BY_CONTIG, "reverse_complement": False}
    return ContactDataModule(**{**given, **options})


def bed(folder: Path, *regions: tuple[str, int, int]) -> list[str]:
    path = folder / "regions.bed"
    path.write_text("".join(f"{chrom}\t{start}\t{end}\n" for chrom, start, end in regions))
    return [str(path)]


def all_of(data: ContactDataModule, split: Split) -> Batch:
    """The windows of a split in one batch, as they lie."""
    dataset = data.dataset(split)
    return dataset.__getitems__(list(range(len(dataset))))


def rows(dataset: ContactDataset, epoch: int, seed: int = 0) -> Batch:
    """All windows of an epoch as the training loader orders them, in one batch."""
    sampler = EpochSampler(len(dataset), seed)
    sampler.set_epoch(epoch)
    return dataset.__getitems__(list(sampler))


def letters_of(batch: Batch) -> list[str]:
    return [decode(row) for row in batch.codes.numpy()]


def contig_of(world: World, name: str) -> str:
    return Genome(world.genome).sequence(Interval(name, 0, SIZES[name]))


def window(world: World, name: str, first: int) -> str:
    """The letters of the window that predicts from this bin on."""
    start = (first - CROP) * BIN
    return Genome(world.genome).sequence(Interval(name, start, start + LENGTH))


def place_of(letters: str, contig: str) -> tuple[int, bool]:
    """Where a window begins on its contig, before 0 where it reaches over its beginning; whether it is flipped."""
    flip = letters.strip("N") not in contig
    letters = letters[::-1].translate(COMPLEMENT) if flip else letters
    found = contig.find(letters.strip("N"))
    assert found >= 0
    return found - (len(letters) - len(letters.lstrip("N"))), flip


def slow_maps(
    uri: str,
    regions: Iterable[tuple[str, int, int]] = (*TRAIN,),
    masked: Mapping[str, Sequence[int]] | None = None,
    clip: float = 2.0,
) -> dict[str, Values]:
    """log(observed/expected) of each contig (n, n), expected within regions; NaN on the first two diagonals."""
    file, masked = cooler.Cooler(uri), masked or {}
    ours = {"chr" + name.removeprefix("chr"): name for name in file.chromnames}
    observed = {name: file.matrix(balance=True).fetch(ours[name]) for name in SIZES}
    for name, places in masked.items():
        observed[name][places] = observed[name][:, places] = np.nan
    found = {name: np.full_like(each, np.nan) for name, each in observed.items()}
    for distance in range(DIAGONAL, BINS):
        near = [np.diagonal(observed[name][start:end, start:end], distance) for name, start, end in regions]
        expected = np.nanmean(np.concatenate(near))
        for name, each in observed.items():
            row = np.arange(max(len(each) - distance, 0))
            with np.errstate(divide="ignore"):
                values = np.log(each[row, row + distance] / expected)
            found[name][row, row + distance] = found[name][row + distance, row] = np.clip(values, -clip, clip)
    return found


def pixels_of(maps: Values, first: int, flip: bool = False) -> Values:
    """What a window has that predicts from a bin on, on either strand (P,)."""
    square = maps[first : first + BINS, first : first + BINS]
    found: Values = (square[::-1, ::-1] if flip else square)[np.triu_indices(BINS, DIAGONAL)]
    return found


def starts_of(name: str) -> list[int]:
    """The first bins of the windows of a contig: one after the other, the last one at its last whole bin."""
    last = SIZES[name] // BIN - BINS
    return [*range(0, last, BINS), last]


def slow_windows(world: World, name: str, maps: Values) -> tuple[list[str], Values]:
    """All windows of a contig: letters, and targets (B, P), NaN where an earlier window has the pixel."""
    seen: set[tuple[int, int]] = set()
    sequences, targets = [], []
    for first in starts_of(name):
        sequences.append(window(world, name, first))
        pairs = [(int(i) + first, int(j) + first) for i, j in zip(*np.triu_indices(BINS, DIAGONAL), strict=True)]
        targets.append([np.nan if pair in seen else maps[pair] for pair in pairs])
        seen |= set(pairs)
    return sequences, np.array(targets)


# Validation and test: as they are, each pixel once.


@pytest.mark.parametrize(("split", "name"), [("val", "chr2"), ("test", "chr3")])
@pytest.mark.parametrize("batch_size", [2, 100])
def test_validation_and_test_are_log_observed_over_expected_of_what_cooler_reads(
    world: World, split: str, name: str, batch_size: int
) -> None:
    data = module(world, batch_size=batch_size)
    batches = list(data.val_dataloader() if split == "val" else data.test_dataloader())
    sequences, targets = slow_windows(world, name, slow_maps(world.one)[name])
    assert sequences[0].startswith("N" * CROP * BIN)
    assert [letters for batch in batches for letters in letters_of(batch)] == sequences
    found = np.concatenate([batch.target.numpy() for batch in batches])
    assert found.shape == (len(sequences), 1, 12 * 13 // 2)
    np.testing.assert_allclose(found[:, 0], targets, rtol=1e-5, atol=1e-6)
    assert np.nanstd(found) > 0.3
    assert (batches[0].codes.dtype, batches[0].target.dtype) == (torch.uint8, torch.float32)
    assert batches[0].inputs is None


def test_pixels_that_two_windows_share_count_once_and_none_is_lost(world: World) -> None:
    batch = all_of(module(world, coolers={"other": world.other}), "val")  # no bin of this one lacks a weight
    row, column = np.triu_indices(BINS, DIAGONAL)
    counted, wanted = np.zeros((64, 64)), np.zeros((64, 64), bool)
    for first, target in zip(starts_of("chr2"), batch.target[:, 0].numpy(), strict=True):
        wanted[row + first, column + first] = True
        counted[row + first, column + first] += ~np.isnan(target)
    assert starts_of("chr2")[-1] - starts_of("chr2")[-2] == 7
    assert np.array_equal(counted, wanted)


@pytest.mark.parametrize("rules", [MapRules(), MapRules(least_count=8, fill=2, smooth=1.0, clip=1.0)])
def test_targets_are_the_bands_values_pixel_by_pixel(world: World, rules: MapRules) -> None:
    data = module(world, maps=rules, coolers={"one": world.one, "other": world.other})
    batch, first = all_of(data, "train"), data.bands[0].first[0]
    assert len(batch.target) == len(starts_of("chr1"))
    for start, targets in zip(starts_of("chr1"), batch.target.numpy(), strict=True):
        for band, target in zip(data.bands, targets, strict=True):
            pixel = iter(target.tolist())
            for row in range(BINS):
                for column in range(row + DIAGONAL, BINS):
                    assert next(pixel) == pytest.approx(
                        float(band.values[first + start + row, column - row]), abs=0, nan_ok=True
                    )


def test_several_coolers_are_several_targets_in_the_order_given(world: World) -> None:
    one, other = slow_maps(world.one), slow_maps(world.other)
    for coolers, maps in (
        ({"b": world.one, "a": world.other}, [one, other]),
        ({"a": world.other, "b": world.one}, [other, one]),
    ):
        data = module(world, coolers=coolers)
        assert data.targets == list(coolers)
        assert data.output.targets == tuple(coolers)
        assert data.output.shape == (2, 78)
        target = all_of(data, "test").target.numpy()
        for index, each in enumerate(maps):
            expected = slow_windows(world, "chr3", each["chr3"])[1]
            np.testing.assert_allclose(target[:, index], expected, rtol=1e-5, atol=1e-6)


def test_logarithms_are_clipped_at_what_was_asked_for(world: World) -> None:
    found = all_of(module(world, maps=MapRules(least_count=0, fill=0, clip=0.5)), "test").target[:, 0].numpy()
    expected = slow_windows(world, "chr3", slow_maps(world.one, clip=0.5)["chr3"])[1]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert (np.nanmin(found), np.nanmax(found)) == (-0.5, 0.5)


def test_a_context_of_no_bin_and_another_diagonal_are_read_alike(world: World) -> None:
    data = module(world, crop=0, length=BINS * BIN, diagonal=5)
    maps = slow_maps(world.one)["chr3"]
    batch = all_of(data, "test")
    row, column = np.triu_indices(BINS, 5)
    genome = Genome(world.genome)
    assert letters_of(batch)[1] == genome.sequence(Interval("chr3", 14 * BIN, 28 * BIN))
    np.testing.assert_allclose(batch.target[1, 0], maps[row + 14, column + 14], rtol=1e-5, atol=1e-6)


# Training: sequence and map are shifted and reverse-complemented together.


@pytest.mark.parametrize(
    "moves",
    [
        {},
        {"shift": 7 * BIN},
        {"reverse_complement": True},
        {"shift": 7 * BIN, "reverse_complement": True},
        {"shift": 7 * BIN, "reverse_complement": True, "jitter": 9},
    ],
    ids=["at rest", "shifted", "reverse-complemented", "both", "jittered too"],
)
def test_the_map_of_a_training_window_is_that_of_its_bases(world: World, moves: dict[str, Any]) -> None:
    dataset, contig = module(world, **moves).dataset("train"), contig_of(world, "chr1")
    maps, firsts, flips, off = slow_maps(world.one)["chr1"], set(), [], set()
    for epoch in range(4):
        batch = rows(dataset, epoch)
        for letters, target in zip(letters_of(batch), batch.target[:, 0].numpy(), strict=True):
            place, flip = place_of(letters, contig)
            start = round(place / BIN)  # where it lay before it was jittered
            np.testing.assert_allclose(target, pixels_of(maps, start + CROP, flip), rtol=1e-5, atol=1e-6)
            firsts.add(start + CROP)
            flips.append(flip)
            off.add(place - start * BIN)
    assert max(map(abs, off)) <= moves.get("jitter", 0)
    assert len(off) > moves.get("jitter", 0)
    if "shift" in moves:
        assert len(firsts) > 25
        assert min(firsts) >= 0
        assert max(firsts) <= SIZES["chr1"] // BIN - BINS
    else:
        assert sorted(firsts) == starts_of("chr1")
    assert (10 < sum(flips) < len(flips) - 10) if "reverse_complement" in moves else not any(flips)


def test_pixels_that_two_training_windows_share_count_in_both(world: World) -> None:
    batch = all_of(module(world, coolers={"other": world.other}, stride=5), "train")
    assert len(batch.target) == 30  # from 0 to 144 by fives, and 144
    assert not torch.isnan(batch.target).any()


def test_seed_and_epoch_alone_fix_the_moves(world: World) -> None:
    moves: dict[str, Any] = {"shift": 7 * BIN, "reverse_complement": True}
    dataset, other = module(world, **moves).dataset("train"), module(world, **moves, seed=1).dataset("train")
    first = rows(dataset, 0)
    assert same(rows(dataset, 0), first)
    assert not same(rows(dataset, 1), first)
    assert not same(rows(other, 0), first)


def same(one: Batch, other: Batch) -> bool:
    return all(
        (a is None and b is None)
        or (a is not None and b is not None and np.array_equal(a.numpy(), b.numpy(), equal_nan=a.is_floating_point()))
        for a, b in zip(one, other, strict=True)
    )


# No base in two splits, nothing of the test in training.


@pytest.mark.parametrize("rules", [BY_CONTIG, IN_BLOCKS], ids=["contigs", "blocks"])
def test_no_base_is_read_in_two_splits(world: World, rules: SplitRules) -> None:
    data = module(world, split=rules, shift=100 * BIN, jitter=30, reverse_complement=True, stride=3)
    contigs = {name: contig_of(world, name) for name in SIZES}
    read = {name: np.zeros((3, size), bool) for name, size in SIZES.items()}
    batches = [(0, rows(data.dataset("train"), epoch)) for epoch in range(5)]
    batches += [(1, all_of(data, "val")), (2, all_of(data, "test"))]
    for split, batch in batches:
        for letters in letters_of(batch):
            bare = letters.strip("N")
            name = next(n for n, text in contigs.items() if bare in text or bare[::-1].translate(COMPLEMENT) in text)
            place, _ = place_of(letters, contigs[name])
            read[name][split, max(place, 0) : place + LENGTH] = True
    for split in range(3):
        assert sum(int(each[split].sum()) for each in read.values()) > 8_000
    assert max(int(each.sum(0).max()) for each in read.values()) == 1


@pytest.mark.slow
def test_nothing_of_validation_and_test_enters_what_is_expected_or_learned(world: World, tmp_path: Path) -> None:
    counts, weights = counts_of(world.one), weights_of(world.one)
    rules = MapRules(least_count=5, fill=2, smooth=1.0)
    before = module(world, maps=rules)
    expected, learned = before.bands[0].expected, all_of(before, "train")
    for name in ("chr2", "chr3"):
        changed = {**counts, name: 3 * counts[name] + 1}
        data = module(world, maps=rules, coolers={"one": write_cooler(tmp_path / f"{name}.cool", changed, weights)})
        assert np.array_equal(data.bands[0].expected, expected, equal_nan=True)
        assert same(all_of(data, "train"), learned)
        split: Split = "val" if name == "chr2" else "test"
        assert not same(all_of(data, split), all_of(before, split))  # what was changed is seen where it shall be
    changed = {**counts, "chr1": 3 * counts["chr1"] + 1}
    data = module(world, maps=rules, coolers={"one": write_cooler(tmp_path / "chr1.cool", changed, weights)})
    assert not np.array_equal(data.bands[0].expected, expected, equal_nan=True)


@pytest.mark.slow
def test_what_is_expected_is_counted_in_the_training_blocks_alone(world: World, tmp_path: Path) -> None:
    data, contigs = module(world, split=IN_BLOCKS), {name: contig_of(world, name) for name in SIZES}
    splits: list[Split] = ["train", "val", "test"]
    for split in splits:
        counts, found = counts_of(world.one), 0
        for name, matrix in counts.items():
            read = np.zeros(len(matrix), np.bool_)
            for letters in letters_of(all_of(data, split)):
                if letters.strip("N") in contigs[name]:
                    place, _ = place_of(letters, contigs[name])
                    read[max(place, 0) // BIN : (place + LENGTH) // BIN] = True
            matrix[read | read[:, None]] *= 7
            found += int(read.sum())
        assert found > 30
        path = write_cooler(tmp_path / f"{split}.cool", counts, weights_of(world.one))
        other = module(world, split=IN_BLOCKS, coolers={"one": path})
        unchanged = np.array_equal(data.bands[0].expected, other.bands[0].expected, equal_nan=True)
        assert unchanged == (split != "train")


def test_what_is_expected_is_counted_within_arms(world: World, tmp_path: Path) -> None:
    """A bin across the border of two arms belongs to neither."""
    (arms,) = bed(tmp_path, ("1", 0, 70 * BIN + 9), ("1", 70 * BIN + 9, SIZES["chr1"]), ("chr2", 0, 9_000))
    data = module(world, arms=arms)
    maps = slow_maps(world.one, [("chr1", 0, 70), ("chr1", 71, 159)])
    np.testing.assert_allclose(
        all_of(data, "val").target[:, 0], slow_windows(world, "chr2", maps["chr2"])[1], rtol=1e-5, atol=1e-6
    )
    assert not np.allclose(maps["chr2"], slow_maps(world.one)["chr2"], equal_nan=True)


# What is left out, and what is said of it.


def test_the_blacklist_and_bins_without_a_weight_are_nan(world: World, tmp_path: Path) -> None:
    # The bins 11 and 12 of chr2, the first and the last with a base; what lies past the end of a contig is nowhere.
    blacklist = bed(tmp_path, ("2", 3_000, 3_073), ("chr2", 16_000, 99_000), ("1", 2_560, 3_072), ("chr9", 1, 2))
    data = module(world, blacklist=blacklist)
    maps = slow_maps(world.one, masked={"chr1": [10, 11], "chr2": [11, 12, 62, 63]})
    for split, name in (("val", "chr2"), ("test", "chr3")):
        found = all_of(data, "val" if split == "val" else "test").target[:, 0].numpy()
        np.testing.assert_allclose(found, slow_windows(world, name, maps[name])[1], rtol=1e-5, atol=1e-6)
    target = all_of(data, "train").target[:, 0].numpy()
    for first, found in zip(starts_of("chr1"), target, strict=True):
        np.testing.assert_allclose(found, pixels_of(maps["chr1"], first), rtol=1e-5, atol=1e-6)
        masked = {10, 11, 50, 90, 91, 92} & set(range(first, first + BINS))
        kept = [i for i in range(first, first + BINS) if i not in masked]
        assert np.count_nonzero(~np.isnan(found)) == sum(j - i >= DIAGONAL for i in kept for j in kept)


def test_bins_without_a_weight_alone_between_others_are_filled_where_that_is_asked_for(world: World) -> None:
    data = module(world, maps=MapRules(least_count=0, fill=1))
    good = data.bands[0].observed
    assert np.flatnonzero(~good).tolist() == [90, 91, 92, 159 + 40, 159 + 41]
    values = data.bands[0].values
    maps = slow_maps(world.one)["chr1"]
    # (50, 55) lies between (49, 55) and (51, 55); the distance counts nothing, for what is filled are logarithms.
    assert values[50, 5] == pytest.approx((maps[49, 55] + maps[51, 55]) / 2, rel=1e-5)
    assert np.isnan(values[91, 2:]).all()


def test_windows_that_are_masked_are_counted_and_left_out(world: World, tmp_path: Path) -> None:
    # The first three windows wholly; of that from 42 on seven bins of 14, and the bin 50, which has no weight.
    data = module(world, blacklist=bed(tmp_path, ("chr1", 0, 49 * BIN)))
    assert data.dataset("train").tiles.start.tolist() == starts_of("chr1")[4:]
    assert "4 windows dropped: over 50% of their bins are masked (3 of them completely)" in data.describe()
    kept = module(world, blacklist=data.blacklist, max_masked=8 / 14)
    assert kept.dataset("train").tiles.start.tolist() == starts_of("chr1")[3:]


def test_a_bin_that_one_target_has_is_not_masked(world: World) -> None:
    both = module(world, coolers={"one": world.one, "other": world.other}, max_masked=0)
    assert len(both.dataset("train")) == len(starts_of("chr1"))
    assert len(module(world, max_masked=0).dataset("train")) == len(starts_of("chr1")) - 2  # with 50, and 90 to 92


def test_a_module_says_what_it_holds_and_what_it_left_out(world: World, tmp_path: Path) -> None:
    data = module(world, coolers={"one": world.one, "other": world.other}, blacklist=bed(tmp_path, ("1", 0, 42 * BIN)))
    assert data.describe() == [
        "2 bins dropped: in regions that are too short for a window",
        "3 windows dropped: over 50% of their bins are masked (3 of them completely)",
        "one: 49 of 274 bins masked: without a weight, or blacklisted",
        "other: 42 of 274 bins masked: without a weight, or blacklisted",
        "maps: log(observed/expected), coarse-grained to 0 contacts, clipped at 2, gaps up to 0 filled, Gaussian of 0 "
        "bins",
        "splits: validation chr2; test 3",
        "train: 9 windows of 14 bins",
        "val: 5 windows of 14 bins",
        "test: 4 windows of 14 bins",
    ]


def test_contigs_that_some_cooler_lacks_are_left_out_unless_they_are_wanted(world: World, tmp_path: Path) -> None:
    counts = {name: counts for name, counts in counts_of(world.one).items() if name != "chr4"}
    coolers = {"one": write_cooler(tmp_path / "three.cool", counts, weights_of(world.one)), "other": world.other}
    data = module(world, coolers=coolers)
    assert list(data.bands[1].contigs) == ["chr1", "chr2", "chr3"]
    assert data.describe()[0] == "1 contigs left out, which some cooler does not have: chr4"
    with pytest.raises(InputError, match=r"three\.cool has no contig 'chr4', which is wanted; it has chr1, chr2, chr3"):
        module(world, coolers=coolers, contigs=["chr1", "2", "chr3", "4"]).describe()
    with pytest.raises(InputError, match=r"three\.cool has no contig 'chr4', which is wanted"):
        module(world, coolers=coolers, split=SplitRules(val=["chr2"], test=["4"])).describe()


def test_what_was_measured_and_its_unit_are_said_of_each_target(world: World) -> None:
    assert module(world).target_facts == {"one": ("contacts of 256-bp bins", "log(observed/expected)")}
    smooth = module(world, maps=MapRules(smooth=1.5)).target_facts["one"]
    assert smooth == ("contacts of 256-bp bins", "log(observed/expected), Gaussian of 1.5 bins")


# The cache.


def folder_of(world: World, **options: Any) -> Path:
    return module(world, **options).bands[0].folder


def test_the_same_parameters_find_the_same_maps_and_read_nothing_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    module(world).prepare_data()
    target = all_of(module(world), "test").target
    monkeypatch.setattr(CoolerFile, "pixels", None)  # the contacts of the cooler cannot be read any more
    # What is no matter of the maps makes no other ones.
    same_maps = module(world, batch_size=7, shift=BIN, seed=5, stride=3, reverse_complement=True, max_masked=0.1)
    assert torch.equal(all_of(same_maps, "test").target.nan_to_num(9), target.nan_to_num(9))
    with pytest.raises(TypeError):
        module(world, diagonal=3).prepare_data()


CHANGES: dict[str, Callable[[World, Path], dict[str, Any]]] = {
    "window": lambda *_: {"length": LENGTH + BIN},
    "crop": lambda *_: {"crop": 1},
    "diagonal": lambda *_: {"diagonal": 3},
    "coarse-graining": lambda *_: {"maps": MapRules(least_count=1, fill=0)},
    "clip": lambda *_: {"maps": MapRules(least_count=0, fill=0, clip=1.5)},
    "fill": lambda *_: {"maps": MapRules(least_count=0, fill=1)},
    "smooth": lambda *_: {"maps": MapRules(least_count=0, fill=0, smooth=0.5)},
    "split": lambda *_: {"split": SplitRules(val=["chr3"], test=["chr2"], split_seed=1), "contigs": ["1", "2", "3"]},
    "training contigs": lambda *_: {"split": SplitRules(val=["chr2", "4"], test=["chr3"])},
    "blacklist": lambda _, folder: {"blacklist": bed(folder, ("chr1", 0, 9))},
    "arms": lambda _, folder: {"arms": bed(folder, ("chr1", 0, 20_000))[0]},
    "cooler": lambda world, _: {"coolers": {"one": world.other}},
    "balance": lambda *_: {"balance": True},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_what_maps_are_made_of_makes_other_ones(world: World, tmp_path: Path, change: str) -> None:
    assert folder_of(world) == folder_of(world)
    assert folder_of(world, **CHANGES[change](world, tmp_path)) != folder_of(world)


def test_a_cooler_whose_weights_changed_is_read_again(world: World, tmp_path: Path) -> None:
    weights = weights_of(world.one)
    path = tmp_path / "a.cool"
    before = folder_of(world, coolers={"one": write_cooler(path, counts_of(world.one), weights)})
    weights["chr3"][5] *= 2
    assert folder_of(world, coolers={"one": write_cooler(path, counts_of(world.one), weights)}) != before


# Tracks in addition to the sequence.


@pytest.fixture(scope="module")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> MadeInputs:
    """Four tracks; of chr2 from 2,560 to 3,600 none has a value."""
    return make_inputs(tmp_path_factory.mktemp("tracks"), SIZES, ("chr2", 2_560, 3_600))


@pytest.mark.parametrize("size", [None, 256, 64])
def test_input_tracks_are_those_of_the_bases_of_a_window(world: World, tracks: MadeInputs, size: int | None) -> None:
    data = module(world, inputs_table=tracks.table, input_size=size)
    assert (data.inputs, data.input_pairs) == (("plus", "minus", "cover", "total"), PARTNERS)
    for split, name in (("val", "chr2"), ("test", "chr3")):
        batch = all_of(data, "val" if split == "val" else "test")
        expected = [slow_inputs(tracks, name, (first - CROP) * BIN, LENGTH, size or BIN) for first in starts_of(name)]
        assert batch.inputs is not None
        assert batch.inputs.dtype == torch.float32
        np.testing.assert_allclose(batch.inputs, expected, rtol=1e-4, atol=1e-5)
    # Past the ends of a contig, and where a track has no value.
    val = all_of(data, "val").inputs
    assert val is not None
    width = BIN // (size or BIN)
    assert (val[0, :, : CROP * width] == 0).all()
    assert (val[-1, :, -width:] == 0).all()
    assert (val[0, :, 12 * width : 16 * width] == 0).all()
    assert (val[0, :, CROP * width : 12 * width] != 0).float().mean() > 0.95


@pytest.mark.parametrize("size", [256, 64])
def test_the_other_strand_reads_its_partners_tracks_backwards(world: World, tracks: MadeInputs, size: int) -> None:
    moves: dict[str, Any] = {"shift": 7 * BIN, "reverse_complement": True, "jitter": 9}
    dataset = module(world, inputs_table=tracks.table, input_size=size, **moves).dataset("train")
    batch, contig, flips = rows(dataset, 1), contig_of(world, "chr1"), []
    assert batch.inputs is not None
    for letters, found in zip(letters_of(batch), batch.inputs, strict=True):
        place, flip = place_of(letters, contig)
        expected = slow_inputs(tracks, "chr1", round(place / BIN) * BIN, LENGTH, size)
        expected = expected[list(PARTNERS), ::-1] if flip else expected
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
        flips.append(flip)
    assert 2 < sum(flips) < len(flips) - 2


def test_a_pickled_dataset_reads_the_same(world: World, tracks: MadeInputs) -> None:
    data = module(world, inputs_table=tracks.table, shift=5 * BIN, reverse_complement=True)
    dataset = data.dataset("train")
    batch = rows(dataset, 2)
    sent = pickle.dumps(dataset)
    assert len(sent) < 100_000  # paths and numbers, no maps
    assert same(rows(pickle.loads(sent), 2), batch)


def test_worker_processes_read_the_same_batches(world: World, tracks: MadeInputs) -> None:
    options: dict[str, Any] = {"inputs_table": tracks.table, "shift": 5 * BIN, "reverse_complement": True}
    alone = list(module(world, **options).train_dataloader())
    workers = list(module(world, **options, num_workers=2).train_dataloader())
    assert [len(batch.codes) for batch in alone] == [2] * 6
    assert all(same(one, other) for one, other in zip(alone, workers, strict=True))


def test_a_bigwig_that_lacks_a_contig_is_refused(world: World, tmp_path: Path) -> None:
    with pyBigWig.open(str(tmp_path / "a.bw"), "w") as file:
        file.addHeader([("chr1", SIZES["chr1"])])
        file.addEntries("chr1", [0], values=[1.0], span=5)
    (tmp_path / "a.tsv").write_text("name\tpath\na\ta.bw\n")
    with pytest.raises(InputError, match=r"a\.bw has no contig 'chr2', which is wanted"):
        module(world, inputs_table=str(tmp_path / "a.tsv")).describe()


# Coolers that are not as they should be.


@pytest.fixture(scope="module")
def several(world: World, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of two resolutions, as `cooler zoomify` makes it."""
    path = tmp_path_factory.mktemp("several") / "made.mcool"
    cooler.zoomify_cooler(world.one, str(path), [256, 512], chunksize=1_000_000)
    return str(path)


def refused(message: str, *words: str) -> None:
    """One sentence, with these words."""
    assert "\n" not in message
    assert [word for word in words if word not in message] == []


def test_a_map_is_chosen_from_an_mcool_by_its_resolution(world: World, several: str) -> None:
    batch = all_of(module(world, coolers={"one": f"{several}::resolutions/256"}), "val")
    assert same(batch, all_of(module(world), "val"))
    coarse = module(
        world, coolers={"one": f"{several}::/resolutions/512"}, length=18 * 512, balance=True, contigs=["1", "2", "3"]
    )
    assert (coarse.bin_size, coarse.bins) == (512, 14)


def test_an_mcool_without_a_resolution_or_with_another_one_lists_those_there_are(world: World, several: str) -> None:
    there = f"{several}::resolutions/256, {several}::resolutions/512"
    with pytest.raises(InputError) as error:
        module(world, coolers={"one": several})
    refused(str(error.value), "several maps, of which one must be named", there)
    with pytest.raises(InputError) as error:
        module(world, coolers={"one": f"{several}::resolutions/1024"})
    refused(str(error.value), "no map 'resolutions/1024'", there)
    with pytest.raises(InputError) as error:
        module(world, coolers={"one": f"{world.one}::resolutions/256"})
    refused(str(error.value), "no map 'resolutions/256'")


@pytest.mark.parametrize(
    ("content", "words"), [(None, "no such file"), (b"chr1\t0\t256\n", "is no cooler file"), (b"", "is no cooler file")]
)
def test_what_is_no_cooler_is_refused(world: World, tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "a.cool"
    if content is not None:
        path.write_bytes(content)
    for uri in (str(path), f"{path}::resolutions/256"):
        with pytest.raises(InputError) as error:
            module(world, coolers={"one": uri})
        refused(str(error.value), "a.cool", words)


def test_a_cooler_that_was_cut_off_is_refused(world: World, tmp_path: Path) -> None:
    path = tmp_path / "a.cool"
    path.write_bytes(Path(world.one).read_bytes()[:-5_000])
    with pytest.raises(InputError) as error:
        module(world, coolers={"one": str(path)})
    refused(str(error.value), "a.cool")


def test_coolers_of_two_resolutions_and_no_cooler_are_refused(world: World, several: str) -> None:
    with pytest.raises(ConfigError) as error:
        module(world, coolers={"one": world.one, "two": f"{several}::resolutions/512"})
    refused(str(error.value), "bins of several sizes", f"{world.one} has 256 bases", "resolutions/512 has 512 bases")
    with pytest.raises(ConfigError, match="name at least one cooler"):
        module(world, coolers={})


def akita(tower_pools: list[int], **options: Any) -> Akita:
    """A net of small blocks that reads what the data give."""
    trunk: Any = {"stem_filters": 2, "tower_filters": [2] * len(tower_pools), "tower_pools": tower_pools}
    trunk |= {"residual_filters": 2, "dilations": [1]}
    pair_map: Any = {"reduced_filters": 2, "filters": 2, "residual_filters": 2, "dilations": [1]}
    return Akita(["one"], trunk=trunk, pair_map=pair_map, **{"length": LENGTH, "crop_bins": CROP, **options})


def test_models_of_other_bins_pixels_or_outputs_are_refused(world: World, several: str) -> None:
    data = module(world)
    fitting = akita([8, 16])
    assert isinstance(fitting.output, Contacts)
    data.check_model(fitting.output, fitting.loss)
    for model, words in (
        (akita([8, 8]), ["the pools of the model make bins of 128 bases, the cooler's have 256: change one"]),
        (akita([8, 16], crop_bins=3), ["predicts 12 bins from diagonal 2 on", "the data have 14 from 2 on"]),
        (akita([8, 16], diagonal=3), ["predicts 14 bins from diagonal 3 on", "the data have 14 from 2 on"]),
        # As many pixels, but others.
        (akita([8, 16], diagonal=3, length=LENGTH + BIN), ["predicts 15 bins from diagonal 3 on", "have 14 from 2 on"]),
        (MLP(["one"], LENGTH), ["the model predicts labels, the data are contacts"]),
    ):
        with pytest.raises(ConfigError) as error:
            data.check_model(model.output, find_loss("mean_squared_error"))
        refused(str(error.value), *words)
    with pytest.raises(ConfigError) as error:
        module(world, coolers={"one": f"{several}::resolutions/256"}).check_model(akita([8, 32]).output, fitting.loss)
    refused(str(error.value), "make bins of 512 bases", "made.mcool has", "resolutions/512")


@pytest.mark.slow
def test_a_cooler_that_is_not_balanced_is_refused_or_balanced_in_memory(world: World, tmp_path: Path) -> None:
    rng, counts = np.random.default_rng(4), {n: counts for n, counts in counts_of(world.other).items() if n != "4"}
    for matrix in counts.values():  # contacts at every distance, as there are: else it takes long to balance them
        more = np.triu(rng.poisson(5, matrix.shape))
        matrix += more + more.T
    path = write_cooler(tmp_path / "raw.cool", counts)
    before = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    with pytest.raises(InputError) as error:
        module(world, coolers={"one": path}).prepare_data()
    refused(str(error.value), "raw.cool is not balanced", f"run `cooler balance {path}`", "--data.balance true")
    data = module(world, coolers={"one": path}, balance=True)
    val = all_of(data, "val")
    assert hashlib.sha256(Path(path).read_bytes()).hexdigest() == before
    assert list(tmp_path.iterdir()) == [Path(path)]
    # As `cooler balance --cis-only` balances a copy, after which each bin has the same sum, but for two diagonals.
    copy = write_cooler(tmp_path / "copy.cool", counts)
    cooler.balance_cooler(cooler.Cooler(copy), cis_only=True, store=True)
    assert same(all_of(module(world, coolers={"one": copy}), "val"), val)
    matrix = cooler.Cooler(copy).matrix(balance=True).fetch("2")
    place = np.arange(len(matrix))
    matrix[np.abs(place[:, None] - place) < 2] = 0
    sums = np.nansum(matrix, 0)[~np.isnan(matrix).all(0)]
    assert len(sums) > 50
    assert np.std(sums) < 0.01 * np.mean(sums)
    assert torch.isfinite(val.target).sum() > 300


def test_a_cooler_that_cannot_be_balanced_is_refused(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_cooler(tmp_path / "raw.cool", counts_of(world.one))
    no_end = (np.ones(274), {"converged": np.array([True, True, False, True])})
    monkeypatch.setattr(cooler, "balance_cooler", lambda *_, **__: no_end)
    with pytest.raises(InputError) as error:
        module(world, coolers={"one": path}, balance=True).prepare_data()
    refused(str(error.value), "raw.cool could not be balanced", "does not converge")


@pytest.mark.parametrize(
    ("of_genome", "of_cooler"),
    [
        (["chr1", "chr2", "chr3"], ["1", "2", "3"]),
        (["1", "2", "3"], ["chr1", "chr2", "chr3"]),
        (["chrI", "chrII", "chrIII"], ["1", "2", "3"]),
        (["chrI", "chrII", "chrIII"], ["chr1", "chr2", "chr3"]),
        (["1", "2", "3"], ["chrI", "chrII", "chrIII"]),
        (["chr1", "chr2", "chr3"], ["III", "II", "I"]),
    ],
)
def test_contig_names_of_another_style_are_matched(
    world: World, tmp_path: Path, of_genome: list[str], of_cooler: list[str]
) -> None:
    fasta = tmp_path / "genome.fa"
    sequences = [contig_of(world, name) for name in ("chr1", "chr2", "chr3")]
    fasta.write_text("".join(f">{name}\n{text}\n" for name, text in zip(of_genome, sequences, strict=True)))
    counts, weights = counts_of(world.one), weights_of(world.one)
    number = {"1": 1, "2": 2, "3": 3, "I": 1, "II": 2, "III": 3}
    theirs = {name: f"chr{number[name.removeprefix('chr')]}" for name in of_cooler}
    path = write_cooler(
        tmp_path / "a.cool",
        {name: counts[ours] for name, ours in theirs.items()},
        {name: weights[ours] for name, ours in theirs.items()},
        {name: SIZES[ours] for name, ours in theirs.items()},
    )
    rules = SplitRules(val=[of_genome[1]], test=[of_genome[2]])
    data = module(world, genome=str(fasta), coolers={"one": path}, split=rules)
    expected = module(world, contigs=["chr1", "chr2", "chr3"])
    for split in ("train", "val", "test"):
        assert same(all_of(data, split), all_of(expected, split))


def test_contigs_that_are_not_the_genomes_are_refused(world: World, tmp_path: Path) -> None:
    counts = {f"scaffold_{name[3:]}": counts for name, counts in counts_of(world.one).items()}
    path = write_cooler(tmp_path / "a.cool", counts, None, {n: SIZES[f"chr{n[9:]}"] for n in counts})
    with pytest.raises(InputError) as error:
        module(world, coolers={"one": path}).describe()
    refused(str(error.value), "a.cool has none of the genome's contigs chr1, chr2", "it has scaffold_1, scaffold_2")


@pytest.mark.parametrize(("more", "taken"), [(0, True), (9 * BIN, True), (11 * BIN, False), (-11 * BIN, False)])
def test_another_assemblys_length_is_refused_a_rounded_one_is_not(
    world: World, tmp_path: Path, more: int, taken: bool
) -> None:
    counts, weights = counts_of(world.one), weights_of(world.one)
    size = -(-(SIZES["chr1"] + more) // BIN)
    square = np.zeros((size, size), np.int64)
    both = min(size, 159)
    square[:both, :both] = counts["chr1"][:both, :both]
    weight = np.append(weights["chr1"], np.ones(99))[:size]
    sizes = {**SIZES, "chr1": SIZES["chr1"] + more}
    path = write_cooler(tmp_path / "a.cool", {**counts, "chr1": square}, {**weights, "chr1": weight}, sizes)
    data = module(world, coolers={"one": path})
    if taken:
        assert same(all_of(data, "train"), all_of(module(world), "train"))
        return
    with pytest.raises(InputError) as error:
        data.describe()
    refused(
        str(error.value), "of another assembly than the genome", f"chr1 has {40_500 + more:,}", "40,500 in the FASTA"
    )


def test_windows_longer_than_every_contig_are_refused(world: World) -> None:
    with pytest.raises(ConfigError) as error:
        module(world, length=200 * BIN).describe()
    refused(str(error.value), "windows of 51,200 bases are longer than every region", "the longest contig has 40,500")


def test_an_empty_split_is_refused_with_what_was_left_out(world: World, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        module(world, blacklist=bed(tmp_path, ("chr3", 0, 12_033))).describe()
    refused(str(error.value), "the test split is empty: 17 windows in all", "4 windows dropped", "4 of them completely")


def test_a_training_split_without_contacts_is_refused(world: World, tmp_path: Path) -> None:
    counts = counts_of(world.one)
    path = write_cooler(
        tmp_path / "a.cool", {n: c * (n in ("chr2", "chr3")) for n, c in counts.items()}, weights_of(world.one)
    )
    with pytest.raises(InputError) as error:
        module(world, coolers={"one": path}).prepare_data()
    refused(str(error.value), "a.cool: no contact in the training split")


BAD_SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "bins do not divide": ({"length": 4_600}, "bins of 256 bases do not divide windows of 4600"),
    "crop too large": ({"crop": 9}, "18 bins less 9 on each side leave none to predict"),
    "shift": ({"shift": 100}, "a shift of 100 bases is no multiple of the resolution of 256"),
    "input size": ({"input_size": 100}, "an input_size of 100 bases does not divide bins of 256"),
    "coarse inputs": ({"input_size": 512}, "an input_size of 512 bases does not divide bins of 256"),
    "no input size": ({"input_size": 0}, "an input_size of 0 bases does not divide bins of 256"),
    "blocks": ({"split": SplitRules(block_size=4_000)}, "blocks of 4000 bases are shorter than a window of 4608"),
    "all masked": ({"max_masked": 1}, "max_masked is a fraction from 0 to below 1"),
    "no batch": ({"batch_size": 0}, "from 1 up"),
}


@pytest.mark.parametrize(("options", "said"), BAD_SETTINGS.values(), ids=BAD_SETTINGS)
def test_settings_that_do_not_fit_are_refused(world: World, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as error:
        module(world, **options)
    refused(str(error.value), said)


@pytest.mark.parametrize(
    "rules", [{"clip": 0}, {"least_count": -1}, {"fill": -1}, {"smooth": -0.5}, {"smooth": np.nan}]
)
def test_rules_of_maps_that_make_none_are_refused(rules: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="are numbers from 0 up, clip is one above 0"):
        MapRules(**rules)


def test_a_split_that_no_window_fits_into_is_told_windows_that_do(world: World) -> None:
    # chr3, of 12,033 bases, has 47 bins.
    long = module(world, length=110 * BIN, crop=0, split=SplitRules(val=["chr2"], test=["chr3"]))
    with pytest.raises(
        ConfigError, match=r"the test split is empty: .*; windows of \d+,\d+ fit: --data\.length \d+ --"
    ):
        long.tiles("test")
