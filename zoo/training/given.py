"""The values that a YAML file and options give to `zoo train`, before any class sees them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from zoo.errors import ConfigError, InputError
from zoo.hub.configs import config_names, config_text, find_config

__all__ = [
    "CLASS_KEYS",
    "Given",
    "OtherClassArguments",
    "check_files",
    "data_files",
    "read_given",
    "refuse_linked",
    "split_arguments",
]

# Values that were given: key -> value or further keys.
Given = dict[str, Any]
CLASS_KEYS = {"class_path", "init_args", "dict_kwargs"}
# Arguments of the DataModules of `zoo.data` that name files: one, a list, or a file by name.
_FILE_KEYS = ("genome", "table", "targets_table", "inputs_table", "peaks", "fasta", "coolers", "blacklist", "arms")


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
        raise ConfigError(f"options come in pairs, --key value; look at {stray[0]!r}")
    if len(words) % 2 == 0:
        raise ConfigError(f"options come in pairs, --key value: {words[-1]} has no value")
    for config in [
        words[0],
        *(value for option, value in zip(words[1::2], words[2::2], strict=True) if option == "--config"),
    ]:
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
    content = _read_yaml(config)
    for option, value in zip(options[::2], options[1::2], strict=True):
        if option == "--config":
            _merge(content, _read_yaml(value))
        else:
            _override(content, option.removeprefix("--").split("."), _parse(value))
    return content


def _read_yaml(config: str) -> Given:
    """Read the YAML of a configuration; errors are those of `read_given`."""
    try:
        content = yaml.safe_load(config_text(config))
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"{config}{line}: this is not YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{config}: this is not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{config}: a configuration has keys, such as `name:` and `model:`; this file has none")
    return content


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


def check_files(given: Given) -> None:
    """Check that the files that the data are made of exist; takes no import of torch.

    Args:
        given: the values, as `read_given` reads them.

    Raises:
        InputError: the first file that does not exist, with its key.
    """
    for key, path in _named_files(given):
        if not any(Path(file).exists() for file in _files_in(key, path)):
            raise InputError(f"data.{key}: {path}: no such file")


def data_files(given: Given) -> list[Path]:
    """List the files that the data are made of, those that tables of tracks name included; of those that exist.

    Args:
        given: the values, as `read_given` reads them.
    """
    from zoo.data.tracks.table import read_track_table

    files: list[Path] = []
    for key, text in _named_files(given):
        paths = [Path(path) for path in _files_in(key, text) if Path(path).is_file()][:1]
        files += paths
        if key in ("targets_table", "inputs_table") and paths:
            files += [Path(track.path) for track in read_track_table(paths[0])]
    return files


def _named_files(given: Given) -> Iterator[tuple[str, str]]:
    """Argument and text of each file that the arguments of a DataModule of this package name."""
    data = given.get("data")
    if not isinstance(data, dict) or not str(data.get("class_path")).startswith("zoo."):
        return
    arguments = data.get("init_args")
    for key in _FILE_KEYS:
        value = arguments.get(key) if isinstance(arguments, dict) else None
        for text in _texts(value):
            yield key, text


def _texts(value: Any) -> Iterator[str]:
    """The texts in a value: one, or those of a list or of a mapping, which may hold mappings."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _files_in(key: str, text: str) -> list[str]:
    """The files that a value can mean: `NAME=FILE` of peaks, `FILE::GROUP` of coolers."""
    separator, index = {"peaks": ("=", 2), "coolers": ("::", 0)}.get(key, ("", 0))
    return [text, text.partition(separator)[index]] if separator and separator in text else [text]


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


def _override(tree: Given, path: list[str], value: Any) -> None:
    """Set a value; what follows a class's key is below its init_args."""
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


def _parse(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text
