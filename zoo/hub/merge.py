"""Make a checkpoint that is stored as a delta whole."""

from dataclasses import replace
from pathlib import Path

from zoo.errors import ConfigError, OutputError
from zoo.hub.checkpoint import save
from zoo.hub.config import read_config
from zoo.hub.folder import EXAMPLE, RECIPE, checkpoint_text
from zoo.hub.load import resolve
from zoo.hub.loading import load_folder
from zoo.hub.names import is_name
from zoo.hub.seen import read_seen
from zoo.hub.targets import read_targets
from zoo.hub.weights import read_tensors

__all__ = ["merge"]


def merge(name: str, folder: str | Path) -> Path:
    """Write a checkpoint that is stored as a delta as one with whole weights, which needs no base.

    Args:
        name: `architecture.tag`, `hf-hub:org/repo@revision`, or `local-dir:path`.
        folder: the new folder; the model is named after it where its name is a model's of this architecture.

    Returns:
        The folder; its model predicts what that of `name` does, bit for bit.

    Raises:
        ConfigError: a checkpoint whose weights are whole already.
        UnknownNameError: no such model.
        IntegrityError: a broken checkpoint, or one without its base.
        OutputError: a folder that exists or cannot be written.
    """
    source, folder = resolve(name), Path(folder)
    if folder.exists() or folder.is_symlink():
        raise OutputError(f"{folder} exists already: name a new folder")
    config = read_config(source)
    base, run = config.delta_base, config.facts.run
    if base is None or run is None:
        raise ConfigError(f"{name} is no delta: its weights are stored whole already")
    model = load_folder(source)
    example = read_tensors(source / EXAMPLE)
    del example["expected"]
    is_ours = is_name(folder.name) and folder.name.split(".")[0] == config.architecture
    facts = replace(
        config.facts,
        name=folder.name if is_ours else config.facts.name,
        run=replace(run, base=replace(base, delta=None)),
    )
    recipe = checkpoint_text(source, RECIPE) if RECIPE in config.sha256 else None
    return save(model, folder, facts, read_targets(source), example, recipe, read_seen(source))
