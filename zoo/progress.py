"""A progress bar on standard error, where that is a terminal."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

__all__ = ["bar"]

Item = TypeVar("Item")


def bar(items: Sequence[Item], description: str) -> Iterable[Item]:
    """The items, with a bar that goes away when they are done; nothing is drawn into pipes and files."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(items, description, console=console, transient=True, disable=not console.is_terminal)
