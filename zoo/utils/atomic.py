"""Files and folders that appear whole or not at all."""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from safetensors import SafetensorError

from zoo.errors import ConfigError, OutputError

__all__ = [
    "check_folder_of",
    "names_a_file",
    "refuse_overwriting",
    "replace_bytes",
    "sync",
    "whole_file",
    "whole_folder",
    "whole_path",
]


def refuse_overwriting(output: str, inputs: Iterable[str]) -> None:
    """Refuse to write over a file that is read.

    Raises:
        ConfigError: `output` is one of the inputs, by whatever path.
    """
    for path in inputs:
        if "-" not in (output, path) and Path(output).resolve() == Path(path).resolve():
            raise ConfigError(f"the output {output} is one of the files to be read; name another")


def names_a_file(name: str) -> bool:
    """Whether a file can be called after a name, in its folder and on every system."""
    return bool(name) and not name.startswith(".") and not re.search(r'[/\\:*?"<>|\x00-\x1f]', name)


@contextmanager
def whole_file(path: str) -> Iterator[TextIO]:
    """A text file that takes its place only when all went well; standard output and devices are written directly."""
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
        Path(draft).chmod(0o666 & ~umask)  # as an ordinary new file; mkstemp's are private
        Path(draft).replace(target)
    except OSError as error:  # closing can meet the full disk too
        raise OutputError(f"{path} could not be written and was left out: {error.strerror or error}") from None
    finally:
        Path(draft).unlink(missing_ok=True)


def check_folder_of(path: Path) -> None:
    """Raises: OutputError: the folder in which a file will be written is not there."""
    if not path.parent.is_dir():
        raise OutputError(f"{path} cannot be written: there is no folder {path.parent}")


@contextmanager
def whole_path(path: Path) -> Iterator[Path]:
    """A path, with the same ending, for what writes files by name; what is there takes its place when all went well."""
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
    """Put bytes in the place of a small file's, all at once and for good."""
    draft = path.with_suffix(".draft")
    try:
        with draft.open("wb") as file:
            file.write(data)
            sync(file)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def sync(file: BinaryIO) -> None:
    """Wait for the disk: after a power cut nothing may be called done that is not there."""
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A folder to write in that takes its place, replacing one that was there, only when all went well."""
    if folder.exists() and not (folder / "config.json").is_file():
        raise OutputError(f"{folder} is there and is not whole: it is not replaced; move it away first")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=".draft.", dir=folder.parent))
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror}") from None
    draft, old = place / "new", place / "old"
    try:
        draft.mkdir()
        yield draft
        for path in draft.iterdir():
            path.chmod(0o644)  # save_file makes private ones
        if folder.is_dir():
            folder.rename(old)
        draft.rename(folder)
    except (OSError, SafetensorError) as error:
        raise OutputError(f"{folder} could not be written and was left out: {error}") from None
    finally:
        shutil.rmtree(place, ignore_errors=True)
