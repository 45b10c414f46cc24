"""Folders that are made for an output: those above it too, and none of them after a failure."""

from pathlib import Path

import pytest

from zoo.errors import OutputError
from zoo.utils.paths import check_creatable, new_folder


def test_a_folder_is_made_with_those_above_it(tmp_path: Path) -> None:
    with new_folder(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b").is_dir()
    with new_folder(tmp_path / "a" / "b"):
        pass
    assert (tmp_path / "a" / "b").is_dir()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_a_failure_the_empty_ones_that_it_made_are_gone(error: type[BaseException], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(error), new_folder(tmp_path / "mine" / "a" / "b"):
        raise error
    with pytest.raises(error), new_folder(tmp_path / "mine"):
        raise error
    assert list(tmp_path.rglob("*")) == [tmp_path / "mine"]


def test_what_was_written_before_a_failure_stays(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="late"), new_folder(tmp_path / "a" / "b"):
        (tmp_path / "a" / "whole.bw").touch()
        raise ValueError("late")
    assert list((tmp_path / "a").iterdir()) == [tmp_path / "a" / "whole.bw"]


def test_a_folder_below_a_file_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "a", tmp_path / "file"):
        with pytest.raises(OutputError, match=r"cannot be created"), new_folder(path):
            pass
    with pytest.raises(OutputError, match=r"file/a/b cannot be created: \S+/file is a file, not a folder"):
        check_creatable(tmp_path / "file" / "a" / "b")
    check_creatable(tmp_path / "new" / "a" / "b")
    assert list(tmp_path.rglob("*")) == [tmp_path / "file"]


def test_a_folder_that_exists_need_not_be_below_one_that_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (mine := tmp_path / "mine").mkdir()
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) == mine)
    check_creatable(mine)
    check_creatable(mine / "new")
    for path, replaces in ((tmp_path / "other", False), (mine, True)):
        with pytest.raises(OutputError, match="is not writable"):
            check_creatable(path, replaces)
