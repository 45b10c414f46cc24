"""Processes that are killed while they write: the old file or the new one is there, and the next run cleans up."""

import multiprocessing
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from made.endurance import Fault, amount
from made.writers import CALLS, content_of, killed, make_writer_inputs, writers

from zoo.errors import OutputError
from zoo.utils import drafts
from zoo.utils.drafts import is_draft

TITLE = "process killed while it writes a file"
NAMES = list(writers(Path()))
EARLIER = "what was there before\n"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    make_writer_inputs(folder)
    return folder


def write_and_die(write: Callable[[Path], object], home: Path, call: str, number: int) -> None:
    with killed(call, number):
        write(home)


def is_killed(write: Callable[[Path], object], home: Path, call: str, number: int) -> bool:
    """Run a writer in another process that is killed; false if it came to its end before."""
    process = multiprocessing.get_context("fork").Process(target=write_and_die, args=(write, home, call, number))
    process.start()
    process.join(120)
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def drafts_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if is_draft(path.name))


def whole_files(home: Path) -> dict[str, str]:
    """What a reader finds: hashes of the files that are not part of a draft."""
    content = content_of(home)
    return {name: digest for name, digest in content.items() if not any(map(is_draft, Path(name).parts))}


@pytest.mark.parametrize("name", NAMES)
def test_a_killed_writer_leaves_the_old_file_or_the_new_one(
    name: str, inputs: Path, tmp_path: Path, fault: Callable[[str], AbstractContextManager[Fault]]
) -> None:
    writer = writers(inputs)[name]
    (tmp_path / "undisturbed").mkdir()
    writer.write(tmp_path / "undisturbed")
    expected = content_of(tmp_path / "undisturbed")
    with fault(TITLE) as counts:
        for call in CALLS:
            for number in range(1, 1 + amount(1, 6)):
                home = tmp_path / f"{call}-{number}"
                home.mkdir()
                if not writer.refuses and "cache" not in name:
                    writer.write(home)  # an earlier result, and of other content
                    for file in expected:
                        (home / file).write_text(EARLIER if not file.endswith("config.json") else "{}")
                before = content_of(home)
                if not is_killed(writer.write, home, call, number):
                    break
                after = whole_files(home)
                whole = all(digest in (before.get(file), expected.get(file)) for file, digest in after.items())
                nothing_lost = before.keys() <= after.keys()
                try:
                    writer.write(home)
                    message = ""
                except OutputError as error:  # what was finished before the process was killed is not written over
                    message = str(error)
                done = not message or (after == expected and "exists already" in message)
                right = content_of(home) == expected and not drafts_in(home)
                survived = (whole or writer.resumes) and nothing_lost and done and right
                reason = sorted(after), whole, nothing_lost, message, right, drafts_in(home)
                counts.survived(f"{name}, at {call} {number}", survived, reason)


def test_an_old_folder_comes_back_where_two_cannot_be_exchanged(
    inputs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[str], AbstractContextManager[Fault]],
) -> None:
    """Between two renames nothing lies at the place of the folder; the next run heals it, even if it fails itself."""
    monkeypatch.setattr(drafts, "_exchange", lambda *_: False)
    writer = writers(inputs)["checkpoint"]
    with fault(TITLE) as counts:
        for number in (1, 2, 3):
            home = tmp_path / str(number)
            home.mkdir()
            writer.write(home)
            (home / "mlp.made" / "README.md").write_text(EARLIER)
            before, (folder,) = content_of(home), list(home.iterdir())
            if not is_killed(writer.write, home, "replace", number):
                break
            drafts.remove_dead_drafts(folder)
            healed = content_of(home)
            writer.write(home)
            survived = "mlp.made/README.md" in healed and len(healed) == len(before) and not drafts_in(home)
            counts.survived(f"checkpoint without exchange, at replace {number}", survived, (healed, drafts_in(home)))
