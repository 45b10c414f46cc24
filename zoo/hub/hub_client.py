"""The client of the Hugging Face Hub: its errors in one sentence each, its messages and its cache.

Nothing here imports torch.
"""

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from zoo.errors import DownloadError, UnknownNameError, one_line
from zoo.utils.download import cache_folder
from zoo.utils.network import explain_failure

__all__ = ["LOGIN", "client_failures", "explaining_hub", "hub_cache", "split_address"]

LOGIN = "log in with `hf auth login`, or set HF_TOKEN, if you have access"
_OTHER_CACHE = "or set ZOO_CACHE or HF_HOME to a folder that can be written"


def split_address(address: str) -> tuple[str, str]:
    """Split `hf-hub:org/repo@revision` into repository and revision, which is empty where there is none."""
    repository, _, revision = address.removeprefix("hf-hub:").partition("@")
    return repository, revision


@contextmanager
def explaining_hub(address: str, cure: str) -> Iterator[None]:
    """Turn what the client raises into one sentence, and keep it from printing more.

    Args:
        address: `hf-hub:org/repo@revision`, or without a revision.
        cure: what to do if the Hub cannot be used.

    Raises:
        UnknownNameError: a text that names no repository, or a repository or revision that does not exist.
        DownloadError: the Hub cannot be reached, or refuses; which of these is said.
        IntegrityError: an answer that does not come from a Hub.
        OutputError: a cache that cannot be written.
    """
    from huggingface_hub import constants, errors

    repository, revision = split_address(address)
    endpoint = constants.ENDPOINT
    try:
        with _quiet():
            yield
    except errors.HFValidationError as error:
        raise UnknownNameError(f"{address!r} does not name a repository: {one_line(error)}") from None
    except errors.GatedRepoError:
        raise DownloadError(f"{address!r} has restricted access: ask its owner, then {LOGIN}") from None
    except errors.RevisionNotFoundError:
        raise UnknownNameError(f"{repository!r} on {endpoint} has no revision {revision!r}") from None
    except errors.RepositoryNotFoundError:
        raise UnknownNameError(
            f"there is no repository {repository!r} on {endpoint}, or it is private: {LOGIN}"
        ) from None
    except client_failures() as error:
        raise explain_failure(error, repr(address), endpoint, cure, _OTHER_CACHE) from None


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
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    level, drawn = hub_logging.get_verbosity(), not are_progress_bars_disabled()
    hub_logging.set_verbosity(logging.ERROR)
    if not sys.stderr.isatty():
        disable_progress_bars()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Not enough free disk space")
            yield
    finally:
        hub_logging.set_verbosity(level)
        if drawn:
            enable_progress_bars()
