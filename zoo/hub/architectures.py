"""The architectures: the files in `zoo/models/`. Nothing here imports torch before an architecture is loaded."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import UnknownNameError

if TYPE_CHECKING:
    from zoo.models._base import SequenceModel

__all__ = ["architectures", "load_architecture"]

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
