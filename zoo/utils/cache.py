"""Results that are computed once and kept in the cache folder, known by a hash of what they were computed from.

What is kept is checked when it is read, and made anew where it is damaged: arrays by the CRC-32 of their zip file;
folders by the CRC-32 of each block of their files, of large ones when the block is read (`zoo.utils.blocks`).
"""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.utils.atomic import replaced_folder, whole_path
from zoo.utils.download import cache_folder, writing_to_cache
from zoo.utils.locks import locked
from zoo.utils.records import folder_is_whole, write_folder_record

__all__ = ["cached_arrays", "cached_file", "cached_folder", "cached_path", "content_hash", "fingerprint"]

# Member of a file of arrays that lists the others: a damaged directory of a zip file may lack some.
_NAMES = "names of all arrays"
_OLD = "damaged or of an older version"
_log = logging.getLogger("zoo")

# Number and size of the samples of a file: its head, its tail, and evenly spaced ones between.
_SAMPLES, _SAMPLE_BYTES = 16, 65_536


def fingerprint(path: Path) -> str:
    """Hash a large file's size, time of change and samples; hashing all of it would take minutes.

    The time tells an edit between two samples; the samples tell a file that was replaced with its time kept.
    """
    status = path.stat()
    return _hash_samples(path, f"{status.st_size} {status.st_mtime_ns}")


def content_hash(path: Path) -> str:
    """Hash a file's size and samples: the same for a copy of the file, on any computer."""
    return _hash_samples(path, str(path.stat().st_size))


def _hash_samples(path: Path, prefix: str) -> str:
    """Hash a text, and head, tail and evenly spaced samples of a file."""
    size = path.stat().st_size
    digest = hashlib.sha256(prefix.encode())
    with path.open("rb") as file:
        for start in np.linspace(0, max(0, size - _SAMPLE_BYTES), _SAMPLES).astype(int).tolist():
            file.seek(start)
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()


def cached_file(kind: str, key: Any, build: Callable[[Path], None], suffix: str) -> Path:
    """Write a file once and find it again after that, in all processes of a machine.

    Args:
        kind: folder of the cache.
        key: what the file is computed from, as JSON values.
        build: writes the file to the path that it is given.
        suffix: ending of the file's name, such as `.npz`.

    Returns:
        Its path.

    Raises:
        OutputError: the cache cannot be written, or the disk is full.
    """
    path = cached_path(kind, key, suffix)
    if path.is_file():
        return path
    with writing_to_cache(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path):
            if not path.is_file():  # else another process wrote it meanwhile
                with whole_path(path) as draft:
                    build(draft)
    return path


def cached_folder(path: Path, build: Callable[[Path], None], mapped: str = "", size: int = 0) -> Path:
    """Build a folder in the cache once, and again where it is damaged, in all processes of a machine.

    Args:
        path: the folder.
        build: fills the folder that it is given.
        mapped: name of a file that is opened as a `CheckedMap`: a large one is checked where it is read. All others are
            read here to find damage.
        size: bytes that it takes, for the sentence about a full disk.

    Returns:
        The folder.

    Raises:
        OutputError: the cache cannot be written, or the disk is full.
    """
    if folder_is_whole(path, mapped):
        return path
    with writing_to_cache(path, size, _OLD if path.exists() else ""):
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path):
            if not folder_is_whole(path, mapped):  # else another process built it meanwhile
                if path.exists():
                    _log.warning(f"{path} is {_OLD}: it is made anew")
                with replaced_folder(path) as draft:
                    build(draft)
                    write_folder_record(draft)
    return path


def cached_path(kind: str, key: Any, suffix: str = "") -> Path:
    """Path in the cache of what is computed from a key; see `cached_file`."""
    return cache_folder() / kind / f"{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:24]}{suffix}"


def cached_arrays(kind: str, key: Any, build: Callable[[], Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Compute named arrays once and read them from the cache after that; see `cached_file`, and its errors."""

    def write(path: Path) -> None:
        """Compute the arrays and write them."""
        arrays = build()
        with path.open("wb") as file:
            np.savez(file, **{_NAMES: np.array(list(arrays))}, **arrays)  # type: ignore[arg-type]

    path = cached_file(kind, key, write, ".npz")
    try:
        return _read_arrays(path)
    except Exception:  # there are many ways in which the readers of zip files and of numpy fail
        with writing_to_cache(path, state="damaged"):
            path.unlink(missing_ok=True)
            _log.warning(f"{path} is damaged: it is made anew")
            return _read_arrays(cached_file(kind, key, write, ".npz"))


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read all arrays of a file; the zip reader compares their CRC-32 when it comes to the end of each."""
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    if sorted(arrays.pop(_NAMES).tolist()) != sorted(arrays):
        raise ValueError("arrays are missing")
    return arrays
