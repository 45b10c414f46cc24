"""Checkpoints on the Hugging Face Hub: a repository is a checkpoint folder. Nothing here imports torch."""

import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from zoo.errors import DownloadError, UnknownNameError, one_line
from zoo.hub.folder import CARD, CONFIG, DELTA, EXAMPLE, RECIPE, SEEN, TARGETS, WEIGHTS
from zoo.utils.download import cache_folder
from zoo.utils.network import explain_failure

__all__ = ["download", "verified_marker"]

_log = logging.getLogger(__name__)
_NEEDED = (CONFIG, TARGETS, EXAMPLE)
_EITHER = (WEIGHTS, DELTA)
_OPTIONAL = (CARD, RECIPE, SEEN)
_COMMIT = re.compile("[0-9a-f]{40}")
_SECONDS = 20
_LOGIN = "log in with `hf auth login`, or set HF_TOKEN, if you have access"
_CURE = "a folder with the files of the repository can be used as local-dir:FOLDER"
_OTHER_CACHE = "make room, or set ZOO_CACHE or HF_HOME to a folder that can be written"


def download(name: str) -> Path:
    """Download a checkpoint, or take it from the Hub's own cache.

    Args:
        name: `hf-hub:org/repo@revision`.

    Returns:
        Its folder, which is named by the commit.

    Raises:
        UnknownNameError: a name without a revision, or a repository or revision that does not exist.
        DownloadError: the Hub cannot be reached, or refuses; which of these is said.
        IntegrityError: an answer that does not come from a Hub.
        OutputError: the cache cannot be written.
    """
    repository, revision = _split(name)
    if not revision:
        raise UnknownNameError(
            f"{name!r} has no revision: write hf-hub:{repository}@REVISION (a commit, which never changes)"
        )
    cache = _hub_cache()
    from huggingface_hub import constants, errors

    endpoint = constants.ENDPOINT
    try:
        with _quiet():
            if cache:
                cache.mkdir(parents=True, exist_ok=True)
            return _fetch(repository, revision, cache)
    except errors.HFValidationError as error:
        raise UnknownNameError(f"{name!r} does not name a repository: {one_line(error)}") from None
    except errors.GatedRepoError:
        raise DownloadError(f"{name!r} has restricted access: ask its owner, then {_LOGIN}") from None
    except errors.RevisionNotFoundError:
        raise UnknownNameError(f"{repository!r} on {endpoint} has no revision {revision!r}") from None
    except errors.RepositoryNotFoundError:
        raise UnknownNameError(
            f"there is no repository {repository!r} on {endpoint}, or it is private: {_LOGIN}"
        ) from None
    except _failures() as error:
        raise explain_failure(error, repr(name), endpoint, _CURE, _OTHER_CACHE) from None


def _fetch(repository: str, revision: str, cache: Path | None) -> Path:
    """The folder of a revision: that on this computer for a commit, which never changes, else what the Hub has now."""
    from huggingface_hub import HfApi, errors, snapshot_download

    is_commit = bool(_COMMIT.fullmatch(revision))
    if is_commit and (folder := _on_disk(repository, revision, cache)):
        return folder
    try:
        # Answers or fails at once, where a download of a commit tries again for half a minute.
        HfApi().model_info(repository, revision=revision, timeout=_SECONDS)
    except (errors.RevisionNotFoundError, errors.HFValidationError):
        raise
    except _failures() as error:
        if not (folder := _on_disk(repository, revision, cache)):
            raise
        _log.warning(f"hf-hub:{repository}@{revision}: {type(error).__name__}, so {folder.name} of before is used")
        return folder
    return Path(
        snapshot_download(
            repository, revision=revision, cache_dir=cache, allow_patterns=[*_NEEDED, *_EITHER, *_OPTIONAL]
        )
    )


def _on_disk(repository: str, revision: str, cache: Path | None) -> Path | None:
    """The folder of a revision that was downloaded before, if it is whole."""
    from huggingface_hub import snapshot_download

    try:
        snapshot = snapshot_download(
            repository, revision=revision, cache_dir=cache, allow_patterns=[*_NEEDED, *_EITHER], local_files_only=True
        )
    except OSError:  # how the client says that it is not there
        return None
    is_there = {name: (Path(snapshot) / name).is_file() for name in (*_NEEDED, *_EITHER)}
    is_whole = all(is_there[name] for name in _NEEDED) and any(is_there[name] for name in _EITHER)
    return Path(snapshot) if is_whole else None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the client from logging what is said in one sentence, and from drawing bars into pipes and files."""
    from huggingface_hub.utils import logging as hub_logging
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    level, drawn = hub_logging.get_verbosity(), not are_progress_bars_disabled()
    hub_logging.set_verbosity(logging.ERROR)
    if not sys.stderr.isatty():
        disable_progress_bars()
    try:
        yield
    finally:
        hub_logging.set_verbosity(level)
        if drawn:
            enable_progress_bars()


def _failures() -> tuple[type[Exception], ...]:
    """What the Hub's client raises, and lets through of its own library, which is httpx or httpx2.

    An ImportError is about a SOCKS proxy, a ValueError about an answer that is not JSON, a KeyError or TypeError about
    JSON that is not the Hub's.
    """
    from huggingface_hub.errors import HfHubHTTPError

    library = import_module(HfHubHTTPError.__mro__[1].__module__.split(".")[0])
    of_answers = (ValueError, KeyError, TypeError)
    return (HfHubHTTPError, OSError, *of_answers, ImportError, library.HTTPError, library.InvalidURL)


def _hub_cache() -> Path | None:
    """The cache of the Hub's client: its own (None), unless ZOO_CACHE alone says where files are kept.

    Raises:
        OutputError: the user has no home folder.
    """
    if any(os.environ.get(name) for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME")):
        return None
    if os.environ.get("ZOO_CACHE"):
        return cache_folder() / "hub"
    cache_folder()  # raises where there is no home folder: the client would make one that is called ~
    return None


def verified_marker(name: str, folder: Path) -> Path:
    """The file whose existence says that a downloaded checkpoint reproduced its example on this computer.

    Args:
        name: `hf-hub:org/repo@revision`.
        folder: what `download` returned: its commit never changes, while a revision such as `main` does.
    """
    repository, _ = _split(name)
    return cache_folder() / "verified" / f"{repository.replace('/', '--')}@{folder.name}"


def _split(name: str) -> tuple[str, str]:
    repository, _, revision = name.removeprefix("hf-hub:").partition("@")
    return repository, revision
