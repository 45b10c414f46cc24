"""Progress on standard error, if that is a terminal: a bar, or a spinner where the number of steps is unknown."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

__all__ = ["bar", "spinner"]

Item = TypeVar("Item")


def bar(items: Sequence[Item], description: str) -> Iterable[Item]:
    """Iterate over items with a progress bar that disappears at the end; draws nothing into pipes and files."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(items, description, console=console, transient=True, disable=not console.is_terminal)


@contextmanager
def spinner(description: str) -> Iterator[None]:
    """Draw a spinner while the block runs; draws nothing into pipes and files."""
    from rich.console import Console

    with Console(stderr=True).status(description):
        yield
