"""Public files, known by url and sha256, fetched once into a cache.

Where the environment variable `ZOO_MIRROR` names a folder, files come from there and nowhere else: it is laid out as
host/path, which is what `wget -x` writes. `ZOO_CACHE` moves the cache.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from zoo.errors import DownloadError, IntegrityError

__all__ = ["PublicFile", "cache_folder", "fetch", "sha256_of"]


@dataclass(frozen=True)
class PublicFile:
    """A file that others published.

    Attributes:
        url: where it is.
        sha256: of its bytes, in hex; empty where its publisher names only its md5.
        size: in bytes; 0 where that is not known.
        licence: as its publisher states it.
        md5: of its bytes, in hex, where there is no sha256.
    """

    url: str
    sha256: str
    size: int
    licence: str = "not stated"
    md5: str = ""

    @property
    def algorithm(self) -> str:
        """By which it is known: `sha256`, or `md5`."""
        return "sha256" if self.sha256 else "md5"

    @property
    def digest(self) -> str:
        """Of its bytes, in hex, by that algorithm."""
        return self.sha256 or self.md5

    @property
    def name(self) -> str:
        """The last part of the url."""
        return unquote(urlsplit(self.url).path).rsplit("/", 1)[-1]

    @property
    def relative_path(self) -> Path:
        """host/path."""
        parts = urlsplit(self.url)
        return Path(parts.netloc) / unquote(parts.path).lstrip("/")


def cache_folder() -> Path:
    """Where downloads and imported weights are kept: `$ZOO_CACHE`, or the user's cache folder."""
    if folder := os.environ.get("ZOO_CACHE"):
        return Path(folder)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "regzoo"


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hex."""
    return _digest(path, "sha256")


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def fetch(file: PublicFile, progress: bool = True) -> Path:
    """Have a public file here, verified.

    Args:
        file: what is wanted.
        progress: whether a download draws a bar.

    Returns:
        Where it lies: in the mirror, or in the cache.

    Raises:
        DownloadError: it is not in the mirror, or could not be downloaded.
        IntegrityError: its bytes are not those that were published.
    """
    if mirror := os.environ.get("ZOO_MIRROR"):
        return _from_mirror(file, Path(mirror))
    path = cache_folder() / "files" / file.relative_path
    if not path.is_file():
        _download(file, path, progress)
    elif _digest(path, file.algorithm) != file.digest:
        path.unlink()
        _download(file, path, progress)
    return path


def _from_mirror(file: PublicFile, mirror: Path) -> Path:
    path = mirror / file.relative_path
    if not path.is_file():
        raise DownloadError(f"{path}: no such file in the mirror that ZOO_MIRROR names (wanted: {file.url})")
    found = _digest(path, file.algorithm)
    if found != file.digest:
        raise IntegrityError(f"{path}: its {file.algorithm} is {found} where {file.digest} was published")
    return path


def _download(file: PublicFile, path: Path, progress: bool) -> None:
    import pooch
    import requests

    downloader = pooch.HTTPDownloader(progressbar=progress and not 0 < file.size < 1 << 20, timeout=60)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # pooch writes beside the place and moves the file there only when its digest is right.
        pooch.retrieve(file.url, f"{file.algorithm}:{file.digest}", path.name, path.parent, downloader=downloader)
    except (requests.RequestException, OSError) as error:
        raise DownloadError(
            f"{file.url} could not be downloaded ({type(error).__name__}); set ZOO_MIRROR to a folder that has it"
        ) from None
    except ValueError as error:
        raise IntegrityError(f"{file.url}: what was downloaded is not what was published ({error})") from None
