"""Parts of a computation in threads, each of which computes alone.

Mutants take many short operations, which threads that share each of them would wait for one another after.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

__all__ = ["by_threads", "part_sizes"]

# Fewer mutants are no part of their own.
_FEWEST = 64


def part_sizes(count: int, most: int, device: torch.device) -> list[slice]:
    """Parts of so many items, of `most` each, or fewer so that each of torch's threads has one."""
    threads = torch.get_num_threads() if device.type == "cpu" else 1
    size = min(most, max(_FEWEST, -(-count // threads)))
    return [slice(first, first + size) for first in range(0, count, size)]


def by_threads(function: Callable[[slice], Tensor], parts: Sequence[slice], device: torch.device) -> list[Tensor]:
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
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(call, parts))
    finally:
        torch.set_num_threads(threads)
