"""Read a JSON object key by key, with one sentence for each value that is missing or has a wrong type."""

import math
import sys
from collections.abc import Sequence
from types import UnionType
from typing import Any

from zoo.errors import IntegrityError

__all__ = ["JsonReader", "list_of", "table_of"]


class JsonReader:
    """Reads the values of a JSON object, and knows afterwards which keys nobody read.

    A default that is None stands for none: then a missing key is an error.

    Args:
        where: file, and key in it, for messages.
        values: the object.
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

    def number(self, key: str, default: float | None = None) -> float:
        """A number, neither infinite nor NaN."""
        value = self._value(key, default)
        if not _is_number(value) or not math.isfinite(value):
            raise self._wrong(key, "a number")
        number: float = value
        return number

    def sequence(self, key: str) -> list[Any]:
        """A list."""
        value = self._value(key, None)
        if not isinstance(value, list):
            raise self._wrong(key, "a list")
        return value

    def table(self, key: str, default: dict[str, Any] | None = None) -> dict[str, Any]:
        """An object."""
        value = self._value(key, default)
        if not isinstance(value, dict):
            raise self._wrong(key, "an object with keys")
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
            raise IntegrityError(f"{self.where} has the key {others[0]!r}, which this version of zoo does not know")

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
    """Whether a value is a number; a whole one only if a float can hold it."""
    return isinstance(value, float) or (type(value) is int and abs(value) <= sys.float_info.max)
