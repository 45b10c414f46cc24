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

__all__ = ["recipe", "resolved_config", "training_command"]

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


def resolved_config(cli: "TrainCLI", arguments: Sequence[str]) -> str:
    """The whole configuration of a run as YAML, defaults filled in: `zoo train` of it repeats the run.

    Args:
        cli: the run.
        arguments: arguments of its command, for the comment in the first line.
    """
    return f"{_FIRST_LINE.format(training_command(arguments), code_version())}\n{cli.config_text}\n"


def training_command(arguments: Sequence[str]) -> str:
    """The command of a run, for its card.

    A run that repeats another has the command of that one, with its own options added.

    Args:
        arguments: arguments of `zoo train`: the configuration, then options and values.
    """
    words = _decisive_arguments(arguments)
    original = _original_arguments(find_config(words[0]))
    if original:
        earlier = zip(original[1::2], original[2::2], strict=True)
        kept = [pair for pair in earlier if pair[0] == "--config" or pair[0] not in words[1::2]]
        words = [original[0], *(word for pair in kept for word in pair), *words[1:]]
    return "zoo train " + " ".join(shlex.join(words).splitlines())  # in YAML, a space is as good as a new line


def _original_arguments(config: Path) -> list[str]:
    """The arguments in the first line of a checkpoint's recipe; none of any other file, or of a recipe that changed."""
    folder = config.parent
    if config.name != RECIPE or not (folder / CONFIG).is_file():
        return []
    try:
        if read_config(folder).sha256.get(RECIPE) != sha256_of(config):
            return []
        pattern = re.escape(_FIRST_LINE).replace(r"\{\}", "(.+)")
        found = re.fullmatch(pattern, config.read_text(encoding="utf-8").partition("\n")[0])
        words = shlex.split(found[1])[2:] if found else []
    except (IntegrityError, ValueError):  # the run is not to fail, at its end, for a line that others wrote
        return []
    return _decisive_arguments(words) if len(words) % 2 else []


def _decisive_arguments(arguments: Sequence[str]) -> list[str]:
    """The arguments without those that change only where a run lies and how it looks."""
    kept = list(arguments[:1])
    for option, value in zip(arguments[1::2], arguments[2::2], strict=False):
        if option not in _NOT_DECISIVE:
            kept += [option, value]
    return kept
