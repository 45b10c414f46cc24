"""Public files, identified by URL and sha256, downloaded once into a cache.

Where the environment variable `ZOO_MIRROR` names a folder, files come from there and nowhere else: its layout is
host/path, as `wget -x` writes it. `ZOO_CACHE` names another folder for the cache.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from zoo.errors import DownloadError, IntegrityError, OutputError
from zoo.utils.atomic import whole_path
from zoo.utils.disk_errors import FAILED, explain_disk
from zoo.utils.locks import locked
from zoo.utils.network import explain_failure, is_web_page

__all__ = ["OTHER_CACHE", "PublicFile", "cache_folder", "fetch", "sha256_of", "writing_to_cache"]

# What to do about a cache that cannot be written.
OTHER_CACHE = "or set ZOO_CACHE to a folder that can be written"
_MANY_BYTES = 10_000_000
_CURE = "set ZOO_MIRROR to a folder that has it"


@dataclass(frozen=True)
class PublicFile:
    """A published file.

    Attributes:
        url: URL of the file.
        sha256: hash of its bytes, in hex; empty where its publisher states only the md5.
        size: size in bytes; 0 where unknown.
        licence: licence that its publisher states.
        md5: hash of its bytes, in hex, where there is no sha256.
    """

    url: str
    sha256: str
    size: int
    licence: str = "not stated"
    md5: str = ""

    @property
    def algorithm(self) -> str:
        """Hash algorithm: `sha256`, or `md5`."""
        return "sha256" if self.sha256 else "md5"

    @property
    def digest(self) -> str:
        """Hash of its bytes by that algorithm, in hex."""
        return self.sha256 or self.md5

    @property
    def name(self) -> str:
        """Name of the file: the last part of the URL."""
        return unquote(urlsplit(self.url).path).rsplit("/", 1)[-1]

    @property
    def relative_path(self) -> Path:
        """Path in the mirror and the cache: host/path."""
        url = urlsplit(self.url)
        return Path(url.netloc) / unquote(url.path).lstrip("/")


def cache_folder() -> Path:
    """Folder of downloads and of everything that is computed once: `$ZOO_CACHE`, or the user's cache folder.

    Raises:
        OutputError: the user has no home folder.
    """
    if folder := os.environ.get("ZOO_CACHE"):
        return Path(folder)
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "regzoo"
    except RuntimeError:  # a container started with the number of a user that it does not know
        raise OutputError("there is no home folder for a cache: set ZOO_CACHE to a folder") from None


@contextmanager
def writing_to_cache(path: Path, size: int = 0, state: str = "") -> Iterator[None]:
    """Turn errors of the file system into a sentence that names the folder, and how to choose another for the cache.

    Args:
        path: what is written.
        size: bytes that it takes, where they are many and known.
        state: why what is there must be made anew, such as `damaged`; empty where nothing is there.

    Raises:
        OutputError: the cache cannot be written, or the disk is full.
    """
    cure = f"{OTHER_CACHE} ({size / 1e9:.2f} GB are needed)" if size > _MANY_BYTES else OTHER_CACHE
    try:
        yield
    except OSError as error:
        if error.filename is not None:
            named = Path(error.filename)
            if path.parent not in (named, *named.parents) and named not in path.parents:
                raise  # of another file, which is read
        sentence = str(explain_disk(error, path, cure=cure))
    except OutputError as error:
        sentence = str(error) if "ZOO_CACHE" in str(error) else f"{error}, {cure}"
    else:
        return
    if state:
        sentence = f"{path} is {state} and cannot be made anew there: {sentence.rpartition(FAILED)[2]}"
    raise OutputError(sentence)


def sha256_of(path: Path) -> str:
    """Compute the sha256 of a file, in hex."""
    return _digest(path, "sha256")


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def fetch(file: PublicFile, progress: bool = True) -> Path:
    """Find a public file, download it if needed, and verify its hash.

    Args:
        file: the file.
        progress: draw a progress bar during a download.

    Returns:
        Path of the file, in the mirror or in the cache.

    Raises:
        DownloadError: it is not in the mirror, or could not be downloaded.
        IntegrityError: its bytes are not those that were published.
        OutputError: the cache cannot be written.
    """
    if mirror := os.environ.get("ZOO_MIRROR"):
        return _from_mirror(file, Path(mirror))
    path = cache_folder() / "files" / file.relative_path
    if not _is_whole(file, path):
        with writing_to_cache(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with locked(path):
                if not _is_whole(file, path):  # else another process fetched it meanwhile
                    _download(file, path, progress)
    return path


def _is_whole(file: PublicFile, path: Path) -> bool:
    return path.is_file() and _digest(path, file.algorithm) == file.digest


def _from_mirror(file: PublicFile, mirror: Path) -> Path:
    path = mirror / file.relative_path
    if not path.is_file():
        raise DownloadError(f"{path}: no such file in the mirror that ZOO_MIRROR names (wanted: {file.url})")
    digest = _digest(path, file.algorithm)
    if digest != file.digest:
        raise IntegrityError(f"{path}: its {file.algorithm} is {digest} where {file.digest} was published")
    return path


def _download(file: PublicFile, path: Path, progress: bool) -> None:
    import pooch
    import requests

    bar = progress and sys.stderr.isatty() and not 0 < file.size < 1 << 20
    downloader = pooch.HTTPDownloader(progressbar=bar, timeout=60)
    pooch.get_logger().setLevel("WARNING")  # it would announce each file
    with whole_path(path) as draft:
        try:
            downloader(file.url, str(draft), None)
        except requests.RequestException as error:
            raise explain_failure(error, file.url, file.url, _CURE, OTHER_CACHE) from None
        except ValueError as error:
            raise IntegrityError(f"{file.url}: what was downloaded is not what was published ({error})") from None
        with draft.open("rb") as content:
            if is_web_page(content.read(200)):
                raise IntegrityError(
                    f"{file.url}: a web page came in place of the file, such as the login page of a network or proxy; "
                    f"log in there, or {_CURE}"
                )
        if (digest := _digest(draft, file.algorithm)) != file.digest:
            raise IntegrityError(
                f"{file.url}: what was downloaded is not what was published (its {file.algorithm} is {digest} where "
                f"{file.digest} was published); {_CURE}"
            )
