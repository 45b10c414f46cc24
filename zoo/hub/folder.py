"""The files of a checkpoint folder: which there are, and that each is a regular file that lies in the folder."""

import logging
import os
import stat
from itertools import islice
from pathlib import Path

from zoo.errors import IntegrityError
from zoo.hub.names import is_name

__all__ = [
    "BACKGROUND",
    "CARD",
    "CONFIG",
    "DELTA",
    "EXAMPLE",
    "LARGEST_CONFIG",
    "RECIPE",
    "SEEN",
    "TARGETS",
    "WEIGHTS",
    "checkpoint_file",
    "checkpoint_text",
    "is_snapshot",
    "largest_size",
    "paths_in",
]

_log = logging.getLogger(__name__)
CONFIG = "config.json"
WEIGHTS = "model.safetensors"
DELTA = "delta.safetensors"  # in place of the weights: what differs from those of another checkpoint
EXAMPLE = "example.safetensors"
TARGETS = "targets.tsv"
CARD = "README.md"
BACKGROUND = "background.safetensors"  # scores of random variants; of what `zoo background` was run on
SEEN = "seen.safetensors"  # what it was trained on; of what `zoo train` made
RECIPE = "recipe.yaml"  # the configuration of the run; of weights that `zoo train` made

# Bytes of each file, at most. Weights may have any size: their header is compared with the model's tensors first.
LARGEST_CONFIG = 32 << 20
_LARGEST = {CONFIG: LARGEST_CONFIG, EXAMPLE: 512 << 20, WEIGHTS: None, DELTA: None}
_LARGEST_TEXT = 64 << 20
# A longer file of which less than this share lies on the disk is a hole: it was not downloaded whole, or is a trap.
_SPARSE_FROM, _SPARSE_SHARE = 64 << 20, 1 / 16
_BLOCK = 512  # bytes of what `st_blocks` counts, on every system
# Looked at in a folder of checkpoints: entries, and those with names of models among them.
_MOST_ENTRIES, _MOST_FOLDERS = 1_000_000, 10_000
_SHIPPED = Path(__file__).parent.parent / "checkpoints"  # inside an installed package


def checkpoint_file(folder: Path, name: str) -> Path:
    """Find a file of a checkpoint folder, before anything of it is read.

    A link is followed within the folder only, and in the cache of the Hugging Face Hub, whose folders are links to its
    own `blobs`.

    Args:
        folder: folder of the checkpoint; it may itself be a link.
        name: name of the file.

    Raises:
        IntegrityError: it is missing, no regular file, a link that leads elsewhere, or too large.
    """
    path = folder / name
    try:
        if path.is_symlink():
            _check_link(folder, path)
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise IntegrityError(f"{path} is missing") from None
    except (OSError, RuntimeError) as error:  # RuntimeError: a link to itself
        reason = error.strerror if isinstance(error, OSError) else "it is a link to itself"
        raise IntegrityError(f"{path} cannot be read: {reason}") from None
    if not stat.S_ISREG(status.st_mode):
        raise IntegrityError(f"{path} is not a regular file")
    largest = largest_size(name)
    if largest is not None and status.st_size > largest:
        raise IntegrityError(f"{path} has {status.st_size:,} bytes; this file may have {largest:,}")
    on_disk = getattr(status, "st_blocks", 0) * _BLOCK  # 0 where a system does not say
    if status.st_size > _SPARSE_FROM and 0 < on_disk < status.st_size * _SPARSE_SHARE:
        raise IntegrityError(
            f"{path} is not whole: it has {status.st_size:,} bytes, of which only {on_disk:,} lie on the disk"
        )
    return path


def largest_size(name: str) -> int | None:
    """The bytes that a file of a checkpoint may have, by its name; None for weights, which may have any size."""
    return _LARGEST.get(name, _LARGEST_TEXT)


def checkpoint_text(folder: Path, name: str) -> str:
    """Read a text file of a checkpoint folder; errors as of `checkpoint_file`, and if it is empty or not UTF-8."""
    path = checkpoint_file(folder, name)
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise IntegrityError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise IntegrityError(f"{path} is not a text file in UTF-8") from None
    if not text.strip():
        raise IntegrityError(f"{path} is empty")
    return text


def is_snapshot(folder: Path) -> bool:
    """Whether a folder has the form of those in the cache of the Hub's client: models--ORG--REPO/snapshots/COMMIT."""
    return folder.parent.name == "snapshots" and folder.parent.parent.name.startswith("models--")


def _check_link(folder: Path, path: Path) -> None:
    """Refuse a link that leads out of the folder, and not into the `blobs` of the Hub's cache that it lies in."""
    target, home = path.resolve(strict=True), folder.resolve(strict=True)
    homes = [home]
    if is_snapshot(home):  # whose files are in models--ORG--REPO/blobs
        homes.append(home.parent.parent / "blobs")
    is_installed = folder.parent == _SHIPPED  # some installers link the files of a package
    if not is_installed and not any(target.is_relative_to(allowed) for allowed in homes):
        raise IntegrityError(f"{path} is a link out of its folder, to {target}: put the file itself there")


def paths_in(folder: Path) -> list[Path]:
    """What in a folder has the name of a model, by name; a warning where it cannot be read or holds too much."""
    try:
        if not folder.is_dir():
            return []
        with os.scandir(folder) as entries:
            seen = [entry.name for entry in islice(entries, _MOST_ENTRIES + 1)]
    except OSError as error:
        _log.warning(f"left out: {folder} cannot be read: {error.strerror}")
        return []
    names = sorted(filter(is_name, seen))
    if len(seen) > _MOST_ENTRIES:
        _log.warning(f"left out: what {folder} holds beyond {_MOST_ENTRIES:,} files and folders")
    if len(names) > _MOST_FOLDERS:
        _log.warning(f"left out: {len(names) - _MOST_FOLDERS:,} folders of {folder}, which holds {len(names):,}")
    return [folder / name for name in names[:_MOST_FOLDERS]]
