"""A small disk that can be filled: a tmpfs that only a helper process mounts, or else a limit of the sizes of files."""

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
    """

    def __init__(self, folder: Path, is_mounted: bool) -> None:
        self.folder, self.is_mounted = folder, is_mounted

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
def small_disk(mount: Path, megabytes: int = 24) -> Iterator[SmallDisk]:
    """Make a small disk at an empty folder; it is gone afterwards, whatever happens to this process."""
    script = 'mount -t tmpfs -o size="$2"m none "$1" && mkdir "$1/home" && echo mounted && read -r _'
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
            yield SmallDisk(Path(f"/proc/{helper.pid}/root{mount.resolve()}/home"), True)
        else:
            (mount / "home").mkdir()
            yield SmallDisk(mount / "home", False)
