"""Work shared among processes."""

import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from zoo.errors import InputError

__all__ = ["mapped"]


@contextmanager
def mapped(workers: int) -> Iterator[Callable[..., Iterable[Any]]]:
    """A `map` whose calls run in so many processes, in order; below 2 in this one.

    What a call raises is raised here. Ctrl-C ends the processes at once.

    Raises:
        InputError: the system ended a process.
    """
    if workers < 2:
        yield map
        return
    with ProcessPoolExecutor(workers, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_DFL)) as pool:
        try:
            yield pool.map
        except BrokenProcessPool:
            raise InputError(
                "a process that read files was ended by the system: memory ran out, or a file is damaged; with "
                "num_workers of 0 they are read one after the other"
            ) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
