"""What decides the trials of a search: it is resumed with the same."""

import json
from collections.abc import Sequence
from typing import Any

from zoo.training.given import Given, read_given
from zoo.training.own_data import data_files
from zoo.training.resume import flat_options
from zoo.tuning.space import Parameter
from zoo.utils.cache import content_hash

__all__ = ["decisive_settings"]


def decisive_settings(
    arguments: Sequence[str], config: Given, space: Sequence[Parameter], **options: str
) -> dict[str, Any]:
    """List what decides the trials of a search.

    Args:
        arguments: arguments of `zoo train` that all trials have.
        config: the whole configuration that they describe.
        space: the search space.
        options: further options of the search: name -> value.

    Returns:
        Option -> value, as JSON has it: of the configuration, defaults filled in; the search space; and a hash of each
        of the user's files.
    """
    values = flat_options({key: value for key, value in config.items() if key != "name"})
    spaces = {f"space of {one.key}": _words(one) for one in space}
    paths = data_files(read_given(arguments[0], arguments[1:]))
    files = {f"content of {path}": content_hash(path)[:16] for path in paths}
    settings: dict[str, Any] = json.loads(json.dumps({**values, **spaces, **options, **files}, default=str))
    return settings


def _words(parameter: Parameter) -> dict[str, Any]:
    """A range or choices, as in a search space."""
    return {name: value for name, value in vars(parameter).items() if name != "key" and value not in (None, False)}
