from __future__ import annotations

import pytest
import torch

from zoo.errors import ConfigError
from zoo.genome.intervals import Interval
from zoo.outputs import Contacts, Labels, Output, Tracks


def outputs() -> list[Output]:
    return [
        Labels(("a", "b")),
        Tracks(("plus", "minus", "both"), bins=7, bin_size=4, strand_pairs=(1, 0, 2)),
        Tracks(("a", "b"), bins=8, bin_size=4, crop=3),
        *(Contacts(("a", "b"), bins=bins, bin_size=2, diagonal=k) for bins in (5, 6) for k in (0, 1, 2, 4)),
    ]


def random_values(output: Output) -> torch.Tensor:
    return torch.randn(3, *output.shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("output", outputs(), ids=str)
def test_reverse_complement_twice_is_the_prediction_itself(output: Output) -> None:
    values = random_values(output)
    assert torch.equal(output.reverse_complement(output.reverse_complement(values)), values)


def test_labels_belong_to_both_strands() -> None:
    values = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert Labels(("a", "b")).reverse_complement(values).tolist() == [[1, 2], [3, 4]]


def test_tracks_turn_their_bins_round_and_swap_strand_partners() -> None:
    output = Tracks(("plus", "minus", "both"), bins=3, bin_size=10, strand_pairs=(1, 0, 2))
    values = torch.tensor([[[1.0, 2, 3], [4, 5, 6], [7, 8, 9]]])
    assert output.reverse_complement(values).tolist() == [[[6, 5, 4], [3, 2, 1], [9, 8, 7]]]


def test_unstranded_tracks_only_turn_their_bins_round() -> None:
    output = Tracks(("a", "b"), bins=3, bin_size=10)
    values = torch.tensor([[[1.0, 2, 3], [4, 5, 6]]])
    assert output.reverse_complement(values).tolist() == [[[3, 2, 1], [6, 5, 4]]]


def test_contacts_are_the_upper_triangle_in_row_order() -> None:
    # 4 bins from diagonal 2: (0, 2), (0, 3), (1, 3); the other strand exchanges (0, 2) and (1, 3).
    output = Contacts(("map",), bins=4, bin_size=10, diagonal=2)
    assert output.shape == (1, 3)
    assert output.reverse_complement(torch.tensor([[[20.0, 30.0, 13.0]]])).tolist() == [[[13, 30, 20]]]


@pytest.mark.parametrize("diagonal", [0, 1, 2, 3])
@pytest.mark.parametrize("bins", [4, 7, 10])
def test_contacts_flip_as_the_full_matrix_does_both_ways(bins: int, diagonal: int) -> None:
    output = Contacts(("a", "b"), bins=bins, bin_size=10, diagonal=diagonal)
    values = random_values(output)
    cells = [(i, j) for i in range(bins) for j in range(i + diagonal, bins)]
    assert output.shape == (2, len(cells))
    full = torch.zeros(3, 2, bins, bins)
    for place, (i, j) in enumerate(cells):
        full[:, :, i, j] = full[:, :, j, i] = values[:, :, place]
    flipped = full.flip(-1, -2)
    expected = torch.stack([flipped[:, :, i, j] for i, j in cells], -1)
    assert torch.equal(output.reverse_complement(values), expected)


@pytest.mark.parametrize(("index", "start", "end"), [(0, 1100, 1200), (1, 1200, 1300), (7, 1800, 1900)])
@pytest.mark.parametrize("kind", [Tracks, Contacts])
def test_bins_follow_each_other_after_the_crop(
    kind: type[Tracks] | type[Contacts], index: int, start: int, end: int
) -> None:
    # 1000 bases from 1000: 100 cropped on each side, 8 bins of 100 between.
    output = kind(("a",), bins=8, bin_size=100, crop=100)
    result = output.bin_interval(Interval("chr2", 1000, 2000), index)
    assert (result.chrom, result.start, result.end) == ("chr2", start, end)


@pytest.mark.parametrize("kind", [Tracks, Contacts])
def test_bins_of_a_window_on_the_other_strand_are_counted_from_its_end(kind: type[Tracks] | type[Contacts]) -> None:
    # `Genome.codes` reads such a window backwards, so bin 0 is the one next to the crop at its end.
    output = kind(("a",), bins=4, bin_size=20, crop=10)
    window = Interval("chr1", 0, 100, strand="-")
    result = [(bin_.start, bin_.end) for bin_ in (output.bin_interval(window, index) for index in range(4))]
    assert result == [(70, 90), (50, 70), (30, 50), (10, 30)]


def test_a_model_without_targets_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least one target"):
        Labels(())


def test_two_targets_of_one_name_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="'b'"):
        Tracks(("a", "b", "b"), bins=2, bin_size=1)
