"""Atomic writing: files and folders appear whole or not at all, and stay whole after a power cut."""

import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from zoo.errors import ConfigError, OutputError, ZooError
from zoo.utils.disk_errors import explain_disk, is_of_disk
from zoo.utils.drafts import draft_path, put_in_place, remove_dead_drafts

__all__ = [
    "check_creatable",
    "check_folder_of",
    "names_a_file",
    "new_folder",
    "refuse_folder",
    "refuse_overwriting",
    "replaced_folder",
    "whole_file",
    "whole_folder",
    "whole_path",
]


def refuse_overwriting(output: str, inputs: Iterable[str]) -> None:
    """Refuse to overwrite a file that is read.

    Raises:
        ConfigError: `output` is one of the inputs, even by another path.
    """
    for path in inputs:
        if "-" not in (output, path) and Path(output).resolve() == Path(path).resolve():
            raise ConfigError(f"the output {output} is one of the files to be read; name another")


def names_a_file(name: str) -> bool:
    """Return whether a name can be the name of a file on every system."""
    return bool(name) and not name.startswith(".") and not re.search(r'[/\\:*?"<>|\x00-\x1f]', name)


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


def check_folder_of(path: Path) -> None:
    """Check that the folder of a file that will be written exists.

    Raises:
        OutputError: it does not.
    """
    if not path.parent.is_dir():
        raise OutputError(f"{path} cannot be written: there is no folder {path.parent}")


def check_creatable(path: Path) -> None:
    """Check that a file or folder, and the folders above it, can be made.

    Raises:
        OutputError: one above is a file, or cannot be written.
    """
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if not above.is_dir():
        raise OutputError(f"{path} cannot be created: {above} is a file, not a folder")
    if not os.access(above, os.W_OK | os.X_OK):
        raise OutputError(f"{path} cannot be created: the folder {above} is not writable")


@contextmanager
def new_folder(folder: Path) -> Iterator[None]:
    """Make a folder and those above it, where they do not exist; after a failure those that are empty are removed.

    Raises:
        OutputError: it cannot be made.
    """
    made: list[Path] = []
    try:
        for path in reversed([folder, *folder.parents]):
            if not path.is_dir():
                path.mkdir(exist_ok=True)
                made.append(path)
    except OSError as error:
        _remove_empty(made)
        raise OutputError(f"{folder} cannot be created: {error.strerror}") from None
    try:
        yield
    except BaseException:
        _remove_empty(made)
        raise


def _remove_empty(folders: list[Path]) -> None:
    for path in reversed(folders):
        with suppress(OSError):  # not empty
            path.rmdir()


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
    except ZooError:
        raise
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


def refuse_folder(folder: Path) -> None:
    """Refuse a folder that `whole_folder` could not make or replace.

    Raises:
        OutputError: the folder exists and is no whole checkpoint, or those above it cannot be made.
    """
    if folder.exists() and not (folder / "config.json").is_file():
        raise OutputError(f"{folder} exists and is not whole: it is not replaced; move it away first")
    check_creatable(folder)


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
def replaced_folder(folder: Path) -> Iterator[Path]:
    """Give a draft of a folder, which replaces `folder`, whatever it is, only if all went well.

    Raises:
        OutputError: it cannot be written; it says which disk is full.
    """
    draft = draft_path(folder)
    with new_folder(folder.parent), _drafting(folder, folder, draft):
        draft.mkdir()
        yield draft
        for path in draft.iterdir():
            path.chmod(0o666 & draft.stat().st_mode)  # those of save_file are private
            _sync(path)
        _sync(draft)
        put_in_place(draft, folder)
        _sync(folder.parent)
