"""From bigWigs to batches: bins and bases belong together, shifted, reverse-complemented, masked or split by process.

The tracks are functions of the bases below them, so that the targets of a batch can be recomputed from its codes.
"""

from __future__ import annotations

import math
import pickle
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyBigWig
import pytest
import torch.distributed
from numpy.typing import NDArray
from pyfaidx import Fasta

from zoo.batch import Batch
from zoo.data.genome_split import SplitRules
from zoo.data.samplers import EpochSampler, ShareSampler
from zoo.data.tracks.dataset import TrackDataset
from zoo.data.tracks.module import TrackDataModule
from zoo.errors import ConfigError, InputError
from zoo.genome.sequence import decode

Values = NDArray[np.float32]
# Not every track has chr4, so that contigs are not numbered alike in the genome and in the coverage.
SIZES = {"chr4": 300, "chr1": 4_000, "chr2": 1_253, "chr3": 805}
# Windows of 12 bins, the outer two on each side context.
SIZE, CROP, BINS, LENGTH = 10, 2, 8, 120
BY_CONTIG = SplitRules(val=["chr2"], test=["3"])
TABLE = """\
name\tpath\tstrand_partner\tstatistic\tmissing\tscale\tsoft_clip\tclip
plus\tplus.bw\tminus\t\tmask\t\t\t
minus\tminus.bw\tplus\t\tmask\t-1\t\t
both\tboth.bw\t\tsum\tzero\t2\t80\t84
"""
# What a base measures in each track; minus is written negative.
MEASURED: dict[str, Mapping[str, float]] = {
    "plus": {"A": 1, "C": 2, "G": 3, "T": 4},
    "minus": {"A": -4, "C": -3, "G": -2, "T": -1},
    "both": {"A": 0.5, "C": 8, "G": 8, "T": 0.5},
}
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A genome and three tracks; chr2 has N in 500-530, plus and minus have no value in 700-725 of it, none chr4."""
    folder = tmp_path_factory.mktemp("tracks")
    rng = np.random.default_rng(0)
    contigs = {name: "".join(rng.choice(list("ACGT"), size)) for name, size in SIZES.items()}
    contigs["chr2"] = contigs["chr2"][:500] + "N" * 30 + contigs["chr2"][530:]
    with (folder / "genome.fa").open("w") as file:
        for name, text in contigs.items():
            file.write(f">{name}\n" + "".join(f"{text[i : i + 61]}\n" for i in range(0, len(text), 61)))
    for track, measured in MEASURED.items():
        with pyBigWig.open(str(folder / f"{track}.bw"), "w") as file:
            there = contigs if track != "plus" else {name: contigs[name] for name in ("chr1", "chr2", "chr3")}
            file.addHeader([(name, len(text)) for name, text in there.items()])
            for name, text in there.items():
                for place, base in enumerate(text):
                    if base != "N" and not (name == "chr2" and 700 <= place < 725 and track != "both"):
                        file.addEntries(name, [place], values=[float(measured[base])], span=1)
    (folder / "targets.tsv").write_text(TABLE)
    return folder


def module(folder: Path, **options: Any) -> TrackDataModule:
    """Still windows, split by contig, unless the options say otherwise."""
    options = {"split": BY_CONTIG, "reverse_complement": False, "crop": CROP, "length": LENGTH, **options}
    return TrackDataModule(str(folder / "genome.fa"), str(folder / "targets.tsv"), bin_size=SIZE, **options)


def bed(folder: Path, *regions: tuple[str, int, int]) -> list[str]:
    path = folder / "blacklist.bed"
    path.write_text("".join(f"{chrom}\t{start}\t{end}\n" for chrom, start, end in regions))
    return [str(path)]


def letters_of(batch: Batch) -> list[str]:
    return [decode(row) for row in batch.codes.numpy()]


def rows(dataset: TrackDataset, epoch: int, seed: int = 0) -> tuple[NDArray[np.int64], Batch]:
    """All windows of an epoch as the training loader orders them, in one batch, and which they are."""
    sampler = EpochSampler(len(dataset), seed)
    sampler.set_epoch(epoch)
    order = list(sampler)
    return np.array(order) % len(dataset), dataset.__getitems__(order)


def bins_of(values: Sequence[float], name: str, resolution: int = SIZE, usable: Sequence[bool] = ()) -> list[float]:
    """Values of bases (NaN where there is none) to what is learnt of them: the table's columns, on paper.

    `usable` says of each fine bin, of `resolution` bases, whether it counts; all do where it is not given.
    """
    row, width = [], SIZE // resolution
    fine = [_fine_bin(values[start : start + resolution], name) for start in range(0, len(values), resolution)]
    fine = [value if good else math.nan for value, good in zip(fine, usable or [True] * len(fine), strict=True)]
    for start in range(0, len(fine), width):
        known = [value for value in fine[start : start + width] if not math.isnan(value)]
        mean = sum(known) / len(known) if 2 * len(known) > width else math.nan
        if name == "both":
            total = 2 * width * mean
            row.append(min(79 + math.sqrt(total - 80 + 1), 84) if total > 80 else total)
        else:
            row.append(-mean if name == "minus" else mean)
    return row


def _fine_bin(values: Sequence[float], name: str) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) if name == "both" else sum(known) / len(known) if known else math.nan


def measured_on(letters: str) -> list[list[float]]:
    """The targets (T, N) of the bases of a window (without N in what is predicted)."""
    middle = letters[CROP * SIZE : len(letters) - CROP * SIZE]
    return [bins_of([measured[base] for base in middle], name) for name, measured in MEASURED.items()]


def assert_measured_on(sequences: Iterable[str], batch: Batch) -> None:
    expected = [measured_on(letters) for letters in sequences]
    np.testing.assert_allclose(batch.target.numpy(), expected, rtol=1e-5)


def flipped(letters: str) -> str:
    return letters[::-1].translate(COMPLEMENT)


def bases(folder: Path, contig: str, start: int, end: int) -> str:
    """Of a contig by pyfaidx, N past its ends."""
    with Fasta(str(folder / "genome.fa"), as_raw=True) as file:
        inside = file[contig][max(start, 0) : min(end, SIZES[contig])]
    return "N" * max(-start, 0) + str(inside) + "N" * max(end - SIZES[contig], 0)


def place_of(letters: str, contig: str) -> int:
    """Where a window begins on its contig, given as a whole; before 0 where it reaches over its beginning."""
    found = contig.find(letters.strip("N"))
    assert found >= 0
    return found - (len(letters) - len(letters.lstrip("N")))


# Validation and test: as they are, each bin once.


BLACKLIST = [("chr2", 299, 341)]


def slow_windows(
    folder: Path, contig: str, blacklist: Sequence[tuple[str, int, int]] = (), resolution: int = SIZE
) -> tuple[list[str], list[list[list[float]]]]:
    """All windows of a contig with pyfaidx and pyBigWig: letters, and targets, NaN where they do not count."""
    last, whole = SIZES[contig] // SIZE - BINS, bases(folder, contig, 0, SIZES[contig])
    sequences, targets, seen = [], [], 0
    for first in [*range(0, last, BINS), last]:
        start, end = first * SIZE, (first + BINS) * SIZE
        sequences.append(bases(folder, contig, start - CROP * SIZE, end + CROP * SIZE))
        usable = [
            2 * whole[place : place + resolution].count("N") <= resolution
            and not any(name == contig and from_ < place + resolution and place < to for name, from_, to in blacklist)
            for place in range(start, end, resolution)
        ]
        target = []
        for name in MEASURED:
            with pyBigWig.open(str(folder / f"{name}.bw")) as file:
                found = bins_of(file.values(contig, start, end), name, resolution, usable)
            target.append([math.nan if first + i < seen else value for i, value in enumerate(found)])
        targets.append(target)
        seen = first + BINS
    return sequences, targets


@pytest.mark.parametrize("resolution", [None, 10, 5, 2, 1])
@pytest.mark.parametrize("batch_size", [1, 5, 100])
def test_validation_is_what_pyfaidx_and_pybigwig_read_window_by_window(
    folder: Path, batch_size: int, resolution: int | None
) -> None:
    regions = bed(folder, ("2", 299, 341), ("chr1", 0, 50), ("chr2", 1_990, 2_000), ("chr9", 1, 2))
    data = module(folder, blacklist=regions, max_masked=0.99, batch_size=batch_size, resolution=resolution)
    batches = list(data.val_dataloader())
    assert [len(batch.codes) for batch in batches[:-1]] == [batch_size] * (len(batches) - 1)
    sequences, targets = slow_windows(folder, "chr2", BLACKLIST, resolution or SIZE)
    assert sequences[0].startswith("NNNN")
    assert sequences[-1].endswith("NNNN")
    assert [letters for batch in batches for letters in letters_of(batch)] == sequences
    found = np.concatenate([batch.target.numpy() for batch in batches])
    np.testing.assert_allclose(found, targets, rtol=1e-5)
    # The blacklist touches the bins 29 to 34, the first and the last with a base; 50 to 52 are N; and 3 of the last
    # window were in the one before. A bin of which half the finer ones are known is left out, one with more is not.
    masked = 4 + 3 + 3 if resolution in (1, 2) else 6 + 3 + 3
    assert np.isnan(found[:, 2]).sum() == masked
    assert np.isnan(found[:, 0]).sum() > masked
    assert (batches[0].codes.dtype, batches[0].target.dtype) == (torch.uint8, torch.float32)


def test_the_test_split_is_read_alike(folder: Path) -> None:
    # What a blacklist says past the end of a contig does not reach into the next.
    (batch,) = module(folder, batch_size=100, blacklist=bed(folder, ("chr2", 1_240, 3_000))).test_dataloader()
    sequences, targets = slow_windows(folder, "chr3")
    assert letters_of(batch) == sequences
    np.testing.assert_allclose(batch.target.numpy(), targets, rtol=1e-5)


def test_moves_are_for_training_alone(folder: Path) -> None:
    (still,) = module(folder, batch_size=100).val_dataloader()
    (other,) = module(folder, batch_size=100, shift=50, jitter=3, reverse_complement=True, seed=5).test_dataloader()
    assert letters_of(other) == slow_windows(folder, "chr3")[0]
    assert len(still.codes) == 16


def test_a_stride_is_for_training_alone(folder: Path) -> None:
    """As the settings say; a stride above the bins of a window would leave bins of the test out."""
    data = module(folder, stride=2 * BINS)
    assert len(data.dataset("train")) == 26
    (batch,) = module(folder, stride=2 * BINS, batch_size=100).test_dataloader()
    assert letters_of(batch) == slow_windows(folder, "chr3")[0]


def test_a_bin_counts_though_the_window_before_that_has_it_too_was_dropped(folder: Path) -> None:
    # The last two windows of chr2 begin with the bins 112 and 117. Of the first, 112 to 116 are masked.
    data = module(folder, blacklist=bed(folder, ("chr2", 1_120, 1_170)), batch_size=100)
    (batch,) = data.val_dataloader()
    assert len(batch.codes) == 15
    assert letters_of(batch)[-1] == slow_windows(folder, "chr2")[0][-1]
    assert np.isnan(batch.target[-1, 0].numpy()).tolist() == [False] * BINS


# Training: sequence and targets are shifted and reverse-complemented together.


def test_a_window_at_rest_is_measured_on_its_bases(folder: Path) -> None:
    order, batch = rows(module(folder).dataset("train"), epoch=0)
    assert sorted(order.tolist()) == list(range(50))
    assert letters_of(batch) == [bases(folder, "chr1", 80 * row - 20, 80 * row + 100) for row in order.tolist()]
    assert_measured_on(letters_of(batch), batch)


def test_windows_that_are_not_moved_keep_their_targets_in_every_epoch(folder: Path) -> None:
    dataset = module(folder).dataset("train")
    for epoch in (1, 2):
        _, batch = rows(dataset, epoch)
        assert_measured_on(letters_of(batch), batch)


@pytest.mark.parametrize("resolution", [10, 5, 2])
def test_shifts_move_sequence_and_targets_together_by_the_resolution(folder: Path, resolution: int) -> None:
    dataset = module(folder, shift=30, resolution=resolution).dataset("train")
    contig, moves = bases(folder, "chr1", 0, 4_000), Counter[int]()
    for epoch in range(12):
        order, batch = rows(dataset, epoch)
        assert_measured_on(letters_of(batch), batch)
        places = np.array([place_of(letters, contig) for letters in letters_of(batch)])
        inner = (order > 0) & (order < 49)  # those at the ends are held back
        moves.update((places - (80 * order - 20))[inner].tolist())
    assert set(moves) == set(range(-30, 31, resolution))
    assert min(moves.values()) > 0.4 * moves.total() / len(moves)


def test_a_window_is_not_moved_out_of_its_contig(folder: Path) -> None:
    dataset = module(folder, shift=5_000, resolution=5).dataset("train")
    contig = bases(folder, "chr1", 0, 4_000)
    _, batch = rows(dataset, 0)
    assert_measured_on(letters_of(batch), batch)
    places = [place_of(letters, contig) for letters in letters_of(batch)]
    assert {min(places), max(places)} == {-20, 4_000 - 100}


def test_a_window_is_not_moved_or_jittered_out_of_its_split(folder: Path) -> None:
    rules = SplitRules(block_size=200, val_fraction=0.3, test_fraction=0.3, split_seed=1)
    data = module(folder, split=rules, shift=1_000, jitter=7, resolution=2, contigs=["chr1"], batch_size=4)
    contig = bases(folder, "chr1", 0, 4_000)
    read = np.zeros((2, 4_000), dtype=bool)
    for loader in (data.val_dataloader(), data.test_dataloader()):
        for letters in [letters for batch in loader for letters in letters_of(batch)]:
            place = place_of(letters, contig)
            read[0, max(place, 0) : place + LENGTH] = True
    for epoch in range(5):
        for letters in letters_of(rows(data.dataset("train"), epoch)[1]):
            place = place_of(letters, contig)
            read[1, max(place, 0) : place + LENGTH] = True
    assert read.any(1).all()
    assert not read.all(0).any()


def test_the_other_strand_has_its_partners_targets_backwards(folder: Path) -> None:
    dataset = module(folder, reverse_complement=True).dataset("train")
    order, batch = rows(dataset, 0)
    forward = [bases(folder, "chr1", 80 * row - 20, 80 * row + 100) for row in order.tolist()]
    is_flipped = [there == flipped(text) for there, text in zip(letters_of(batch), forward, strict=True)]
    assert letters_of(batch) == [
        flipped(text) if flip else text for text, flip in zip(forward, is_flipped, strict=True)
    ]
    assert 10 < sum(is_flipped) < 40
    # What plus measures on a reverse-complemented window's bases is what minus measured on the genome's.
    assert_measured_on(letters_of(batch), batch)


def test_the_strand_of_a_window_changes_from_epoch_to_epoch(folder: Path) -> None:
    dataset = module(folder, reverse_complement=True).dataset("train")
    seen: dict[int, set[str]] = {}
    for epoch in range(8):
        order, batch = rows(dataset, epoch)
        for row, letters in zip(order.tolist(), letters_of(batch), strict=True):
            seen.setdefault(row, set()).add(letters)
    assert sum(len(strands) == 2 for strands in seen.values()) > 45


@pytest.mark.parametrize("reverse", [False, True])
def test_jitter_moves_the_sequence_alone(folder: Path, reverse: bool) -> None:
    dataset, contig = (
        module(folder, jitter=3, reverse_complement=reverse).dataset("train"),
        bases(folder, "chr1", 0, 4_000),
    )
    moves: Counter[int] = Counter()
    for epoch in range(3):
        order, batch = rows(dataset, epoch)
        forward = [bases(folder, "chr1", 80 * row - 20, 80 * row + 100) for row in order.tolist()]
        expected = []
        for row, letters, text in zip(order.tolist(), letters_of(batch), forward, strict=True):
            flip = reverse and flipped(letters).strip("N") in contig
            moves[place_of(flipped(letters) if flip else letters, contig) - (80 * row - 20)] += 1
            expected.append(flipped(text) if flip else text)
        assert_measured_on(expected, batch)
    assert set(moves) == set(range(-3, 4))


def test_all_moves_at_once_keep_bins_on_their_bases(folder: Path) -> None:
    dataset, contig = (
        module(folder, shift=40, jitter=2, reverse_complement=True).dataset("train"),
        bases(folder, "chr1", 0, 4_000),
    )
    order, batch = rows(dataset, 3)
    expected = []
    for row, letters in zip(order.tolist(), letters_of(batch), strict=True):
        flip = flipped(letters).strip("N") in contig
        place = place_of(flipped(letters) if flip else letters, contig)
        whole = round(place / SIZE) * SIZE  # where it lay before it was jittered
        assert abs(place - whole) <= 2
        assert abs(whole - (80 * row - 20)) <= 40
        text = bases(folder, "chr1", whole, whole + LENGTH)
        expected.append(flipped(text) if flip else text)
    assert_measured_on(expected, batch)


def test_bins_of_the_blacklist_are_left_out_wherever_a_window_is_moved(folder: Path) -> None:
    data = module(folder, shift=70, reverse_complement=True, blacklist=bed(folder, ("1", 1_005, 1_020)), max_masked=0.9)
    contig, hits = bases(folder, "chr1", 0, 4_000), 0
    _, batch = rows(data.dataset("train"), 0)
    for letters, target in zip(letters_of(batch), batch.target.numpy(), strict=True):
        flip = flipped(letters).strip("N") in contig
        first = place_of(flipped(letters) if flip else letters, contig) // SIZE + CROP
        expected = [first + i in (100, 101) for i in range(BINS)]
        assert np.isnan(target).tolist() == [expected[::-1] if flip else expected] * 3
        hits += any(expected)
    assert hits


# The same, and not the same.


def epoch_of(data: TrackDataModule, epoch: int) -> list[Batch]:
    loader = data.train_dataloader()
    assert isinstance(loader.sampler, EpochSampler)
    loader.sampler.set_epoch(epoch)
    return list(loader)


def same(one: list[Batch], other: list[Batch]) -> bool:
    return len(one) == len(other) and all(
        torch.equal(a.codes, b.codes) and torch.equal(a.target, b.target) for a, b in zip(one, other, strict=True)
    )


MOVED: dict[str, Any] = {"shift": 50, "jitter": 3, "reverse_complement": True, "batch_size": 7, "resolution": 5}


def test_seed_and_epoch_alone_fix_the_batches(folder: Path) -> None:
    data = module(folder, **MOVED)
    first = epoch_of(data, 0)
    other = epoch_of(data, 1)
    assert [len(batch.codes) for batch in first] == [7] * 7  # 50 windows: the last short batch is left out
    assert not same(first, other)
    assert same(epoch_of(module(folder, **MOVED), 1), other)
    assert not same(epoch_of(module(folder, **MOVED, seed=1), 1), other)


def test_moves_are_fixed_by_seed_and_epoch_for_the_same_windows(folder: Path) -> None:
    dataset = module(folder, **MOVED).dataset("train")
    other = module(folder, **MOVED, seed=1).dataset("train")
    first = dataset.__getitems__(list(range(50)))
    assert same([dataset.__getitems__(list(range(50)))], [first])
    assert not same([dataset.__getitems__(list(range(50, 100)))], [first])
    assert not same([other.__getitems__(list(range(50)))], [first])


@pytest.mark.slow
def test_worker_processes_read_the_same_batches(folder: Path) -> None:
    alone, workers = module(folder, **MOVED), module(folder, **MOVED, num_workers=2)
    assert same(epoch_of(workers, 3), epoch_of(alone, 3))
    assert len(list(workers.val_dataloader())) == len(list(alone.val_dataloader())) == 3


def test_a_pickled_dataset_reads_the_same(folder: Path) -> None:
    dataset = module(folder, **MOVED).dataset("train")
    _, batch = rows(dataset, 2)
    assert same([rows(pickle.loads(pickle.dumps(dataset)), 2)[1]], [batch])


def test_an_epoch_has_as_many_windows_as_was_asked_for(folder: Path) -> None:
    assert [len(batch.codes) for batch in epoch_of(module(folder, epoch_size=20, batch_size=8), 0)] == [8, 8]
    assert [len(batch.codes) for batch in epoch_of(module(folder, epoch_size=120, batch_size=50), 0)] == [50, 50]
    assert [len(batch.codes) for batch in epoch_of(module(folder, batch_size=1_000), 0)] == [50]


# Several processes.


def stand_in(monkeypatch: pytest.MonkeyPatch, rank: int, ranks: int) -> None:
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda *_: ranks)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda *_: rank)


@pytest.mark.parametrize("ranks", [1, 2, 3, 5])
@pytest.mark.parametrize("size", [1, 2, 15, 16])
def test_shares_are_of_one_size_and_have_each_index_once(
    monkeypatch: pytest.MonkeyPatch, size: int, ranks: int
) -> None:
    shares = []
    for rank in range(ranks):
        stand_in(monkeypatch, rank, ranks)
        sampler = ShareSampler(size)
        shares.append(list(sampler))
        assert len(sampler) == len(shares[-1]) == -(-size // ranks)
        assert shares[-1] == sorted(shares[-1])
    together = sorted(index for share in shares for index in share)
    assert together[:size] == list(range(size))
    assert all(index >= size for index in together[size:])  # they stand for no window, and only keep the ranks in step


def test_processes_validate_each_bin_once_together(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sequences, targets = slow_windows(folder, "chr2")
    assert len(sequences) == 16
    shares = []
    for rank in range(3):
        stand_in(monkeypatch, rank, 3)
        batches = list(module(folder, batch_size=4, max_masked=0.9).val_dataloader())
        assert [len(batch.codes) for batch in batches] == ([4, 4] if rank == 0 else [4, 1])
        codes = torch.cat([batch.codes for batch in batches])
        shares.append(Batch(codes, torch.cat([batch.target for batch in batches])))
    for index in range(16):  # dealt by whole batches, which are those of one process
        share, place = shares[index // 4 % 3], index % 4 + 4 * (index // 12)
        assert decode(share.codes[place].numpy()) == sequences[index]
        np.testing.assert_allclose(share.target[place].numpy(), targets[index], rtol=1e-5)
    for share in shares[1:]:  # fills up
        assert torch.isnan(share.target[4]).all()


def test_processes_train_on_shares_of_an_epoch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = []
    for rank in range(2):
        stand_in(monkeypatch, rank, 2)
        texts.append([letters for batch in epoch_of(module(folder, batch_size=5), 0) for letters in letters_of(batch)])
    assert [len(share) for share in texts] == [25, 25]
    assert len({*texts[0], *texts[1]}) == 50


# What is left out, and what is said of it.


def test_windows_that_are_mostly_masked_are_dropped_and_counted(folder: Path) -> None:
    # 100 to 121 without 120: of the windows from 96 and 104 on, 4 and 8 bins; of that from 112, 8; from 120, 1.
    data = module(folder, blacklist=bed(folder, ("chr1", 1_000, 1_200), ("chr1", 1_210, 1_211)))
    tiles = data.dataset("train").tiles
    assert sorted(set(range(0, 400, 8)) - set(tiles.start.tolist())) == [104, 112]
    said = data.describe()
    assert any(line.startswith("2 windows dropped: over 50% of their bins are masked") for line in said)
    # 21 bins of the blacklist, three of N; of 400, 126 and 81.
    assert any(line.startswith("240 bases masked") for line in said)
    strict = module(folder, blacklist=data.blacklist, max_masked=0)
    assert {96, 104, 112, 120}.isdisjoint(strict.dataset("train").tiles.start.tolist())
    assert "over 0% of their bins are masked" in "".join(strict.describe())


@pytest.mark.parametrize(("bins", "masked", "share"), [(8, 4, 0.5), (8, 6, 0.75), (10, 7, 0.7), (20, 19, 0.95)])
def test_a_window_with_just_the_largest_share_masked_is_kept(
    folder: Path, bins: int, masked: int, share: float
) -> None:
    options: dict[str, Any] = {"length": bins * SIZE, "crop": 0, "max_masked": share}
    kept = module(folder, blacklist=bed(folder, ("chr1", 0, masked * SIZE)), **options)
    assert kept.dataset("train").tiles.start[0] == 0
    dropped = module(folder, blacklist=bed(folder, ("chr1", 0, masked * SIZE + 1)), **options)
    assert dropped.dataset("train").tiles.start[0] == bins


def test_a_module_says_what_it_holds_and_what_it_left_out(folder: Path) -> None:
    lines = module(folder).describe()
    assert "contigs left out, which some bigWig does not have: chr4" in lines[0]
    # 6,058 bases on the contigs that are left.
    assert lines[1:] == [
        "30 bases masked: blacklisted, without a value, or N",
        "plus: 55 bases (0.9%) have no value and are masked",
        "minus: 55 bases (0.9%) have no value and are masked",
        "both: 30 bases (0.5%) have no value and count as 0",
        "splits: validation chr2; test 3",
        "train: 50 windows, 400 bins of 10 bases",
        "val: 16 windows, 125 bins of 10 bases",
        "test: 10 windows, 80 bins of 10 bases",
    ]


def test_targets_and_their_strand_partners_are_those_of_the_table(folder: Path) -> None:
    data = module(folder)
    assert data.targets == ["plus", "minus", "both"]
    assert data.strand_pairs == [1, 0, 2]
    assert (data.length, data.bins, data.bin_size) == (120, 8, 10)


def test_only_the_contigs_that_were_named_are_used(folder: Path) -> None:
    data = module(folder, contigs=["3", "chr1", "2"])
    assert list(data.data.coverage.contigs) == ["chr1", "chr2", "chr3"]
    assert not any("contigs left out" in line for line in data.describe())


def test_a_contig_that_was_named_may_not_be_lacking(folder: Path) -> None:
    with pytest.raises(InputError, match=r"plus\.bw has no contig 'chr4', which is wanted"):
        module(folder, contigs=["chr1", "chr2", "chr3", "chr4"]).describe()
    with pytest.raises(InputError, match=r"plus\.bw has no contig 'chr4', which is wanted"):
        module(folder, split=SplitRules(val=["chr2"], test=["4"])).describe()
    with pytest.raises(InputError, match="the contig 'chr9' is not in the genome"):
        module(folder, contigs=["chr1", "chr9"]).describe()


EMPTY: dict[str, tuple[dict[str, Any], str]] = {
    "no share": ({"split": SplitRules(block_size=200, val_fraction=0)}, "the val split is empty: "),
    "no contig": ({"split": SplitRules(val=["chr2"], test=[])}, "the test split is empty: 76 windows in all"),
    "too short": (
        {"length": 1_000, "crop": 0},
        "the test split is empty: 6 windows in all; .*80 bins dropped: in regions that are too short",
    ),
    "all masked": ({"blacklist": True}, "the train split is empty: 26 windows in all; .* windows dropped: over 50%"),
}


@pytest.mark.parametrize(("options", "said"), EMPTY.values(), ids=EMPTY)
def test_an_empty_split_is_refused_in_one_sentence(folder: Path, options: dict[str, Any], said: str) -> None:
    if "blacklist" in options:
        options = {"blacklist": bed(folder, ("chr1", 0, 4_000))}
    with pytest.raises(ConfigError, match=said) as error:
        module(folder, **options).describe()
    assert "\n" not in str(error.value)


BAD_SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "bins do not divide": ({"length": 125}, "bins of 10 bases do not divide windows of 125"),
    "crop too large": ({"crop": 6}, "12 bins less 6 on each side leave none to predict"),
    "negative crop": ({"crop": -1}, "leave none to predict"),
    "no length": ({"length": 0}, "leave none to predict"),
    "shift": ({"shift": 15}, "a shift of 15 bases is no multiple of the resolution of 10"),
    "shift and resolution": ({"shift": 6, "resolution": 5}, "a shift of 6 bases is no multiple of the resolution of 5"),
    "resolution": ({"resolution": 3}, "a resolution of 3 bases does not divide bins of 10"),
    "coarse resolution": ({"resolution": 20}, "a resolution of 20 bases does not divide bins of 10"),
    "no resolution": ({"resolution": 0}, "a resolution of 0 bases does not divide bins of 10"),
    "negative shift": ({"shift": -10}, "from 0 up"),
    "negative jitter": ({"jitter": -1}, "from 0 up"),
    "no batch": ({"batch_size": 0}, "from 1 up"),
    "no epoch": ({"epoch_size": 0}, "from 1 up"),
    "no stride": ({"stride": 0}, "from 1 up"),
    "all masked": ({"max_masked": 1}, "max_masked is a fraction from 0 to below 1"),
    "negative share": ({"max_masked": -0.1}, "max_masked is a fraction from 0 to below 1"),
    "no share": ({"max_masked": math.nan}, "max_masked is a fraction from 0 to below 1"),
    "blocks": ({"split": SplitRules(block_size=100)}, "blocks of 100 bases are shorter than a window of 120"),
    "half a split": ({"split": SplitRules(val=["chr1"])}, "`test` as well as those of `val`"),
}


@pytest.mark.parametrize(("options", "said"), BAD_SETTINGS.values(), ids=BAD_SETTINGS)
def test_settings_that_do_not_fit_are_refused_before_anything_is_read(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as error:
        module(Path("none"), **options)
    assert said in str(error.value)


def test_bins_of_no_base_are_refused() -> None:
    with pytest.raises(ConfigError, match="bins of 0 bases do not divide windows of 120"):
        TrackDataModule("none.fa", "none.tsv", length=120, bin_size=0)


def test_bigwigs_alone_are_tracks_named_after_their_keys(folder: Path) -> None:
    table = module(folder)
    alone = TrackDataModule(
        str(folder / "genome.fa"),
        bigwigs={track.name: track.path for track in table.tracks},
        length=table.shape.length,
        bin_size=SIZE,
    )
    assert alone.targets == table.targets
    assert [track.path for track in alone.tracks] == [track.path for track in table.tracks]
    with pytest.raises(InputError, match=r"bigwigs: a: .*none\.bw: no such file"):
        _ = TrackDataModule("g.fa", bigwigs={"a": "none.bw"}, length=120, bin_size=10).tracks
    with pytest.raises(ConfigError, match="name the bigWigs in a `targets_table`, or as `bigwigs"):
        TrackDataModule("g.fa", length=120, bin_size=10)
