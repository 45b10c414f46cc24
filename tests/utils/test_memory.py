"""Freed memory is kept by this process, not given back to the kernel."""

import platform
import subprocess
import sys

import pytest

# Two arrays of 64 MB, one after the other; prints whether the second was made of pages that the process had.
SCRIPT = """
import resource
import numpy as np
from zoo.utils.memory import keep_freed_memory
keep_freed_memory()
for _ in range(2):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    array = np.empty(8 << 20)
    address = array.ctypes.data
    array[:] = 1
    del array
    pages = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
heap = next(line.split()[0] for line in open("/proc/self/maps") if line.rstrip().endswith("[heap]"))
first, last = (int(end, 16) for end in heap.split("-"))
print(first <= address < last, pages < 1_000)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
@pytest.mark.parametrize(("name", "kept"), [("UNRELATED", True), ("MALLOC_MMAP_THRESHOLD_", False)])
def test_what_is_freed_is_kept_unless_the_user_says_otherwise(
    name: str, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "100000")
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == str(kept)
    assert done.stdout.split()[1] == "True" or not kept  # huge pages are few in any case
