"""Checks of paths before anything is written to them, and folders that are made for what is written."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from zoo.errors import ConfigError, OutputError

__all__ = [
    "check_creatable",
    "check_folder_of",
    "names_a_file",
    "new_folder",
    "refuse_folder",
    "refuse_overwriting",
]


def refuse_overwriting(output: str, inputs: Iterable[str]) -> None:
    """Refuse to overwrite a file that is read.

    Raises:
        ConfigError: `output` is one of the inputs, even by another path.
    """
    for path in inputs:
        if "-" not in (output, path) and Path(output).resolve() == Path(path).resolve():
            raise ConfigError(f"the output {output} is one of the files to be read; name another")


def names_a_file(name: str) -> bool:
    """Return whether a name can be the name of a file on every system."""
    return bool(name) and not name.startswith(".") and not re.search(r'[/\\:*?"<>|\x00-\x1f]', name)


def check_folder_of(path: Path) -> None:
    """Check that the folder of a file that will be written exists.

    Raises:
        OutputError: it does not.
    """
    if not path.parent.is_dir():
        raise OutputError(f"{path} cannot be written: there is no folder {path.parent}")


def check_creatable(path: Path, replaces: bool = False) -> None:
    """Check that a file or folder, and the folders above it, can be made, or files in a folder that exists.

    Args:
        path: the file or folder.
        replaces: a folder that exists is replaced as a whole.

    Raises:
        OutputError: one above is a file, or cannot be written.
    """
    above = (
        path
        if path.is_dir() and not replaces
        else next(folder for folder in path.absolute().parents if folder.exists())
    )
    if not above.is_dir():
        raise OutputError(f"{path} cannot be created: {above} is a file, not a folder")
    if not os.access(above, os.W_OK | os.X_OK):
        raise OutputError(f"{path} cannot be created: the folder {above} is not writable")


@contextmanager
def new_folder(folder: Path) -> Iterator[None]:
    """Make a folder and those above it, where they do not exist; after a failure those that are empty are removed.

    Raises:
        OutputError: it cannot be made.
    """
    added: list[Path] = []
    try:
        for path in reversed([folder, *folder.parents]):
            if not path.is_dir():
                path.mkdir(exist_ok=True)
                added.append(path)
    except OSError as error:
        _remove_empty(added)
        raise OutputError(f"{folder} cannot be created: {error.strerror}") from None
    try:
        yield
    except BaseException:
        _remove_empty(added)
        raise


def _remove_empty(folders: list[Path]) -> None:
    for path in reversed(folders):
        with suppress(OSError):  # not empty
            path.rmdir()


def refuse_folder(folder: Path) -> None:
    """Refuse a folder that `whole_folder` could not make or replace.

    Raises:
        OutputError: the folder exists and is no whole checkpoint, or those above it cannot be made.
    """
    if folder.exists() and not (folder / "config.json").is_file():
        raise OutputError(f"{folder} exists and is not whole: it is not replaced; move it away first")
    check_creatable(folder, replaces=True)
