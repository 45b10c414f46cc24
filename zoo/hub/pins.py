"""The pinned list: which repository, commit and sha256 on the Hugging Face Hub a short name stands for.

The list of this project is shipped with the package; `ZOO_PINS` names a further file, such as that of a laboratory.
Each entry holds the checkpoint's `config.json` too, so that `zoo list` and `zoo info` work offline. Nothing here
imports torch.
"""

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import IntegrityError, OutputError
from zoo.hub.config import CheckpointConfig, parse_config, read_config
from zoo.hub.folder import CONFIG
from zoo.hub.huggingface import download
from zoo.hub.json_reader import JsonReader, check_values, read_json
from zoo.hub.names import is_name
from zoo.utils.atomic import whole_file
from zoo.utils.download import sha256_of
from zoo.utils.locks import locked
from zoo.utils.text import quoted

__all__ = ["Pin", "fetch_pinned", "pin_checkpoint", "pins_file", "read_pins"]

_SHIPPED = Path(__file__).with_suffix(".json")
_COMMIT, _SHA256 = re.compile("[0-9a-f]{40}"), re.compile("[0-9a-f]{64}")
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_LARGEST = 64 << 20


@dataclass(frozen=True)
class Pin:
    """What a short name stands for.

    Attributes:
        repository: `org/name` on the Hub.
        revision: a commit.
        sha256: of the `config.json` at that commit, which holds those of all other files.
        config: content of that file.
    """

    repository: str
    revision: str
    sha256: str
    config: CheckpointConfig

    @property
    def address(self) -> str:
        """The name by which this commit is loaded: `hf-hub:org/name@commit`."""
        return f"hf-hub:{self.repository}@{self.revision}"


def read_pins(own: bool = True) -> dict[str, Pin]:
    """Read the pinned list; an entry of the file that `ZOO_PINS` names comes before one of the shipped list.

    Args:
        own: read that file too.

    Returns:
        Name -> pin.

    Raises:
        IntegrityError: a list that is missing or has a wrong value.
    """
    path = os.environ.get("ZOO_PINS") if own else None
    return {**_read(_SHIPPED), **(_read(Path(path)) if path else {})}


def fetch_pinned(pin: Pin, cache: Path | None = None) -> Path:
    """Download a pinned checkpoint, or take it from the Hub's cache.

    Args:
        pin: its entry.
        cache: folder of the Hub's cache; None for that of the user.

    Returns:
        Its folder.

    Raises:
        IntegrityError: its `config.json` is not the one that was pinned; other errors as of `download`.
    """
    folder = download(pin.address, cache)
    if sha256_of(folder / CONFIG) != pin.sha256:
        raise IntegrityError(
            f"{folder / CONFIG} is not the one that was pinned: its sha256 differs; if the cache was damaged, delete "
            f"{folder} and try again"
        )
    if read_config(folder) != pin.config:
        raise IntegrityError(f"the pinned list does not hold what {folder / CONFIG} says of {pin.config.facts.name}")
    return folder


def pins_file() -> Path:
    """The file that a new pin is written to: that of `ZOO_PINS`, which may not exist yet, else the shipped list.

    Raises:
        OutputError: it cannot be written.
        IntegrityError: it is there, but is no such list.
    """
    own = os.environ.get("ZOO_PINS")
    path = Path(own) if own else _SHIPPED
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise OutputError(f"{path} cannot be written: set ZOO_PINS to a file that can")
    if path.exists():
        _read(path)
    return path


def pin_checkpoint(config_json: bytes, repository: str, revision: str) -> Path:
    """Write what a short name stands for into the pinned list; its entry of before is replaced.

    Args:
        config_json: `config.json` as it was published.
        repository: `org/name`.
        revision: its commit.

    Returns:
        The file of the list.

    Raises:
        OutputError: the file cannot be written.
        IntegrityError: it is no such list, or the entry cannot be one.
    """
    path, config = pins_file(), json.loads(config_json)
    sha256 = hashlib.sha256(config_json).hexdigest()
    entry = {"repository": repository, "revision": revision, "sha256": sha256, "config": config}
    _pin(str(path), config["name"], entry)
    with locked(path):
        entries = read_json(path) if path.is_file() else {}
        entries[config["name"]] = entry
        with whole_file(path) as file:
            json.dump(dict(sorted(entries.items())), file, indent=1, allow_nan=False)
            file.write("\n")
    return path


def _read(path: Path) -> dict[str, Pin]:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise IntegrityError(f"the pinned list {path} cannot be read: {error.strerror}") from None
    if size > _LARGEST:
        raise IntegrityError(f"the pinned list {path} has {size:,} bytes; it may have {_LARGEST:,}")
    entries = read_json(path)
    if not isinstance(entries, dict):
        raise IntegrityError(f"the pinned list {path} must hold a JSON object")
    return {name: _pin(f"{path}: {name}", name, entry) for name, entry in entries.items()}


def _pin(where: str, name: str, entry: Any) -> Pin:
    if not is_name(name) or not isinstance(entry, dict):
        raise IntegrityError(f"{where} must be the name of a model, with an object")
    check_values(where, {key: value for key, value in entry.items() if key != "config"})
    reader = JsonReader(where, entry)
    forms = {"repository": _REPOSITORY, "revision": _COMMIT, "sha256": _SHA256}
    texts = {key: reader.word(key) for key in forms}
    for key, form in forms.items():
        if not form.fullmatch(texts[key]):
            raise IntegrityError(f"{where}: {quoted(texts[key])} is no {key}")
    config = parse_config(reader.table("config"), f"{where}: config")
    reader.refuse_others()
    if config.facts.name != name:
        raise IntegrityError(f"{where}: config belongs to the model {config.facts.name!r}")
    return Pin(**texts, config=config)
