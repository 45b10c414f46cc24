"""The arguments that a LightningModule was built with, as plain JSON values."""

import inspect
from dataclasses import fields, is_dataclass
from types import FrameType
from typing import Any

from lightning import LightningModule
from lightning.pytorch.utilities.parsing import collect_init_args

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
    for arguments in collect_init_args(frame, [], classes=(module,)):  # from the base class to the class itself
        values |= arguments
    return {name: plain(values[name]) for name in inspect.signature(module).parameters if name in values}


def plain(value: Any) -> Any:
    """Convert a value to what JSON gives back: sequences to lists, dataclasses to dicts of their fields."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value) if field.init}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value
