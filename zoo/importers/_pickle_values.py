"""Values that a pickle of tensors is made of, and the functions that make them; each checks what it is given."""

import pickle
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from zoo.errors import IntegrityError

__all__ = [
    "FUNCTIONS",
    "ITEM_BYTES",
    "STORAGES",
    "Inert",
    "Storage",
    "StoredTensor",
    "Symbol",
    "fill",
    "hashed",
    "make_storage",
]

_LARGEST_KEY = 2**31  # numbers below it are their own hashes

# Storage class -> type of its elements, and bytes of one.
STORAGES = {
    "torch.FloatStorage": "float32",
    "torch.DoubleStorage": "float64",
    "torch.HalfStorage": "float16",
    "torch.BFloat16Storage": "bfloat16",
    "torch.LongStorage": "int64",
    "torch.IntStorage": "int32",
    "torch.ShortStorage": "int16",
    "torch.CharStorage": "int8",
    "torch.ByteStorage": "uint8",
    "torch.BoolStorage": "bool",
}
ITEM_BYTES = {
    **{"float64": 8, "int64": 8, "float32": 4, "int32": 4},
    **{"float16": 2, "bfloat16": 2, "int16": 2, "int8": 1, "uint8": 1, "bool": 1},
}


@dataclass(frozen=True, slots=True, eq=False)
class Symbol:
    """The name of a class or function in the file; nothing is imported."""

    name: str


@dataclass(slots=True, eq=False)
class Inert:
    """Placeholder of an object of any class: holds its pickled state and has no behaviour."""

    state: dict[Any, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Storage:
    """A storage that tensors are views of: type of its elements, name of its bytes in the file, number of elements.

    Old files have storages that are parts of others: `first` and `count` are the elements of this one.
    """

    dtype: str
    key: str
    numel: int
    first: int
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class StoredTensor:
    """Description of a tensor in the file, as read: checked when it is built."""

    storage: Any
    offset: Any
    shape: Any
    stride: Any


def hashed(key: Any) -> Any:
    """Check a key of a dictionary or a member of a set."""
    if type(key) is str or (type(key) is int and abs(key) < _LARGEST_KEY):
        return key
    raise IntegrityError("a key of a dictionary, or a member of a set, that is neither a text nor a small number")


def fill(table: dict[Any, Any], items: list[Any]) -> dict[Any, Any]:
    """Put keys and values, which alternate, into a dictionary."""
    if len(items) % 2:
        raise pickle.UnpicklingError("a key without a value")
    for key, value in zip(items[::2], items[1::2], strict=True):
        table[hashed(key)] = value
    return table


def make_storage(kind: Any, key: Any, location: Any, numel: Any, view: Any = None) -> Storage:
    """Make the description of a storage from the parts of its name.

    Raises:
        IntegrityError: they are none.
    """
    first, count = 0, numel
    if type(view) is tuple and len(view) == 3:
        _, first, count = view
    elif view is not None:
        raise IntegrityError("it refers to something that is no storage")
    if type(kind) is not Symbol or kind.name not in STORAGES or type(key) is not str:
        raise IntegrityError("it refers to something that is no storage")
    if not all(type(number) is int for number in (numel, first, count)) or not 0 <= first <= first + count <= numel:
        raise IntegrityError("a storage with sizes that are no numbers of elements")
    return Storage(STORAGES[kind.name], key, numel, first, count)


def _stored(storage: Any, offset: Any, shape: Any, stride: Any, *others: Any) -> StoredTensor:
    if len(others) > 2 and others[2]:  # torch's metadata: a view that is conjugated or negated when it is read
        raise IntegrityError("a tensor that is not stored as its values")
    return StoredTensor(storage, offset, shape, stride)


def _parameter(tensor: Any, *_: Any) -> Any:
    return tensor


def _ordered(pairs: Any = ()) -> OrderedDict[Any, Any]:
    """Dictionary as python 3 (empty) or python 2 (pairs) begins it."""
    if type(pairs) not in (tuple, list) or not all(type(pair) in (tuple, list) and len(pair) == 2 for pair in pairs):
        raise pickle.UnpicklingError("a dictionary of what are no pairs")
    return OrderedDict((hashed(key), value) for key, value in pairs)


def _set(members: Any = ()) -> set[Any]:
    if type(members) not in (tuple, list):
        raise pickle.UnpicklingError("a set of what is no list")
    return set(map(hashed, members))


# Functions that a file of tensors calls -> ours.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": _ordered,
    "__builtin__.set": _set,
    "builtins.set": _set,
    "torch._utils._rebuild_tensor": _stored,
    "torch._utils._rebuild_tensor_v2": _stored,
    "torch._utils._rebuild_parameter": _parameter,
}
