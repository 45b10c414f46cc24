"""Files and folders that appear whole or not at all: links, rights, two writers at once, streams."""

import multiprocessing
import os
import stat
import threading
from pathlib import Path

import pytest

from zoo.errors import OutputError
from zoo.utils import drafts
from zoo.utils.atomic import replaced_folder, whole_file, whole_files, whole_path


def test_a_file_has_the_rights_of_an_ordinary_new_one_or_of_the_one_that_it_replaces(tmp_path: Path) -> None:
    ordinary = tmp_path / "ordinary"
    ordinary.touch()
    with whole_path(tmp_path / "new") as draft:
        draft.write_text("x")
    assert (tmp_path / "new").stat().st_mode == ordinary.stat().st_mode
    ordinary.chmod(0o600)
    with whole_path(ordinary) as draft:
        draft.write_text("secret")
    assert (stat.S_IMODE(ordinary.stat().st_mode), ordinary.read_text()) == (0o600, "secret")


def test_of_a_link_the_file_that_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "file").write_text("before")
    (tmp_path / "link").symlink_to(tmp_path / "far" / "file")
    with whole_file(tmp_path / "link") as file:
        file.write("after")
        assert [path.name for path in (tmp_path / "far").iterdir() if drafts.is_draft(path.name)]
    full = rf"link could not be written: the disk of {tmp_path}/far is full"
    with pytest.raises(OutputError, match=full), whole_file(tmp_path / "link"):
        raise OSError(28, "No space left on device")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "far" / "file").read_text() == "after"


def test_a_pipe_is_written_directly_as_text_and_refused_for_other_formats(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    found: list[str] = []
    reader = threading.Thread(target=lambda: found.append((tmp_path / "pipe").read_text()))
    reader.start()
    with whole_file(tmp_path / "pipe") as file:
        file.write("through")
    reader.join()
    assert found == ["through"]
    with (
        pytest.raises(OutputError, match="is a device or pipe, into which this format cannot"),
        whole_path(tmp_path / "pipe"),
    ):
        pass


def test_a_library_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="nothing came of it"), whole_path(tmp_path / "out"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_error_about_another_file_is_not_one_of_the_output(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"input\.bed"), whole_path(tmp_path / "out"):
        (tmp_path / "elsewhere" / "input.bed").read_text()
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_program_stays_what_it_is(tmp_path: Path) -> None:
    for error in (KeyError("name"), RuntimeError("a shape"), ValueError("a value")):
        with pytest.raises(type(error)) as caught, whole_path(tmp_path / "out") as draft:
            draft.write_text("half")
            raise error
        assert caught.value is error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text", ["I/O error: No space left on device (os error 28)", "write failed (errno = 28, error message = ...)"]
)
def test_what_a_library_says_of_a_full_disk_is_understood(text: str, tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match=rf"out could not be written: the disk of {tmp_path} is full"),
        whole_path(tmp_path / "out"),
    ):
        raise RuntimeError(text)


def test_files_of_one_output_appear_together_or_not_at_all(tmp_path: Path) -> None:
    for folder in (tmp_path / "new", tmp_path):
        paths = [folder / "a", folder / "b"]
        with pytest.raises(KeyError), whole_files(paths) as made:
            made[0].write_text("a")
            raise KeyError
        assert not any(path.exists() for path in paths)
        with whole_files(paths) as made:
            for path in made:
                path.write_text(path.name)
            assert not any(path.exists() for path in paths)
        assert [path.read_text() for path in paths] == ["a", "b"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "new"]


def write_many(path: Path, letter: str) -> None:
    for _ in range(30):
        with whole_path(path) as draft:
            draft.write_text(letter * 20_000)


def replace_many(folder: Path, letter: str) -> None:
    for _ in range(15):
        with replaced_folder(folder) as draft:
            for name in "12":
                (draft / name).write_text(letter)


def test_two_processes_that_write_one_file_or_folder_at_once_never_mix(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    twins = [context.Process(target=write_many, args=(tmp_path / "file", letter)) for letter in "ab"]
    twins += [context.Process(target=replace_many, args=(tmp_path / "folder", letter)) for letter in "ab"]
    for twin in twins:
        twin.start()
    found = set()
    while any(twin.is_alive() for twin in twins):
        if (tmp_path / "file").exists():
            found.add((tmp_path / "file").read_text())
    for twin in twins:
        twin.join()
    assert [twin.exitcode for twin in twins] == [0] * 4
    assert found <= {"a" * 20_000, "b" * 20_000}
    assert len({(tmp_path / "folder" / name).read_text() for name in "12"}) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
