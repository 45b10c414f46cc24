"""One run at a time in a folder: a lock that is held while a run lives, and that its end or crash releases."""

import errno
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from zoo.errors import ConfigError, OutputError
from zoo.utils.disk_errors import explain_disk
from zoo.utils.processes import is_running

__all__ = ["lock_run"]

# Seconds in which the operating system and worker processes let go of the lock of a process that was killed.
_PATIENCE = 20.0


@contextmanager
def lock_run(run: Path) -> Iterator[None]:
    """Hold the lock of a run inside; it lies beside the run's folder.

    Args:
        run: folder of the run; the folder above it exists.

    Raises:
        ConfigError: another process holds it; the sentence names process and host.
        OutputError: the lock cannot be written.
    """
    folder = run.resolve()  # two links may lead to one folder
    path, owner = (folder.with_name(f".{folder.name}.{ending}") for ending in ("lock", "owner"))
    try:
        lock = _acquire(path, owner, run)
    except NotImplementedError:
        raise _no_locks(run) from None
    except OSError as error:
        if error.errno in (errno.ENOLCK, errno.ENOTSUP):
            raise _no_locks(run) from None
        raise explain_disk(error, run) from None
    try:
        _write_owner(owner, run)
        yield
    finally:
        with suppress(OSError):
            owner.unlink(missing_ok=True)
        if not folder.exists():
            path.unlink(missing_ok=True)
        lock.release()


def _no_locks(run: Path) -> OutputError:
    return OutputError(f"{run.parent} lies on a file system without locks: name a folder on another disk, --runs")


def _acquire(path: Path, owner: Path, run: Path) -> FileLock:
    """Acquire the lock; where its owner has died, once the system has released it."""
    end = time.monotonic() + _PATIENCE
    while True:
        lock, other = (FileLock(path, is_singleton=False) for _ in range(2))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if time.monotonic() > end or _is_alive(_read_owner(owner)):
                raise ConfigError(f"{run} is being trained by {_described(_read_owner(owner))}: {_CURE}") from None
            time.sleep(0.2)
            continue
        try:
            other.acquire(timeout=0)
        except Timeout:
            return lock
        # The file was removed by a process that ended while this one opened it: the lock is of no file.
        other.release()
        lock.release()


_CURE = "wait until it ends, or choose another --name or --runs"


def _write_owner(path: Path, run: Path) -> None:
    try:
        path.write_text(json.dumps({"process": os.getpid(), "host": socket.gethostname()}))
    except OSError as error:
        raise explain_disk(error, run) from None


def _read_owner(path: Path) -> tuple[int, str] | None:
    """Process and host of the owner; None where they are not known (yet)."""
    try:
        content = json.loads(path.read_text())
        return int(content["process"]), str(content["host"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _is_alive(owner: tuple[int, str] | None) -> bool:
    """Whether the owner may be alive; False for a process of this host that has ended, and where none is known."""
    if owner is None:
        return False
    process, host = owner
    return host != socket.gethostname() or is_running(process)


def _described(owner: tuple[int, str] | None) -> str:
    return "another process" if owner is None else f"process {owner[0]} on {owner[1]}"
