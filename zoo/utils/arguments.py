"""The arguments that a LightningModule was built with, as plain JSON values."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from types import FrameType
from typing import Any

from lightning import LightningModule

__all__ = ["constructor_arguments", "plain"]


def constructor_arguments(module: type[LightningModule], frame: FrameType) -> dict[str, Any]:
    """Collect the arguments of a module's constructor, defaults filled in, in the order of its signature.

    Args:
        module: the class that is being built.
        frame: frame of the constructor of one of its base classes, called by it.

    Returns:
        Name -> value as JSON gives it back (see `plain`).
    """
    values: dict[str, Any] = {}
    built, outer = frame.f_locals["self"], frame.f_back
    while outer is not None and outer.f_code.co_name == "__init__" and outer.f_locals.get("self") is built:
        code = outer.f_code
        values |= {name: outer.f_locals[name] for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]}
        outer = outer.f_back
    return {name: plain(values[name]) for name in _parameters(module.__init__) if name in values}


@cache
def _parameters(constructor: Callable[..., Any]) -> Sequence[str]:
    """Names of the arguments of a constructor, without `self`."""
    return tuple(inspect.signature(constructor).parameters)[1:]


def plain(value: Any) -> Any:
    """Convert a value to what JSON gives back: sequences to lists, dataclasses to dicts of their fields."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value) if field.init}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value
