"""Progress on standard error, where that is a terminal: a bar, or a spinner where no end can be foreseen."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

__all__ = ["bar", "spinner"]

Item = TypeVar("Item")


def bar(items: Sequence[Item], description: str) -> Iterable[Item]:
    """The items, with a bar that goes away when they are done; nothing is drawn into pipes and files."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(items, description, console=console, transient=True, disable=not console.is_terminal)


@contextmanager
def spinner(description: str) -> Iterator[None]:
    """A sign of life beside what is being done; nothing is drawn into pipes and files."""
    from rich.console import Console

    with Console(stderr=True).status(description):
        yield
