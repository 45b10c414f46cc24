"""`--trust`: a configuration that came with a checkpoint may name only what trains a model, unless it is trusted.

A configuration is a program: it names classes, which are imported and called. What the user wrote, and what the command
line gives, is trusted.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath, PureWindowsPath

from zoo.errors import ConfigError
from zoo.hub.configs import find_config
from zoo.hub.folder import RECIPE
from zoo.hub.origin import came_with_checkpoint
from zoo.training.allowed import Allowed
from zoo.training.given import Given, holds_collection, read_yaml
from zoo.training.options import TrainCLI, option_types
from zoo.utils.text import quoted

__all__ = ["check_name", "check_trust", "is_restricted"]

_CURE = "read the file, and add --trust true if you trust who wrote it"
_RULE = (
    "a configuration that came with a checkpoint may name only models and data of zoo, and optimizers, schedulers, "
    "callbacks and strategies of torch and Lightning, with numbers and words as arguments"
)


def check_trust(arguments: Sequence[str]) -> None:
    """Refuse a configuration that came with a checkpoint and could do more than train, before it is acted on.

    Args:
        arguments: arguments of `zoo train`: the configuration, then options and values in turn.

    Raises:
        ConfigError: such a configuration, with its first key that is not allowed; such a file as the value of an
            option, of which jsonargparse would take the content; or `trust` in a file.
    """
    options = list(zip(arguments[1::2], arguments[2::2], strict=True))
    for config in [arguments[0], *(value for option, value in options if option == "--config")]:
        content = read_yaml(config)
        if content.get("trust"):
            raise ConfigError(f"{config}: trust is an option of the command line, which no file sets: leave it out")
        if is_restricted(config, arguments):
            _check(config, content, {option for option, _ in options})
    for option, value in options:
        if option != "--config" and _would_be_read(value) and not _is_trusted(arguments):
            raise ConfigError(
                f"{option} {value}: the file came with a checkpoint, and would be read as a part of the configuration: "
                f"give its values as options, or {_CURE}"
            )


def check_name(cli: TrainCLI, arguments: Sequence[str]) -> None:
    """Refuse to write over a run whose name only a checkpoint's recipe gives, where the checkpoint itself has another.

    Args:
        cli: the run.
        arguments: as of `check_trust`.

    Raises:
        ConfigError: `--overwrite` or `--resume` would go to a run that the command does not name.
    """
    file = find_config(arguments[0])
    writes_over = cli.options.overwrite or cli.options.resume
    if not writes_over or "--name" in arguments[1::2] or not is_restricted(arguments[0], arguments):
        return
    name = cli.run_folder.name
    if file.name != RECIPE or file.resolve().parent.name != name:
        raise ConfigError(f"{arguments[0]} is the recipe of a run named {name}: add --name {name} if that one is meant")


def is_restricted(config: str, arguments: Sequence[str]) -> bool:
    """Whether a configuration came with a checkpoint, and the command does not trust it.

    Args:
        config: file or name of a configuration; see `zoo.hub.configs.find_config`.
        arguments: as of `check_trust`.
    """
    return not _is_trusted(arguments) and came_with_checkpoint(find_config(config))


def _is_trusted(arguments: Sequence[str]) -> bool:
    """Whether the command says `--trust true`."""
    values = [value for option, value in zip(arguments[1::2], arguments[2::2], strict=True) if option == "--trust"]
    return bool(values) and values[-1].lower() == "true"


def _would_be_read(value: str) -> bool:
    """Whether the value of an option is a file with keys or a list, in YAML, that came with a checkpoint."""
    is_file = os.path.isfile(value)  # noqa: PTH113  (Path.is_file raises for a value longer than a name can be)
    return is_file and came_with_checkpoint(Path(value)) and holds_collection(Path(value))


def _check(config: str, content: Given, given: set[str]) -> None:
    """Check the content of a configuration that came with a checkpoint; `given` are the options of the command line."""
    for key in ("resume", "overwrite"):
        if content.get(key):
            raise ConfigError(f"{config}: {key} is true, and came with a checkpoint: leave it to the command line")
    for key in ("runs", "checkpoints"):
        if f"--{key}" not in given and not _is_inside(content.get(key, "")):
            raise ConfigError(
                f"{config}: {key} is {quoted(str(content[key]))}, which a configuration that came with a checkpoint "
                f"may not choose outside of this folder: add --{key} FOLDER"
            )
    file = find_config(config)
    folders = [Path.cwd(), *{path.parent for path in (file, file.resolve())}]
    if message := Allowed(option_types(), folders).first_refused(content):
        raise ConfigError(f"{config}: {message}: {_RULE}; {_CURE}")


def _is_inside(folder: object) -> bool:
    """Whether a path stays below the folder in which it begins."""
    paths: Iterator[PurePath] = (kind(str(folder)) for kind in (PurePath, PureWindowsPath))
    return folder is None or all(not path.anchor and ".." not in path.parts for path in paths)
