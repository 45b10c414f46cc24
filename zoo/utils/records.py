"""Records that know whether they are whole: JSON values, and what the files of a folder must hold.

A file of a folder is known by its size and the CRC-32 of each of its blocks (`zoo.utils.blocks`).
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.utils.atomic import whole_path
from zoo.utils.blocks import BLOCK_BYTES, block_sums

__all__ = [
    "RECORD",
    "discard",
    "file_sums",
    "folder_is_whole",
    "read_record",
    "recorded_sums",
    "write_folder_record",
    "write_record",
]

RECORD = "files.json"
_READ_AT_ONCE = 64 * BLOCK_BYTES
_LARGE = 1 << 28  # bytes; to read so many takes a tenth of a second


def write_record(path: Path, value: Any) -> None:
    """Write a JSON value and its sha256, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    text = json.dumps(value)
    with whole_path(path) as draft:
        draft.write_text(f"{sha256(text.encode()).hexdigest()}\n{text}\n")


def read_record(path: Path) -> Any:
    """Read what `write_record` wrote; None where there is none, or a damaged one."""
    try:
        digest, text = path.read_text().splitlines()
    except (OSError, ValueError):  # missing, not text, or not two lines
        return None
    return json.loads(text) if sha256(text.encode()).hexdigest() == digest else None


def write_folder_record(folder: Path) -> None:
    """Record the size and checksums of all files of a folder, in it."""
    files = sorted(path for path in folder.iterdir() if path.name != RECORD)
    sums = {path.name: [path.stat().st_size, file_sums(path).tobytes().hex()] for path in files}
    write_record(folder / RECORD, sums)


def folder_is_whole(folder: Path, mapped: str = "") -> bool:
    """Return whether a folder has the files of its record, and these are as they were written.

    Args:
        folder: the folder; other files in it are ignored.
        mapped: name of a file of which the size alone is compared if it is large.
    """
    record = read_record(folder / RECORD)
    if record is None:
        return False
    for name, (size, sums) in record.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != size:
            return False
        if not (name == mapped and size > _LARGE) and file_sums(path).tobytes().hex() != sums:
            return False
    return True


def discard(folder: Path) -> None:
    """Remove the record of a damaged folder, so that the folder is made anew."""
    (folder / RECORD).unlink(missing_ok=True)


def recorded_sums(folder: Path, name: str) -> NDArray[np.uint32]:
    """CRC-32 of each block of a file, as the record of its folder has them (blocks,)."""
    return np.frombuffer(bytes.fromhex(read_record(folder / RECORD)[name][1]), np.uint32)


def file_sums(path: Path) -> NDArray[np.uint32]:
    """CRC-32 of each block of a file (blocks,)."""
    with path.open("rb") as file:
        pieces = iter(lambda: file.read(_READ_AT_ONCE), b"")
        sums = [block_sums(np.frombuffer(piece, np.uint8)) for piece in pieces]
    return np.concatenate([np.empty(0, np.uint32), *sums])
