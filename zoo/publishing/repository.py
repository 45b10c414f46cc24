"""One repository on the Hugging Face Hub, as publishing sees it: read, create, commit and tag."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import ConfigError, DownloadError, IntegrityError, one_line
from zoo.hub.config import parse_config
from zoo.hub.folder import CONFIG
from zoo.hub.hub_client import OTHER_TEMPORARY, explaining_hub
from zoo.hub.json_reader import read_json
from zoo.publishing.changes import Changes, RemoteState, is_content
from zoo.utils.text import quoted

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoFile

__all__ = ["commit", "create", "holds", "name_of_model", "read_state", "tag"]

_CURE = "nothing was published"
_SENT = "run the command again, which sends only what is missing: it may have been published all the same"
_UNTAGGED = "the files are there, but have no tag: run the command again"
_WRITE = "a token that may write there is needed: `hf auth login`, or HF_TOKEN"
_MAIN = "main"


def read_state(repository: str) -> RemoteState | None:
    """Read what a repository holds; None where there is none that can be seen.

    Args:
        repository: `org/name`.

    Raises:
        UnknownNameError: a text that names no repository.
        ConfigError: a repository that has another name now.
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
        if info.id != repository:
            raise ConfigError(f"hf-hub:{repository} is called {quoted(info.id)} now: publish under that name")
        listed = api.list_repo_tree(repository, recursive=True, revision=info.sha)
        files = {one.path: _content_id(one) for one in listed if isinstance(one, RepoFile)}
        refs = api.list_repo_refs(repository)
    return RemoteState(bool(info.private), str(info.sha), files, {ref.name: ref.target_commit for ref in refs.tags})


def _content_id(file: "RepoFile") -> str:
    """The sha256 of a large file, or the id that git gives to another."""
    return str(file.lfs.sha256 if file.lfs else file.blob_id)


def holds(repository: str, revision: str, path: str, content: bytes) -> bool:
    """Whether a commit holds a file with this content.

    Raises:
        DownloadError: the Hub cannot be reached, or refuses.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

    with explaining_hub(f"hf-hub:{repository}@{revision}", _CURE):
        listed = HfApi().get_paths_info(repository, [path], revision=revision)
    return any(isinstance(one, RepoFile) and is_content(_content_id(one), content) for one in listed)


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
    with _writing(repository, _SENT, _CURE):
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

    address = f"hf-hub:{repository}@{revision}"
    with explaining_hub(address, _CURE, OTHER_TEMPORARY), tempfile.TemporaryDirectory() as cache:
        path = Path(HfApi().hf_hub_download(repository, CONFIG, revision=revision, cache_dir=cache))
        try:
            return parse_config(read_json(path), CONFIG).facts.name
        except IntegrityError:
            return "another model"


@contextmanager
def _writing(repository: str, cure: str, refused: str = "") -> Iterator[None]:
    """Turn what the client raises while it writes into one sentence.

    Args:
        repository: `org/name`.
        cure: what to do if it fails.
        refused: what to say instead where the Hub refused it, so that nothing happened; empty for the same.
    """
    from huggingface_hub import errors

    address = f"hf-hub:{repository}"
    try:
        with explaining_hub(address, cure):
            try:
                yield
            except errors.HfHubHTTPError as error:
                _refuse(repository, error.response.status_code if error.response is not None else 0, refused or cure)
                raise
            except ValueError as error:
                if not str(error).startswith("Invalid metadata"):
                    raise
                raise ConfigError(
                    f"{address}: the Hub refuses the card: {one_line(error)}; {refused or cure}"
                ) from None
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
