"""Downloads from the Hub onto a disk that is full or can only be read."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from made.hub import Hub, Repository

# The whole command runs where the disk is mounted: the client resolves links, also those that lead into that view.
SCRIPT = """
disk=$1; shift
mount -t tmpfs -o size="$SIZE" none "$disk" || exit 77
"$@" > full.out 2> full.err; echo $? > full.code
mount -o remount,size=50m "$disk"
"$@" > room.out 2> room.err; echo $? > room.code
mount -o remount,ro "$disk"
"$@" > again.out 2> again.err; echo $? > again.code
mount -o remount,rw "$disk"; rm -r "$disk/cache"; mount -o remount,ro "$disk"
"$@" > empty.out 2> empty.err; echo $? > empty.code
"""
FIX = "make room, or set ZOO_CACHE or HF_HOME to a folder that can be written"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("unshare") is None, reason="no disk can be mounted here")
@pytest.mark.parametrize("size", ["8k", "40k", "80k"])
def test_each_is_one_sentence_and_nothing_half_written_is_used(
    size: str, local_hub: Hub, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    repository = local_hub.repositories["org/repo"] = Repository()
    files = {path.name: path.read_bytes() for path in (tiny_checkpoint / "mlp.tiny").iterdir()}
    files["README.md"] += b"x" * 100_000  # a card that does not fit with the rest
    name = f"hf-hub:org/repo@{repository.commit(files)}"
    disk = tmp_path / "disk"
    disk.mkdir()
    settings = {**os.environ, "ZOO_CACHE": str(disk / "cache"), "SIZE": size}
    command = ["unshare", "-m", "sh", "-c", SCRIPT, "sh", str(disk), sys.executable, "-m", "zoo.cli", "info", name]
    done = subprocess.run(command, cwd=tmp_path, env=settings, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode in (1, 77) and not (tmp_path / "full.code").exists():
        pytest.skip("no disk can be mounted here")

    def result(step: str) -> tuple[int, str, str]:
        return (
            int((tmp_path / f"{step}.code").read_text()),
            (tmp_path / f"{step}.out").read_text(),
            (tmp_path / f"{step}.err").read_text(),
        )

    for step, words in (("full", "No space left on device"), ("empty", "Read-only file system")):
        code, out, err = result(step)
        assert (code, out, err.count("\n"), err[:5]) == (2, "", 1, "zoo: "), err
        assert words in err
        assert FIX in err
    assert result("room")[0] == 0
    assert result("again") == result("room")  # what is there is used where nothing can be written
