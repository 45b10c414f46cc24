"""One repository on the Hugging Face Hub, as publishing sees it: its files, its tags, and changes to it."""

import hashlib
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from zoo.errors import ConfigError, DownloadError, IntegrityError, one_line
from zoo.hub.config import parse_config
from zoo.hub.folder import CONFIG
from zoo.hub.hub_client import explaining_hub
from zoo.hub.huggingface import git_id
from zoo.hub.json_reader import read_json

__all__ = ["Changes", "RemoteState", "changes_to", "commit", "create", "name_of_model", "read_state", "tag"]

_CURE = "nothing was published"
_SENT = "run the command again: what is there already is not sent again"
_UNTAGGED = "the files are there, but have no tag: run the command again"
_WRITE = "a token that may write there is needed: `hf auth login`, or HF_TOKEN"
_VERSION = re.compile(r"v([1-9][0-9]*)")
_MAIN = "main"
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
            is_same = kept[path] in (hashlib.sha256(content).hexdigest(), git_id(content))
            (changes.unchanged if is_same else changes.changed).append(path)
    for path in kept:
        if path not in files and path != _OF_THE_HUB:
            (changes.removed if path in known else changes.left).append(path)
    return changes


def read_state(repository: str) -> RemoteState | None:
    """Read what a repository holds; None where there is none that can be seen.

    Args:
        repository: `org/name`.

    Raises:
        UnknownNameError: a text that names no repository.
        DownloadError: the Hub cannot be reached, or refuses.
        IntegrityError: an answer that does not come from a Hub.
    """
    from huggingface_hub import HfApi, errors
    from huggingface_hub.hf_api import RepoFile

    api = HfApi()
    with explaining_hub(f"hf-hub:{repository}", _CURE):
        try:
            info = api.model_info(repository, revision=_MAIN)
        except errors.GatedRepoError:
            raise
        except errors.RepositoryNotFoundError:
            return None
        tree = [one for one in api.list_repo_tree(repository, recursive=True) if isinstance(one, RepoFile)]
        refs = api.list_repo_refs(repository)
    files = {one.path: one.lfs.sha256 if one.lfs else one.blob_id for one in tree}
    return RemoteState(bool(info.private), str(info.sha), files, {ref.name: ref.target_commit for ref in refs.tags})


def create(repository: str, private: bool) -> None:
    """Create a repository.

    Args:
        repository: `org/name`.
        private: whether only its owners can read it.

    Raises:
        DownloadError: the Hub cannot be reached, or refuses.
        ConfigError: somebody else has created it meanwhile.
    """
    from huggingface_hub import HfApi

    with _writing(repository, _CURE):
        HfApi().create_repo(repository, private=private)


def commit(repository: str, files: Mapping[str, bytes], changes: Changes, parent: str, message: str) -> str:
    """Put changes into a repository, in one commit on `main`.

    Args:
        repository: `org/name`.
        files: path -> content; those that `changes` names are sent.
        changes: what is added, changed and removed.
        parent: the commit that `main` must still be.
        message: title of the commit.

    Returns:
        The new commit.

    Raises:
        ConfigError: somebody else has changed the repository meanwhile.
        DownloadError: the Hub cannot be reached, or refuses.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

    sent = [CommitOperationAdd(path, files[path]) for path in (*changes.added, *changes.changed)]
    removed = [CommitOperationDelete(path) for path in changes.removed]
    with _writing(repository, _SENT):
        info = HfApi().create_commit(
            repository, [*sent, *removed], commit_message=message, revision=_MAIN, parent_commit=parent
        )
    return str(info.oid)


def tag(repository: str, name: str, revision: str) -> None:
    """Give a name to a commit.

    Raises:
        ConfigError: the name is taken.
        DownloadError: the Hub cannot be reached, or refuses.
    """
    from huggingface_hub import HfApi

    with _writing(repository, _UNTAGGED):
        HfApi().create_tag(repository, tag=name, revision=revision)


def name_of_model(repository: str, revision: str) -> str:
    """The name in `config.json` of a commit; `another model` where it is none of a checkpoint.

    Raises:
        DownloadError: the Hub cannot be reached, or refuses.
    """
    from huggingface_hub import HfApi

    with explaining_hub(f"hf-hub:{repository}@{revision}", _CURE), tempfile.TemporaryDirectory() as cache:
        path = Path(HfApi().hf_hub_download(repository, CONFIG, revision=revision, cache_dir=cache))
        try:
            return parse_config(read_json(path), CONFIG).facts.name
        except IntegrityError:
            return "another model"


@contextmanager
def _writing(repository: str, cure: str) -> Iterator[None]:
    """Turn what the client raises while it writes into one sentence."""
    from huggingface_hub import errors

    address = f"hf-hub:{repository}"
    try:
        with explaining_hub(address, cure):
            try:
                yield
            except errors.HfHubHTTPError as error:
                _refuse(repository, error.response.status_code if error.response is not None else 0, cure)
                raise
            except ValueError as error:
                if not str(error).startswith("Invalid metadata"):
                    raise
                raise ConfigError(f"{address}: the Hub refuses the card: {one_line(error)}; {cure}") from None
    except errors.LocalTokenNotFoundError:
        raise DownloadError(f"{address}: {_WRITE}") from None


def _refuse(repository: str, status: int, cure: str) -> None:
    """Explain the answers that only writing gets."""
    if status in (401, 403):
        raise DownloadError(f"hf-hub:{repository}: the Hub refuses to write ({status}): {_WRITE}; {cure}")
    if status == 409:
        raise ConfigError(f"hf-hub:{repository}: the Hub has something of that name already; {cure}")
    if status == 412:
        raise ConfigError(f"hf-hub:{repository} has been changed by somebody else meanwhile: run the command again")
