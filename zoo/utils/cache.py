"""Results that are computed once and kept in the cache folder, known by a hash of what they were computed from."""

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from zoo.utils.download import cache_folder, writing_to_cache

__all__ = ["cached_arrays", "cached_file", "content_hash", "fingerprint"]

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
    digest = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:24]
    path = cache_folder() / kind / f"{digest}{suffix}"
    if path.is_file():
        return path
    with writing_to_cache(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):
            if not path.is_file():  # else another process wrote it meanwhile
                draft = path.with_name(f"{digest}.draft{suffix}")
                try:
                    build(draft)
                    with draft.open("rb") as file:
                        os.fsync(file.fileno())
                    draft.replace(path)
                finally:
                    draft.unlink(missing_ok=True)
    return path


def cached_arrays(kind: str, key: Any, build: Callable[[], Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Compute named arrays once and read them from the cache after that; see `cached_file`."""

    def write(path: Path) -> None:
        np.savez(path, **build())  # type: ignore[arg-type]

    path = cached_file(kind, key, write, ".npz")
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except (OSError, ValueError, zipfile.BadZipFile):  # damaged after it was written
        path.unlink()
        return cached_arrays(kind, key, build)
