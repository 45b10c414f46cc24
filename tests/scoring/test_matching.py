"""Targets of data and of a model, matched by name."""

from typing import Any

import pytest

from zoo.errors import ConfigError
from zoo.scoring.matching import match_targets


def test_names_that_both_have_are_matched_in_the_order_of_the_model() -> None:
    matching = match_targets(["c", "x", "a"], ["a", "b", "c"])
    assert (matching.names, matching.of_model, matching.of_data) == (["a", "c"], [0, 2], [2, 0])
    assert matching.notes == [
        "not evaluated: 1 target of the data that the model does not predict, x",
        "not evaluated: 1 target of the model that the data do not have, b",
    ]


def test_other_names_are_matched_as_the_caller_says() -> None:
    matching = match_targets(["signal", "b"], ["a", "b"], {"signal": "a"})
    assert (matching.names, matching.of_data) == (["a", "b"], [0, 1])
    assert matching.notes == ["signal is taken for the target a"]
    # What is matched by hand is not matched by name too.
    assert match_targets(["a", "b"], ["a", "b"], {"b": "a"}).names == ["a"]


def test_one_file_is_the_target_of_a_model_of_one() -> None:
    assert match_targets(["bound"], ["USF1"], any_name=True).notes == ["bound is taken for the target USF1"]
    with pytest.raises(ConfigError, match="the data have bound; the model predicts USF1"):
        match_targets(["bound"], ["USF1"])


def test_wanted_targets_are_chosen() -> None:
    matching = match_targets(["a", "b"], ["b", "a", "c"], wanted=["a"])
    assert (matching.names, matching.of_model, matching.of_data) == (["a"], [1], [0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"match": {"z": "a"}}, "--match names 'z', which is no target of the data: the data have a, b"),
        ({"match": {"a": "z"}}, "--match names 'z', which is no target of the model"),
        ({"match": {"a": "a", "b": "a"}}, "gives two targets of the data to one"),
        ({"wanted": ["c"]}, "the target 'c' is not in both: the data have a, b; the model predicts a, c"),
    ],
)
def test_names_that_are_not_there_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        match_targets(["a", "b"], ["a", "c"], **options)
