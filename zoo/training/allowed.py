"""What a configuration that came with a checkpoint may hold: classes of a few kinds, numbers, and text.

jsonargparse imports each class and function that a value names, and reads a file where a path stands for a value.
Before that, each value is compared with the type of its argument here. A class must be of a kind and package of
`_PACKAGES`; nothing of another package is imported. An argument that is a function, a path or of any type takes only
its default, numbers, and words that name neither a class nor a file.
"""

import dataclasses
import inspect
import re
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from lightning import LightningDataModule
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.plugins import LayerSync, Precision
from lightning.pytorch.strategies import Strategy
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from zoo.models._base import SequenceModel
from zoo.training.given import CLASS_KEYS, Given
from zoo.training.signatures import parameters_of, resolve_class
from zoo.utils.text import quoted

__all__ = ["Allowed"]

# Kind of class -> the packages of which it may be. Loggers and profilers are not among them: they write where their
# arguments say, or send to a server.
_PACKAGES: dict[type, tuple[str, ...]] = {
    SequenceModel: ("zoo.models",),
    LightningDataModule: ("zoo.data", "zoo.datasets"),
    Optimizer: ("torch.optim",),
    LRScheduler: ("torch.optim.lr_scheduler",),
    ReduceLROnPlateau: ("torch.optim.lr_scheduler", "lightning.pytorch.cli"),
    Callback: ("lightning.pytorch.callbacks", "zoo.training.callbacks"),
    Strategy: ("lightning.pytorch.strategies",),
    Precision: ("lightning.pytorch.plugins",),
    LayerSync: ("lightning.pytorch.plugins",),
}
# Classes of these kinds that exist to call any function.
_CALL_FUNCTIONS = ("LambdaCallback", "LambdaLR", "MultiplicativeLR")
# Arguments by whose value files are written or a model is sent away.
_PATHS = re.compile("(path|dir|file|filename|url|uri|model_registry)$")
_DOTTED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+")
_WORD = re.compile(r"[a-z][a-z0-9_:-]*")  # such as ddp, or cuda:0
_SCALARS = (str, int, float, bool, types.NoneType, timedelta)
_COLLECTIONS = (list, tuple, set, Sequence, Iterable)
_MAPPINGS = (dict, Mapping)


class Allowed:
    """Rules for a configuration that came with a checkpoint.

    Args:
        schema: key at the top -> its type, as `zoo.training.messages.explain` takes it.
        folders: folders in which a relative path is looked for.
    """

    def __init__(self, schema: Mapping[str, Any], folders: Sequence[Path]) -> None:
        self.schema = schema
        self.folders = folders

    def first_refused(self, given: Given) -> str | None:
        """Find the first key or value that such a configuration may not hold.

        Args:
            given: its content.

        Returns:
            The key and what it holds, as the beginning of a sentence; None where all is allowed.
        """
        for key, value in given.items():
            if key not in self.schema:
                return f"{quoted(key)} is no option of a run"
            wanted = self.schema[key]
            check = self._in_arguments if isinstance(wanted, tuple) else self._in_value
            if message := check(key, value, wanted[0] if isinstance(wanted, tuple) else wanted):
                return message
        return None

    def _in_value(self, key: str, value: Any, wanted: Any) -> str | None:
        """What a value of a type holds that is refused."""
        options = list(_options(wanted))
        if value is None or isinstance(value, bool | int | float) or all(map(_is_plain, options)):
            return self._names_class(key, value)
        if isinstance(value, str):
            is_text = str in options or Any in options
            if is_text and _WORD.fullmatch(value):
                is_file = any((folder / value).is_file() for folder in self.folders)  # which would be read in its place
                return f"{key} is {quoted(value)}, the name of a file here" if is_file else None
            return self._in_class(key, {"class_path": value}, options)
        if isinstance(value, list):
            elements = [element for option in options for element in _elements(option)]
            items = (self._in_value(f"{key}[{index}]", one, _union(elements)) for index, one in enumerate(value))
            return next(filter(None, items), None) if elements else f"{key} is a list"
        return self._in_mapping(key, value, options) if isinstance(value, dict) else f"{key} is {quoted(str(value))}"

    def _names_class(self, key: str, value: Any) -> str | None:
        """What names a class in a value of numbers and text, where there are none."""
        if isinstance(value, dict):
            class_key = next((name for name in value if str(name) in CLASS_KEYS), None)
            if class_key is not None:
                return f"{key} has {class_key}"
        below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        return next(filter(None, (self._names_class(f"{key}.{name}", one) for name, one in below)), None)

    def _in_mapping(self, key: str, value: dict[Any, Any], options: Sequence[Any]) -> str | None:
        """What a set of keys holds that is refused: a class with its arguments, a dataclass, or values by name."""
        if CLASS_KEYS & set(value):
            return self._in_class(key, value, options)
        for option in options:
            if dataclasses.is_dataclass(option) and isinstance(option, type):
                return self._in_arguments(key, value, option)
        values = [get_args(option)[1] for option in options if get_origin(option) in _MAPPINGS]
        items = (self._in_value(f"{key}.{name}", one, _union(values)) for name, one in value.items())
        return next(filter(None, items), None) if values else f"{key} has keys, and names no class"

    def _in_class(self, key: str, value: dict[Any, Any], options: Sequence[Any]) -> str | None:
        """What a class path and arguments hold that is refused."""
        path = value.get("class_path")
        cls = _allowed_class(path, options) if isinstance(path, str) else None
        if cls is None:
            return f"{key} names {'no class' if path is None else quoted(str(path))}"
        if others := [name for name in value if value[name] and name not in ("class_path", "init_args")]:
            return f"{key} has {quoted(str(others[0]))}"
        return self._in_arguments(key, value.get("init_args") or {}, cls)

    def _in_arguments(self, key: str, given: Any, cls: type) -> str | None:
        """What arguments of a class hold that is refused."""
        if not isinstance(given, dict):
            return f"{key} is {quoted(str(given))}"
        parameters = parameters_of(cls)
        for name, value in given.items():
            if value is None:
                continue
            if not str(name).isidentifier():
                return f"{key} has {quoted(str(name))}"
            # Of an argument that is passed on elsewhere, the type is not known.
            parameter = parameters.get(name, inspect.Parameter("unknown", inspect.Parameter.KEYWORD_ONLY))
            if _is_default(value, parameter.default):
                continue
            if not cls.__module__.startswith("zoo.") and _PATHS.search(name):
                return f"{key}.{name} is {quoted(str(value))}"
            if message := self._in_value(f"{key}.{name}", value, parameter.annotation):
                return message
        return None


def _allowed_class(path: str, options: Sequence[Any]) -> type | None:
    """The class of a path, if it fits an option and is of a kind and package that is allowed; else none is imported."""
    bases = [option for option in options if isinstance(option, type)]
    packages = [
        one for kind, ones in _PACKAGES.items() if any(issubclass(base, kind) for base in bases) for one in ones
    ]
    if not _DOTTED.fullmatch(path) or not _is_in(path, packages):
        return None
    cls = resolve_class(path)
    if cls is None or not issubclass(cls, tuple(bases)) or cls.__name__ in _CALL_FUNCTIONS:
        return None
    return cls if _is_in(f"{cls.__module__}.{cls.__name__}", packages) else None


def _is_in(path: str, packages: Sequence[str]) -> bool:
    return any(path.startswith(f"{package}.") for package in packages)


def _is_default(value: Any, default: Any) -> bool:
    """Whether a value is the default of its argument, as a recipe has it: a function by its path."""
    if inspect.isroutine(default):
        return bool(value == f"{default.__module__}.{default.__qualname__}")
    return type(value) is type(default) and bool(value == default)


def _options(wanted: Any) -> Iterator[Any]:
    """The types of a union; of one type itself; Any for an argument without a type."""
    if get_origin(wanted) in (Union, types.UnionType):
        for option in get_args(wanted):
            yield from _options(option)
    elif get_origin(wanted) is Annotated:
        yield from _options(get_args(wanted)[0])
    else:
        yield Any if wanted is inspect.Parameter.empty else wanted


def _union(options: Sequence[Any]) -> Any:
    return Union[tuple(options)] if options else Any  # noqa: UP007  (of a list, which `|` does not take)


def _elements(wanted: Any) -> list[Any]:
    """The types of the elements of a list; none where it is no list."""
    if wanted is Any or wanted in (list, tuple):
        return [Any]
    return [one for one in get_args(wanted) if one is not ...] if get_origin(wanted) in _COLLECTIONS else []


def _is_plain(wanted: Any) -> bool:
    """Whether values of a type are numbers and text, from which nothing is imported."""
    if get_origin(wanted) in (*_COLLECTIONS, *_MAPPINGS):
        inner = [option for one in get_args(wanted) if one is not ... for option in _options(one)]
        return bool(inner) and all(map(_is_plain, inner))
    return (
        get_origin(wanted) is Literal or wanted in _SCALARS or (isinstance(wanted, type) and issubclass(wanted, Enum))
    )
