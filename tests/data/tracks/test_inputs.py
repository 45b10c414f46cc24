"""Tracks that a model reads in addition to the sequence, against loops over the bases of each window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made.tracks import PARTNERS, MadeInputs, make_inputs, slow_inputs
from numpy.typing import NDArray

from zoo.batch import Batch, InputSpec
from zoo.data.genome_split import SplitRules
from zoo.data.samplers import EpochSampler
from zoo.data.tracks.inputs import InputTracks
from zoo.data.tracks.module import TrackDataModule
from zoo.errors import ConfigError, InputError
from zoo.genome.fasta import Genome
from zoo.genome.sequence import decode

SIZES = {"chr4": 350, "chr1": 6_000, "chr2": 1_253, "chr3": 805}
BIN, CROP, LENGTH = 20, 2, 240
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, rng = tmp_path_factory.mktemp("inputs"), np.random.default_rng(0)
    letters = {name: "".join(rng.choice(list("ACGT"), size)) for name, size in SIZES.items()}
    (folder / "genome.fa").write_text("".join(f">{name}\n{bases}\n" for name, bases in letters.items()))
    return folder


@pytest.fixture(scope="module")
def inputs(folder: Path) -> MadeInputs:
    """Of chr2 from 500 to 620 no track has a value."""
    made = make_inputs(folder, SIZES, ("chr2", 500, 620))
    (folder / "targets.tsv").write_text("name\tpath\none\tplus.bw\n")
    return made


def module(folder: Path, **options: Any) -> TrackDataModule:
    given: dict[str, Any] = {"length": LENGTH, "bin_size": BIN, "crop": CROP, "reverse_complement": False}
    given |= {"split": SplitRules(val=["chr2"], test=["chr3"]), "inputs_table": str(folder / "inputs.tsv")}
    return TrackDataModule(str(folder / "genome.fa"), str(folder / "targets.tsv"), **{**given, **options})


def epoch_of(data: TrackDataModule, epoch: int) -> Batch:
    """All training windows of an epoch, in one batch."""
    dataset = data.dataset("train")
    sampler = EpochSampler(len(dataset), 0)
    sampler.set_epoch(epoch)
    return dataset.__getitems__(list(sampler))


def locate(folder: Path, codes: NDArray[np.uint8]) -> tuple[str, int, bool]:
    """Contig and first base of a window, and whether it is on the other strand."""
    genome = (folder / "genome.fa").read_text().split()
    letters = decode(codes)
    for flipped, text in ((False, letters), (True, letters[::-1].translate(COMPLEMENT))):
        for name, bases in zip(genome[::2], genome[1::2], strict=True):
            start = bases.find(text.strip("N"))
            if start >= 0:
                return name[1:], start - (len(text) - len(text.lstrip("N"))), flipped
    raise AssertionError(letters)


@pytest.mark.parametrize(
    ("size", "resolution", "stored"), [(None, None, 20), (5, None, 5), (20, 5, 5), (10, 4, 2), (4, 20, 4), (1, 1, 1)]
)
def test_inputs_of_validation_are_those_of_the_bases(
    folder: Path, inputs: MadeInputs, size: int | None, resolution: int | None, stored: int
) -> None:
    data = module(folder, input_size=size, resolution=resolution, batch_size=100)
    assert data.spec().inputs == InputSpec(("plus", "minus", "cover", "total"), size or BIN, PARTNERS)
    (batch,) = data.val_dataloader()
    last = SIZES["chr2"] // BIN - 8
    starts = [(first - CROP) * BIN for first in [*range(0, last, 8), last]]
    expected = [slow_inputs(inputs, "chr2", start, LENGTH, size or BIN, stored) for start in starts]
    assert batch.inputs is not None
    assert (batch.inputs.dtype, batch.inputs.shape[1:]) == (torch.float32, (4, LENGTH // (size or BIN)))
    np.testing.assert_allclose(batch.inputs, expected, rtol=1e-4, atol=1e-4)
    assert (batch.inputs[0, :, : CROP * BIN // (size or BIN)] == 0).all()  # before the contig


@pytest.mark.parametrize(("size", "resolution", "stored"), [(20, 20, 20), (5, 20, 5), (20, 5, 5), (10, 4, 2)])
def test_inputs_follow_shifts_and_strands_and_swap_partners(
    folder: Path, inputs: MadeInputs, size: int, resolution: int, stored: int
) -> None:
    moves: dict[str, Any] = {"shift": 60, "reverse_complement": True}
    data = module(folder, input_size=size, resolution=resolution, **moves)
    offsets, flips = set(), 0
    for epoch in range(3):
        batch = epoch_of(data, epoch)
        assert batch.inputs is not None
        for codes, values in zip(batch.codes.numpy(), batch.inputs, strict=True):
            name, start, flipped = locate(folder, codes)
            expected = slow_inputs(inputs, name, start, LENGTH, size, stored)
            expected = expected[list(PARTNERS), ::-1] if flipped else expected
            np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-4)
            offsets.add(start % BIN)
            flips += flipped
    assert offsets == set(range(0, BIN, resolution))
    assert 0.3 < flips / (3 * len(batch.codes)) < 0.7


def test_jitter_moves_the_sequence_alone(folder: Path, inputs: MadeInputs) -> None:
    batch, moved = epoch_of(module(folder), 1), set()
    jittered = epoch_of(module(folder, jitter=7), 1)
    assert batch.inputs is not None
    assert jittered.inputs is not None
    for codes, values in zip(jittered.codes.numpy(), jittered.inputs, strict=True):
        name, start, _ = locate(folder, codes)
        nearest = round(start / BIN) * BIN
        moved.add(start - nearest)
        np.testing.assert_allclose(values, slow_inputs(inputs, name, nearest, LENGTH, BIN), rtol=1e-4, atol=1e-4)
    assert len(moved) > 10


def test_noise_scales_each_track_of_each_training_window_and_nothing_else(folder: Path, inputs: MadeInputs) -> None:
    still, noisy = (epoch_of(module(folder, input_noise=noise), 2) for noise in (0, 0.3))
    assert torch.equal(still.codes, noisy.codes)
    assert torch.equal(still.target.nan_to_num(), noisy.target.nan_to_num())
    assert still.inputs is not None
    assert noisy.inputs is not None
    ratio = torch.where(still.inputs.abs() > 1e-3, noisy.inputs / still.inputs, torch.nan).numpy()
    factors = np.nanmedian(ratio, axis=2)
    np.testing.assert_allclose(ratio, np.where(np.isnan(ratio), np.nan, factors[..., None]), rtol=1e-4)
    assert np.std(np.log(factors)) == pytest.approx(0.3, abs=0.05)
    for loader in ("val_dataloader", "test_dataloader"):
        one, other = (next(iter(getattr(module(folder, input_noise=noise), loader)())) for noise in (0, 0.3))
        assert torch.equal(one.inputs, other.inputs)


def test_targets_are_the_same_with_and_without_inputs(folder: Path, inputs: MadeInputs) -> None:
    moves: dict[str, Any] = {"shift": 60, "jitter": 3, "reverse_complement": True, "resolution": 5}
    batch, alone = epoch_of(module(folder, **moves), 1), epoch_of(module(folder, inputs_table=None, **moves), 1)
    assert alone.inputs is None
    assert torch.equal(batch.codes, alone.codes)
    assert torch.equal(batch.target.nan_to_num(), alone.target.nan_to_num())


# Windows that begin anywhere.


@pytest.mark.parametrize(("size", "resolution"), [(1, 1), (10, 1), (10, 5)])
def test_windows_begin_at_any_multiple_of_the_resolution(
    folder: Path, inputs: MadeInputs, size: int, resolution: int
) -> None:
    tracks = InputTracks(inputs.table, Genome(folder / "genome.fa"), SIZES, size, resolution=resolution)
    rng = np.random.default_rng(1)
    contig = rng.integers(0, 4, 60)
    start = rng.integers(-100, 1_300, 60) // resolution * resolution
    found = tracks.windows(contig, start, 100)
    names = list(SIZES)
    expected = [
        slow_inputs(inputs, names[number], first, 100, size, resolution)
        for number, first in zip(contig, start.tolist(), strict=True)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert len(set((start % size).tolist())) == size // resolution
    np.testing.assert_array_equal(tracks.reverse_complement(found), found[:, list(PARTNERS)][..., ::-1])


def test_starts_and_lengths_that_bins_cannot_give_are_refused(folder: Path, inputs: MadeInputs) -> None:
    genome = Genome(folder / "genome.fa")
    tracks = InputTracks(inputs.table, genome, SIZES, 10, resolution=5)
    for start, length in ((3, 100), (5, 95)):
        with pytest.raises(ValueError, match="begin at multiples of 5 bases and have multiples of 10"):
            tracks.windows(np.array([0]), np.array([start]), length)
    with pytest.raises(ConfigError, match="a resolution of 4 bases does not divide input values of 10 bases"):
        InputTracks(inputs.table, genome, SIZES, 10, resolution=4)


def test_a_model_that_reads_other_tracks_is_refused(folder: Path, inputs: MadeInputs) -> None:
    tracks = InputTracks(inputs.table, Genome(folder / "genome.fa"), SIZES, 10)
    tracks.check(["plus", "minus", "cover", "total"], 10)
    for names, size in ((["minus", "plus", "cover", "total"], 10), (["plus"], 10), (tracks.names, 5)):
        with pytest.raises(
            ConfigError, match=r"the model reads .* in addition to the sequence, .*; the table has plus"
        ):
            tracks.check(names, size)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"input_size": 3}, "an input_size of 3 bases does not divide bins of 20"),
        ({"input_size": 40}, "an input_size of 40 bases does not divide bins of 20"),
        ({"input_size": 0}, "an input_size of 0 bases does not divide bins of 20"),
        ({"input_noise": -1.0}, "from 0 up"),
        ({"input_noise": float("nan")}, "from 0 up"),
    ],
)
def test_settings_of_inputs_that_do_not_fit_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        module(Path("none"), **options)


def test_a_table_of_inputs_that_cannot_be_read_is_refused_by_spec(folder: Path, inputs: MadeInputs) -> None:
    with pytest.raises(InputError, match=r"none\.tsv: no such file"):
        module(folder, inputs_table="none.tsv").spec()
