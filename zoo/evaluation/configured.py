"""The DataModule of a configuration of `zoo train`, or of the one that made a checkpoint."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.data.base import GenomicDataModule
from zoo.errors import ConfigError, UnknownNameError, ZooError
from zoo.hub.config import read_config
from zoo.hub.configs import config_names, find_config
from zoo.hub.folder import RECIPE
from zoo.training.given import Given, read_given
from zoo.utils.extras import require_extras

__all__ = ["data_of_config", "data_of_recipe", "is_config", "maps_of_recipe"]


def is_config(text: str) -> bool:
    """Whether a text is the file or name of a configuration, not a data file."""
    return text.endswith((".yaml", ".yml")) or text in config_names()


def data_of_config(
    config: str, batch_size: int | None = None, options: Sequence[str] = (), trusted: bool = False
) -> GenomicDataModule:
    """Build the DataModule of a configuration.

    Args:
        config: file or name of a configuration; of one that came with a checkpoint, classes of zoo alone are built.
        batch_size: of the batches; None for that of the configuration.
        options: options that override it, `--data.KEY` and value in turn.
        trusted: build any class.

    Raises:
        ConfigError: a configuration that cannot be read, or names classes that are not allowed or do not fit.
    """
    from zoo.hub.origin import came_with_checkpoint

    restricted = not trusted and came_with_checkpoint(find_config(config))
    return _build(config, read_given(config, options), batch_size, restricted)


def data_of_recipe(folder: Path, name: str, batch_size: int | None = None) -> GenomicDataModule:
    """Build the DataModule on which a checkpoint was trained.

    Args:
        folder: the checkpoint.
        name: name of the model, for messages.
        batch_size: of the batches; None for that of the recipe.

    Raises:
        ConfigError: it is not known, or is of a class that a checkpoint may not name.
    """
    return _build(f"the recipe of {name}", _recipe(folder, name), batch_size, restricted=True)


def maps_of_recipe(folder: Path, name: str) -> dict[str, Any]:
    """Look up how contact maps were prepared to train a model: options of `MapRules`; none where that is not known."""
    try:
        section = _recipe(folder, name).get("data")
    except ConfigError:
        return {}
    arguments = section.get("init_args") if isinstance(section, dict) else None
    maps = arguments.get("maps") if isinstance(arguments, dict) else None
    return dict(maps) if isinstance(maps, dict) else {}


def _recipe(folder: Path, name: str) -> Given:
    """The configuration that made a checkpoint.

    Raises:
        ConfigError: it is not known, or not here.
    """
    if (folder / RECIPE).is_file():
        return read_given(str(folder / RECIPE), [])
    facts = read_config(folder).facts
    words = shlex.split(facts.run.command) if facts.run else []
    if words[:2] != ["zoo", "train"] or len(words) % 2 == 0 or len(words) < 3:
        raise ConfigError(f"it is not known on which data {name} was trained: name data")
    try:
        return read_given(words[2], words[3:])
    except UnknownNameError as error:
        raise ConfigError(f"the recipe of {name} is not here ({error}): name data to evaluate it on") from None


def _build(where: str, given: Given, batch_size: int | None, restricted: bool) -> GenomicDataModule:
    """Build the DataModule of the values of a configuration."""
    require_extras(["train"], "evaluating the data of a configuration")
    from jsonargparse import ArgumentParser

    from zoo.training.allowed import Allowed
    from zoo.training.messages import explain_remainder, unknown_name
    from zoo.training.options import option_types
    from zoo.training.own_data import check_data

    section = given.get("data")
    if isinstance(section, str):
        section = {"class_path": section}
    if not isinstance(section, dict) or not section.get("class_path"):
        raise ConfigError(f"{where} names no data: it has no `data:` with a class_path")
    schema = option_types()
    if restricted and (message := Allowed(schema, [Path.cwd()]).first_refused({"data": section})):
        raise ConfigError(f"{where}: {message}, which a checkpoint may not choose: name data to evaluate it on")
    check_data(given)
    if message := unknown_name("data", section, schema["data"]):
        raise ConfigError(f"{where}: {message}")
    # The seed of the run is the data's, as in training; it decides the shuffles.
    arguments = {"seed": given.get("seed_everything", 1), **(section.get("init_args") or {})}
    if batch_size is not None:
        arguments["batch_size"] = batch_size
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(GenomicDataModule, "data", required=True)
    try:
        parsed = parser.parse_object({"data": {**section, "init_args": arguments}})
        module: GenomicDataModule = parser.instantiate_classes(parsed).data
    except ZooError:
        raise
    except Exception as error:
        raise ConfigError(f"{where}: {explain_remainder(str(error))}") from None
    return module
