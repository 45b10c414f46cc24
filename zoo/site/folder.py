"""The folder of a site: it appears whole or not at all, and only an earlier site is written over."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zoo.errors import OutputError
from zoo.utils.atomic import replaced_folder
from zoo.utils.download import sha256_of
from zoo.utils.drafts import remove_dead_drafts
from zoo.utils.paths import check_creatable

__all__ = ["FILES", "check_site_folder", "site_folder"]

FILES = "files.json"  # the sha256 of every other file, by its path: what may be written over


@contextmanager
def site_folder(folder: Path, overwrite: bool) -> Iterator[Path]:
    """Give a draft of a site, which takes the place of `folder` if all went well; the list of its files is added.

    Args:
        folder: the folder.
        overwrite: replace an earlier site.

    Raises:
        OutputError: the folder holds anything else, or cannot be written.
    """
    check_site_folder(folder, overwrite)
    with replaced_folder(folder) as draft:
        yield draft
        hashes = {path: sha256_of(draft / path) for path in _files_in(draft)}
        (draft / FILES).write_text(json.dumps(hashes, indent=0) + "\n", encoding="utf-8")


def check_site_folder(folder: Path, overwrite: bool) -> None:
    """Check that a site can be written to a folder, before anything is computed.

    Raises:
        OutputError: it cannot, or something would be lost.
    """
    remove_dead_drafts(folder)
    check_creatable(folder, replaces=True)
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise OutputError(f"{folder} is no folder, or a link to one: name a new folder")
    if not folder.is_dir():
        return
    if folder.resolve() in (Path.cwd(), *Path.cwd().parents):
        raise OutputError(f"{folder} is the working folder, or holds it: name a folder in it, such as site")
    files = _files_in(folder)
    if not files:
        return
    if not overwrite:
        raise OutputError(f"{folder} exists already: name another folder, or add --overwrite to write a site anew")
    if others := [path for path in files if path != FILES and path not in _written(folder)]:
        raise OutputError(
            f"{folder} holds {others[0]}, which `zoo site` did not write, and would be lost: move it away, or name "
            "another folder"
        )


def _files_in(folder: Path) -> list[str]:
    """Paths of all files in a folder and below, within it."""
    return sorted(
        (Path(parent) / name).relative_to(folder).as_posix() for parent, _, names in os.walk(folder) for name in names
    )


def _written(folder: Path) -> set[str]:
    """What an earlier site wrote."""
    try:
        return set(json.loads((folder / FILES).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return set()
