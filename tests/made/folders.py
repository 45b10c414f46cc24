"""The files of small checkpoint folders, in memory, to be changed and written."""

import hashlib
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = [
    "CARD",
    "CONFIG",
    "DEEP",
    "EXAMPLE",
    "FILES",
    "FORMAT_1",
    "GOOD",
    "TARGETS",
    "WEIGHTS",
    "Files",
    "change_values",
    "is_changed",
    "join_tensors",
    "read_folder",
    "sealed",
    "split_tensors",
    "write_folder",
]

FORMAT_1 = sorted((Path(__file__).parents[1] / "fixtures" / "format1").iterdir())
GOOD = "mlp.good"  # name of a checkpoint that is not changed
CONFIG, WEIGHTS, EXAMPLE = "config.json", "model.safetensors", "example.safetensors"
TARGETS, CARD = "targets.tsv", "README.md"
FILES = (CONFIG, WEIGHTS, EXAMPLE, TARGETS, CARD)
Files = dict[str, bytes | Callable[[Path], object]]
DEEP = "DEEP"  # stands for nested lists, which cannot be made of Python's own without recursion


def read_folder(folder: Path) -> Files:
    """The files of a checkpoint folder."""
    return {name: (folder / name).read_bytes() for name in FILES}


def write_folder(folder: Path, files: Files) -> None:
    """Write the files of a checkpoint folder, links and pipes too."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        else:
            content(folder / name)


def change_values(files: Files, edit: Callable[[dict[str, Any]], object]) -> Files:
    """The same folder with a change of the object in its `config.json`."""
    content = files[CONFIG]
    assert isinstance(content, bytes)
    config = json.loads(content)
    edit(config)
    text = json.dumps(config).replace(f'"{DEEP}"', "[" * 3_000 + "]" * 3_000)
    return {**files, CONFIG: text.encode()}


def is_changed(files: Files, original: Files) -> bool:
    """Whether a folder differs in more than the words of its card and the layout of its `config.json`."""
    names = {name for name in {*files, *original} if files.get(name) != original.get(name)}
    if isinstance(files.get(CARD), bytes):
        names.discard(CARD)
    if names == {CONFIG}:
        return files.get(CONFIG) != change_values(original, lambda _: None)[CONFIG]
    return bool(names)


def sealed(files: Files) -> Files:
    """The same folder with the sha256 of its files in `config.json`, if that still has them as an object."""

    def seal(config: Any) -> None:
        for name in config["sha256"]:
            if isinstance(files.get(name), bytes):
                config["sha256"][name] = hashlib.sha256(files[name]).hexdigest()  # type: ignore[arg-type]

    try:
        return change_values(files, seal)
    except (AssertionError, KeyError, TypeError, ValueError, RecursionError):
        return files


def split_tensors(content: bytes) -> tuple[Any, bytes]:
    """Header and data of a safetensors file."""
    size = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + size]), content[8 + size :]


def join_tensors(header: Any, data: bytes, length: int | None = None) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data
