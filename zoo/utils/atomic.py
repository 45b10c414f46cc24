"""Atomic writing: files and folders appear whole or not at all."""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO

from safetensors import SafetensorError

from zoo.errors import ConfigError, OutputError

__all__ = [
    "check_creatable",
    "check_folder_of",
    "names_a_file",
    "new_folder",
    "refuse_folder",
    "refuse_overwriting",
    "replace_bytes",
    "sync",
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
def whole_file(path: str) -> Iterator[TextIO]:
    """Open a text file for writing that replaces `path` only if all went well.

    Standard output (`-`) and devices are written directly.

    Raises:
        OutputError: the file cannot be written.
    """
    if path == "-":
        yield sys.stdout
        return
    target = Path(path)
    if target.exists() and not target.is_file():
        if target.is_dir():
            raise OutputError(f"{path} is a folder, not a file")
        try:
            with target.open("w") as file:
                yield file
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f"{path} could not be written: {error.strerror or error}") from None
        return
    try:
        handle, draft = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(handle, "w") as file:
            yield file
        umask = os.umask(0)
        os.umask(umask)
        Path(draft).chmod(0o666 & ~umask)  # as an ordinary new file; those of mkstemp are private
        Path(draft).replace(target)
    except OSError as error:  # closing may fail on a full disk too
        raise OutputError(f"{path} could not be written and was left out: {error.strerror or error}") from None
    finally:
        Path(draft).unlink(missing_ok=True)


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
    """Give a temporary path of the same ending, for libraries that write by name; it replaces `path` at the end.

    Raises:
        OutputError: the file cannot be written.
    """
    check_folder_of(path)
    draft = path.with_name(f".{path.stem}.{os.getpid()}.draft{path.suffix}")
    try:
        yield draft
        draft.replace(path)
    except OSError as error:
        raise OutputError(f"{path} could not be written and was left out: {error.strerror or error}") from None
    finally:
        draft.unlink(missing_ok=True)


def replace_bytes(path: Path, data: bytes) -> None:
    """Replace the contents of a small file, atomically and synced to disk."""
    draft = path.with_suffix(".draft")
    try:
        with draft.open("wb") as file:
            file.write(data)
            sync(file)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def sync(file: BinaryIO) -> None:
    """Wait until a file is on the disk, so that a power cut cannot lose what is marked as done."""
    file.flush()
    os.fsync(file.fileno())


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
    """Give a temporary folder that replaces `folder` only if all went well.

    Raises:
        OutputError: the folder exists and is no whole checkpoint, or it cannot be written.
    """
    refuse_folder(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        workspace = Path(tempfile.mkdtemp(prefix=".draft.", dir=folder.parent))
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror}") from None
    draft, old = workspace / "new", workspace / "old"
    try:
        draft.mkdir()
        yield draft
        for path in draft.iterdir():
            path.chmod(0o644)  # those of save_file are private
        if folder.is_dir():
            folder.rename(old)
        draft.rename(folder)
    except (OSError, SafetensorError) as error:
        raise OutputError(f"{folder} could not be written and was left out: {error}") from None
    finally:
        shutil.rmtree(workspace, ignore_errors=True)
