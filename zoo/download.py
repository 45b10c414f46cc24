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
        sha256: of its bytes, in hex.
        size: in bytes.
        licence: as its publisher states it.
    """

    url: str
    sha256: str
    size: int
    licence: str = "not stated"

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
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
    elif sha256_of(path) != file.sha256:
        path.unlink()
        _download(file, path, progress)
    return path


def _from_mirror(file: PublicFile, mirror: Path) -> Path:
    path = mirror / file.relative_path
    if not path.is_file():
        raise DownloadError(f"{path}: no such file in the mirror that ZOO_MIRROR names (wanted: {file.url})")
    found = sha256_of(path)
    if found != file.sha256:
        raise IntegrityError(f"{path}: its sha256 is {found} where {file.sha256} was published")
    return path


def _download(file: PublicFile, path: Path, progress: bool) -> None:
    import pooch
    import requests

    downloader = pooch.HTTPDownloader(progressbar=progress and file.size > 1 << 20, timeout=60)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # pooch writes beside the place and moves the file there only when its sha256 is right.
        pooch.retrieve(file.url, f"sha256:{file.sha256}", path.name, path.parent, downloader=downloader)
    except (requests.RequestException, OSError) as error:
        raise DownloadError(
            f"{file.url} could not be downloaded ({type(error).__name__}); set ZOO_MIRROR to a folder that has it"
        ) from None
    except ValueError as error:
        raise IntegrityError(f"{file.url}: what was downloaded is not what was published ({error})") from None
