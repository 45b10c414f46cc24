"""Interpret a pickle of tensors step by step, without python's unpickler: nothing in it is imported or called.

A pickle is a program. Of its steps, this reader knows those that make numbers, texts, containers, and descriptions of
tensors; an object of a class becomes a placeholder that holds its state. The number of steps, and the size of each
number and text, are bounded; keys of dictionaries and members of sets are texts or small numbers, so that nothing in
the file makes hashing recurse or slow down. Nothing here follows containers within containers, however deep they are.
"""

import io
import pickle
import pickletools
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from zoo.errors import IntegrityError
from zoo.importers._pickle_values import (
    FUNCTIONS,
    ITEM_BYTES,
    STORAGES,
    Inert,
    Storage,
    Symbol,
    fill,
    hashed,
    make_storage,
)

__all__ = ["MOST_PICKLE", "PickleReader"]

MOST_PICKLE = 16_000_000  # bytes; that of a model with ten thousand tensors has three
_MOST_STEPS = 1_000_000
_LONGEST_TEXT = 100_000  # letters
_MOST_BITS = 128  # of a number; torch's own mark has 77


class PickleReader:
    """Reads one pickle.

    Args:
        is_class: whether a class, given as `module.name`, may have objects in the file.

    Attributes:
        storages: the storages that the pickle refers to, by their names.
    """

    def __init__(self, is_class: Callable[[str], bool]) -> None:
        self.storages: dict[str, Storage] = {}
        self._is_class = is_class
        self._stack: list[Any] = []
        self._outer: list[list[Any]] = []  # stacks below each mark
        self._memo: dict[int, Any] = {}
        self._steps = 0  # and items that functions were given

    def read(self, file: io.BytesIO) -> Any:
        """Read up to the end of the pickle, and leave the file there.

        Raises:
            IntegrityError: a pickle that asks for anything that no file of tensors needs.
            pickle.UnpicklingError, ValueError, LookupError: not a pickle.
        """
        for opcode, argument, _ in pickletools.genops(file):
            self._count(1)
            step = _STEPS.get(opcode.name)
            if step is None:
                raise IntegrityError(f"it has a step {opcode.name}, which no model needs; nothing of it was run")
            step(self, argument)
        return self._stack.pop()

    def _count(self, steps: int) -> None:
        self._steps += steps
        if self._steps > _MOST_STEPS:
            raise IntegrityError(f"it has more than {_MOST_STEPS:,} steps, where a model has some ten thousand")

    # Steps that make a value.

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _push_text(self, text: str) -> None:
        if len(text) > _LONGEST_TEXT:
            raise IntegrityError(f"it has a text of {len(text):,} letters")
        self._stack.append(text)

    def _push_number(self, number: int) -> None:
        if number.bit_length() > _MOST_BITS:
            raise IntegrityError("it has a number of more than a hundred bits")
        self._stack.append(number)

    def _name(self, module: Any, name: Any) -> None:
        if type(module) is not str or type(name) is not str:
            raise pickle.UnpicklingError("a name that is no text")
        full = f"{module}.{name}"
        if full not in FUNCTIONS and full not in STORAGES and not self._is_class(full):
            raise IntegrityError(f"it asks for {full[:200]!r}, which no model needs; nothing of it was run")
        self._stack.append(Symbol(full))

    def _name_of_stack(self, _: Any) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        self._name(module, name)

    def _call(self, _: Any) -> None:
        arguments, target = self._stack.pop(), self._stack.pop()
        if type(target) is not Symbol or type(arguments) is not tuple or target.name in STORAGES:
            raise pickle.UnpicklingError("a call of what is no function")
        if target.name in FUNCTIONS:
            self._count(sum(len(argument) for argument in arguments if type(argument) in (list, tuple)))
            self._stack.append(FUNCTIONS[target.name](*arguments))
        elif arguments:
            raise IntegrityError("it calls a class, where a module only holds what was saved")
        else:
            self._stack.append(Inert())

    def _new(self, _: Any) -> None:
        if type(self._stack[-2]) is Symbol and self._stack[-2].name in FUNCTIONS:
            raise pickle.UnpicklingError("an object of what is no class")
        self._call(None)

    def _persistent(self, _: Any) -> None:
        key = self._stack.pop()
        if type(key) is not tuple or len(key) not in (5, 6) or key[0] != "storage":
            raise IntegrityError("it refers to something that is no storage")
        storage = make_storage(*key[1:])
        first = self.storages.setdefault(storage.key, storage)
        if first.numel * ITEM_BYTES[first.dtype] != storage.numel * ITEM_BYTES[storage.dtype]:
            raise IntegrityError("a storage with two sizes")
        self._stack.append(storage)

    # Steps that change the stack, the memo or a value.

    def _mark(self, _: Any) -> None:
        self._outer.append(self._stack)
        self._stack = []

    def _since_mark(self) -> list[Any]:
        items, self._stack = self._stack, self._outer.pop()
        return items

    def _drop_to_mark(self, _: Any) -> None:
        self._since_mark()

    def _drop(self, _: Any) -> None:
        self._stack.pop()

    def _last(self, count: int) -> list[Any]:
        if len(self._stack) < count:
            raise pickle.UnpicklingError("fewer values than it takes")
        items = self._stack[-count:]
        del self._stack[-count:]
        return items

    def _remember(self, index: int) -> None:
        self._memo[index] = self._stack[-1]

    def _recall(self, index: int) -> None:
        if index not in self._memo:
            raise pickle.UnpicklingError("it recalls a value that it did not keep")
        self._stack.append(self._memo[index])

    def _add(self, kind: type, items: list[Any]) -> None:
        """Add items to the container on the top of the stack."""
        container = self._stack[-1]
        held = type(container)
        if held is not kind and not (kind is dict and held is OrderedDict):
            raise pickle.UnpicklingError(f"items of a {kind.__name__} for a {held.__name__}")
        if kind is list:
            container.extend(items)
        elif kind is set:
            container.update(map(hashed, items))
        else:
            fill(container, items)

    def _build(self, _: Any) -> None:
        state = self._stack.pop()
        value = self._stack[-1]
        if type(value) is Symbol:
            raise IntegrityError("it sets the state of a function or class")
        if type(value) is not Inert and type(value) is not OrderedDict:
            raise pickle.UnpicklingError(f"the state of a {type(value).__name__}")
        if type(state) is not dict and type(state) is not OrderedDict:
            raise IntegrityError("the state of a module is no dictionary")
        if type(value) is Inert:  # attributes of a dictionary are versions of its modules, which no tensor needs
            value.state = state


def _once(value: Callable[[], Any]) -> Callable[["PickleReader", Any], None]:
    """A step that pushes a new value."""
    return lambda reader, _: reader._push(value())


def _of_python_2(reader: PickleReader, text: str) -> None:
    """A step that pushes a text that python 2 wrote as bytes, which `pickletools` reads as one letter each."""
    reader._push_text(text.encode("latin-1").decode())


def _last(count: int) -> Callable[[PickleReader, Any], None]:
    """A step that makes a tuple of the last values."""
    return lambda reader, _: reader._push(tuple(reader._last(count)))


_Step = Callable[[PickleReader, Any], None]
_STEPS: dict[str, _Step] = {
    **dict.fromkeys(("PROTO", "FRAME", "STOP"), lambda reader, _: None),
    **dict.fromkeys(("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"), PickleReader._push_number),
    **dict.fromkeys(("FLOAT", "BINFLOAT"), PickleReader._push),
    **dict.fromkeys(("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"), PickleReader._push_text),
    **dict.fromkeys(("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"), PickleReader._push_text),
    **dict.fromkeys(("STRING", "BINSTRING", "SHORT_BINSTRING"), _of_python_2),
    "NONE": _once(lambda: None),
    "NEWTRUE": _once(lambda: True),
    "NEWFALSE": _once(lambda: False),
    "EMPTY_TUPLE": _once(tuple),
    "EMPTY_LIST": _once(list),
    "EMPTY_DICT": _once(dict),
    "EMPTY_SET": _once(set),
    "TUPLE1": _last(1),
    "TUPLE2": _last(2),
    "TUPLE3": _last(3),
    "MARK": PickleReader._mark,
    "TUPLE": lambda reader, _: reader._push(tuple(reader._since_mark())),
    "LIST": lambda reader, _: reader._push(reader._since_mark()),
    "DICT": lambda reader, _: reader._push(fill({}, reader._since_mark())),
    "FROZENSET": lambda reader, _: reader._push(frozenset(map(hashed, reader._since_mark()))),
    "APPEND": lambda reader, _: reader._add(list, reader._last(1)),
    "APPENDS": lambda reader, _: reader._add(list, reader._since_mark()),
    "ADDITEMS": lambda reader, _: reader._add(set, reader._since_mark()),
    "SETITEM": lambda reader, _: reader._add(dict, reader._last(2)),
    "SETITEMS": lambda reader, _: reader._add(dict, reader._since_mark()),
    "POP_MARK": PickleReader._drop_to_mark,
    "POP": PickleReader._drop,
    "DUP": lambda reader, _: reader._push(reader._stack[-1]),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), PickleReader._recall),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), PickleReader._remember),
    "MEMOIZE": lambda reader, _: reader._remember(len(reader._memo)),
    "GLOBAL": lambda reader, name: reader._name(*name.split(" ", 1)),
    "STACK_GLOBAL": PickleReader._name_of_stack,
    "REDUCE": PickleReader._call,
    "NEWOBJ": PickleReader._new,
    "BUILD": PickleReader._build,
    "BINPERSID": PickleReader._persistent,
}
