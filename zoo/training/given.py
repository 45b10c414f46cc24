"""The values that a YAML file and options give to `zoo train`, before any class sees them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import yaml

from zoo.errors import ConfigError, one_line
from zoo.hub.configs import config_names, config_text, find_config
from zoo.utils.text import shorten

__all__ = [
    "CLASS_KEYS",
    "Given",
    "OtherClassArguments",
    "holds_collection",
    "override",
    "parse_value",
    "read_given",
    "read_yaml",
    "refuse_linked",
    "split_arguments",
]

# Values that were given: key -> value or further keys.
Given = dict[str, Any]
CLASS_KEYS = {"class_path", "init_args", "dict_kwargs"}
_MOST_VALUES, _DEEPEST, _LONGEST_BEGINNING = 100_000, 50, 1 << 16  # more takes the computer's memory or time
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_LONGEST_NUMBER = 1_000  # letters: `1:1:1` is one too, to the base of 60, and takes the square of its length
_TOO_DEEP = f"values lie in each other more than {_DEEPEST} deep, or in themselves, which no configuration needs"


class _Loader(yaml.SafeLoader):
    """Reads numbers such as 1e-5, and dates, as jsonargparse does: PyYAML takes the former for text."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {  # type: ignore[misc]
        letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver(
    _NUMBERS[1], re.compile(r"[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


class OtherClassArguments(dict[str, Any]):
    """Arguments of which some were given for another class, which an option replaced: the new one need not have them.

    Args:
        arguments: those of the other class.
    """

    def __init__(self, arguments: Given) -> None:
        super().__init__(arguments)
        self.kept = frozenset(arguments)


def split_arguments(arguments: Sequence[str]) -> list[str]:
    """Split `--key=value` into `--key` and `value`.

    Returns:
        The configuration, then options and values in turn.

    Raises:
        ConfigError: no configuration, an option without a value, or a value without an option.
        UnknownNameError: a configuration that does not exist.
    """
    words: list[str] = []
    for argument in arguments:
        words += argument.split("=", 1) if argument.startswith("--") and "=" in argument else [argument]
    if not words or words[0].startswith("-"):
        raise ConfigError(
            "name a configuration first, a file or a name: zoo train CONFIG [--key value ...]; the names are "
            f"{', '.join(config_names())}"
        )
    if stray := [option for option in words[1::2] if not option.startswith("--")]:
        raise ConfigError(f"options come in pairs, --key value (files are for zoo finetune); look at {stray[0]!r}")
    if len(words) % 2 == 0:
        raise ConfigError(f"options come in pairs, --key value: {words[-1]} has no value")
    configs = [value for option, value in zip(words[1::2], words[2::2], strict=True) if option == "--config"]
    for config in [words[0], *configs]:
        find_config(config)
    return words


def read_given(config: str, options: Sequence[str]) -> Given:
    """Read a YAML file and the options that override it.

    Args:
        config: file or name of a configuration; see `zoo.hub.configs.find_config`.
        options: options and values in turn, such as `--data.batch_size`, `64`.

    Raises:
        ConfigError: YAML that cannot be read, with its line.
    """
    content = read_yaml(config)
    for option, value in zip(options[::2], options[1::2], strict=True):
        if option == "--config":
            _merge(content, read_yaml(value))
        else:
            override(content, option.removeprefix("--"), value)
    return content


def read_yaml(config: str) -> Given:
    """Read the YAML of one configuration.

    Args:
        config: as of `read_given`.

    Raises:
        ConfigError: YAML that cannot be read, with its line; or more of it than any configuration has.
    """
    hint = "" if config.endswith((".yaml", ".yml", ".json")) else " (data are named with options, --data...)"
    try:
        loader = _Loader(config_text(config))
        root = loader.get_single_node()
        _refuse_excess(config, root)
        content = loader.construct_document(root) if root is not None else None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"{config}{line}: this is not YAML: {error.problem}{hint}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{config}: this is not YAML: {str(error).splitlines()[0]}{hint}") from None
    except RecursionError:
        raise ConfigError(f"{config}: {_TOO_DEEP}") from None
    except (ValueError, AttributeError, OverflowError) as error:  # of a number or date that is none
        raise ConfigError(f"{config}: this is not YAML: a value cannot be read ({one_line(error)}){hint}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{config}: a configuration has keys, such as `name:` and `model:`; this file has none{hint}")
    if wrong := [key for key in content if not isinstance(key, str)]:
        raise ConfigError(f"{config}: the key {wrong[0]!r} is not a text: keys are such as `name:` and `model:`")
    return content


def holds_collection(path: Path) -> bool:
    """Whether a file of any kind and size begins as YAML of keys or a list; a file of data does not.

    Args:
        path: the file.
    """
    with path.open("rb") as file:
        beginning = file.read(_LONGEST_BEGINNING)
    try:
        first = next(
            (
                event
                for event in yaml.parse(beginning.decode("utf-8", "replace"), _Loader)
                if isinstance(event, yaml.NodeEvent)
            ),
            None,
        )
    except yaml.YAMLError:
        return False
    if first is None:  # comments alone
        return len(beginning) == _LONGEST_BEGINNING
    return isinstance(first, yaml.CollectionStartEvent)


def _refuse_excess(config: str, root: yaml.Node | None) -> None:
    """Refuse endless numbers, values in values without end, and aliases (`*name`) that stand for too many values."""
    sizes: dict[int, tuple[int, int]] = {}

    def size(node: yaml.Node, depth: int) -> tuple[int, int]:
        """The number of values in a node, aliases written out, and how deep they lie in it."""
        if isinstance(node, yaml.ScalarNode) and node.tag in _NUMBERS and len(node.value) > _LONGEST_NUMBER:
            raise ConfigError(f"{config}: {shorten(node.value)} is no number that is of use")
        if id(node) not in sizes and depth <= _DEEPEST:
            below = node.value if isinstance(node, yaml.CollectionNode) else ()
            nodes = (one for item in below for one in (item if isinstance(item, tuple) else (item,)))
            sized = [size(one, depth + 1) for one in nodes]
            sizes[id(node)] = (1 + sum(values for values, _ in sized), 1 + max((deep for _, deep in sized), default=0))
        values, height = sizes.get(id(node), (1, 1))
        if depth + height > _DEEPEST + 1:
            raise ConfigError(f"{config}: {_TOO_DEEP}")
        return values, height

    if root is not None and size(root, 0)[0] > _MOST_VALUES:
        raise ConfigError(
            f"{config}: it holds more than {_MOST_VALUES:,} values, and a configuration has a few hundred"
        )


def _merge(tree: Given, other: Given) -> None:
    """Override values by those of a further configuration, in place, as LightningCLI does."""
    for key, value in other.items():
        current = tree.get(key)
        same_class = isinstance(current, dict) and isinstance(value, dict)
        same_class = same_class and value.get("class_path", current.get("class_path")) == current.get("class_path")  # type: ignore[union-attr]
        if same_class:
            _merge(current, value)  # type: ignore[arg-type]
        else:
            tree[key] = value


def refuse_linked(given: Given, linked: Mapping[str, str]) -> None:
    """Refuse values that would be ignored, because they follow from others.

    Args:
        given: the values, as `read_given` reads them.
        linked: key that takes its value from elsewhere -> from where.

    Raises:
        ConfigError: the first such key.
    """
    for key, source in linked.items():
        value: Any = given
        for name in key.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None:
            raise ConfigError(f"{key.replace('.init_args', '')} follows from {source}: leave it out")


def override(tree: Given, key: str, text: str) -> None:
    """Set a value as an option of the command line does; what follows a class's key is below its init_args.

    Args:
        tree: values, changed in place.
        key: such as `data.batch_size`.
        text: the value as YAML.
    """
    path, value = key.split("."), parse_value(text)
    for index, key in enumerate(path[:-1]):
        if isinstance(tree.get(key), str):
            tree[key] = {"class_path": tree[key]}
        below = tree.setdefault(key, {})
        if not isinstance(below, dict):
            below = tree[key] = {}
        if "class_path" in below and path[index + 1] not in CLASS_KEYS:
            below = below.setdefault("init_args", {})
        tree = below
    current = tree.get(path[-1])
    if isinstance(current, dict) and "class_path" in current and isinstance(value, str):
        tree[path[-1]] = {"class_path": value, "init_args": OtherClassArguments(current.get("init_args") or {})}
    else:
        tree[path[-1]] = value


def parse_value(text: str) -> Any:
    """Parse the value of an option as YAML; text that is none stands for itself."""
    try:
        return _Loader(text).get_single_data()
    except yaml.YAMLError:
        return text
