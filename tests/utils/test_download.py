"""Public files: the cache, a mirror, checksums, and downloads that fail."""

from __future__ import annotations

import functools
import hashlib
import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pooch
import pytest
import requests
from made.servers import Handler, serving

from zoo.errors import DownloadError, IntegrityError, OutputError
from zoo.utils.cache import cached_file
from zoo.utils.download import PublicFile, cache_folder, fetch, sha256_of

CONTENT = b"ACGT\n" * 1000


def public_file(url: str, content: bytes = CONTENT) -> PublicFile:
    return PublicFile(url, hashlib.sha256(content).hexdigest(), len(content))


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")


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


@pytest.mark.parametrize(
    ("served", "words"),
    [
        (b"", "what was downloaded is not what was published"),
        (CONTENT[:-1], "what was downloaded is not what was published"),
        (b"<html>sign in</html>", "a web page came in place of the file, such as the login page"),
        (b"\n <!DOCTYPE HTML><title>Guests</title>", "a web page came in place of the file, such as the login page"),
    ],
)
def test_a_download_with_other_content_is_refused_and_deleted(
    public: Path, url: str, cache: Path, served: bytes, words: str
) -> None:
    put(public / "a.fa", served)
    with pytest.raises(IntegrityError, match=f"/a.fa: {words}"):
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
    with pytest.raises(DownloadError, match=r"/a.fa: 127\.0\.0\.1 has no such file \(404\); set ZOO_MIRROR"):
        fetch(public_file(f"{url}/a.fa"))
    assert files_in(cache) == []


def answer(status: int) -> Callable[[Handler], None]:
    return lambda request: request.answer(status, b"")


def send_on(address: str) -> Callable[[Handler], None]:
    return lambda request: request.answer(302, b"", {"Location": address})


ANSWERS: dict[str, tuple[Callable[[Handler], None], str]] = {
    "401": (answer(401), "asks for a login (401)"),
    "403": (answer(403), "refuses access (403)"),
    "404": (answer(404), "has no such file (404)"),
    "418": (answer(418), "refuses the request (418)"),
    "429": (answer(429), "had too many requests (429): wait and try again"),
    "500": (answer(500), "has a fault (500): try again later"),
    "503": (answer(503), "has a fault (503): try again later"),
    "cut": (lambda request: request.answer(200, CONTENT, cut=True), "cut the connection before the file was whole"),
    "closed": (lambda request: None, "cut the connection before the file was whole"),
    "circle": (send_on("/a.fa"), "redirects in a loop"),
    "nowhere": (send_on("gopher://x/a.fa"), "redirects to an invalid address"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_each_answer_of_a_server_is_its_own_sentence_and_leaves_no_file(case: str, cache: Path) -> None:
    get, words = ANSWERS[case]
    with serving(get) as url, pytest.raises(DownloadError) as caught:
        fetch(public_file(f"{url}/a.fa"))
    assert f"{url}/a.fa: 127.0.0.1 {words}" in str(caught.value)
    assert str(caught.value).endswith("; set ZOO_MIRROR to a folder that has it")
    assert files_in(cache) == []


def test_an_unreachable_server_is_a_download_error(cache: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1 cannot be reached \(no network, or a wrong address\)"):
        fetch(public_file(f"http://127.0.0.1:{port}/a.fa"))


@pytest.mark.parametrize(
    ("name", "proxy", "words"),
    [
        (
            "http_proxy",
            "http://me:secret@127.0.0.1:9",
            "example.org cannot be reached through the proxy that http_proxy",
        ),
        ("ALL_PROXY", "socks5://me:secret@127.0.0.1:9", "ALL_PROXY names a SOCKS proxy, which needs a package: pip"),
    ],
)
def test_a_proxy_that_is_not_there_is_named_without_its_password(
    name: str, proxy: str, words: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, proxy)
    with pytest.raises(DownloadError) as caught:
        fetch(public_file("http://example.org/a.fa"))
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)


def test_what_is_no_address_is_said(cache: Path) -> None:
    with pytest.raises(DownloadError, match=r"'foo/a\.fa' is not an address that begins with https:// or http://"):
        fetch(public_file("foo/a.fa"))


def break_downloads(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def download(url: str, output_file: str, pooch: object) -> None:
        Path(output_file).write_bytes(CONTENT[:500])
        raise error

    monkeypatch.setattr(pooch, "HTTPDownloader", lambda **_: download)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (requests.exceptions.ChunkedEncodingError("broken off"), "example.org cut the connection before"),
        (requests.exceptions.ReadTimeout("slow"), "example.org did not answer in time"),
        (requests.exceptions.SSLError("self-signed"), "example.org has a certificate that cannot be verified"),
        (requests.exceptions.RequestException("unheard of"), "could not be downloaded .*RequestException"),
        (OSError(28, "No space left on device"), "the disk of \\S+ is full: make room .*ZOO_CACHE"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_failed_download_leaves_no_file(
    cache: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, words: str
) -> None:
    break_downloads(monkeypatch, error)
    with pytest.raises((DownloadError, OutputError), match=words):
        fetch(public_file("https://example.org/a.fa"))
    assert files_in(cache) == []


def test_an_interrupted_download_leaves_no_file(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    break_downloads(monkeypatch, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        fetch(public_file("https://example.org/a.fa"))
    assert files_in(cache) == []


def test_a_cache_that_cannot_be_written_is_named_with_the_cure(cache: Path) -> None:
    put(cache, b"a file where the folder should be")
    with pytest.raises(OutputError, match=rf"{cache}/\S+/a\.fa could not be written: Not a directory: set ZOO_CACHE"):
        fetch(public_file("https://example.org/a.fa"))
    with pytest.raises(OutputError, match=rf"{cache}/\S+ could not be written: Not a directory: set ZOO_CACHE"):
        cached_file("kind", "key", lambda path: None, ".npz")


def test_a_user_without_a_home_folder_is_told_to_name_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("ZOO_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", home)
    with pytest.raises(OutputError, match=r"no home folder for a cache: .*ZOO_CACHE to a folder"):
        cache_folder()
