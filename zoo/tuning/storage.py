"""The file of a study, in the folder of a search."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import SQLAlchemyError

from zoo.errors import OutputError

__all__ = ["STUDY", "explaining_storage"]

STUDY = "study.db"


@contextmanager
def explaining_storage(folder: Path) -> Iterator[None]:
    """Turn errors of the file of a study inside, such as of a full disk, into a sentence.

    Args:
        folder: folder of the search.

    Raises:
        OutputError: the file cannot be read or written.
    """
    try:
        yield
    except (StorageInternalError, SQLAlchemyError) as error:
        cause = " ".join(str(getattr(error.__cause__ or error, "orig", None) or error).split())
        raise OutputError(
            f"{folder / STUDY} cannot be written ({cause[:200]}): make room, or choose another folder (--runs); "
            "--resume true goes on with the search"
        ) from None
