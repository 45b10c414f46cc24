"""Text files are read within bounds; what goes past them is one sentence with the file and the line."""

import gzip
import io
import os
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from zoo.errors import InputError
from zoo.formats.sequences import SequenceFile
from zoo.utils import streams
from zoo.utils.streams import SEQUENCES, TABLE, Limits, describe_unreadable, limit, open_bytes
from zoo.utils.text import open_text

LINES = b"".join(b"line %d\n" % number for number in range(20_000))
SHORT = Limits(1_000, 1_000_000)


def write(folder: Path, content: bytes, zipped: bool = False) -> Path:
    (folder / "file").write_bytes(gzip.compress(content, 1) if zipped else content)
    return folder / "file"


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("content", [b"", b"\n", b"a", b"a\r\nb\r", LINES, LINES[:-1], "\u00e9\n".encode() * 99])
def test_what_is_within_the_bounds_is_read_as_it_is(tmp_path: Path, content: bytes, zipped: bool) -> None:
    path = write(tmp_path, content, zipped)
    for block in (10, 1_000, 1 << 20):
        with open_bytes(path, SHORT, block) as file:
            assert file.read() == content
        with open_bytes(path, SHORT, block) as file:
            assert b"".join(iter(lambda file=file: file.read(777), b"")) == content  # type: ignore[misc]
    with open_text(path) as text:
        assert list(text) == list(io.TextIOWrapper(io.BytesIO(content), "utf-8"))


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (LINES + b"a" * 500_000, "line 20,001: more than 1,000 bytes without a line break, which is the most"),
        (b"a" * 500_000 + b"\n" + LINES, "line 1: more than 1,000 bytes without a line break"),
        (LINES * 10, "more than 1,000,000 bytes of text"),
        (LINES + b"a\0b\n" + LINES, "line 20,001: a NUL byte, which is in no text; is it UTF-16, or binary"),
        (b"\0" * 9, "line 1: a NUL byte"),
        ("a\n".encode("utf-16"), "is UTF-16 text: save it as UTF-8"),
        ("\ufeffa\n".encode("utf-16-be"), "is UTF-16 text: save it as UTF-8"),
        ("a\n".encode("utf-16-le"), "line 1: a NUL byte"),
    ],
)
def test_what_is_past_the_bounds_names_the_file_and_the_line(
    tmp_path: Path, content: bytes, message: str, zipped: bool
) -> None:
    path = write(tmp_path, content, zipped)
    for read in (lambda file: file.read(), lambda file: list(file), lambda file: [*iter(lambda: file.read(999), b"")]):
        with pytest.raises(InputError, match=f"^{path}.*{message}"), open_bytes(path, SHORT) as file:
            read(file)


def test_what_unpacks_to_hundreds_of_times_its_size_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_ANY_RATIO_BYTES", 100_000)
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(b"AAAAAAAAA\n" * 1_000_000))
    with (
        pytest.raises(InputError, match=r"unpacks to more than 300 times its size, .*give it unpacked"),
        open_bytes(path, TABLE) as file,
    ):
        list(file)
    with open_bytes(write(tmp_path, LINES * 2, zipped=True), TABLE) as file:  # five times its size
        assert file.read() == LINES * 2


def test_standard_input_is_unpacked_and_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    for content in (LINES, gzip.compress(LINES)):
        standard = io.BufferedReader(io.BytesIO(content))
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=standard))
        with open_bytes("-", TABLE) as file:
            assert file.read() == LINES
        assert not standard.closed
    standard = io.BufferedReader(io.BytesIO(b"a\n" + b"b" * 200_000))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=standard))
    with (
        pytest.raises(InputError, match=r"^standard input, after [0-9,]+ bytes: more than 1,000 bytes without"),
        open_bytes("-", SHORT) as file,
    ):
        file.read()


def test_a_pipe_is_read_to_the_end_of_its_first_line_before_its_format_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    def slowly() -> None:
        with (tmp_path / "pipe").open("wb", buffering=0) as pipe:
            for part in (b"na", b"me\tsequ", b"ence\nA\t", b"C\n"):
                pipe.write(part)
                threading.Event().wait(0.05)

    thread = threading.Thread(target=slowly)
    thread.start()
    with open_bytes(tmp_path / "pipe", TABLE) as file:
        assert file.peek(1).startswith(b"name\tsequence\n")
        assert file.read() == b"name\tsequence\nA\tC\n"
    thread.join()


def test_limits_are_changed_while_a_file_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, b"a" * 300_000 + b"\n")
    with open_bytes(path, TABLE) as file:
        assert file.read(10) == b"a" * 10
        limit(file, SHORT)
        with pytest.raises(InputError, match="more than 1,000 bytes without a line break"):
            file.read()


def test_bytes_that_are_not_utf8_are_named_with_their_line(tmp_path: Path) -> None:
    path = write(tmp_path, LINES + b"caf\xe9\n" + LINES)
    with pytest.raises(UnicodeDecodeError) as caught, open_text(path) as file:
        file.read()
    assert describe_unreadable(caught.value, path) == "line 20,001: the byte 0xe9 is not UTF-8"
    assert describe_unreadable(EOFError("ended"), path) == "its gzip archive is cut off: copy or download it again"
    assert describe_unreadable(caught.value, tmp_path / "gone") == "the byte 0xe9 is not UTF-8"


def test_what_to_do_about_a_long_sequence_is_said(tmp_path: Path) -> None:
    assert SEQUENCES.line > 249_000_000  # the longest human chromosome
    path = write(tmp_path, b">a\n" + b"a" * 300_000 + b"\n")
    message = "the most that is read: break the sequence into lines, as `seqkit seq -w 60` does"
    with pytest.raises(InputError, match=message), open_bytes(path, SEQUENCES._replace(line=1_000)) as file:
        file.read()


def test_what_is_wrong_with_an_archive_is_said(tmp_path: Path) -> None:
    whole = gzip.compress(b">a\nACGT\n" * 1_000)
    for content, message in (
        (whole[:-20], "is cut off: copy or download it again"),
        (whole[:-8] + b"x" * 8, "damaged: CRC"),
    ):
        path = write(tmp_path, content)
        with pytest.raises(InputError, match=f"cannot be read.*: its gzip archive (is )?{message}"):
            list(SequenceFile(str(path)))
