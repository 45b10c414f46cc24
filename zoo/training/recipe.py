"""The recipe of a run: a hash of what decides its result, and the configuration that repeats it."""

import hashlib
import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import IntegrityError
from zoo.hub.config import read_config
from zoo.hub.configs import find_config
from zoo.hub.folder import CONFIG, RECIPE
from zoo.training.given import read_given, read_yaml
from zoo.training.own_data import data_files
from zoo.utils.cache import content_hash
from zoo.utils.download import sha256_of
from zoo.utils.version import code_version

if TYPE_CHECKING:
    from zoo.training.options import TrainCLI

__all__ = ["command_text", "recipe", "resolved_config", "training_command"]

# The first line of a `recipe.yaml`.
_FIRST_LINE = "# {} (version {}); `zoo train` of this file repeats it"
# Options that change only where a run lies and how it looks.
_NOT_DECISIVE = ("--runs", "--checkpoints", "--resume", "--overwrite", "--trust", "--trainer.enable_progress_bar")


def recipe(arguments: Sequence[str]) -> str:
    """Hash what decides the result of a training command: two runs of one recipe and commit are the same.

    It decides by its configurations, its options and the content of the user's files; public data are known by the
    configuration. Words on the card, comments, and where the run lies do not count.

    Args:
        arguments: arguments of `zoo train`: the configuration, then options and values.
    """
    options = list(zip(arguments[1::2], arguments[2::2], strict=False))
    configs = [read_yaml(name) for name in [arguments[0], *(v for o, v in options if o == "--config")]]
    for config in configs:
        config.pop("card", None)
    files = [content_hash(path) for path in data_files(read_given(arguments[0], arguments[1:]))]
    content = [configs[0], _without_words(_decisive_arguments(arguments)[1:]), *configs[1:], *files]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _without_words(options: list[str]) -> list[str]:
    """Options and values in turn, without those of the card."""
    pairs = zip(options[::2], options[1::2], strict=True)
    return [word for pair in pairs if not pair[0].startswith("--card.") for word in pair]


def resolved_config(cli: "TrainCLI", command: str) -> str:
    """The whole configuration of a run as YAML, defaults filled in: `zoo train` of it repeats the run.

    Args:
        cli: the run.
        command: its command, for the comment in the first line.
    """
    return f"{_FIRST_LINE.format(command, code_version())}\n{cli.config_text}\n"


def training_command(arguments: Sequence[str]) -> str:
    """The command of a run, for its card.

    A run that repeats another has the command of that one, with its own options added.

    Args:
        arguments: arguments of `zoo train`: the configuration, then options and values.
    """
    words = _decisive_arguments(arguments)
    verb, named, earlier = _original_command(find_config(words[0]))
    if named:
        kept = [pair for pair in earlier if pair[0] == "--config" or pair[0] not in words[1::2]]
        words = [*named, *(word for pair in kept for word in pair), *words[1:]]
    return command_text(verb, words)


def command_text(verb: str, words: Sequence[str]) -> str:
    """A command of zoo on one line; in YAML, a space is as good as a new line."""
    return f"zoo {verb} {' '.join(shlex.join(words).splitlines())}"


def _original_command(config: Path) -> tuple[str, list[str], list[tuple[str, str]]]:
    """The command in the first line of a checkpoint's recipe: verb, what it names, and options with their values.

    Nothing is named in any other file, or in a recipe that changed.
    """
    nothing: tuple[str, list[str], list[tuple[str, str]]] = ("train", [], [])
    folder = config.parent
    if config.name != RECIPE or not (folder / CONFIG).is_file():
        return nothing
    try:
        if read_config(folder).sha256.get(RECIPE) != sha256_of(config):
            return nothing
        pattern = re.escape(_FIRST_LINE).replace(r"\{\}", "(.+)")
        match = re.fullmatch(pattern, config.read_text(encoding="utf-8").partition("\n")[0])
        words = shlex.split(match[1])[1:] if match else []
    except (IntegrityError, ValueError):  # the run is not to fail, at its end, for a line that others wrote
        return nothing
    first = next((index for index, word in enumerate(words) if word.startswith("--")), len(words))
    options = _decisive(words[first:])
    if len(words[first:]) % 2 or first < 2 or words[0] not in ("train", "finetune"):
        return nothing
    return words[0], words[1:first], options


def _decisive_arguments(arguments: Sequence[str]) -> list[str]:
    """The arguments without those that change only where a run lies and how it looks."""
    return [*arguments[:1], *(word for pair in _decisive(arguments[1:]) for word in pair)]


def _decisive(options: Sequence[str]) -> list[tuple[str, str]]:
    """Options with their values, without those that change only where a run lies and how it looks."""
    pairs = zip(options[::2], options[1::2], strict=False)
    return [(option, value) for option, value in pairs if option not in _NOT_DECISIVE]
