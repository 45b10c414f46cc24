"""The client of the Hugging Face Hub: its errors in one sentence each, its messages and its cache.

Nothing here imports torch.
"""

import logging
import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from pathlib import Path

from zoo.errors import DownloadError, UnknownNameError, ZooError, one_line
from zoo.utils.download import cache_folder
from zoo.utils.network import explain_failure

__all__ = [
    "COMMIT",
    "LOGIN",
    "OTHER_TEMPORARY",
    "client_failures",
    "explain_hub",
    "explaining_hub",
    "hub_cache",
    "split_address",
    "without_bars",
]

LOGIN = "log in with `hf auth login`, or set HF_TOKEN, if you have access"
OTHER_TEMPORARY = "or set TMPDIR to a folder that can be written"
COMMIT = re.compile("[0-9a-f]{40}")
_OTHER_CACHE = "or set ZOO_CACHE or HF_HOME to a folder that can be written"


def split_address(address: str) -> tuple[str, str]:
    """Split `hf-hub:org/repo@revision` into repository and revision, which is empty where there is none."""
    repository, _, revision = address.removeprefix("hf-hub:").partition("@")
    return repository, revision


@contextmanager
def explaining_hub(address: str, cure: str, elsewhere: str = _OTHER_CACHE) -> Iterator[None]:
    """Turn what the client raises into one sentence, and keep it from printing more.

    Args:
        address: `hf-hub:org/repo@revision`, or without a revision.
        cure: what to do if the Hub cannot be used.
        elsewhere: what to do, other than to make room, if the disk cannot be written.

    Raises:
        UnknownNameError: a text that names no repository, or a repository or revision that does not exist.
        DownloadError: the Hub cannot be reached, or refuses; which of these is said.
        IntegrityError: an answer that does not come from a Hub.
        OutputError: a cache that cannot be written.
    """
    try:
        with _quiet():
            yield
    except client_failures() as error:
        raise explain_hub(error, address, cure, elsewhere) from None


def explain_hub(error: Exception, address: str, cure: str, elsewhere: str = _OTHER_CACHE) -> ZooError:
    """Say what an error of the client means; see `explaining_hub`.

    Args:
        error: one of `client_failures`.
        address: `hf-hub:org/repo@revision`, or without a revision.
        cure: what to do if the Hub cannot be used.
        elsewhere: what to do, other than to make room, if the disk cannot be written.
    """
    from huggingface_hub import constants, errors

    repository, revision = split_address(address)
    endpoint = constants.ENDPOINT
    if isinstance(error, errors.HFValidationError):
        return UnknownNameError(f"{address!r} does not name a repository: {one_line(error)}")
    if isinstance(error, errors.GatedRepoError):
        return DownloadError(f"{address!r} has restricted access: ask its owner, then {LOGIN}")
    if isinstance(error, errors.RevisionNotFoundError):
        return UnknownNameError(f"{repository!r} on {endpoint} has no revision {revision!r}")
    if isinstance(error, errors.RepositoryNotFoundError):
        return UnknownNameError(f"there is no repository {repository!r} on {endpoint}, or it is private: {LOGIN}")
    return explain_failure(error, repr(address), endpoint, cure, elsewhere)


def client_failures() -> tuple[type[Exception], ...]:
    """What the client raises, and lets through of its own library, which is httpx or httpx2.

    An ImportError is about a SOCKS proxy, a ValueError about an answer that is not JSON, a KeyError or TypeError about
    JSON that is not the Hub's, a RuntimeError about a file that could not be sent.
    """
    from huggingface_hub.errors import HfHubHTTPError

    library = import_module(HfHubHTTPError.__mro__[1].__module__.split(".")[0])
    of_answers = (ValueError, KeyError, TypeError, RuntimeError)
    return (HfHubHTTPError, OSError, *of_answers, ImportError, library.HTTPError, library.InvalidURL)


def hub_cache() -> Path | None:
    """The cache of the client: its own (None), unless ZOO_CACHE alone says where files are kept.

    Raises:
        OutputError: the user has no home folder.
    """
    if any(os.environ.get(name) for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME")):
        return None
    if os.environ.get("ZOO_CACHE"):
        return cache_folder() / "hub"
    cache_folder()  # raises where there is no home folder: the client would make one that is called ~
    return None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the client from logging what is said in one sentence, and from drawing bars into pipes and files."""
    from huggingface_hub.utils import logging as hub_logging

    level = hub_logging.get_verbosity()
    hub_logging.set_verbosity(logging.ERROR)
    try:
        with warnings.catch_warnings(), nullcontext() if sys.stderr.isatty() else without_bars():
            warnings.filterwarnings("ignore", message="Not enough free disk space")
            yield
    finally:
        hub_logging.set_verbosity(level)


@contextmanager
def without_bars() -> Iterator[None]:
    """Keep the client from drawing bars."""
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    drawn = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if drawn:
            enable_progress_bars()
