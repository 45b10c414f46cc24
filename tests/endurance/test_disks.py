"""Full disks: a sentence names the folder, nothing is half-written, and the same command succeeds once it has room."""

import errno
import functools
import hashlib
import io
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from made.disks import SmallDisk, small_disk
from made.endurance import Fault, amount
from made.servers import serving
from made.writers import content_of, make_writer_inputs, writers

from zoo.errors import OutputError, ZooError
from zoo.formats.bed import read_bed
from zoo.utils.atomic import whole_path
from zoo.utils.download import PublicFile, fetch

TITLE = "disk full while a file is written"
NAMES = list(writers(Path()))
FULL = r"could not be written: (the disk of {0}\S* is full: make room|a file in {0}\S* may not become so large)"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    make_writer_inputs(folder)
    return folder


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDisk]:
    with small_disk(tmp_path_factory.mktemp("disk")) as made:
        yield made


def earlier_result(folder: Path, files: list[str]) -> None:
    """Files of the names of a result, with other content."""
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("what was there before\n" if not name.endswith("config.json") else "{}")


def said(action: Callable[[], object]) -> str:
    try:
        action()
    except ZooError as error:
        return f"{type(error).__name__}: {error}"
    return "no error"


@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_is_named_and_costs_nothing(
    name: str,
    inputs: Path,
    disk: SmallDisk,
    tmp_path: Path,
    fault: Callable[[str], AbstractContextManager[Fault]],
) -> None:
    writer = writers(inputs)[name]
    writer.write(tmp_path)
    expected = content_of(tmp_path)
    sizes = [(tmp_path / file).stat().st_size for file in expected]
    size = sum(sizes) if disk.is_mounted else max(sizes)
    rooms = [size // 2, 0, size // 8, 5 * size // 8][: amount(1, 4)]
    if writer.spool:  # room for it, and for a part of the result
        spool = writer.spool if disk.is_mounted else writer.spool // len(sizes)
        rest = size if disk.is_mounted else size - spool
        rooms += [spool + eighths * rest // 8 for eighths in (1, 4, 7, 2, 6)[: amount(3, 5)]]
    pattern = re.compile(FULL.format(re.escape(str(disk.folder))))
    with fault(TITLE) as counts:
        for left in rooms:
            home = disk.folder / "home"
            home.mkdir()
            if not writer.refuses and "cache" not in name:
                earlier_result(home, list(expected))
            write = functools.partial(writer.write, home)
            before = content_of(home)
            with disk.filled(left):
                message = said(write)
            after = content_of(home)
            error = said(write)
            kept = after == before or writer.resumes
            drafts = [file for file in after if ".draft" in file]
            named = pattern.search(message) is not None and ".draft" not in message and "\n" not in message
            right = content_of(home) == expected
            survived = named and kept and not drafts and right
            counts.survived(f"{name}, {left} bytes left", survived, (message, sorted(after), drafts, error, right))
            shutil.rmtree(home)


def test_a_download_onto_a_full_disk_is_named_and_costs_nothing(
    disk: SmallDisk, monkeypatch: pytest.MonkeyPatch, fault: Callable[[str], AbstractContextManager[Fault]]
) -> None:
    content = bytes(range(256)) * 1000
    with fault(TITLE) as counts, serving(lambda request: request.answer(200, content)) as address:
        file = PublicFile(f"{address}/a.fa", hashlib.sha256(content).hexdigest(), len(content))
        for left in [100_000, 0, 8_192][: amount(1, 3)]:
            home = disk.folder / "home"
            monkeypatch.setenv("ZOO_CACHE", str(home))
            with disk.filled(left):
                message = said(lambda: fetch(file))
            after = content_of(home)
            path = fetch(file)
            named = re.search(FULL.format(re.escape(str(home))), message) is not None and "\n" not in message
            survived = named and not after and path.read_bytes() == content and len(content_of(home)) == 1
            counts.survived(f"download, {left} bytes left", survived, (message, after))
            shutil.rmtree(home)


def test_intervals_of_standard_input_that_find_no_room_are_one_sentence(
    disk: SmallDisk, monkeypatch: pytest.MonkeyPatch, fault: Callable[[str], AbstractContextManager[Fault]]
) -> None:
    """They are copied, because they are read twice."""
    content = b"chr1\t0\t10\n" * 20_000
    monkeypatch.setattr(tempfile, "tempdir", str(disk.folder))
    with fault(TITLE) as counts:
        for left in (4_096, 0):
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content))))
            with disk.filled(left):
                message = said(lambda: read_bed("-"))
            named = message.startswith(f"OutputError: standard input could not be copied: the disk of {disk.folder} is")
            counts.survived(f"copy of intervals, {left} bytes left", named and not list(disk.folder.iterdir()), message)


def test_a_read_only_disk_and_a_quota_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, words in {
        errno.EDQUOT: "your quota on the disk of {} is used up: make room there",
        errno.EROFS: "the disk of {} can only be read: name another folder",
        errno.EACCES: "you may not write in {}: name another folder",
        errno.EIO: "the disk of {} has a fault",
    }.items():
        with pytest.raises(OutputError) as error, whole_path(tmp_path / "out.tsv") as draft:
            draft.write_text("half")
            raise OSError(number, "as the system says it")
        assert str(error.value).startswith(f"{tmp_path}/out.tsv could not be written: {words.format(tmp_path)}")
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command", [["config", "basset.peaks"], ["list"], ["predict", "{model}", "{input}", "-o", "-"], ["example"]]
)
def test_a_full_standard_output_is_one_sentence(
    command: list[str], tiny_checkpoint: Path, tmp_path: Path, fault: Callable[[str], AbstractContextManager[Fault]]
) -> None:
    (tmp_path / "in.txt").write_text("ACGTACGTACGTACGTACGT\n" * 50)
    values = {"{model}": f"local-dir:{tiny_checkpoint / 'mlp.tiny'}", "{input}": str(tmp_path / "in.txt")}
    words = [values.get(word, word) for word in command]
    with fault("standard output full") as counts, Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "zoo.cli", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        lines = [line for line in done.stderr.splitlines() if line.startswith("zoo: ")]
        is_said = len(lines) == 1 and "No space left on device" in lines[0] and "Traceback" not in done.stderr
        counts.survived(" ".join(command), done.returncode == 2 and is_said, (done.returncode, done.stderr))
