"""Public files: the cache, a mirror, checksums, and downloads that fail."""

from __future__ import annotations

import functools
import hashlib
import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pooch
import pytest
import requests

from zoo.errors import DownloadError, IntegrityError
from zoo.utils.download import PublicFile, cache_folder, fetch, sha256_of

CONTENT = b"ACGT\n" * 1000


def public_file(url: str, content: bytes = CONTENT) -> PublicFile:
    return PublicFile(url, hashlib.sha256(content).hexdigest(), len(content))


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def requested(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    paths: list[str] = []
    handler = http.server.SimpleHTTPRequestHandler
    monkeypatch.setattr(handler, "log_request", lambda self, *_: paths.append(self.path))
    return paths


@pytest.fixture
def public(tmp_path: Path) -> Path:
    (tmp_path / "public").mkdir()
    return tmp_path / "public"


@pytest.fixture
def url(public: Path, requested: list[str]) -> Iterator[str]:
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(public))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("ZOO_MIRROR", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def mirror(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a download was started although ZOO_MIRROR is set")

    monkeypatch.setattr(pooch, "HTTPDownloader", refuse)
    monkeypatch.setenv("ZOO_MIRROR", str(tmp_path / "mirror"))
    return tmp_path / "mirror"


def put(path: Path, content: bytes = CONTENT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_name_of_a_file_is_the_last_part_of_its_url() -> None:
    file = public_file("https://example.org/a%20b/peaks%2B1.bed.gz?raw=true")
    assert file.name == "peaks+1.bed.gz"
    assert file.relative_path == Path("example.org/a b/peaks+1.bed.gz")


def test_the_cache_folder_follows_the_environment_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZOO_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "regzoo"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "regzoo"
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"


@pytest.mark.parametrize(
    ("content", "digest"),
    [
        (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ],
)
def test_sha256_of_the_examples_in_the_standard(tmp_path: Path, content: bytes, digest: str) -> None:
    assert sha256_of(put(tmp_path / "file", content)) == digest


def test_a_mirrored_file_is_used_in_place(mirror: Path, cache: Path) -> None:
    path = put(mirror / "example.org" / "data" / "a b.fa")
    assert fetch(public_file("https://example.org/data/a%20b.fa")) == path
    assert not cache.exists()


def test_a_file_that_the_mirror_lacks_is_an_error_even_if_it_is_cached(mirror: Path, cache: Path) -> None:
    put(cache / "files" / "example.org" / "a.fa")
    with pytest.raises(DownloadError, match=r"ZOO_MIRROR.*https://example.org/a.fa"):
        fetch(public_file("https://example.org/a.fa"))


def test_a_mirrored_file_with_other_content_is_refused_and_kept(mirror: Path) -> None:
    path = put(mirror / "example.org" / "a.fa", b"other")
    with pytest.raises(IntegrityError, match=f"a.fa: its sha256 is {hashlib.sha256(b'other').hexdigest()}"):
        fetch(public_file("https://example.org/a.fa"))
    assert path.read_bytes() == b"other"


def test_a_file_is_downloaded_once_and_kept(public: Path, url: str, requested: list[str], cache: Path) -> None:
    put(public / "data" / "a b.fa")
    file = public_file(f"{url}/data/a%20b.fa")
    path = fetch(file)
    assert path.read_bytes() == CONTENT
    assert files_in(cache) == [path]
    assert fetch(file) == path
    assert requested == ["/data/a%20b.fa"]


@pytest.mark.parametrize("served", [b"", CONTENT[:-1], b"<html>sign in</html>"], ids=["empty", "short", "a page"])
def test_a_download_with_other_content_is_refused_and_deleted(
    public: Path, url: str, cache: Path, served: bytes
) -> None:
    put(public / "a.fa", served)
    with pytest.raises(IntegrityError, match=r"/a.fa: what was downloaded is not what was published"):
        fetch(public_file(f"{url}/a.fa"))
    assert files_in(cache) == []


@pytest.mark.parametrize("broken", [b"", CONTENT[:99], CONTENT + b"A"], ids=["empty", "short", "long"])
def test_a_damaged_cached_file_is_downloaded_again(
    public: Path, url: str, requested: list[str], cache: Path, broken: bytes
) -> None:
    put(public / "a.fa")
    file = public_file(f"{url}/a.fa")
    fetch(file).write_bytes(broken)
    path = fetch(file)
    assert path.read_bytes() == CONTENT
    assert files_in(cache) == [path]
    assert requested == ["/a.fa"] * 2


def test_a_missing_file_is_a_download_error_that_says_what_to_do(url: str, cache: Path) -> None:
    with pytest.raises(DownloadError, match=r"/a.fa could not be downloaded.*ZOO_MIRROR"):
        fetch(public_file(f"{url}/a.fa"))
    assert files_in(cache) == []


def test_an_unreachable_server_is_a_download_error(cache: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(DownloadError, match="ConnectionError"):
        fetch(public_file(f"http://127.0.0.1:{port}/a.fa"))


def break_downloads(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def download(url: str, output_file: str, pooch: object) -> None:
        Path(output_file).write_bytes(CONTENT[:500])
        raise error

    monkeypatch.setattr(pooch, "HTTPDownloader", lambda **_: download)


@pytest.mark.parametrize(
    "error",
    [
        requests.exceptions.ChunkedEncodingError("broken off"),
        requests.exceptions.InvalidURL("sent on to nowhere"),
        requests.exceptions.ReadTimeout("slow"),
        OSError(28, "No space left on device"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_failed_download_leaves_no_file(cache: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    break_downloads(monkeypatch, error)
    with pytest.raises(DownloadError, match=type(error).__name__):
        fetch(public_file("https://example.org/a.fa"))
    assert files_in(cache) == []


def test_an_interrupted_download_leaves_no_file(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    break_downloads(monkeypatch, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        fetch(public_file("https://example.org/a.fa"))
    assert files_in(cache) == []


def test_a_cache_folder_that_cannot_be_created_is_a_download_error(cache: Path) -> None:
    put(cache, b"a file where the folder should be")
    with pytest.raises(DownloadError, match=r"a.fa could not be downloaded"):
        fetch(public_file("https://example.org/a.fa"))
