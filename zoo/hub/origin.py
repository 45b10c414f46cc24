"""Whether a configuration is the user's own, or came with a checkpoint. Nothing here imports torch."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from zoo.errors import OutputError
from zoo.hub.folder import CONFIG, DELTA, RECIPE, WEIGHTS
from zoo.hub.registry import shipped_folder
from zoo.utils.download import cache_folder

__all__ = ["came_with_checkpoint"]

_MOST_LINKS = 40
_OF_HUB = ("blobs", "snapshots")  # folders of a repository in the cache of the Hub's client


def came_with_checkpoint(file: Path) -> bool:
    """Whether a configuration came with a checkpoint, and so may have been written by anyone.

    It did if its name is `recipe.yaml`, if a `config.json` lies beside it, or if it lies anywhere below a checkpoint
    folder, `./checkpoints`, the shipped checkpoints, or the models in the cache or in the Hub's. Of a link, every file
    that it leads to counts, under its path as written and with links in it resolved. The shipped configurations are
    this project's own.

    Args:
        file: a file that exists.
    """
    if file.resolve().parent == shipped_folder("configs").resolve():
        return False
    for path in _paths_of(file):
        if path.name.lower() == RECIPE or os.path.lexists(path.parent / CONFIG):
            return True
        if any(map(_holds_checkpoints, path.parents)):
            return True
    return False


def _paths_of(file: Path) -> Iterator[Path]:
    """The absolute paths of a file and of what it links to: as written, and with the folder's own links resolved."""
    path = Path.cwd() / file
    for _ in range(_MOST_LINKS):
        yield Path(os.path.normpath(path))
        yield path.parent.resolve() / path.name
        if not path.is_symlink():
            break
        path = path.parent / path.readlink()
    yield file.resolve()


def _holds_checkpoints(folder: Path) -> bool:
    """Whether a folder is a checkpoint, or one in which checkpoints are kept."""
    has_weights = any(os.path.lexists(folder / name) for name in (WEIGHTS, DELTA))
    is_checkpoint = has_weights and os.path.lexists(folder / CONFIG)
    is_from_hub = folder.name.startswith("models--") and any((folder / name).is_dir() for name in _OF_HUB)
    return is_checkpoint or is_from_hub or any(_is_same(folder, home) for home in _homes())


def _homes() -> Iterator[Path]:
    yield shipped_folder("checkpoints")
    yield Path("checkpoints")
    with suppress(OutputError):  # a user without a home folder has no cache
        yield from (cache_folder() / "models", cache_folder() / "hub")


def _is_same(folder: Path, other: Path) -> bool:
    try:
        return folder.samefile(other)
    except OSError:  # one of them does not exist
        return False
