"""Checkpoints of the user's own, which can be changed and published. Nothing here imports torch."""

from contextlib import suppress
from pathlib import Path

from zoo.errors import ConfigError, OutputError
from zoo.hub.folder import is_snapshot
from zoo.hub.location import Location
from zoo.hub.names import is_name
from zoo.hub.registry import find, folders_of
from zoo.utils.download import cache_folder

__all__ = ["find_here"]


def find_here(name: str) -> Location:
    """Find a checkpoint folder on this computer that is the user's own or is shipped: what can be changed or published.

    Args:
        name: `architecture.tag` or `local-dir:path`.

    Raises:
        UnknownNameError: no such folder.
        ConfigError: a model on the Hub, or one that others published.
        IntegrityError: its folder is broken.
    """
    if name.startswith("hf-hub:"):
        raise ConfigError(f"{name} is on the Hub already: name a checkpoint of this computer")
    folders = [] if name.startswith("local-dir:") or not is_name(name) else folders_of(name)
    location = folders[0] if folders else find(name)
    folder = location.folder
    is_theirs = folder is None or folder.parent.resolve() == _imported() or is_snapshot(folder.resolve())
    if is_theirs:
        raise ConfigError(f"{name} was published by others: name a checkpoint of your own")
    return location


def _imported() -> Path | None:
    """The folder of imported models; None where the user has no home folder."""
    with suppress(OutputError):
        return (cache_folder() / "models").resolve()
    return None
