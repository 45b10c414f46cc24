"""The sha256 of each file of a run's data, taken before they are read, and that the files stayed the same.

Nothing here imports torch.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import ConfigError
from zoo.training.given import read_given
from zoo.training.own_data import data_files
from zoo.utils.cache import fingerprint
from zoo.utils.download import sha256_of
from zoo.utils.progress import bar

__all__ = ["HashedFile", "hash_files", "refuse_changed", "unchanged_hashes"]

_LONGEST_NAME = 150  # letters


@dataclass(frozen=True)
class HashedFile:
    """One of the user's files.

    Attributes:
        path: where it is.
        name: its name, without the folder unless two files have the same.
        sha256: of its content.
        fingerprint: tells whether it was changed since.
    """

    path: Path
    name: str
    sha256: str
    fingerprint: str


def hash_files(arguments: Sequence[str]) -> list[HashedFile]:
    """Hash the user's own files that a training command names, before it reads them.

    Args:
        arguments: arguments of `zoo train`, which name the files.
    """
    paths = sorted({path.resolve() for path in data_files(read_given(arguments[0], arguments[1:]))})
    paths = [path for path in paths if path.is_file()]  # a table may name others; reading the data says it
    hashed = []
    for path in bar(paths, "sha256 of the data") if paths else paths:
        before = fingerprint(path)
        hashed.append(HashedFile(path, _shown_name(path, paths), sha256_of(path), before))
    return hashed


def refuse_changed(before: Mapping[str, str], now: Iterable[HashedFile]) -> None:
    """Refuse to resume a run with files that changed since it began.

    Args:
        before: name -> sha256 when the run began.
        now: the files that it would go on with.

    Raises:
        ConfigError: the first file that is another.
    """
    for file in now:
        if before.get(file.name, file.sha256) != file.sha256:
            raise ConfigError(
                f"{file.path} is not the file with which the run began (its sha256 differs): give that one, or "
                "begin anew with --overwrite true"
            )


def unchanged_hashes(files: Iterable[HashedFile]) -> dict[str, str]:
    """Name -> sha256 of the files that are as they were hashed; others are said, for a card is not to state theirs.

    Args:
        files: what was hashed before the training.
    """
    hashes = {}
    for file in files:
        if change := _change(file):
            print(f"zoo: {file.path} {change}, so the card has no sha256 of it", file=sys.stderr)
        else:
            hashes[file.name] = file.sha256
    return hashes


def _change(file: HashedFile) -> str:
    """What became of a file; empty where nothing did."""
    try:
        return "" if fingerprint(file.path) == file.fingerprint else "was changed while the model was trained"
    except OSError:
        return "is gone"


def _shown_name(path: Path, others: Sequence[Path]) -> str:
    """The end of a path that tells it apart from the others: most often the name of the file."""
    for count in range(1, len(path.parts)):
        end = path.parts[-count:]
        if sum(other.parts[-count:] == end for other in others) == 1:
            break
    return "/".join(end)[-_LONGEST_NAME:]
