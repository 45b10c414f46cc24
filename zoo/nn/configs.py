"""Arguments of architectures that are small dataclasses: from YAML, from a plain dict, or as they are."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from inspect import signature
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from zoo.errors import ConfigError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["check_arguments", "check_dropout", "check_positive", "config_of"]

Config = TypeVar("Config", bound="DataclassInstance")


def config_of(kind: type[Config], value: "Config | Mapping[str, Any]", argument: str) -> Config:
    """Turn an argument of an architecture into its dataclass.

    Args:
        kind: the dataclass.
        value: an instance, or its fields as `config.json` and YAML hold them; those that are missing have their
            defaults.
        argument: the argument's name, for the messages.

    Returns:
        An instance whose sequences are tuples.

    Raises:
        ConfigError: a key that does not exist, or a value of the wrong type.
    """
    if not isinstance(value, Mapping):
        if not is_dataclass(value):
            raise ConfigError(f"{argument} must be a mapping of {_listed(kind)}, not {value!r}")
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    known = {field.name for field in fields(kind)}
    if unknown := [key for key in value if key not in known]:
        raise ConfigError(f"{argument} has no key {unknown[0]!r}; its keys are {_listed(kind)}")
    hints = get_type_hints(kind)
    return kind(**{key: _checked(hints[key], one, f"{argument}.{key}") for key, one in value.items()})


def check_arguments(kind: type[Any], arguments: Mapping[str, Any]) -> None:
    """Check the types of plain values, as `config.json` holds them, that are arguments of an architecture.

    Args:
        kind: class of the architecture; of an argument without a type hint, any value is taken.
        arguments: arguments of its constructor.

    Raises:
        ConfigError: an argument that does not exist, or a value of the wrong type.
    """
    known = list(signature(kind).parameters)
    if unknown := [name for name in arguments if name not in known]:
        raise ConfigError(f"there is no argument {unknown[0]!r}; there are {', '.join(known)}")
    hints = get_type_hints(kind.__init__)
    for name, value in arguments.items():
        _checked(hints.get(name, Any), value, name)


def check_positive(sizes: Mapping[str, int | Sequence[int]]) -> None:
    """Check sizes, alone or in sequences, by the names of their arguments.

    Raises:
        ConfigError: a size below 1.
    """
    for name, size in sizes.items():
        if min([size] if isinstance(size, int) else [*size, 1]) < 1:
            raise ConfigError(f"{name} must be 1 or more, not {size}")


def check_dropout(dropouts: Mapping[str, float]) -> None:
    """Check dropout probabilities by the names of their arguments.

    Raises:
        ConfigError: one outside [0, 1).
    """
    for name, dropout in dropouts.items():
        if not 0 <= dropout < 1:
            raise ConfigError(f"{name} must lie in [0, 1), not {dropout}")


def _listed(kind: type[Any]) -> str:
    return ", ".join(field.name for field in fields(kind))


def _checked(hint: Any, value: Any, name: str) -> Any:
    """A value of the type that a field has; sequences as tuples."""
    if get_origin(hint) in (Union, UnionType):
        if value is None and NoneType in get_args(hint):
            return None
        options = [option for option in get_args(hint) if option is not NoneType]
        if len(options) > 1:
            return value  # its class decides
        (hint,) = options
    if isinstance(hint, type) and is_dataclass(hint):
        return config_of(hint, value, name)
    if get_origin(hint) is Sequence or (get_origin(hint) is tuple and get_args(hint)[1:] == (Ellipsis,)):
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise ConfigError(f"{name} must be a list, not {value!r}")
        return tuple(_checked(get_args(hint)[0], one, name) for one in value)
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ConfigError(f"{name} must be one of {', '.join(map(str, get_args(hint)))}, not {value!r}")
        return value
    if hint is Any or get_origin(hint) is not None or not isinstance(hint, type):
        return value  # its class decides
    accepted = (int, float) if hint is float else hint
    if isinstance(value, accepted) and (hint is bool or not isinstance(value, bool)):
        return value
    raise ConfigError(f"{name} must be of type {hint.__name__}, not {value!r}")
