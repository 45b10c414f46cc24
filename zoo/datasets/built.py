"""Folders of files that are made of public ones, once, in the cache."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from filelock import FileLock

from zoo.datasets.sources import files_of
from zoo.utils.atomic import whole_folder
from zoo.utils.download import cache_folder

__all__ = ["built_folder"]


def built_folder(name: str, sets: Sequence[str], version: str, build: Callable[[Path], None]) -> Path:
    """A folder known by the public files behind it; built where it is not there.

    Args:
        name: of the data set.
        sets: whose public files it is made of.
        version: of how it is made.
        build: fills a folder; `report.txt` must be in it.
    """
    text = "".join(file.sha256 for each in sets for file in files_of(each)) + version
    folder = cache_folder() / "data" / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    if not (folder / "report.txt").is_file():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if not (folder / "report.txt").is_file():
                with whole_folder(folder) as draft:
                    build(draft)
    return folder
