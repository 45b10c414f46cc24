"""What went wrong when a file was written, in one sentence that names the folder and how to go on."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from zoo.errors import OutputError, one_line

__all__ = ["AGAIN", "FAILED", "FULL", "explain_disk", "is_of_disk"]

# How a sentence ends that leaves the command as it is.
AGAIN = "then run the same command again"
# What stands between the path and the reason.
FAILED = " could not be written: "
_REASONS = {
    errno.ENOSPC: f"the disk of {{folder}} is full: make room there, {AGAIN}",
    errno.EDQUOT: f"your quota on the disk of {{folder}} is used up: make room there, {AGAIN}",
    errno.EFBIG: f"a file in {{folder}} may not become so large (see `ulimit -f`, or the disk's file system): allow "
    f"larger files or name another folder, {AGAIN}",
    errno.EROFS: "the disk of {folder} can only be read: name another folder",
    errno.EACCES: "you may not write in {folder}: name another folder, or ask its owner",
    errno.EPERM: "you may not write in {folder}: name another folder, or ask its owner",
    errno.EIO: f"the disk of {{folder}} has a fault (Input/output error): name another folder, {AGAIN}",
    errno.EMFILE: f"too many files are open at once in this process: raise the limit (`ulimit -n`), {AGAIN}",
}
# Errors of a disk that has no room for more.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# How libraries in other languages write the number of an error.
_NUMBER = re.compile(r"errno(?: = |[ =:])(\d+)|os error (\d+)", re.IGNORECASE)
_SMALL = 1 << 20  # bytes: with less room a library's error without a reason is one of a full disk


def explain_disk(error: BaseException, path: Path, draft: Path | None = None, cure: str = "") -> OutputError:
    """Explain why a file or folder could not be written.

    Args:
        error: what the system or a library raised.
        path: what was to be written.
        draft: what was written so far, in the folder that is named; for a library that gives no reason it is looked at.
        cure: what else can be done, for the end of the sentence.
    """
    number = _number_of(error, draft)
    reason = _REASONS.get(number, "").format(folder=_folder(draft or path))
    if reason:
        reason += f", {cure}" if cure else ""
    else:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else _without(error, draft)
        reason += f": {cure.removeprefix('or ')}" if cure else ""
    return OutputError(f"{path}{FAILED}{reason}")


def is_of_disk(error: BaseException, draft: Path) -> bool:
    """Return whether an error is one of writing a draft: any of the system, or a library's that a full disk explains.

    An error about another file that is named is not.
    """
    if isinstance(error, BrokenPipeError):
        return False
    if isinstance(error, OSError) and error.filename is not None:
        return draft in (named := Path(os.fsdecode(error.filename)), *named.parents) or named == draft.parent
    return isinstance(error, OSError) or _number_of(error, draft) in FULL


def _number_of(error: BaseException, draft: Path | None) -> int:
    """The system's number of an error; 0 where there is none."""
    for one in _chain(error):
        if isinstance(one, OSError) and isinstance(one.errno, int):
            return one.errno
        if match := _NUMBER.search(str(one)):
            return int(match[1] or match[2])
        if os.strerror(errno.ENOSPC) in str(one):
            return errno.ENOSPC
    is_of_library = isinstance(error, RuntimeError | OSError)  # others are errors of a program
    return _find_reason(draft) if draft is not None and is_of_library else 0


def _find_reason(draft: Path) -> int:
    """Why a library may have failed to write a draft: a disk without room, or a file as large as files may be."""
    try:
        if shutil.disk_usage(draft.parent).free < _SMALL:
            return errno.ENOSPC
        import resource

        limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
        files = [draft, *draft.iterdir()] if draft.is_dir() else [draft]
        if limit != resource.RLIM_INFINITY and max(file.stat().st_size for file in files) + _SMALL > limit:
            return errno.EFBIG
    except (OSError, ImportError):  # gone, or not on this system
        pass
    return 0


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _folder(path: Path) -> Path:
    """The folder of a path, as it was given; `.` says nothing, so that its full path is named."""
    return path.parent if path.parent != Path() else Path.cwd()


def _without(error: BaseException, draft: Path | None) -> str:
    """The message of a library on one line, without the name of the draft."""
    text = one_line(error) if isinstance(error, Exception) else repr(error)
    return text.replace(str(draft), "the file").replace(draft.name, "the file") if draft is not None else text
