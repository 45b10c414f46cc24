"""Type hints of an architecture's arguments: those that are known are checked, any other leaves it to the class."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pytest

from zoo.errors import ConfigError
from zoo.nn.configs import check_arguments


class Architecture:
    def __init__(
        self,
        widths: list[int] | None = None,
        names: dict[str, int] | None = None,
        table: Mapping[str, int] | None = None,
        either: int | str = 0,
        one_or_more: int | Sequence[int] = 1,
        pair: tuple[int, str] = (1, "a"),
        anything: Any = None,
        choice: Literal[1, 2] = 1,
        sizes: tuple[int, ...] = (1,),
    ) -> None: ...


@pytest.mark.parametrize(
    "arguments",
    [
        {"widths": [3, 4]},
        {"names": {"a": 1}},
        {"table": {"a": 1}},
        {"either": "a"},
        {"one_or_more": [1, 2]},
        {"pair": [1, "a"]},
        {"anything": [{}]},
        {"choice": 2},
        {"sizes": [1, 2, 3]},
    ],
)
def test_hints_of_any_kind_are_accepted(arguments: dict[str, Any]) -> None:
    check_arguments(Architecture, arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"choice": 3}, "choice must be one of 1, 2, not 3"),
        ({"sizes": [1, "a"]}, "sizes must be of type int, not 'a'"),
        ({"other": 1}, "there is no argument 'other'"),
    ],
)
def test_values_of_other_types_are_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_arguments(Architecture, arguments)
