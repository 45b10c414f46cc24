"""What a repository holds, and what a commit would change in it."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from zoo.hub.huggingface import git_id

__all__ = ["Changes", "RemoteState", "changes_to", "is_content"]

_VERSION = re.compile(r"v([1-9][0-9]*)")
_OF_THE_HUB = ".gitattributes"


@dataclass(frozen=True)
class RemoteState:
    """What a repository holds.

    Attributes:
        private: whether it is private.
        head: commit of its branch `main`.
        files: path -> sha256 of a large file, or the id that git gives to another.
        tags: name -> commit.
    """

    private: bool
    head: str
    files: Mapping[str, str]
    tags: Mapping[str, str]

    @property
    def last_version(self) -> int:
        """The highest N among the tags vN; 0 where there is none."""
        numbers = [int(match[1]) for name in self.tags if (match := _VERSION.fullmatch(name))]
        return max(numbers, default=0)


@dataclass(frozen=True)
class Changes:
    """What a commit would change in a repository.

    Attributes:
        added: new files.
        changed: files with other content.
        removed: files of a checkpoint that this one does not have.
        unchanged: files that are there already, and are not sent.
        left: other files of the repository, which are left alone.
    """

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def changes_to(state: RemoteState | None, files: Mapping[str, bytes], known: tuple[str, ...]) -> Changes:
    """Compare the files of a checkpoint with those of a repository.

    Args:
        state: the repository; None for a new one.
        files: path -> content.
        known: names of files that belong to a checkpoint; of those the repository keeps none that `files` has not.
    """
    kept = state.files if state else {}
    changes = Changes()
    for path, content in files.items():
        if path not in kept:
            changes.added.append(path)
        else:
            (changes.unchanged if is_content(kept[path], content) else changes.changed).append(path)
    for path in kept:
        if path not in files and path != _OF_THE_HUB:
            (changes.removed if path in known else changes.left).append(path)
    return changes


def is_content(identity: str, content: bytes) -> bool:
    """Whether a file of the Hub, known by its sha256 or the id that git gives to it, has this content."""
    return identity in (hashlib.sha256(content).hexdigest(), git_id(content))
