"""Freed memory is kept by this process for a while, not given back to the kernel."""

import platform
import subprocess
import sys

import pytest

# An array of 96 MB, then some of 64 MB, one after the other; prints of each whether it lies in the heap, and whether it
# was of pages that the process had. The kernel may list the heap in several parts.
SCRIPT = """
import resource
import numpy as np
from zoo.utils.memory import keeping_freed_memory

def use_array(size):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    array = np.empty(size)
    array[:] = 1
    pages = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    heap = [line.split()[0].split("-") for line in open("/proc/self/maps") if line.rstrip().endswith("[heap]")]
    in_heap = any(int(first, 16) <= array.ctypes.data < int(last, 16) for first, last in heap)
    print(in_heap, pages < 1_000, flush=True)

with keeping_freed_memory():
    use_array(12 << 20)
    with keeping_freed_memory():
        use_array(8 << 20)
    use_array(8 << 20)
use_array(8 << 20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
@pytest.mark.parametrize(("name", "kept"), [("UNRELATED", True), ("MALLOC_MMAP_THRESHOLD_", False)])
def test_what_is_freed_is_kept_unless_the_user_says_otherwise(
    name: str, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "100000")
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    first, inner, outer, after = map(str.split, done.stdout.splitlines())
    assert [in_heap for in_heap, _ in (first, inner, outer, after)] == [str(kept)] * 3 + ["False"]
    # Huge pages are few in any case.
    assert [had_pages for _, had_pages in (inner, outer)] == ["True"] * 2 or not kept
