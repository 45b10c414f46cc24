"""Drafts of processes that were killed are known by their names; those of others are left alone."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from zoo.utils import drafts
from zoo.utils.drafts import _place, draft_folder, draft_path, is_draft, put_in_place, remove_dead_drafts

DAY = 24 * 3600


def of(target: Path, place: str | None = None, pid: int | None = None, started: int | None = None) -> Path:
    """A draft as a process would name it; by default this one."""
    draft = draft_path(target)
    match = drafts._NAME.fullmatch(draft.name)
    assert match is not None
    mine = f".{match['place']}.{match['pid']}-{match['started']}-"
    other = f".{place or match['place']}.{pid or match['pid']}-{match['started'] if started is None else started}-"
    draft = draft.with_name(draft.name.replace(mine, other))
    draft.write_text("half")
    return draft


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize("name", ["out.tsv", "a.b c.tsv.gz", "ü" * 100 + ".bw", "x" * 250, ".hidden", "no-ending"])
def test_a_draft_lies_beside_its_target_with_its_ending_and_a_short_name(name: str, tmp_path: Path) -> None:
    one, other = draft_path(tmp_path / name), draft_path(tmp_path / name)
    assert one != other
    assert one.parent == tmp_path
    assert one.suffix == (Path(name).suffix or ".draft")
    assert len(os.fsencode(one.name)) < 255
    assert is_draft(one.name)
    one.touch()
    assert not is_draft(name)


def test_only_drafts_of_ended_processes_are_removed(tmp_path: Path) -> None:
    target, ended = tmp_path / "out.tsv", ended_process()
    kept = [of(target), of(target, place="elsewhere-1"), of(target, pid=os.getppid(), started=0)]
    dead = [of(target, pid=ended), of(tmp_path / "other.bw", pid=ended), of(target, started=1)]
    old = of(target, place="elsewhere-2")
    os.utime(old, (time.time() - 2 * DAY,) * 2)
    (tmp_path / ".out.tsv.draft").touch()  # not one of ours
    remove_dead_drafts(target)
    assert all(path.exists() for path in kept)
    assert not any(path.exists() for path in [*dead, old])
    assert (tmp_path / ".out.tsv.draft").exists()


def test_a_process_that_ended_but_was_not_waited_for_has_ended(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    draft = of(tmp_path / "out", pid=process.pid, started=drafts._start_of(process.pid))
    while drafts._start_of(process.pid) != -1:
        time.sleep(0.01)
    remove_dead_drafts(tmp_path / "out")
    assert not draft.exists()
    process.wait()


def test_a_folder_for_what_is_needed_meanwhile_is_removed(tmp_path: Path) -> None:
    with pytest.raises(KeyError), draft_folder(tmp_path / "out") as folder:
        (folder / "some").touch()
        raise KeyError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_folder_takes_the_place_of_another(
    can_exchange: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not can_exchange:
        monkeypatch.setattr(drafts, "_exchange", lambda *_: False)
    target = tmp_path / "folder"
    for text in ("first", "second"):
        draft = draft_path(target)
        draft.mkdir()
        (draft / "file").write_text(text)
        put_in_place(draft, target)
        assert (target / "file").read_text() == text
        if draft.exists():  # it has what was there before
            assert (draft / "file").read_text() == "first"


def test_the_draft_of_a_computer_whose_name_begins_alike_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "y.bw"
    for number in (0, 1):
        monkeypatch.setattr("socket.gethostname", lambda: f"training-regulatory-genomics-{number}")  # noqa: B023
        _place.cache_clear()
        if number == 0:
            draft = target.with_name(draft_path(target).name.replace(f".{os.getpid()}-", ".999999-"))
            draft.touch()
        else:
            remove_dead_drafts(target)
    monkeypatch.undo()
    _place.cache_clear()
    assert draft.exists()
