"""The architectures: the files in `zoo/models/`. Nothing here imports torch before an architecture is loaded."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import IntegrityError, UnknownNameError, ZooError, one_line

if TYPE_CHECKING:
    from zoo.models._base import SequenceModel

__all__ = ["architectures", "explained", "load_architecture"]

_PACKAGE = Path(__file__).parent.parent


def architectures() -> list[str]:
    """The names of the architectures: the files in `zoo/models/`."""
    return sorted(path.stem for path in (_PACKAGE / "models").glob("[a-z]*.py"))


def load_architecture(name: str) -> "type[SequenceModel]":
    """Import the class of an architecture: the one SequenceModel that its file defines.

    Raises:
        UnknownNameError: no file in `zoo/models/` has that name.
    """
    if name not in architectures():
        raise UnknownNameError(
            f"the architecture {name!r} is not part of zoo, which has {', '.join(architectures())}: to load its "
            f"checkpoints, put its class into zoo/models/{name}.py"
            if name.isidentifier()
            else f"there is no architecture {name!r}; there are {', '.join(architectures())}"
        )
    from zoo.models._base import SequenceModel

    module = import_module(f"zoo.models.{name}")
    (architecture,) = (
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, SequenceModel) and value.__module__ == module.__name__
    )
    return architecture


@contextmanager
def explained(subject: Path | str, reason: str) -> Iterator[None]:
    """Turn what an architecture raises about arguments that do not suit it into one sentence.

    Arguments are numbers, words and lists; a wrong one can fail anywhere in torch.

    Args:
        subject: the file, or the class, with which the sentence begins.
        reason: what is said of it, before the message of a library's error.

    Raises:
        IntegrityError: that sentence.
    """
    try:
        yield
    except ZooError as error:
        raise IntegrityError(f"{subject}: {error}") from None
    except (
        *(TypeError, ValueError, LookupError, RuntimeError, ArithmeticError, AttributeError, AssertionError),
        MemoryError,
    ) as error:
        raise IntegrityError(f"{subject} {reason}: {one_line(error) or type(error).__name__}") from None
