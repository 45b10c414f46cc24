"""Memory of this process."""

import ctypes
import os
import sys

__all__ = ["keep_freed_memory"]

# Parameters of `mallopt` in <malloc.h>, and the variables by which users set them.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_SET_BY_USERS = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_", "GLIBC_TUNABLES")
_LARGEST = 1 << 30  # bytes of a tensor that is kept


def keep_freed_memory() -> None:
    """Let the C library keep the memory of freed tensors, for the next training step to take.

    glibc gives freed tensors of more than 32 MB back to the kernel, which hands the memory out again page by page and
    filled with zeros: up to two fifths of the time of a training step of Akita. What a process takes at most hardly
    changes (1.3 GB with `akita.yeast`, either way).
    Nothing is changed where there is another C library, or where the user has set this in the environment.
    """
    if sys.platform != "linux" or any(name in os.environ for name in _SET_BY_USERS):
        return
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        mallopt(_MMAP_THRESHOLD, _LARGEST)
        mallopt(_TRIM_THRESHOLD, -1)  # never
