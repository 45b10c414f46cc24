"""Locks between processes: one builds what is kept in the cache, the others wait and say so."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from zoo.errors import OutputError

__all__ = ["locked"]

_SAY_SO_AFTER_SECONDS = 3.0
_log = logging.getLogger("zoo")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file or folder that is built; it is released when the process ends, however it ends.

    A line says so where another process has held it for some seconds.

    Args:
        path: what is built; the lock is a hidden file beside it.

    Raises:
        OutputError: the file system has no locks.
        OSError: the file cannot be made.
    """
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        try:
            lock.acquire(timeout=_SAY_SO_AFTER_SECONDS)
        except Timeout:
            _log.warning(f"another process is building {path}: waiting for it")
            lock.acquire()
    except NotImplementedError:
        raise OutputError(
            f"{path.parent} lies on a file system without locks: set ZOO_CACHE to a folder on another disk"
        ) from None
    try:
        yield
    finally:
        lock.release()
