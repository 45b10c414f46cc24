"""Drafts: files and folders that are written beside their target and then take its place.

The name of a draft says the target, the computer and the process that writes it, so that those of killed processes are
known and removed.
"""

import ctypes
import os
import re
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from itertools import count
from pathlib import Path

from zoo.utils.processes import is_running

__all__ = ["draft_folder", "draft_path", "is_draft", "put_in_place", "remove_dead_drafts"]

# A draft of another computer that was not changed for so long is of a process that was killed.
_DEAD_AFTER_SECONDS = 24 * 3600
_LONGEST_LABEL, _LONGEST_SUFFIX = 120, 16
_NAME = re.compile(
    r"\.(?P<label>.+)\.(?P<place>[A-Za-z0-9-]*-[0-9a-f]+)\.(?P<pid>\d+)-(?P<started>\d+)-\d+\.(?P<kind>draft|old)"
    rf"(?:\.[^.]{{0,{_LONGEST_SUFFIX - 1}}})?",
    re.DOTALL,
)
# Arguments of renameat2 of Linux: paths as they are, and to exchange two of them.
_AS_GIVEN, _EXCHANGE = -100, 2
_number = count()


def draft_path(target: Path) -> Path:
    """A new path beside a target, with its ending, for a file or folder that will take its place."""
    suffix = target.suffix if len(target.suffix) <= _LONGEST_SUFFIX else ""
    return target.with_name(_name(target, "draft") + suffix)


def is_draft(name: str) -> bool:
    """Return whether a file or folder of this name is a draft, of whatever process."""
    return _NAME.fullmatch(name) is not None


@contextmanager
def draft_folder(target: Path) -> Iterator[Path]:
    """Make a folder beside a target for what is needed while it is written; it is removed at the end."""
    folder = draft_path(target)
    remove_dead_drafts(target)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_dead_drafts(target: Path) -> None:
    """Remove what killed processes left in the folder of a target.

    A folder that a killed process had set aside comes back where nothing took its place.
    """
    with suppress(OSError):  # of another user, or removed by another process meanwhile
        for path in list(target.parent.iterdir()):
            match = _NAME.fullmatch(path.name)
            if match is None or _is_alive(match, path):
                continue
            if match["kind"] == "old":
                if match["label"] != _label(target):
                    continue  # its name may be cut: it comes back when its own target is written
                if not target.exists():
                    path.rename(target)
                    continue
            with suppress(OSError):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def put_in_place(draft: Path, folder: Path) -> None:
    """Move a draft to its place; a folder that is there takes the draft's, and is removed with it."""
    if not folder.is_dir():
        try:
            draft.rename(folder)
            return
        except OSError:
            if not folder.is_dir():  # else another process was faster
                raise
    if not _exchange(draft, folder):
        aside = folder.with_name(_name(folder, "old"))
        folder.rename(aside)  # `remove_dead_drafts` brings it back if this process is killed now
        draft.rename(folder)
        shutil.rmtree(aside, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step, where the system and the file system can."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None) if sys.platform == "linux" else None
    if rename is None:
        return False
    return int(rename(_AS_GIVEN, os.fsencode(one), _AS_GIVEN, os.fsencode(other), _EXCHANGE)) == 0


def _name(target: Path, kind: str) -> str:
    pid = os.getpid()
    return f".{_label(target)}.{_place()}.{pid}-{_start_of(pid)}-{next(_number)}.{kind}"


def _label(target: Path) -> str:
    """The name of a target; the beginning of a long one, and a hash."""
    if len(os.fsencode(target.name)) <= _LONGEST_LABEL:
        return target.name
    return f"{target.name[: _LONGEST_LABEL // 4]}~{sha256(os.fsencode(target.name)).hexdigest()[:12]}"


@cache
def _place() -> str:
    """This computer, and within it the container: numbers of processes are unique there."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(str(Path("/proc/self/ns/pid").stat().st_ino))
    with suppress(OSError):
        parts.append(Path("/etc/machine-id").read_text())
    digest = sha256(" ".join(parts).encode()).hexdigest()[:12]
    return f"{re.sub('[^A-Za-z0-9]', '-', parts[0])[:24]}-{digest}"


def _is_alive(match: re.Match[str], path: Path) -> bool:
    """Return whether the process of a draft may still be writing it."""
    if match["place"] != _place() or sys.platform == "win32":
        return time.time() - _last_change(path) < _DEAD_AFTER_SECONDS
    pid = int(match["pid"])
    if not is_running(pid):
        return False
    now, then = _start_of(pid), int(match["started"])
    return now != -1 and (now == then or 0 in (now, then))


def _start_of(pid: int) -> int:
    """When a process started, in ticks: another one may have its number later. 0 if unknown, -1 if it has ended."""
    try:
        # The command's name, in parentheses, may hold anything; the fields after it are state, ..., 20th start.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return 0
    return -1 if fields[0] in (b"Z", b"X") else int(fields[19])


def _last_change(path: Path) -> float:
    """Time of the last change of a file, or of a folder's files."""
    paths = [path, *path.iterdir()] if path.is_dir() else [path]
    return max(one.lstat().st_mtime for one in paths)
