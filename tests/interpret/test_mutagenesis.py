"""Saturation mutagenesis: cases computable on paper, other packages, and mutants predicted one by one."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made.mutants import in_full, lively, random_codes, single_mutants
from torch import nn

import zoo
from zoo.errors import ConfigError, InputError
from zoo.genome.sequence import decode, encode, one_hot
from zoo.interpret.mutants import predict_mutants
from zoo.interpret.predictor import MutantPredictor
from zoo.interpret.threads import Threads, part_sizes
from zoo.models.akita import Akita, AkitaTrunkConfig
from zoo.models.basenji import Basenji
from zoo.models.basset import Basset
from zoo.models.deepbind import DeepBind
from zoo.models.mlp import MLP
from zoo.nn.conv_stack import ConvStackConfig
from zoo.nn.motifs import MotifConfig
from zoo.nn.pair_map import PairMapConfig
from zoo.nn.trunk import TrunkConfig

TARGETS = ("first", "second")
SIZES = {"stem_filters": 6, "stem_width_bases": 5, "tower_filters": (7,), "tower_width": 3, "tower_pools": (2,)}
DILATED = {"residual_filters": 4, "dilations": (1, 2)}


def counter() -> Any:
    """A net that scores a sequence with the matches of its best GAC, and the mean number of matches of a window."""
    model: Any = DeepBind(["hits"], 12, MotifConfig(1, 3, 1, "max_mean", "forward"), loss="mean_squared_error")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.trunk.filters[0, [2, 0, 1], [0, 1, 2]] = 1.0
        dense = model.head.layers[-1]
        dense.weight[0, :, 0] = torch.tensor([1.0, 14.0])  # 14 windows, with those past the ends
    return model.eval()


def test_a_filter_that_counts_a_motif_on_paper() -> None:
    """The best window has 3 matches; each base is in one window at each of three places, and N counts a quarter."""
    sequence = "TTTTGACTTTTT"
    effects = zoo.saturation_mutagenesis(counter(), [sequence])[0]
    # The mean: G is awaited first, A second, C third, so that of three places one is a match; of T none is.
    total = {"A": 1, "C": 1, "G": 1, "T": 0}
    ends = 4 * 0.25 * 1.5  # two windows at each end read 1 + 2 unknown bases: 6 places of a quarter
    assert effects.reference.change == pytest.approx([3 + 3 + ends])
    expected = np.zeros((12, 4))
    for position, letter in enumerate(sequence):
        for index, base in enumerate("ACGT"):
            best = 2 if letter != "T" and base != letter else 3
            expected[position, index] = total[base] - total[letter] + best - 3
    np.testing.assert_allclose(effects.substitutions.change[:, :, 0], expected, atol=1e-5)


def plain_basset(model: Any) -> nn.Module:
    """The same net as torch's own modules in a row."""
    layers: list[nn.Module] = []
    for block in model.trunk.blocks:
        conv = nn.Conv1d(block.conv.in_channels, block.conv.out_channels, block.conv.kernel_size[1])
        norm = nn.BatchNorm1d(conv.out_channels)
        conv.load_state_dict({"weight": block.conv.weight.squeeze(2), "bias": block.conv.bias})
        norm.load_state_dict(block.norm.state_dict())
        layers += [conv, norm, nn.ReLU(), nn.MaxPool1d(block.pool.kernel_size[1])]
    return nn.Sequential(*layers, nn.Flatten(), *model.head, nn.Sigmoid()).eval()


def test_tangermeme_computes_the_same_for_a_basset() -> None:
    saturation = pytest.importorskip("tangermeme.saturation_mutagenesis")
    model = lively(Basset(TARGETS, 80, ConvStackConfig((12, 10), (9, 5), (3, 4)), hidden=(16, 8)))
    assert isinstance(model, Basset)
    codes = random_codes(2, 80).clamp(max=3)
    ours = zoo.saturation_mutagenesis(model, codes.numpy())
    theirs = saturation.saturation_mutagenesis(
        plain_basset(model), one_hot(codes), raw_outputs=True, fast=False, device="cpu"
    )
    for index in range(2):
        change = (theirs.y_hat[index] - theirs.y0[index]).transpose(0, 1)  # (4, L, T) -> (L, 4, T)
        np.testing.assert_allclose(ours[index].substitutions.change, change.numpy(), atol=2e-5)
        np.testing.assert_allclose(ours[index].reference.change, theirs.y0[index].numpy(), atol=2e-5)
        assert np.abs(change.numpy()).max() > 0.02


def test_deletions_hold_the_left_flank_and_take_in_the_next_base(tmp_path: Path) -> None:
    model = lively(MLP(TARGETS, 12, (8,)))
    contig = "ACGTTGCAAGGCTTACGGAT"
    (tmp_path / "genome.fa").write_text(f">chr1\n{contig}\n")
    genome = zoo.Genome(tmp_path / "genome.fa")
    (tmp_path / "sites.bed").write_text("chr1\t3\t15\ta\t0\t+\nchr1\t3\t15\tb\t0\t-\nchr1\t8\t20\tc\t0\t+\n")
    result = zoo.saturation_mutagenesis(model, genome, tmp_path / "sites.bed", deletions=True)
    forward = decode(genome.codes(zoo.Interval("chr1", 3, 16)))
    backward = decode(genome.codes(zoo.Interval("chr1", 2, 15, strand="-")))
    for index, longer in enumerate((forward, backward, contig[8:20] + "N")):
        assert len(longer) == 13
        whole = in_full(model, torch.from_numpy(np.array([encode(longer[:12])])))
        deleted = np.array([encode(longer[:at] + longer[at + 1 :]) for at in range(12)])
        expected = in_full(model, torch.from_numpy(deleted)) - whole
        deletions = result[index].deletions
        assert deletions is not None
        np.testing.assert_allclose(deletions.change, expected.numpy(), atol=1e-6)


@pytest.mark.parametrize("fill", ["N", "shuffle"])
def test_tiles_are_replaced_side_by_side(fill: str) -> None:
    model = lively(Basset(TARGETS, 47, ConvStackConfig((8,), (5,), (3,)), hidden=(7,)))
    codes = random_codes(1, 47).clamp(max=3)
    result = zoo.saturation_mutagenesis(model, codes.numpy(), tile=10, fill=fill, span=(5, 40))  # type: ignore[arg-type]
    tiles, whole = result[0].tiles, in_full(model, codes)
    assert tiles is not None and tiles.change.shape == (4, 2)
    rng = np.random.default_rng(1)
    shuffled = rng.permuted(np.repeat(codes.numpy()[0, 5:35].reshape(3, 1, 10), 10, 1), axis=2)
    for index, (first, last) in enumerate(((5, 15), (15, 25), (25, 35))):
        mutants = codes.repeat(10, 1)
        mutants[:, first:last] = 4 if fill == "N" else torch.from_numpy(shuffled[index])
        expected = (in_full(model, mutants) - whole).mean(0)
        np.testing.assert_allclose(tiles.change[index], expected.numpy(), atol=2e-5)


def test_tracks_and_contact_maps_are_summed_over_bins() -> None:
    tracks = Basenji(TARGETS, 128, TrunkConfig(**SIZES, **DILATED), 9, crop_bins=2)  # type: ignore[arg-type]
    sizes = AkitaTrunkConfig(**SIZES, stem_pool=2, **DILATED)  # type: ignore[arg-type]
    contacts = Akita(TARGETS, 128, sizes, PairMapConfig(5, 3, "mean", 6, 4, (1,)), crop_bins=2)
    codes = random_codes(1, 128).clamp(max=3)
    for model in (lively(tracks), lively(contacts)):
        result = zoo.saturation_mutagenesis(model, codes.numpy(), span=(60, 62), bins=(3, 9))[0]
        assert result.substitutions.absolute is not None
        mutant = codes.clone()
        mutant[0, 61] = (codes[0, 61] + 1) % 4
        change = (in_full(model, mutant) - in_full(model, codes))[0]
        if isinstance(model, Akita):
            maps = model.output.contact_maps(change[None])[0, :, 3:9, 3:9]  # type: ignore[attr-defined]
            change = maps.triu(2).nan_to_num().flatten(1)
        else:
            change = change[:, 3:9]
        cell = (1, int(mutant[0, 61]))
        np.testing.assert_allclose(result.substitutions.change[cell], change.sum(1), rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(result.substitutions.absolute[cell], change.abs().sum(1), rtol=1e-4, atol=1e-4)


def test_sequences_that_are_scanned() -> None:
    model = lively(DeepBind(TARGETS, 21, MotifConfig(6, 5), scan=True))
    for length in (9, 21, 50):
        codes = random_codes(1, length)
        positions, bases = torch.arange(length), torch.arange(length).to(torch.uint8) % 4
        whole = codes.repeat(length, 1)
        whole[torch.arange(length), positions] = bases
        expected = in_full(model, whole)
        torch.testing.assert_close(predict_mutants(model, codes[0], positions, bases), expected, atol=2e-5, rtol=0)


class Squared(nn.Module):
    """A layer that no shortcut knows."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * x


def test_a_net_without_a_shortcut_is_predicted_in_full() -> None:
    codes = random_codes(1, 47)
    positions, bases = torch.arange(47), torch.arange(47).to(torch.uint8) % 4
    whole = codes.repeat(47, 1)
    whole[torch.arange(47), positions] = bases

    def fresh() -> Any:
        return lively(Basset(TARGETS, 47, ConvStackConfig((8,), (5,), (3,)), hidden=(7,)))

    def other_forward(self: Any, x: torch.Tensor, inputs: None = None) -> torch.Tensor:
        return 1 - Basset.forward(self, x)

    unknown, hooked = fresh(), fresh()
    unknown.trunk.blocks[0].activation = Squared()
    hooked.trunk.blocks[0].activation.register_forward_hook(lambda module, given, output: 2 * output)
    derived = fresh()
    derived.__class__ = type("Derived", (Basset,), {"forward": other_forward})
    for model in (unknown, hooked, derived):
        predictor = MutantPredictor(model)
        assert not predictor.has_shortcut
        expected = in_full(model, whole)
        torch.testing.assert_close(predict_mutants(predictor, codes[0], positions, bases), expected, atol=1e-6, rtol=0)
    assert MutantPredictor(fresh()).has_shortcut


@pytest.mark.parametrize("hidden", [(7,), ()])
def test_a_single_mutant_leaves_its_reference_as_it_was(hidden: tuple[int, ...]) -> None:
    """The window of the only mutant of the only reference must not be a view of the reference."""
    model = lively(Basset(TARGETS, 47, ConvStackConfig((8, 6), (5, 3), (3, 2)), hidden=hidden))
    codes, predictor = random_codes(1, 47), MutantPredictor(model)
    predicted = predictor.references(codes)
    for position in (3, 20, 21, 46):
        mutant = codes.clone()
        mutant[0, position] = (codes[0, position] + 1) % 4
        for _ in range(2):
            values = predictor.mutants(predicted, mutant[:, position : position + 1], np.array([position]))
            torch.testing.assert_close(values, in_full(model, mutant), atol=2e-5, rtol=0)


def test_threads_compute_parts_of_their_own_and_change_no_setting() -> None:
    model = lively(Basset(TARGETS, 80, ConvStackConfig((12, 10), (9, 5), (3, 4)), hidden=(16,)))
    codes = random_codes(1, 80)[0]
    positions, bases, whole = single_mutants(codes)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert part_sizes(400, 1000, codes.device) == [slice(0, 200), slice(200, 400)]
        values = predict_mutants(model, codes, positions, bases)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(values, in_full(model, whole), atol=2e-5, rtol=0)


def test_parts_are_alike_for_all_threads() -> None:
    device, before = torch.device("cpu"), torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert part_sizes(1800, 332, device) == [slice(first, first + 300) for first in range(0, 1800, 300)]
        torch.set_num_threads(3)
        assert part_sizes(1801, 332, device)[-1] == slice(1505, 1806)
    finally:
        torch.set_num_threads(before)


def test_threads_last_from_call_to_call_but_not_into_a_forked_process(monkeypatch: pytest.MonkeyPatch) -> None:
    device, before = torch.device("cpu"), torch.get_num_threads()
    threads, together, names = Threads(), threading.Barrier(2, timeout=60), list[str]()

    def note(part: slice) -> torch.Tensor:
        """Note the thread that computes a part, and how many torch may use in it."""
        together.wait()  # one thread cannot take the parts of both
        names.append(threading.current_thread().name)
        return torch.tensor(torch.get_num_threads())

    def called() -> set[str]:
        """The threads of one call."""
        names.clear()
        assert threads.map(note, [slice(0, 1), slice(1, 2)] * 2, device) == [1] * 4
        return set(names)

    try:
        torch.set_num_threads(2)
        first = called()
        assert len(first) == 2
        assert called() == first
        monkeypatch.setattr("os.getpid", lambda: -1)
        assert not called() & first
    finally:
        torch.set_num_threads(before)


def test_what_no_mutant_can_have_is_refused() -> None:
    model = lively(MLP(TARGETS, 12, (8,)))
    with pytest.raises(InputError, match=r"the span 5-13 ends past the sequence's 12 bases"):
        zoo.saturation_mutagenesis(model, ["ACGTACGTACGT"], span=(5, 13))
    with pytest.raises(ConfigError, match="bins are of tracks and contact maps; this model predicts labels"):
        zoo.saturation_mutagenesis(model, ["ACGTACGTACGT"], bins=(0, 1))
    with pytest.raises(InputError, match="a mutant changes bases outside of the 12 bases"):
        predict_mutants(model, random_codes(1, 12)[0], torch.tensor([12]), torch.tensor([0], dtype=torch.uint8))
    codes = random_codes(2, 12)
    with pytest.raises(InputError, match=r"a pair of sequences differs outside of the positions \[3, 4\)"):
        zoo.predict_pairs(model, codes, codes.flip(0), 3, 4)


@pytest.mark.parametrize("tile", [35, 50])
def test_a_tile_as_long_as_the_span_is_the_only_one(tile: int) -> None:
    model = lively(Basset(TARGETS, 47, ConvStackConfig((8,), (5,), (3,)), hidden=(7,)))
    codes = random_codes(1, 47).clamp(max=3)
    tiles = zoo.saturation_mutagenesis(model, codes.numpy(), tile=tile, span=(5, 40))[0].tiles
    assert tiles is not None and tiles.change.shape == (1, 2)
    masked = codes.clone()
    masked[:, 5:40] = 4
    np.testing.assert_allclose(tiles.change, (in_full(model, masked) - in_full(model, codes)).numpy(), atol=2e-5)


def test_a_target_named_as_a_column_is_refused_in_a_dataframe() -> None:
    result = zoo.saturation_mutagenesis(MLP(["position"], 20, hidden=(4,)).eval(), ["ACGTACGTACGTACGTACGT"])
    with pytest.raises(ConfigError, match="'position' has the name of another column"):
        result.to_dataframe()
