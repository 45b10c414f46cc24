"""What went wrong with a download, in one sentence; the same for requests and for the client of the Hugging Face Hub.

The libraries' exceptions are known by the names of their classes, because none of them is imported here: the Hub's
client uses httpx or httpx2 by its version, and each wraps the errors of others in its own way.
"""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from zoo.errors import DownloadError, IntegrityError, OutputError, ZooError

__all__ = ["explain_failure", "is_web_page"]

_PROXIES = ("ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_DISK = (errno.EACCES, errno.ENOENT, errno.EPERM, errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG)
_STATUS = {
    401: "asks for a login (401)",
    403: "refuses access (403)",
    404: "has no such file (404)",
    410: "no longer has the file (410)",
    429: "had too many requests (429): wait and try again",
}
# Classes of exceptions -> what they mean; the first that occurs counts.
_MEANINGS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("ProxyError",), "cannot be reached{through}"),
    (
        ("SSLError", "SSLCertVerificationError"),
        "has a certificate that cannot be verified here (a proxy may have its own)",
    ),
    (
        ("ChunkedEncodingError", "IncompleteRead", "RemoteDisconnected", "RemoteProtocolError", "ReadError"),
        "cut the connection before the file was whole: try again",
    ),
    (
        ("ConnectTimeout", "ReadTimeout", "ConnectTimeoutError", "ReadTimeoutError", "TimeoutError"),
        "did not answer in time: try again",
    ),
    (("ConnectionError", "ConnectError", "NewConnectionError", "gaierror"), "cannot be reached{through}"),
    (("TooManyRedirects",), "redirects in a loop"),
    (
        ("MissingSchema", "InvalidSchema", "InvalidURL", "UnsupportedProtocol"),
        "redirects to an invalid address",
    ),
)


def explain_failure(error: BaseException, wanted: str, url: str, cure: str, cache: str) -> ZooError:
    """Explain the error of a download.

    Args:
        error: what a library raised; causes that it names count too.
        wanted: what was to be downloaded, the beginning of the sentence.
        url: address, for its host.
        cure: what to do if the network cannot be used, such as `set ZOO_MIRROR to a folder that has it`.
        cache: what to do if the disk cannot be written.

    Returns:
        OutputError for a disk that cannot be written, IntegrityError for other content, else DownloadError.
    """
    chain = list(_chain(error))
    names = {type(one).__name__ for one in chain}
    text = " ".join(map(str, chain))
    for one in chain:
        if isinstance(one, OSError) and (one.errno in _FULL or (one.errno in _DISK and one.filename)):
            where = f" in {Path(one.filename).parent}" if one.filename else ""
            return OutputError(f"{wanted} cannot be kept{where}: {one.strerror}; make room, {cache}")
    host = urlsplit(url).hostname
    if "OfflineModeIsEnabled" in names:
        return DownloadError(f"{wanted}: the Hub is not asked, because HF_HUB_OFFLINE is set; {cure}")
    if "socks" in text.lower() and names & {"ImportError", "InvalidSchema"}:
        proxy, package = _proxy(), "socksio" if "socksio" in text else "PySocks"
        return DownloadError(f"{wanted}: {proxy} names a SOCKS proxy, which needs a package: pip install {package}")
    if host is None or urlsplit(url).scheme not in ("http", "https"):
        return DownloadError(f"{wanted}: {url!r} is not an address that begins with https:// or http://")
    if status := _status(chain):
        return DownloadError(f"{wanted}: {host} {_STATUS.get(status) or _fault(status)}; {cure}")
    for classes, meaning in _MEANINGS:
        if names.intersection(classes):
            return DownloadError(f"{wanted}: {host} {meaning.format(through=_through_proxy(url))}; {cure}")
    if names & {"JSONDecodeError", "FileMetadataError", "KeyError", "TypeError"}:
        return IntegrityError(f"{wanted}: the answer of {host} is not one of the Hub, but perhaps a login page; {cure}")
    return DownloadError(f"{wanted} could not be downloaded from {host} ({type(chain[0]).__name__}); {cure}")


def is_web_page(head: bytes) -> bool:
    """Whether a file begins like a web page, such as the login page of a network that came in place of the file."""
    start = head.lstrip().lower()
    return start.startswith((b"<!doctype html", b"<html"))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, then what it was made of."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        inner = [error.__cause__, *error.args, getattr(error, "reason", None), error.__context__]
        error = next((one for one in inner if isinstance(one, BaseException)), None)


def _status(chain: list[BaseException]) -> int | None:
    """The status of the answer that an error is about, if it is one of failure."""
    for one in chain:
        status = getattr(getattr(one, "response", None), "status_code", None)
        if isinstance(status, int) and status >= 400:
            return status
    return None


def _fault(status: int) -> str:
    return f"has a fault ({status}): try again later" if status >= 500 else f"refuses the request ({status})"


def _through_proxy(url: str) -> str:
    """The proxy that an address is reached through, or that there is none."""
    from urllib.request import getproxies, proxy_bypass

    scheme, host = urlsplit(url).scheme, urlsplit(url).hostname or ""
    proxies = getproxies()
    if (scheme in proxies or "all" in proxies) and not proxy_bypass(host):
        return f" through the proxy that {_proxy()} names"
    return " (no network, or a wrong address)"


def _proxy() -> str:
    """The environment variable that names a proxy; its value may hold a password and is not shown."""
    return next((name for name in _PROXIES if os.environ.get(name)), "HTTPS_PROXY")
