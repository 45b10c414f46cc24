"""The recipe of a run: a hash of what its command and configuration say."""

import hashlib
import json
from collections.abc import Sequence

import yaml

from zoo.hub.configs import config_text

__all__ = ["decisive_arguments", "recipe"]

# Options that change only where a run lies and how it looks.
_NOT_DECISIVE = ("--runs", "--checkpoints", "--resume", "--overwrite", "--trainer.enable_progress_bar")


def recipe(arguments: Sequence[str]) -> str:
    """Hash what a training command and its configuration say: two runs of one recipe and commit are the same.

    Words on the card, comments, and where the run lies do not count.

    Args:
        arguments: arguments of `zoo train`: the configuration, then options and values.
    """
    config = yaml.safe_load(config_text(arguments[0]))
    config.pop("card", None)
    text = json.dumps([config, decisive_arguments(arguments)[1:]], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def decisive_arguments(arguments: Sequence[str]) -> list[str]:
    """The arguments without those that change only where a run lies and how it looks."""
    kept = list(arguments[:1])
    for option, value in zip(arguments[1::2], arguments[2::2], strict=False):
        if option not in _NOT_DECISIVE:
            kept += [option, value]
    return kept
