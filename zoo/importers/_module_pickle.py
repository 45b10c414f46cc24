"""Whole modules that others pickled with `torch.save(model)`: their tensors, read without running or building anything.

Such a file asks the reader to import classes and call functions, whatever they are. This reader knows containers and
tensors; of the classes that a caller expects it makes inert stand-ins that hold the state they were given, and any
other name, or call, refuses the file.
"""

import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from zoo.errors import IntegrityError, one_line

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["read_module"]

# All classes of torch's own layers may stand in a module; none of them is imported.
_LAYERS = "torch.nn.modules."
_MOST_BYTES = 4_000_000_000


def read_module(path: Path, classes: Collection[str]) -> "dict[str, Tensor]":
    """Read the parameters and buffers of a pickled module, by their names in its state dict.

    Args:
        path: what `torch.save(model, path)` wrote, in torch's zip format.
        classes: `module.name` of the publisher's own classes that may stand in it.

    Raises:
        IntegrityError: not such a file, or one that asks for anything else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            (name,) = (each for each in archive.namelist() if each.endswith("/data.pkl"))
            if sum(each.file_size for each in archive.infolist()) > _MOST_BYTES:
                raise IntegrityError(f"{path}: unpacked it would be larger than any model here")
            root = _Reader(archive, name, classes).load()
    except zipfile.BadZipFile:
        raise IntegrityError(f"{path}: not a model file in torch's zip format") from None
    except IntegrityError as error:
        raise IntegrityError(f"{path}: {error}") from None
    # A pickle is a program for the unpickler: a broken or hostile one can fail in any of its steps.
    except (pickle.UnpicklingError, ValueError, TypeError, LookupError, AttributeError, EOFError, OSError) as error:
        raise IntegrityError(f"{path}: not a pickled module ({one_line(error)[:200]})") from None
    except (struct.error, RuntimeError, MemoryError, RecursionError, ImportError) as error:
        raise IntegrityError(f"{path}: not a pickled module ({one_line(error)[:200]})") from None
    if not isinstance(root, _Inert):
        raise IntegrityError(f"{path}: {type(root).__name__} where a module is wanted")
    return dict(_tensors(root, "", 0))


class _Inert:
    """Stands for an object of some class: holds the state it was pickled with and can do nothing."""

    state: dict[str, Any]

    def __new__(cls, *arguments: Any) -> "_Inert":
        if arguments:
            raise IntegrityError("it calls a class, where a module only holds what was saved")
        found = super().__new__(cls)
        object.__setattr__(found, "state", {})
        return found

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, dict):
            raise IntegrityError("the state of a module is no dictionary")
        object.__setattr__(self, "state", state)


class _Storage(NamedTuple):
    """A storage that a tensor is a view of: where its bytes lie, not yet read."""

    dtype: str
    key: str


class _Kind(str):
    """The name of a kind of storage, such as `FloatStorage`: a text that nothing can call."""


class _Reader(pickle.Unpickler):
    """See the module."""

    def __init__(self, archive: zipfile.ZipFile, name: str, classes: Collection[str]) -> None:
        super().__init__(io.BytesIO(archive.read(name)), encoding="utf-8")
        self.archive, self.folder, self.classes = archive, name.removesuffix("data.pkl"), classes
        self.known = {
            "collections.OrderedDict": OrderedDict,
            "__builtin__.set": set,
            "builtins.set": set,
            "torch._utils._rebuild_tensor_v2": self._tensor,
            "torch._utils._rebuild_parameter": _parameter,
        }

    def find_class(self, module: str, name: str) -> Any:
        """What a name in the file means; nothing is imported for it."""
        full = f"{module}.{name}"
        if full in self.known:
            return self.known[full]
        if module == "torch" and name in _DTYPES:
            return _Kind(name)
        if full in self.classes or full.startswith(_LAYERS):
            return _Inert
        raise IntegrityError(f"it asks for {full!r}, which no model needs; nothing of it was run")

    def persistent_load(self, key: Any) -> _Storage:
        """A storage, by the name of its file in the archive."""
        kind, dtype, place, *_ = key
        if kind != "storage" or not isinstance(dtype, _Kind) or not isinstance(place, str):
            raise IntegrityError("it refers to something that is no storage")
        return _Storage(str(dtype), place)

    def _tensor(self, storage: Any, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> "Tensor":
        """What torch's function of that name builds, from bytes that are there."""
        import torch

        if not isinstance(storage, _Storage):
            raise IntegrityError("a tensor without a storage")
        data = bytearray(self.archive.read(f"{self.folder}data/{storage.key}"))
        if min([offset, *shape, *stride], default=0) < 0:
            raise IntegrityError("a tensor reaches outside its storage")
        flat = torch.frombuffer(data, dtype=getattr(torch, _DTYPES[storage.dtype])) if data else torch.empty(0)
        # torch refuses what reaches past the end.
        return torch.as_strided(flat, shape, stride, offset).clone()


# Kinds of storage -> the type of their elements.
_DTYPES = {
    "FloatStorage": "float32",
    "DoubleStorage": "float64",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "BoolStorage": "bool",
}


def _parameter(tensor: "Tensor", *_: Any) -> "Tensor":
    return tensor


def _tensors(module: _Inert, prefix: str, depth: int) -> "Iterator[tuple[str, Tensor]]":
    """Names and tensors of a module and of those within it."""
    import torch

    if depth > 50:
        raise IntegrityError("modules within modules without end")
    for kind in ("_parameters", "_buffers"):
        for name, tensor in dict(module.state.get(kind) or {}).items():
            if isinstance(tensor, torch.Tensor):
                yield f"{prefix}{name}", tensor
    for name, inner in dict(module.state.get("_modules") or {}).items():
        if isinstance(inner, _Inert):
            yield from _tensors(inner, f"{prefix}{name}.", depth + 1)
