"""Read the tensors of a whole module that was pickled with `torch.save(model)`, without running code from the file.

Such a file can ask the reader to import any class and call any function. This reader knows containers and tensors
only. An object of a class that the caller expects becomes an inert placeholder that holds its state; a file that asks
for any other name, or calls a class, is refused.
"""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import IntegrityError
from zoo.importers._pickle_values import Inert, StoredTensor
from zoo.importers._saved_file import open_saved

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["read_module"]

# All classes of torch's own layers are accepted in a module; none of them is imported.
_LAYERS = "torch.nn.modules."
# Entries of all modules, each counted as often as it is reached; and letters of a name in the state dict.
_MOST_ENTRIES, _LONGEST_NAME, _DEEPEST = 100_000, 1_000, 50


def read_module(path: Path, classes: Collection[str]) -> "dict[str, Tensor]":
    """Read the parameters and buffers of a pickled module, by their names in its state dict.

    Args:
        path: file that `torch.save(model, path)` wrote.
        classes: `module.name` of the publisher's own classes that are accepted in it.

    Returns:
        Tensors by name, in the order of the state dict.

    Raises:
        IntegrityError: a file that is not in this format, or that asks for anything else.
    """
    with open_saved(path, "pickled module", lambda name: name in classes or name.startswith(_LAYERS)) as saved:
        if type(saved.root) is not Inert:
            raise IntegrityError(f"{type(saved.root).__name__} where a module is wanted")
        return {name: saved.build(stored) for name, stored in _Walk().tensors(saved.root)}


class _Walk:
    """Lists the tensors of a module, up to a number of entries."""

    def __init__(self) -> None:
        self.entries = 0

    def tensors(self, module: Inert, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, StoredTensor]]:
        """Yield names and tensors of a module and its submodules in the order of the state dict."""
        if depth > _DEEPEST:
            raise IntegrityError("modules within modules without end")
        hidden = module.state.get("_non_persistent_buffers_set", set())
        if type(hidden) is not set:
            raise IntegrityError("the _non_persistent_buffers_set of a module is no set")
        for kind in ("_parameters", "_buffers"):
            for name, stored in self._table(module, kind, prefix):
                if isinstance(stored, StoredTensor) and not (kind == "_buffers" and name in hidden):
                    yield f"{prefix}{name}", stored
        for name, inner in self._table(module, "_modules", prefix):
            if isinstance(inner, Inert):
                yield from self.tensors(inner, f"{prefix}{name}.", depth + 1)

    def _table(self, module: Inert, kind: str, prefix: str) -> Iterator[tuple[str, Any]]:
        """Yield the items of one of the dictionaries in the state of a module."""
        table = module.state.get(kind)
        if table is not None and not isinstance(table, dict):
            raise IntegrityError(f"the {kind} of a module are no dictionary")
        for name, value in (table or {}).items():
            self.entries += 1
            if type(name) is not str or not name.isprintable():
                raise IntegrityError(f"the {kind} of a module have a name that is no printable text")
            if self.entries > _MOST_ENTRIES or len(prefix) + len(name) > _LONGEST_NAME:
                raise IntegrityError("modules within modules without end")
            yield name, value
