"""Memory of this process."""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["keeping_freed_memory"]

# Parameters of `mallopt` in <malloc.h>, and the variables by which users set them.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_SET_BY_USERS = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_", "GLIBC_TUNABLES")
_LARGEST = 1 << 30  # bytes of a tensor that is kept
_USUAL = {_MMAP_THRESHOLD: 32 << 20, _TRIM_THRESHOLD: 64 << 20}  # what glibc comes to by itself
_running: list[None] = []  # blocks that have begun and not ended; the last one to end gives memory back


@contextmanager
def keeping_freed_memory() -> Iterator[None]:
    """Let the C library keep the memory of freed tensors, for the next batch to take, while the block runs.

    glibc gives freed tensors of more than 32 MB back to the kernel, which hands the memory out again page by page and
    filled with zeros: up to two fifths of the time of a training step of Akita, and half of that of a prediction of
    Basset in large batches. What a process takes at most changes little (1.3 GB in training `akita.yeast`, either way;
    530 to 620 MB in predicting by DeepBind); afterwards it is given back. Nothing is changed where there is another C
    library, or where the user has set this in the environment. Blocks may lie within one another.
    """
    libc = ctypes.pythonapi if sys.platform == "linux" else None  # the whole process, without loading a library
    if not hasattr(libc, "mallopt") or any(name in os.environ for name in _SET_BY_USERS):
        yield
        return
    assert libc is not None
    libc.mallopt(_MMAP_THRESHOLD, _LARGEST)
    libc.mallopt(_TRIM_THRESHOLD, -1)  # never
    _running.append(None)
    try:
        yield
    finally:
        _running.pop()
        if not _running:
            for parameter, value in _USUAL.items():
                libc.mallopt(parameter, value)
            libc.malloc_trim(0)
