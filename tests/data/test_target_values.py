"""Targets that do not vary are found, and refused by name of target and split."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from zoo.data.splits import Split
from zoo.data.target_values import (
    Variation,
    blocks_at_random,
    learn_scale,
    measure_variation,
    refuse_constant,
    unscored,
)
from zoo.errors import ConfigError

NAN = np.nan


def test_the_range_is_numpys_over_all_blocks_and_axes() -> None:
    values = np.random.default_rng(0).normal(size=(50, 3, 7)).astype(np.float32)
    values[values > 1] = NAN
    values[:, 1] = 4.0  # so that all blocks are read
    found = measure_variation(np.array_split(values, 6), 3)
    np.testing.assert_array_equal(found.lowest, np.nanmin(values, (0, 2)))
    np.testing.assert_array_equal(found.highest, np.nanmax(values, (0, 2)))
    assert found.constant.tolist() == [False, True, False]


def test_nothing_is_read_once_all_targets_vary() -> None:
    def blocks() -> Iterator[NDArray[np.float32]]:
        yield np.array([[1, NAN], [2, 3]], np.float32)
        yield np.array([[1, 5]], np.float32)
        raise AssertionError("read too far")

    assert not measure_variation(blocks(), 2).constant.any()


@pytest.mark.parametrize("items", [1, 5, 1000])
@pytest.mark.parametrize("values", [1, 3_999_999, 9_000_000])
def test_every_item_is_dealt_out_once(items: int, values: int) -> None:
    blocks = list(blocks_at_random(items, values))
    assert sorted(np.concatenate(blocks).tolist()) == list(range(items))
    assert all(1 <= len(block) <= max(1, 4_000_000 // values) for block in blocks)


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("train", "the target 'b' has the same value everywhere (2) in the train split, and 1 more cannot be used "
                  "either (c): nothing can be learnt: leave the target out, or change the splits"),
        ("val", None),
        ("test", None),
    ],
)  # fmt: skip
def test_one_constant_target_is_refused_in_training_alone(split: Split, message: str | None) -> None:
    variation = Variation(np.array([0.0, 2.0, np.inf]), np.array([1.0, 2.0, -np.inf]))
    assert unscored(variation, ["a", "b", "c"]) == "; not scored, for want of two different values: b, c"
    if message is None:
        refuse_constant(variation, ["a", "b", "c"], split)
    else:
        with pytest.raises(ConfigError) as error:
            refuse_constant(variation, ["a", "b", "c"], split)
        assert str(error.value) == message


def test_a_held_out_split_without_any_target_that_varies_is_refused() -> None:
    variation = Variation(np.array([np.inf]), np.array([-np.inf]))
    with pytest.raises(ConfigError) as error:
        refuse_constant(variation, ["a"], "test")
    message = "the target 'a' has no value in the test split: nothing can be scored: hold out other data"
    assert str(error.value) == message


def test_measurements_have_the_mean_and_deviation_of_all_but_the_outermost_values() -> None:
    values = np.random.default_rng(1).normal(50, 3, (2_000, 2)).astype(np.float32)
    values[7, 0], values[8, 1] = 1e7, NAN  # one outlier, one missing value
    found = learn_scale(lambda: np.array_split(values, 7), 2, counts=False, soft_clip=False)
    for target in range(2):
        column = np.sort(values[~np.isnan(values[:, target]), target].astype(float))
        low, high = np.percentile(column, 1), np.percentile(column, 99)
        clipped = [min(max(value, low), high) for value in column.tolist()]
        assert found.centre is not None
        assert found.spread is not None
        assert found.centre[target] == pytest.approx(np.mean(clipped), rel=1e-3)
        assert found.spread[target] == pytest.approx(np.std(clipped), rel=1e-3)
    assert found.soft_clip is None
    assert found.scaled_loss


def test_half_of_the_square_roots_lie_in_bins_up_to_the_typical_one() -> None:
    # Of a sum of 100 square roots, 40 are in bins of 1, 20 in two bins of 100, and 40 in one bin of 1,600.
    values = np.array([0] * 500 + [1] * 40 + [100] * 2 + [1600] + [NAN], np.float32)
    np.random.default_rng(0).shuffle(values)
    blocks = [values.reshape(1, 1, -1)[:, [0, 0]] * np.array([1, 20], np.float32)[:, None]]
    found = learn_scale(lambda: blocks, 2, counts=True, soft_clip=True)
    assert (found.centre, found.spread, found.soft_clip) == (None, [100.0, 2000.0], [200.0, 4000.0])
    assert learn_scale(lambda: blocks, 2, counts=True, soft_clip=False).soft_clip is None


@pytest.mark.parametrize(("counts", "spread"), [(True, 7.0), (False, 7.0)])
def test_what_varies_outside_of_the_part_that_was_read_is_found(
    counts: bool, spread: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.data.target_values._MOST_VALUES", 10)
    blocks = [np.zeros((20, 1), np.float32), np.full((20, 1), 7, np.float32)]
    assert learn_scale(lambda: blocks, 1, counts, soft_clip=False).spread == [spread]


def test_values_that_rarely_differ_have_their_own_deviation() -> None:
    values = np.zeros((1_000, 1), np.float32)
    values[3] = 5
    assert learn_scale(lambda: [values], 1, counts=False, soft_clip=False).spread == [float(f"{values.std():.4g}")]


@pytest.mark.parametrize(("offset", "spread"), [(12_344.0, 0.34), (-3.4e6, 340.0), (0.0, 0.34), (5e-4, 3e-8)])
def test_the_centre_is_known_to_a_thousandth_of_the_spread(offset: float, spread: float) -> None:
    values = (offset + spread * np.random.default_rng(0).normal(size=(4_000, 1))).astype(np.float32)
    column = values[:, 0].astype(np.float64)
    expected = column.clip(*np.percentile(column, (1, 99)))
    found = learn_scale(lambda: [values], 1, counts=False, soft_clip=False)
    assert found.centre is not None
    assert found.spread is not None
    assert abs(found.centre[0] - expected.mean()) <= 1e-3 * expected.std()
    assert found.spread[0] == pytest.approx(expected.std(), rel=1e-3)
    assert len(repr(found.centre[0])) <= 14  # people can read it


def test_few_bins_with_very_much_decide_where_they_have_half_of_the_square_roots() -> None:
    # Square roots: 9,990 of 1, and 10 of 3,162; or 10 of 900.
    for most, spread in ((1e7, 1e7), (8.1e5, 1.0)):
        values = np.array([[1.0]] * 9_990 + [[most]] * 10, np.float32)
        assert learn_scale(lambda values=values: [values], 1, counts=True, soft_clip=True).spread == [spread]  # type: ignore[misc]
