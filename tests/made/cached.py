"""What the cache keeps of changed inputs, compared with what is made of them in an empty cache."""

from collections.abc import Callable
from pathlib import Path
from unittest import mock

__all__ = ["assert_made_of"]


def assert_made_of(before: Callable[[], object], after: Callable[[], object], folder: Path) -> None:
    """Assert that the cache gives for changed inputs what an empty one gives, which is another result.

    Args:
        before: reads or makes the result of the first inputs; results can be compared with `==`.
        after: changes the inputs, and does the same; may be called twice.
        folder: place for the empty cache.
    """
    first, second = before(), after()
    with mock.patch.dict("os.environ", {"ZOO_CACHE": str(folder / "empty cache")}):
        anew = after()
    assert anew != first, "the change makes no difference: choose another"
    assert second == anew, "the result of other inputs came from the cache"
