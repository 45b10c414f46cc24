"""Folders that are built from public files once, in the cache."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from zoo.datasets.sources import files_of
from zoo.utils.cache import cached_folder
from zoo.utils.download import cache_folder

__all__ = ["built_folder", "built_path"]


def built_path(name: str, sets: Sequence[str], version: str) -> Path:
    """Path of a built folder, named by a hash of the public files behind it; whether it is there or not.

    Args:
        name: name of the data set.
        sets: sets of public files that it is built from.
        version: version of how it is built.
    """
    text = "".join(file.sha256 for source in sets for file in files_of(source)) + version
    return cache_folder() / "data" / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def built_folder(name: str, sets: Sequence[str], version: str, build: Callable[[Path], None]) -> Path:
    """Path of a built folder; built where it is missing or damaged, under a lock.

    Args:
        name: name of the data set.
        sets: sets of public files that it is built from.
        version: version of how it is built.
        build: fills a folder; `report.txt` must be in it.

    Raises:
        DownloadError: a public file cannot be downloaded.
        OutputError: the cache cannot be written.
    """
    return cached_folder(built_path(name, sets, version), build)
