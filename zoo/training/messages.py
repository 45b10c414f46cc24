"""One sentence for a mistake in a configuration, where jsonargparse lists every type that a value could have had.

jsonargparse decides what is a mistake. Once it has refused a configuration, `explain` looks for the first key or value
that does not fit: it walks through the given values together with the signatures of their classes.
"""

import dataclasses
import difflib
import inspect
import re
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Union, get_args, get_origin

import torch

from zoo.training.given import CLASS_KEYS, Given, OtherClassArguments
from zoo.training.signatures import described, fits, parameters_of, public_path, resolve_class, subclasses_of

__all__ = ["explain", "explain_remainder", "unknown_name"]

# How jsonargparse begins a line on a type that a value could have had.
_JARGON = ("Expected a", "Not a valid", "Problem with", "Import path", "Does not validate", "a class path", "a dict")
# Types that a list in YAML can be.
_LISTS = (list, Iterable, Sequence)
# Arguments that no configuration gives: they follow from the model, the data, or other options.
_PROVIDED = {"params", "optimizer", "max_lr", "targets", "length"}


def explain(given: Given, schema: Mapping[str, Any], needed: Sequence[str] = ("name", "model", "data")) -> str | None:
    """Find the first key or value of a configuration that does not fit.

    Args:
        given: the values, as `read_given` reads them.
        schema: key at the top -> its type; a class stands for `class_path` and `init_args` of one of its subclasses, a
            tuple (class,) for the arguments of this very class.
        needed: keys that a configuration must have.

    Returns:
        One sentence; None where all seems to fit.
    """
    for key, value in given.items():
        if key not in schema:
            return _unknown(key, "option", schema, _nested_options(given, schema))
        wanted = schema[key]
        if isinstance(wanted, tuple):
            message = _check_arguments(key, value, parameters_of(wanted[0]), complete=False)
        else:
            message = _check(key, value, wanted)
        if message:
            return message
    lacking = [key for key in needed if given.get(key) is None]
    return f"{lacking[0]} is missing: it has no default" if lacking else None


def _nested_options(given: Given, schema: Mapping[str, Any]) -> list[str]:
    """The options below those at the top: of the trainer, and of the classes that were given."""
    nested = []
    for key in ("trainer", "data", "model", "optimizer"):
        value, wanted = given.get(key), schema[key]
        path = value.get("class_path") if isinstance(value, dict) else value
        cls = wanted[0] if isinstance(wanted, tuple) else resolve_class(path) if isinstance(path, str) else None
        if isinstance(cls, type):
            nested += [f"{key}.{name}" for name in parameters_of(cls) if name not in _PROVIDED]
    return nested


def unknown_name(key: str, value: Any, wanted: Any) -> str | None:
    """Find a key that no dataclass below an option has: jsonargparse ignores such a key on the command line.

    Args:
        key: key of the option.
        value: value that was given for it.
        wanted: its type, as in the schema of `explain`.

    Returns:
        One sentence; None where all keys are known.
    """
    if not isinstance(value, dict):
        return None
    options = get_args(wanted) if get_origin(wanted) in (Union, types.UnionType) else (wanted,)
    dataclass = next((o for o in options if isinstance(o, type) and dataclasses.is_dataclass(o)), None)
    cls = resolve_class(value["class_path"]) if isinstance(value.get("class_path"), str) else dataclass
    if cls is None:
        return None
    parameters, given = parameters_of(cls), value if cls is dataclass else value.get("init_args") or {}
    for name, below in given.items() if isinstance(given, dict) else ():
        if cls is dataclass and name not in parameters:
            return _unknown(f"{key}.{name}", "option", parameters)
        if name in parameters and (message := unknown_name(f"{key}.{name}", below, parameters[name].annotation)):
            return message
    return None


def explain_remainder(message: str) -> str:
    """The sentence inside a message of jsonargparse, where `explain` finds no mistake: what a constructor raised."""
    if "Does not validate" not in message:
        return " ".join(message.split())[:600]
    reasons = [line.strip().removeprefix("- ") for line in message.splitlines() if line.strip().startswith("- ")]
    reasons = [reason for reason in reasons if not reason.startswith(_JARGON)]
    key = re.search(r'(?:Parser )?[kK]ey "([^"]+)"', message)
    subject = key[1] if key else "an option"
    return reasons[0] if reasons else f"{subject}: its value does not fit; `zoo train CONFIG --help` lists what does"


def _check(key: str, value: Any, wanted: Any) -> str | None:
    """What is wrong with a value for a type; None for nothing."""
    options = get_args(wanted) if get_origin(wanted) in (Union, types.UnionType) else (wanted,)
    if fits(value, wanted):
        return None
    for option in options:
        if isinstance(option, type) and dataclasses.is_dataclass(option) and isinstance(value, dict):
            return _check_arguments(key, value, parameters_of(option), complete=True)
        if get_origin(option) in _LISTS and isinstance(value, list) and _is_class(get_args(option)[0]):
            messages = (_check(f"{key}[{index}]", item, get_args(option)[0]) for index, item in enumerate(value))
            return next((message for message in messages if message), None)
        is_path = isinstance(value, str) and str not in options
        if _is_class(option) and (is_path or (isinstance(value, dict) and "class_path" in value)):
            return _check_class(key, value, option)
    if len(options) == 1 and _is_class(wanted):
        return f"{key}: name a class as class_path, with its arguments below init_args"
    is_one = isinstance(value, str) and any(get_origin(option) is list for option in options)
    cure = f": write --{key} '[{value}]'" if is_one and fits([value], wanted) else ""
    return f"{key}: {value!r} is not {described(wanted)}{cure}"


def _is_class(wanted: Any) -> bool:
    """Whether a type is given as class_path and init_args."""
    return (
        isinstance(wanted, type)
        and wanted is not torch.Tensor
        and wanted.__module__.split(".")[0] not in ("builtins", "pathlib", "datetime", "types", "collections")
        and not dataclasses.is_dataclass(wanted)
    )


def _check_class(key: str, value: Any, base: type) -> str | None:
    """What is wrong with {class_path, init_args} or a class path alone."""
    given = {"class_path": value} if isinstance(value, str) else value
    if unknown := [name for name in given if name not in CLASS_KEYS]:
        return _unknown(f"{key}.{unknown[0]}", "key", ["class_path", "init_args"])
    path = given["class_path"]
    cls = resolve_class(path) if isinstance(path, str) else None
    if cls is None or not issubclass(cls, base):
        known = sorted({public_path(known) for known in subclasses_of(base)})
        near = difflib.get_close_matches(str(path), known, 3, 0.6)
        names = {name.rpartition(".")[2]: name for name in known}
        near = near or [names[name] for name in difflib.get_close_matches(str(path), names, 3, 0.6)]
        reason = "is not one that fits here" if cls else "does not exist"
        return f"{key}: the class {path!r} {reason}; {_offer(near, known)}"
    return _check_arguments(key, given.get("init_args") or {}, parameters_of(cls), complete=True)


def _check_arguments(key: str, given: Any, parameters: dict[str, inspect.Parameter], complete: bool) -> str | None:
    """What is wrong with the arguments of a class: names, values, and those that are missing if it is complete."""
    if not isinstance(given, dict):
        return f"{key}: {given!r} is not a set of options: write one `key: value` in each line below it"
    kept = given.kept if isinstance(given, OtherClassArguments) else ()
    for name, value in given.items():
        if name not in parameters and name in kept:
            continue
        if name not in parameters:
            return _unknown(f"{key}.{name}", "option", [name for name in parameters if name not in _PROVIDED])
        if parameters[name].annotation is not inspect.Parameter.empty:
            message = _check(f"{key}.{name}", value, parameters[name].annotation)
            if message:
                return message
    lacking = [name for name, p in parameters.items() if p.default is inspect.Parameter.empty and name not in given]
    lacking = [name for name in lacking if name not in _PROVIDED]
    return f"{key}.{lacking[0]} is missing: it has no default" if complete and lacking else None


def _unknown(path: str, what: str, known: Any, nested: Sequence[str] = ()) -> str:
    """The sentence on a name that is not known; `nested` are options elsewhere that may have been meant."""
    *parents, name = path.split(".")
    near = difflib.get_close_matches(name, list(known), 3, 0.6)
    meant = [option for option in nested if option.rpartition(".")[2] == name]
    meant += [option for option in nested if option.endswith(f"_{name}") and option not in meant]
    near = [f"--{option}" for option in meant[:3]] or near
    where = f" of {'.'.join(parents)}" if parents else ""
    return f"{path}: there is no {what} {name!r}{where}; {_offer(near, list(known))}"


def _offer(near: list[str], known: list[str]) -> str:
    if near:
        return f"the nearest {'is' if len(near) == 1 else 'are'} {', '.join(near)}"
    return f"there are {', '.join(known)}" if known else "there are none"
