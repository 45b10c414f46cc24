"""Read a JSON object key by key, with one sentence for each value that is missing, has a wrong type or is too large."""

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from types import UnionType
from typing import Any, NoReturn

from zoo.errors import IntegrityError
from zoo.utils.text import quoted

__all__ = ["JsonReader", "check_values", "holds_control", "list_of", "read_json", "table_of"]

_MOST_VALUES, _MOST_KEYS, _MOST_CONTAINERS = 2_000_000, 100_000, 100_000
_DEEPEST = 10
_LARGEST_WHOLE = 2**63 - 1
_LONGEST_TEXT, _LONGEST_KEY = 1_000_000, 200
# Control characters other than tab and line feed, which could change what a terminal shows, and halves of characters.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_BREAK = re.compile("[\t\n]")
_KEY = re.compile(rb'"\s*:')


def read_json(path: Path) -> Any:
    """Read a JSON file that somebody else may have made.

    Args:
        path: path of a regular file of bounded size.

    Raises:
        IntegrityError: it is not JSON, names a key twice, holds NaN or infinity, or more than 2 million values.
    """
    try:
        content = path.read_bytes()
        if (values := content.count(b",")) > _MOST_VALUES:
            raise IntegrityError(f"{path} holds {values:,} values; it may hold {_MOST_VALUES:,}")
        if content.count(b":") > _MOST_KEYS and (keys := len(_KEY.findall(content))) > _MOST_KEYS:
            raise IntegrityError(f"{path} holds {keys:,} keys; it may hold {_MOST_KEYS:,}")
        return json.loads(content.decode("utf-8"), object_pairs_hook=_without_repeats, parse_constant=_refuse_constant)
    except OSError as error:
        raise IntegrityError(f"{path} cannot be read: {error.strerror}") from None
    except RecursionError:
        raise IntegrityError(f"{path} cannot be read: lists or objects lie too deep in each other") from None
    except ValueError as error:
        raise IntegrityError(f"{path} cannot be read: it is not JSON ({error})") from None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        seen: set[str] = set()
        repeated = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {quoted(repeated)} occurs twice")
    return table


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")


def holds_control(text: str) -> bool:
    """Whether a text holds control characters other than tab and line feed: `config.json` may not."""
    return bool(_CONTROL.search(text))


def check_values(where: str, content: Any) -> None:
    """Check that all values of a JSON object are within the bounds of any `config.json`, whatever their keys.

    Raises:
        IntegrityError: lists or objects too deep in each other, a number that is infinite, NaN or beyond 64 bits, or a
            text that is very long or holds control characters.
    """
    level, depth, containers = [("", content)], 0, 0
    while level:
        depth, containers = depth + 1, containers + len(level)
        if depth > _DEEPEST:
            raise IntegrityError(f"{where}: lists or objects lie more than {_DEEPEST} deep in each other")
        if containers > _MOST_CONTAINERS:
            raise IntegrityError(f"{where} holds more than {_MOST_CONTAINERS:,} lists and objects")
        inner: list[tuple[str, Any]] = []
        for key, value in level:
            if isinstance(value, dict):
                _check_keys(where, value)
            pairs = value.items() if isinstance(value, dict) else [(key, value)]
            for name, item in pairs:
                items = item if isinstance(item, list) else [item]
                _check_flat(f"{where}: {name}", items)
                inner += [(name, one) for one in items if isinstance(one, dict | list)]
        level = inner


def _check_keys(where: str, table: dict[str, Any]) -> None:
    for key in table:
        if len(key) > _LONGEST_KEY or _BREAK.search(key) or _CONTROL.search(key):
            raise IntegrityError(f"{where}: {quoted(key)} is no key of one line of at most {_LONGEST_KEY} letters")


def _check_flat(where: str, values: list[Any]) -> None:
    """Check the texts and numbers among some values; by their types, because there may be a million."""
    kinds = set(map(type, values))
    if str in kinds:
        texts = [value for value in values if type(value) is str]
        if (longest := max(map(len, texts))) > _LONGEST_TEXT:
            raise IntegrityError(f"{where} has {longest:,} letters; a text may have {_LONGEST_TEXT:,}")
        if _CONTROL.search("".join(texts)):
            wrong = next(text for text in texts if _CONTROL.search(text))
            raise IntegrityError(f"{where} must be a text without control characters, not {quoted(wrong)}")
    if float in kinds and not all(map(math.isfinite, (value for value in values if type(value) is float))):
        wrong_number = next(value for value in values if type(value) is float and not math.isfinite(value))
        raise IntegrityError(f"{where} must be a number, not {wrong_number}")
    if int in kinds and any(abs(value) > _LARGEST_WHOLE for value in values if type(value) is int):
        raise IntegrityError(f"{where} must be a number of at most 64 bits")


class JsonReader:
    """Reads the values of a JSON object, and knows afterwards which keys nobody read.

    A default that is None stands for none: then a missing key is an error.

    Args:
        where: file, and key in it, for messages.
        values: the object; its values have passed `check_values`.
    """

    def __init__(self, where: str, values: dict[str, Any]) -> None:
        self.where, self.values = where, values
        self._read: set[str] = set()

    def text(self, key: str, default: str | None = None) -> str:
        """A text."""
        value = self._value(key, default)
        if not isinstance(value, str):
            raise self._wrong(key, "a text")
        return value

    def word(self, key: str, longest: int = 200) -> str:
        """A text in one line, with something in it."""
        value = self.text(key)
        if not value.strip() or len(value) > longest or _BREAK.search(value):
            raise self._wrong(key, f"a text in one line of 1 to {longest} letters")
        return value

    def number(self, key: str, default: float | None = None, lowest: float = -math.inf) -> float:
        """A number, neither infinite nor NaN."""
        value = self._value(key, default)
        if not _is_number(value) or not math.isfinite(value):
            raise self._wrong(key, "a number")
        if value < lowest:
            raise self._wrong(key, f"{lowest:g} or more")
        number: float = value
        return number

    def whole(self, key: str, of: str = "", lowest: int = 0, highest: int = _LARGEST_WHOLE) -> int:
        """A whole number; `of` says of what, for the message."""
        value = self.number(key)
        if not isinstance(value, int) or not lowest <= value <= highest:
            raise self._wrong(key, f"a whole number{' of ' * bool(of)}{of} from {lowest:,} to {highest:,}")
        return value

    def sequence(self, key: str, default: list[Any] | None = None) -> list[Any]:
        """A list."""
        value = self._value(key, default)
        if not isinstance(value, list):
            raise self._wrong(key, "a list")
        return value

    def names(self, key: str) -> list[str]:
        """A list of names, none of which occurs twice."""
        names = list_of(str, self.sequence(key))
        if not names or any(_BREAK.search(name) for name in names):
            raise self._wrong(key, "a list of names")
        if len(set(names)) < len(names):
            raise IntegrityError(f"{self.where}: {key} holds a name twice")
        return list(names)

    def table(self, key: str, default: dict[str, Any] | None = None, most: int = 1_000) -> dict[str, Any]:
        """An object of at most `most` keys."""
        value = self._value(key, default)
        if not isinstance(value, dict):
            raise self._wrong(key, "an object with keys")
        if len(value) > most:
            raise IntegrityError(f"{self.where}: {key} has {len(value):,} keys; it may have {most:,}")
        return value

    def choice(self, key: str, choices: Sequence[str]) -> str:
        """One of some texts."""
        value = self._value(key, None)
        if value not in choices:
            raise self._wrong(key, "one of " + ", ".join(choices))
        return str(value)

    def refuse_others(self, *known: str) -> None:
        """Refuse keys that were neither read nor are known.

        Raises:
            IntegrityError: a key that this version of zoo does not know.
        """
        if others := [key for key in self.values if key not in self._read and key not in known]:
            raise IntegrityError(
                f"{self.where} has the key {quoted(others[0])}, which this version of zoo does not know"
            )

    def _value(self, key: str, default: Any) -> Any:
        self._read.add(key)
        if key not in self.values and default is None:
            raise IntegrityError(f"{self.where} has no key {key!r}")
        return self.values.get(key, default)

    def _wrong(self, key: str, kind: str) -> IntegrityError:
        value = repr(self.values[key])
        return IntegrityError(f"{self.where}: {key} must be {kind}, not {value[:80]}")


def list_of(kind: type | UnionType, value: Any) -> Any:
    """The value if it is a list of values of a type, otherwise None; every number is a float."""
    valid = isinstance(value, list) and all(_is(kind, item) for item in value)
    return value if valid else None


def table_of(kind: type, value: Any) -> Any:
    """The value if it is an object with values of a type, otherwise None; every number is a float."""
    valid = isinstance(value, dict) and all(_is(kind, item) for item in value.values())
    return value if valid else None


def _is(kind: type | UnionType, value: Any) -> bool:
    return isinstance(value, kind) or (_is_number(value) and isinstance(float(value), kind))


def _is_number(value: Any) -> bool:
    """Whether a value is a number that a float can hold."""
    return isinstance(value, float) or (type(value) is int and abs(value) <= _LARGEST_WHOLE)
