"""Targets that do not vary are found, and refused by name of target and split."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from zoo.data.splits import Split
from zoo.data.target_values import Variation, blocks_at_random, measure_variation, refuse_constant, unscored
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
