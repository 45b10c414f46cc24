"""Whole modules that others pickled with `torch.save(model)`: their tensors, read without running or building anything.

Such a file asks the reader to import classes and call functions, whatever they are. This reader knows containers and
tensors; of the classes that a caller expects it makes inert stand-ins that hold the state they were given, and any
other name, or call, refuses the file.
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

# All classes of torch's own layers may stand in a module; none of them is imported.
_LAYERS = "torch.nn.modules."
_MOST_BYTES = 4_000_000_000
_MOST_MODULES, _DEEPEST = 100_000, 50
# Tensors may share what is stored; so many times the file, and a little, is what they can take.
_SHARED, _SMALL = 4, 1_000_000


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
            size = sum(each.file_size for each in archive.infolist())
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


class _StoredTensor(NamedTuple):
    """A tensor that is not built before the whole file is read: what a file says of it, checked then."""

    storage: Any
    offset: Any
    shape: Any
    stride: Any


class _Function:
    """Stands for one of torch's functions: can be called, and nothing can be set on it."""

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
    """A storage that a tensor is a view of: where its bytes lie, not yet read."""

    dtype: str
    key: str


class _Kind(str):
    """The name of a kind of storage, such as `FloatStorage`: a text that nothing can call."""


class _Reader(pickle.Unpickler):
    """See the module."""

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


def _stored(storage: Any, offset: Any, shape: Any, stride: Any, *_: Any) -> _StoredTensor:
    return _StoredTensor(storage, offset, shape, stride)


def _parameter(tensor: Any, *_: Any) -> Any:
    return tensor


class _Builder:
    """Builds the tensors of a module, from bytes that are there, and no more than a model has."""

    def __init__(self, archive: zipfile.ZipFile, folder: str, most: int) -> None:
        self.archive, self.folder, self.most = archive, folder, most
        self.bytes = self.modules = 0

    def tensors(self, module: _Inert, prefix: str = "") -> "Iterator[tuple[str, Tensor]]":
        """Names and tensors of a module and of those within it, as its state dict has them."""
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
        """A tensor, once it is known to lie within its storage."""
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
        # torch refuses what reaches past the end.
        return torch.as_strided(flat, shape, stride, offset).clone()


def _table(module: _Inert, kind: str) -> list[tuple[Any, Any]]:
    """One of the dictionaries of a module: names and what they stand for."""
    found = module.state.get(kind)
    if found is not None and not isinstance(found, dict):
        raise IntegrityError(f"the {kind} of a module are no dictionary")
    return list((found or {}).items())
