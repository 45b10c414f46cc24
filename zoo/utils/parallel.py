"""Apply a function in several processes."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children
from typing import Any

from zoo.errors import InputError

__all__ = ["mapped"]

_WATCH_SECONDS = 1.0
# The function that a process of the pool applies; sent to it once, because it may be large.
_called: list[Callable[[Any], Any]] = []


@contextmanager
def mapped(function: Callable[[Any], Any], items: Iterable[Any], workers: int) -> Iterator[Iterable[Any]]:
    """Apply a function to items in several processes; gives the results in the order of the items.

    An exception in a process is raised here, and ends all of them. They also end when this process ends.

    Args:
        function: what is applied.
        items: its arguments.
        workers: number of processes; with fewer than 2, this one is used.

    Raises:
        InputError: the system ended a process.
    """
    if workers < 2:
        yield map(function, items)
        return
    others = set(active_children())
    with ProcessPoolExecutor(workers, initializer=_begin, initargs=(function, os.getpid())) as pool:
        try:
            yield pool.map(_call, items)
        except BaseException as error:
            for process in set(active_children()) - others:
                process.terminate()  # so that the pool drops the remaining items
            if isinstance(error, BrokenProcessPool):
                raise InputError(
                    "a process that read files was ended by the system: memory ran out, a file is damaged, or a script "
                    'lacks `if __name__ == "__main__"`; with num_workers of 0 no process is started'
                ) from None
            raise


def _begin(function: Callable[[Any], Any], parent: int) -> None:
    """Prepare a process: Ctrl-C ends it silently, and so does the end of its parent."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _called.append(function)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os._exit(1)


def _call(item: Any) -> Any:
    return _called[-1](item)
