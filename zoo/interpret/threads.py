"""Parts of a computation in threads, each of which computes alone.

Mutants take many short operations, which threads that share each of them would wait for one another after.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

__all__ = ["Threads", "part_sizes"]

# Fewer mutants are no part of their own, and neither is a smaller share of what is computed at once: threads would
# spend more time on waiting for one another than on numbers.
_FEWEST, _SMALLEST_SHARE = 64, 5


def part_sizes(count: int, most: int, device: torch.device) -> list[slice]:
    """Parts of so many items, of `most` each at most, alike for each of torch's threads where there are enough."""
    threads = torch.get_num_threads() if device.type == "cpu" else 1
    parts = -(-count // most)
    parts = -(-parts // threads) * threads  # none waits while others compute one part more
    size = min(most, max(_FEWEST, most // _SMALLEST_SHARE, -(-count // max(1, parts))))
    return [slice(first, first + size) for first in range(0, count, size)]


class Threads:
    """Threads that last as long as this object, with the memory that each holds for its own use."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._made_for = (0, 0)  # threads, process

    def map(self, function: Callable[[slice], Tensor], parts: Sequence[slice], device: torch.device) -> list[Tensor]:
        """Apply a function to parts, on a CPU in as many threads as torch uses; results in the order of the parts."""
        threads = torch.get_num_threads()
        if device.type != "cpu" or min(threads, len(parts)) < 2:
            return [function(part) for part in parts]
        is_inference = torch.is_inference_mode_enabled()

        def call(part: slice) -> Tensor:
            """Compute a part as the caller would."""
            with torch.inference_mode(is_inference):
                return function(part)

        try:
            return list(self._of(threads).map(call, parts))
        finally:
            torch.set_num_threads(threads)  # a thread's number is for some of torch's libraries that of all

    def _of(self, threads: int) -> ThreadPoolExecutor:
        """So many threads, each of which lets torch use no other."""
        wanted = (threads, os.getpid())  # a forked process has none of its parent's threads
        if self._pool is None or self._made_for != wanted:
            self._pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
            self._made_for = wanted
        return self._pool
