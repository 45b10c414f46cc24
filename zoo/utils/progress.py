"""Progress on standard error, if that is a terminal: a bar, or a spinner where the number of steps is unknown."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

__all__ = ["bar", "spinner", "stream_bar"]

Item = TypeVar("Item")


def bar(items: Sequence[Item], description: str) -> Iterable[Item]:
    """Iterate over items with a progress bar that disappears at the end; draws nothing into pipes and files."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(items, description, console=console, transient=True, disable=not console.is_terminal)


def stream_bar(
    items: Iterable[Item], description: str, total: int | None, size: Callable[[Item], int] = lambda item: 1
) -> Iterator[Item]:
    """Iterate over items with a progress bar, or a count where nobody knows how many there are.

    Args:
        items: what is computed as it is asked for.
        description: what the bar says.
        total: sum of the sizes of all items; None where it is not known.
        size: of an item; by default 1.
    """
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    counting = (SpinnerColumn(), TextColumn("sequences"), MofNCompleteColumn(), TimeElapsedColumn())
    columns = Progress.get_default_columns() if total else counting
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(description, total=total)
        for item in items:
            yield item
            progress.advance(task, size(item))


@contextmanager
def spinner(description: str) -> Iterator[None]:
    """Draw a spinner while the block runs; draws nothing into pipes and files."""
    from rich.console import Console

    with Console(stderr=True).status(description):
        yield
