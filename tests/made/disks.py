"""A small disk that can be filled, or only be read: a tmpfs that a helper process mounts, or else limits of files."""

import gc
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["SmallDisk", "small_disk"]


class SmallDisk:
    """A folder on a small disk.

    Args:
        folder: the folder.
        is_mounted: whether it is a disk of its own; else files in it are limited in size.
        helper: the process that mounts it, where it can be mounted again.
    """

    def __init__(self, folder: Path, is_mounted: bool, helper: "subprocess.Popen[str] | None" = None) -> None:
        self.folder, self.is_mounted, self._helper = folder, is_mounted, helper

    @contextmanager
    def filled(self, left: int) -> Iterator[None]:
        """Leave room for so many bytes while the block runs."""
        if not self.is_mounted:
            before = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (left, before[1]))
            try:
                yield
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, before)
            return
        gc.collect()  # maps of files that were removed take room
        filling, some = self.folder.parent / "filling", bytes(4096)
        with filling.open("wb", buffering=0) as file:
            while True:
                try:
                    file.write(some)
                except OSError:
                    break
            file.truncate(max(0, file.tell() - left // len(some) * len(some)))
        try:
            yield
        finally:
            filling.unlink()

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Let it be read only while the block runs; it must be mounted by a helper."""
        self._remount("ro")
        try:
            yield
        finally:
            self._remount("rw")

    def _remount(self, how: str) -> None:
        assert self._helper is not None and self._helper.stdin is not None and self._helper.stdout is not None
        gc.collect()  # files that are open for writing
        self._helper.stdin.write(f"{how}\n")
        self._helper.stdin.flush()
        assert self._helper.stdout.readline() == f"{how}\n", "the disk could not be mounted again"


@contextmanager
def small_disk(mount: Path, megabytes: int = 24) -> Iterator[SmallDisk]:
    """Make a small disk at an empty folder; it is gone afterwards, whatever happens to this process."""
    script = (
        'mount -t tmpfs -o size="$2"m none "$1" && mkdir "$1/home" && echo mounted || exit 1; '
        'while read -r how; do mount -o "remount,$how" "$1" && echo "$how" || echo failed; done'
    )
    command = ["unshare", "-m", "sh", "-c", script, "sh", str(mount), str(megabytes)]
    try:
        helper = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
    except OSError:  # no such program
        (mount / "home").mkdir()
        yield SmallDisk(mount / "home", False)
        return
    with helper:  # its end closes the pipe that it reads, and it ends too
        assert helper.stdout is not None
        if helper.stdout.readline() == "mounted\n":
            # The mount is in the helper's view of the file system alone.
            yield SmallDisk(Path(f"/proc/{helper.pid}/root{mount.resolve()}/home"), True, helper)
        else:
            (mount / "home").mkdir()
            yield SmallDisk(mount / "home", False)
