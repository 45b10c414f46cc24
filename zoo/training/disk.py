"""A run whose disk is full ends with one sentence, and says how it is resumed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zoo.errors import OutputError
from zoo.training.checkpoint_io import LAST
from zoo.utils.disk_errors import AGAIN, FULL, explain_disk

__all__ = ["explaining_full_disk"]


@contextmanager
def explaining_full_disk(run: Path) -> Iterator[None]:
    """Turn errors of a full disk inside into a sentence.

    Args:
        run: folder of the run; its logs are written by libraries, some in threads of their own.

    Raises:
        OutputError: the disk is full; the sentence names the folder, and `--resume true` where there is an epoch to go
            on from.
    """
    before = threading.excepthook
    threading.excepthook = lambda failure: None if _is_full(failure.exc_value) else before(failure)
    try:
        yield
    except OutputError as error:
        raise _resumable(error, run) from None
    except OSError as error:
        if not _is_full(error):
            raise
        raise _resumable(explain_disk(error, run / "log"), run) from None
    finally:
        threading.excepthook = before


def _is_full(error: Any) -> bool:
    """Whether an error says that the disk has no room; one of a thread of a logger is raised in the main thread too."""
    return isinstance(error, OSError) and error.errno in FULL


def _resumable(error: OutputError, run: Path) -> OutputError:
    """The same error, with the option that goes on with the run."""
    can_resume = str(error).endswith(AGAIN) and (run / f"{LAST}.ckpt").exists()
    return OutputError(f"{error} with --resume true") if can_resume else error
