"""What the classes that a configuration names take: their arguments and types, and the types in words."""

import copy
import importlib
import inspect
import sys
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Union, get_args, get_origin

import torch
from jsonargparse import ArgumentError, ArgumentParser

__all__ = ["described", "fits", "parameters_of", "public_path", "resolve_class", "subclasses_of"]

# Where classes that are named without their module are looked up.
_SHORT_NAMES = ("torch.optim", "torch.optim.lr_scheduler", "lightning.pytorch.callbacks", "lightning.pytorch.loggers")


def resolve_class(path: str) -> type | None:
    """The class of a dotted path, or of a name alone in torch's or Lightning's modules; None where there is none."""
    if not all(part.isidentifier() for part in path.split(".")):
        return None
    module, _, name = path.rpartition(".")
    for home in [module] if module else _SHORT_NAMES:
        try:
            result = getattr(importlib.import_module(home), name, None)
        except ImportError:
            continue
        if isinstance(result, type):
            return result
    return None


def parameters_of(cls: type) -> dict[str, inspect.Parameter]:
    """The arguments of a class, and where it passes others on, those of its base classes."""
    result: dict[str, inspect.Parameter] = {}
    for base in cls.__mro__:
        if "__init__" not in vars(base):
            continue
        function = inspect.unwrap(vars(base)["__init__"])
        try:
            hints = typing.get_type_hints(function)
        except (NameError, TypeError, AttributeError):
            hints = {}
        parameters = list(inspect.signature(function).parameters.values())[1:]
        for parameter in parameters:
            if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                annotated = parameter.replace(annotation=hints.get(parameter.name, inspect.Parameter.empty))
                result.setdefault(parameter.name, annotated)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            break
    return result


def subclasses_of(base: type) -> Iterator[type]:
    """The classes that fit a base class, of those that were imported."""
    cls: type
    for cls in base.__subclasses__():
        private = any(part.startswith("_") for part in (*cls.__module__.split("."), cls.__name__))
        if not private and not inspect.isabstract(cls):
            yield cls
        yield from subclasses_of(cls)


def public_path(cls: type) -> str:
    """The shortest path under which a class is found, such as torch.optim.AdamW."""
    parts = cls.__module__.split(".")
    modules = (".".join(parts[:count]) for count in range(2, len(parts) + 1))
    home = next((m for m in modules if getattr(sys.modules.get(m), cls.__name__, None) is cls), cls.__module__)
    return f"{home}.{cls.__name__}"


def fits(value: Any, wanted: Any) -> bool:
    """Whether jsonargparse takes a value for a type."""
    parser = ArgumentParser(exit_on_error=False)
    try:
        parser.add_argument("--value", type=wanted)
        parser.parse_object({"value": copy.deepcopy(value)})
    except (ArgumentError, ValueError, TypeError) as error:
        return not isinstance(error, ArgumentError)
    return True


def described(wanted: Any) -> str:
    """A type in words."""
    origin, arguments = get_origin(wanted), get_args(wanted)
    if origin in (Union, types.UnionType):
        known = [option for option in arguments if option is not torch.Tensor]  # which no text can be
        return " or ".join(dict.fromkeys(map(described, known)))
    if origin is typing.Literal:
        return "one of " + ", ".join(map(str, arguments))
    if origin is tuple and arguments and ... not in arguments:
        return f"a list of {len(arguments)} values"
    if origin is dict or origin in (Mapping,):
        return "a set of `key: value`"
    if origin is not None:
        inner = f" of {_plural(described(arguments[0]))}" if arguments else ""
        return f"a list{inner}"
    names = {int: "an integer", float: "a number", bool: "true or false", str: "a text", type(None): "null"}
    return names.get(wanted, f"a {getattr(wanted, '__name__', wanted)}")


def _plural(description: str) -> str:
    """`an integer` -> `integers`."""
    article, _, noun = description.partition(" ")
    return f"{noun}s" if article in ("a", "an") and " " not in noun else f"values, each {description}"
