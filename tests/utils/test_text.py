"""Text in messages, and files that cannot be read."""

import os
from pathlib import Path

import pytest

from zoo.errors import InputError
from zoo.utils.text import check_file, quoted, shorten, some_of


def test_long_names_are_cut_and_their_letters_counted() -> None:
    assert shorten("a" * 80) == "a" * 80
    assert shorten("a" * 81) == "a" * 80 + "... (81 letters)"
    assert quoted("a'b") == repr("a'b")
    assert quoted("a" * 1_000_000) == "'" + "a" * 80 + "'... (1,000,000 letters)"
    assert some_of(["a" * 100, "b"]) == "a" * 80 + "... (100 letters), b"
    assert some_of("abcdef") == "a, b, c, d, e, ..."


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    check_file(file)
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    for missing in (tmp_path / "link", tmp_path / "none", file / "below", "a\0b", ""):
        with pytest.raises(InputError, match=r"no such file|is a folder"):
            check_file(missing)
    with pytest.raises(InputError, match="is a folder, not a file"):
        check_file(tmp_path)
    with pytest.raises(InputError, match="cannot be read: File name too long"):
        check_file(tmp_path / ("x" * 300))
    os.mkfifo(tmp_path / "pipe")
    check_file(tmp_path / "pipe", regular=False)
    with pytest.raises(InputError, match="is not a regular file, and cannot be read twice"):
        check_file(tmp_path / "pipe")


def test_a_file_without_permission_is_said(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch(mode=0o000)
    user = os.geteuid()
    tmp_path.chmod(0o755)
    try:
        if user == 0:  # root may read everything: take the rights of another user
            os.seteuid(65534)
        with pytest.raises(InputError, match="cannot be read: Permission denied"):
            check_file(file)
    finally:
        os.seteuid(user)
