"""Changes of checkpoint folders, drawn by hypothesis: bytes, values of `config.json`, headers, links, other files."""

import copy
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from hypothesis import strategies as st
from made.folders import (
    CONFIG,
    DEEP,
    EXAMPLE,
    FILES,
    WEIGHTS,
    Files,
    change_values,
    join_tensors,
    split_tensors,
)
from safetensors import SafetensorError

__all__ = ["Change", "changed", "changes"]

Change = tuple[Any, ...]

_TEXTS = ("", "a", "mlp", "../../etc/passwd", "/dev/zero", "\ud800", "\x1b[2J\n", "\x00", "é" * 70_000, "NaN")
_NUMBERS = (0, -1, 1, 2, 7, 255, 2**31, 2**63, 10**30, -(10**400), 0.5, -0.0, 1e308, 1e-320, float("nan"), float("inf"))
_OTHERS: tuple[Any, ...] = (
    *(None, True, False, [], {}, [[]], [None], [""], [1, 1], ["a", "a"], {"a": 1}, {"names": 3}),
    DEEP,
)
_LONG: tuple[Any, ...] = ([1] * 100_000, ["t"] * 5_000, [str(number) for number in range(20_000)], [[[1] * 9] * 9] * 99)
_KINDS = ("flip", "remove", "insert", "cut", "double", "empty")
_PLACES = ("missing", "folder", "pipe", "itself", "nowhere", "/proc/self/environ", "/dev/zero", "out", "within")
_SHAPES: tuple[Any, ...] = (
    *([], [0], [1], [2, 3], [2**31, 2**31], [2**63], [-1], [1.5], ["a"], [10**30], None, {}),
    [1] * 3_000,
)
_INAPPLICABLE = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_DTYPES = ("F16", "BF16", "F64", "I64", "U8", "BOOL", "F8_E4M3", "F4", "C64", "", "f32", None, 3)


def _seldom(draw: Callable[[Any], Any]) -> Any:
    """A value of a wrong type or size; long ones in few trials, because they take long."""
    pools = [_TEXTS, _NUMBERS, _OTHERS, *((_LONG,) if draw(st.integers(0, 9)) == 0 else ())]
    return draw(st.sampled_from(draw(st.sampled_from(pools))))


@st.composite
def _change(draw: Callable[[Any], Any]) -> Change:
    kind = draw(
        st.sampled_from(("bytes", "value", "value", "value", "text", "header", "tensor", "type", "place", "swap"))
    )
    file = draw(st.sampled_from(FILES))
    tensors = draw(st.sampled_from((WEIGHTS, EXAMPLE)))
    where = draw(st.integers(0, 2**20))
    match kind:
        case "bytes":
            return kind, file, draw(st.sampled_from(_KINDS)), where, draw(st.binary(min_size=1, max_size=9))
        case "value":
            way = draw(st.sampled_from(("replace", "replace", "scale", "delete", "add", "repeat")))
            return kind, way, where, _seldom(draw), draw(st.integers(-12, 12))
        case "text":
            ways = (
                "mark",
                "wide",
                "again",
                "deep",
                "twice",
                "more",
                *(("many",) if draw(st.integers(0, 9)) == 0 else ()),
            )
            return kind, draw(st.sampled_from(ways)), where  # many lists take long
        case "header":
            field = draw(st.sampled_from(("dtype", "shape", "data_offsets", "name", "delete", "add", "length", "rows")))
            value = draw(st.sampled_from(_SHAPES if field in ("shape", "rows") else _DTYPES))
            return kind, tensors, field, where, value, draw(st.integers(0, 2**64 - 1))
        case "tensor":
            return kind, tensors, where, draw(st.binary(min_size=1, max_size=8)), draw(st.integers(1, 200))
        case "type":
            return kind, tensors, where
        case "place":
            return kind, file, draw(st.sampled_from(_PLACES))
        case _:
            return kind, draw(st.lists(st.sampled_from(FILES), min_size=1, max_size=4, unique=True)), where


def changes() -> st.SearchStrategy[tuple[list[Change], bool]]:
    """One to three changes of a folder, and whether its sha256 are then made those of the files."""
    return st.tuples(st.lists(_change(), min_size=1, max_size=3), st.booleans())


def changed(files: Files, change: Change, others: list[Files]) -> Files:
    """A folder after one change; the same where it does not apply any more.

    Args:
        files: the folder.
        change: drawn from `changes`.
        others: folders whose files may take the place of its own.
    """
    kind, *rest = change
    try:
        return _CHANGES[kind](dict(files), others, *rest)
    except (*_INAPPLICABLE, SafetensorError):
        return files


def _change_bytes(files: Files, _: Any, file: str, how: str, where: int, filling: bytes) -> Files:
    content = files[file]
    assert isinstance(content, bytes)
    at = where % (len(content) + 1)
    head, tail = content[:at], content[at:]
    return {
        **files,
        file: {
            "flip": head + bytes(a ^ b for a, b in zip(tail, filling, strict=False)) + tail[len(filling) :],
            "remove": head + tail[len(filling) :],
            "insert": head + filling + tail,
            "cut": head,
            "double": content + content,
            "empty": b"",
        }[how],
    }


def _places_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value[:20]) if isinstance(value, list) else ()
    return [place for key, item in items for place in [(*path, key), *_places_in(item, (*path, key))]]


def _change_value(files: Files, _: Any, way: str, where: int, value: Any, power: int) -> Files:
    def edit(config: dict[str, Any]) -> None:
        places = _places_in(config)
        *outer, last = places[where % len(places)]
        table: Any = config
        for key in outer:
            table = table[key]
        if way == "delete":
            del table[last]
        elif way == "add":
            table[f"key {where}"] = value
        elif way == "scale":
            table[last] = int(table[last] * 10**power) if isinstance(table[last], int) else table[last] * 10.0**power
        elif way == "repeat":
            table[last] = table[last] * (1_000 if len(str(table[last])) < 1_000 else 2)
        else:
            table[last] = value

    return change_values(files, edit)


def _change_text(files: Files, _: Any, way: str, where: int) -> Files:
    text = files[CONFIG]
    assert isinstance(text, bytes)
    text = {
        "mark": b"\xef\xbb\xbf" + text,
        "wide": text.decode().encode("utf-16"),
        "again": text + text,
        "deep": b'{"a":' * (where % 100_000) + b"1" + b"}" * (where % 100_000),
        "twice": text.replace(b"{", b'{"name": "mlp.other",', 1),
        "more": text + b" " * (1 << 20) + b"x" * (where % 2),
        "many": text[:-2] + b',"more": [' + b"[]," * 100_000 + b"0]}",
    }[way]
    return {**files, CONFIG: text}


def _change_header(files: Files, _: Any, file: str, field: str, where: int, value: Any, number: int) -> Files:
    content = files[file]
    assert isinstance(content, bytes)
    header, data = split_tensors(content)
    names = [name for name in header if name != "__metadata__"]
    name = names[where % len(names)]
    length = None
    if field == "delete":
        del header[name]
    elif field == "add":
        header["more"] = {**copy.deepcopy(header[name]), "shape": [0], "data_offsets": [len(data), len(data)]}
    elif field == "name":
        header[names[(where + 1) % len(names)]] = header.pop(name)
    elif field == "length":
        length = number >> (where % 64)
    elif field == "data_offsets":
        header[name][field] = [number, number + where] if where % 2 else header[names[0]][field]
    elif field == "rows":  # as many values in another shape
        shape = header[name]["shape"]
        header[name]["shape"] = [1, *shape] if where % 2 else shape[::-1]
    else:
        header[name][field] = value
    return {**files, file: join_tensors(header, data, length)}


def _change_type(files: Files, _: Any, file: str, where: int) -> Files:
    """Store the same values, or nearly, as another type."""
    content = files[file]
    assert isinstance(content, bytes)
    tensors = safetensors.numpy.load(content)
    name = sorted(tensors)[where % len(tensors)]
    kinds = ("<f8", "<f2") if np.issubdtype(tensors[name].dtype, np.floating) else ("<f8", "<i4")
    with np.errstate(over="ignore"):
        tensors[name] = tensors[name].astype(kinds[where % 3 % 2])
    return {**files, file: safetensors.numpy.save(tensors)}


def _change_tensor(files: Files, _: Any, file: str, where: int, filling: bytes, times: int) -> Files:
    content = files[file]
    assert isinstance(content, bytes)
    header, data = split_tensors(content)
    at = where % len(data)
    filling = (filling * times)[: len(data) - at]
    return {**files, file: join_tensors(header, data[:at] + filling + data[at + len(filling) :])}


def _change_place(files: Files, _: Any, file: str, place: str) -> Files:
    content = files[file]

    def link_out(path: Path) -> None:
        assert isinstance(content, bytes)
        (outside := path.parents[2] / f"out {file}").write_bytes(content)  # the same, outside
        path.symlink_to(outside)

    makers: dict[str, Callable[[Path], object]] = {
        "folder": lambda path: path.mkdir(),
        "pipe": os.mkfifo,
        "itself": lambda path: path.symlink_to(path.name),
        "nowhere": lambda path: path.symlink_to("no such file"),
        "out": link_out,
        "within": lambda path: path.symlink_to(next(name for name in FILES if name != path.name)),
    }
    assert place != "out" or isinstance(content, bytes)
    if place == "missing":
        del files[file]
        return files
    return {**files, file: makers.get(place, lambda path: path.symlink_to(place))}


def _swap(files: Files, others: list[Files], names: list[str], where: int) -> Files:
    other = others[where % len(others)]
    return {**files, **{name: other[name] for name in names}}


_CHANGES: dict[str, Callable[..., Files]] = {
    "bytes": _change_bytes,
    "value": _change_value,
    "text": _change_text,
    "header": _change_header,
    "tensor": _change_tensor,
    "type": _change_type,
    "place": _change_place,
    "swap": _swap,
}
