"""Read the tensors of a whole module that was pickled with `torch.save(model)`, without running code from the file.

Such a file can ask the reader to import any class and call any function. This reader knows containers and tensors
only. An object of a class that the caller expects becomes an inert placeholder that holds its state; a file that asks
for any other name, or calls a class, is refused.
"""

import io
import math
import pickle
import struct
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from zoo.errors import IntegrityError, one_line

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["read_module"]

# All classes of torch's own layers are accepted in a module; none of them is imported.
_LAYERS = "torch.nn.modules."
_MOST_BYTES = 4_000_000_000
_MOST_MODULES, _DEEPEST = 100_000, 50
# Tensors may share storages: together they may have this many times the bytes of the file, plus a small constant.
_SHARED, _SMALL = 4, 1_000_000


def read_module(path: Path, classes: Collection[str]) -> "dict[str, Tensor]":
    """Read the parameters and buffers of a pickled module, by their names in its state dict.

    Args:
        path: file that `torch.save(model, path)` wrote, in torch's zip format.
        classes: `module.name` of the publisher's own classes that are accepted in it.

    Returns:
        Tensors by name, in the order of the state dict.

    Raises:
        IntegrityError: a file that is not in this format, or that asks for anything else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            (name,) = (entry for entry in archive.namelist() if entry.endswith("/data.pkl"))
            size = sum(entry.file_size for entry in archive.infolist())
            if size > _MOST_BYTES:
                raise IntegrityError(f"{path}: unpacked it would be larger than any model here")
            root = _Reader(archive, name, classes).load()
            if not isinstance(root, _Inert):
                raise IntegrityError(f"{type(root).__name__} where a module is wanted")
            return dict(_Builder(archive, name.removesuffix("data.pkl"), _SHARED * size + _SMALL).tensors(root))
    except zipfile.BadZipFile:
        raise IntegrityError(f"{path}: not a model file in torch's zip format") from None
    except IntegrityError as error:
        raise IntegrityError(f"{path}: {error}") from None
    # A pickle is a program for the unpickler: a broken or hostile one can fail in any of its steps.
    except (pickle.UnpicklingError, ValueError, TypeError, LookupError, AttributeError, EOFError, OSError) as error:
        raise IntegrityError(f"{path}: not a pickled module ({one_line(error)[:200]})") from None
    except (struct.error, zlib.error, ArithmeticError, RuntimeError, MemoryError, ImportError) as error:
        raise IntegrityError(f"{path}: not a pickled module ({one_line(error)[:200]})") from None


class _Inert:
    """Placeholder of an object of any class: holds its pickled state and has no behaviour."""

    state: dict[str, Any]

    def __new__(cls, *arguments: Any) -> "_Inert":
        if arguments:
            raise IntegrityError("it calls a class, where a module only holds what was saved")
        placeholder = super().__new__(cls)
        object.__setattr__(placeholder, "state", {})
        return placeholder

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, dict):
            raise IntegrityError("the state of a module is no dictionary")
        object.__setattr__(self, "state", state)


class _StoredTensor(NamedTuple):
    """Description of a tensor in the file, as read: checked and built after the whole file is read."""

    storage: Any
    offset: Any
    shape: Any
    stride: Any


class _Function:
    """Replacement of one of torch's functions: can be called; no attribute can be set."""

    __slots__ = ("_call",)
    _call: Callable[..., Any]

    def __init__(self, call: Callable[..., Any]) -> None:
        object.__setattr__(self, "_call", call)

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise IntegrityError("it sets the state of a function")

    def __setattr__(self, name: str, value: Any) -> None:
        raise IntegrityError("it sets an attribute of a function")


class _Storage(NamedTuple):
    """A storage that a tensor is a view of: type and file name of its bytes, not yet read."""

    dtype: str
    key: str


class _Kind(str):
    """Name of a storage class, such as `FloatStorage`: a string, so that it cannot be called."""


class _Reader(pickle.Unpickler):
    """Restricted unpickler: see the module's docstring."""

    def __init__(self, archive: zipfile.ZipFile, name: str, classes: Collection[str]) -> None:
        super().__init__(io.BytesIO(archive.read(name)), encoding="utf-8")
        self.classes = classes
        self.known = {
            "collections.OrderedDict": OrderedDict,
            "__builtin__.set": set,
            "builtins.set": set,
            "torch._utils._rebuild_tensor_v2": _Function(_stored),
            "torch._utils._rebuild_parameter": _Function(_parameter),
        }

    def find_class(self, module: str, name: str) -> Any:
        """Look up a name in the file; nothing is imported."""
        full = f"{module}.{name}"
        if full in self.known:
            return self.known[full]
        if module == "torch" and name in _DTYPES:
            return _Kind(name)
        if full in self.classes or full.startswith(_LAYERS):
            return _Inert
        raise IntegrityError(f"it asks for {full!r}, which no model needs; nothing of it was run")

    def persistent_load(self, key: Any) -> _Storage:
        """Look up a storage by the name of its file in the archive."""
        kind, dtype, name, *_ = key
        if kind != "storage" or not isinstance(dtype, _Kind) or not isinstance(name, str):
            raise IntegrityError("it refers to something that is no storage")
        return _Storage(str(dtype), name)


# Storage class -> type of its elements.
_DTYPES = {
    "FloatStorage": "float32",
    "DoubleStorage": "float64",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "BoolStorage": "bool",
}


def _stored(storage: Any, offset: Any, shape: Any, stride: Any, *_: Any) -> _StoredTensor:
    return _StoredTensor(storage, offset, shape, stride)


def _parameter(tensor: Any, *_: Any) -> Any:
    return tensor


class _Builder:
    """Builds the tensors of a module from the bytes in the file, up to a number of bytes and of modules."""

    def __init__(self, archive: zipfile.ZipFile, folder: str, most: int) -> None:
        self.archive, self.folder, self.most = archive, folder, most
        self.bytes = self.modules = 0

    def tensors(self, module: _Inert, prefix: str = "") -> "Iterator[tuple[str, Tensor]]":
        """Yield names and tensors of a module and its submodules in the order of the state dict."""
        self.modules += 1
        if self.modules > _MOST_MODULES or prefix.count(".") > _DEEPEST:
            raise IntegrityError("modules within modules without end")
        hidden = module.state.get("_non_persistent_buffers_set", ())
        for kind in ("_parameters", "_buffers"):
            for name, stored in _table(module, kind):
                if isinstance(stored, _StoredTensor) and not (kind == "_buffers" and name in hidden):
                    yield f"{prefix}{name}", self.build(stored)
        for name, inner in _table(module, "_modules"):
            if isinstance(inner, _Inert):
                yield from self.tensors(inner, f"{prefix}{name}.")

    def build(self, stored: _StoredTensor) -> "Tensor":
        """Build a tensor after checking that it lies within its storage."""
        import torch

        storage, offset, shape, stride = stored
        numbers = [offset, *shape, *stride]
        if not isinstance(storage, _Storage) or not all(type(number) is int for number in numbers):
            raise IntegrityError("a tensor without a storage, or with sizes that are no numbers")
        if min(numbers) < 0:
            raise IntegrityError("a tensor reaches outside its storage")
        dtype = getattr(torch, _DTYPES[storage.dtype])
        self.bytes += math.prod(shape) * dtype.itemsize
        if self.bytes > self.most:
            raise IntegrityError("its tensors are far larger than the file")
        data = bytearray(self.archive.read(f"{self.folder}data/{storage.key}"))
        flat = torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)
        # torch refuses a view that extends past the end.
        return torch.as_strided(flat, shape, stride, offset).clone()


def _table(module: _Inert, kind: str) -> list[tuple[Any, Any]]:
    """Items of one of the dictionaries in the state of a module."""
    table = module.state.get(kind)
    if table is not None and not isinstance(table, dict):
        raise IntegrityError(f"the {kind} of a module are no dictionary")
    return list((table or {}).items())
