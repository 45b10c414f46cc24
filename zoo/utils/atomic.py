"""Atomic writing: files and folders appear whole or not at all, and stay whole after a power cut."""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from zoo.errors import OutputError, ZooError
from zoo.utils.disk_errors import explain_disk, is_of_disk
from zoo.utils.drafts import draft_path, put_in_place, remove_dead_drafts
from zoo.utils.paths import check_folder_of, new_folder, refuse_folder

__all__ = ["replaced_folder", "whole_file", "whole_files", "whole_folder", "whole_path"]


@contextmanager
def whole_file(path: str | Path) -> Iterator[TextIO]:
    """Open a text file for writing that replaces `path` only if all went well.

    Standard output (`-`) and devices are written directly.

    Raises:
        OutputError: the file cannot be written.
    """
    if str(path) == "-":
        with _writing_to(Path("standard output")):
            yield sys.stdout
            sys.stdout.flush()
        return
    target = Path(path)
    if _is_stream(target):
        with _writing_to(target), target.open("w", encoding="utf-8") as file:
            yield file
        return
    with whole_path(target) as draft, draft.open("w", encoding="utf-8") as file:
        yield file


@contextmanager
def whole_path(path: Path) -> Iterator[Path]:
    """Give the path of a draft beside `path`, of the same ending; it replaces `path` if all went well.

    The draft is on the disk before it takes the place of the file, which stays as it was until then. Drafts of
    processes that were killed are removed. Of a link, the file that it leads to is replaced.

    Raises:
        OutputError: the file cannot be written; it says which folder is full.
    """
    if path.is_dir():
        raise OutputError(f"{path} is a folder, not a file")
    if _is_stream(path):
        raise OutputError(f"{path} is a device or pipe, into which this format cannot be written: name a file")
    check_folder_of(path)
    target = path.resolve() if path.is_symlink() else path
    draft = draft_path(target)
    with _drafting(path, target, draft):
        yield draft
        if not draft.is_file():
            raise OutputError(f"{path} could not be written: nothing came of it")
        if target.is_file():
            shutil.copymode(target, draft)
        _sync(draft)
        draft.replace(target)
        _sync(target.parent)


def _is_stream(path: Path) -> bool:
    """Return whether a path is a device, pipe or socket."""
    return path.exists() and not path.is_file() and not path.is_dir()


@contextmanager
def _drafting(path: Path, target: Path, draft: Path) -> Iterator[None]:
    """Remove drafts of killed processes first, and this one at the end; explain errors of the disk.

    Raises:
        OutputError: the disk is the cause.
    """
    remove_dead_drafts(target)
    try:
        yield
    except ZooError as error:  # perhaps of a file within the draft of a folder
        if str(draft) not in str(error):
            raise
        raise type(error)(str(error).replace(str(draft), str(path))) from None
    except Exception as error:
        if not is_of_disk(error, draft):
            raise
        raise explain_disk(error, path, draft) from None
    finally:
        with suppress(OSError):
            shutil.rmtree(draft) if draft.is_dir() else draft.unlink(missing_ok=True)


@contextmanager
def _writing_to(path: Path) -> Iterator[None]:
    """Explain errors of standard output or a device.

    Raises:
        OutputError: it cannot be written, except for a pipe that its reader has closed.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.filename not in (None, str(path)):
            raise
        raise OutputError(f"{path} could not be written: {error.strerror or error}") from None


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk, so that a power cut cannot lose them."""
    try:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError:
        if path.is_file():  # a full disk may show only now; some file systems cannot do this for folders
            raise


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a draft of a checkpoint's folder, which replaces `folder` only if all went well.

    Raises:
        OutputError: the folder exists and is no whole checkpoint, or it cannot be written.
    """
    remove_dead_drafts(folder)
    refuse_folder(folder)
    with replaced_folder(folder) as draft:
        yield draft


@contextmanager
def whole_files(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """Give drafts of files of one folder, which appear together if all went well, and none of them otherwise.

    The folder, and those above it, are made where they do not exist.

    Raises:
        OutputError: they cannot be written; it says which folder is full.
    """
    folder = paths[0].parent
    if not folder.exists():
        with replaced_folder(folder) as draft:
            yield [draft / path.name for path in paths]
        return
    if folders := [path for path in paths if path.is_dir()]:
        raise OutputError(f"{folders[0]} is a folder, and a file of that name is to be written: move it away first")
    draft = draft_path(paths[0])
    with _drafting(paths[0] if len(paths) == 1 else folder, paths[0], draft):
        draft.mkdir()
        yield [draft / path.name for path in paths]
        for path in paths:
            _sync(draft / path.name)
        for path in paths:
            (draft / path.name).replace(path)
        _sync(folder)


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """Give a draft of a folder, which replaces `folder`, whatever it is, only if all went well.

    Raises:
        OutputError: it cannot be written; it says which disk is full.
    """
    draft = draft_path(folder)
    with new_folder(folder.parent), _drafting(folder, folder, draft):
        draft.mkdir()
        yield draft
        for path in draft.rglob("*"):
            if path.is_file():
                path.chmod(0o666 & draft.stat().st_mode)  # those of save_file are private
            _sync(path)
        _sync(draft)
        put_in_place(draft, folder)
        _sync(folder.parent)
