"""Pickles by hand. A pickle is a program in postfix: each of these functions pushes one value."""

import struct
import zipfile
from pathlib import Path

__all__ = ["by_hand", "called", "layer", "named", "number", "row", "storage", "table", "tensor", "text", "with_weight"]


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def number(value: int) -> bytes:
    return b"I%d\n" % value


def row(*values: bytes) -> bytes:
    return b"(" + b"".join(values) + b"t"


def table(**values: bytes) -> bytes:
    return b"}(" + b"".join(text(key) + value for key, value in values.items()) + b"u"


def named(module: str, name: str) -> bytes:
    return text(module) + text(name) + b"\x93"


def called(module: str, name: str, *arguments: bytes) -> bytes:
    return named(module, name) + row(*arguments) + b"R"


def layer(state: bytes, module: str = "torch.nn.modules.linear", name: str = "Linear") -> bytes:
    """An object of a class, made without arguments and given a state."""
    return named(module, name) + b")\x81" + state + b"b"


def storage(key: str = "0", kind: bytes = named("torch", "FloatStorage"), word: str = "storage") -> bytes:
    return row(text(word), kind, text(key), text("cpu"), number(4)) + b"Q"


def tensor(
    offset: int = 0, shape: tuple[int, ...] = (4,), stride: tuple[int, ...] = (1,), place: bytes | None = None
) -> bytes:
    sizes = row(*map(number, shape)), row(*map(number, stride))
    return called("torch._utils", "_rebuild_tensor_v2", storage() if place is None else place, number(offset), *sizes)


def with_weight(weight: bytes) -> bytes:
    return layer(table(_parameters=table(weight=weight)))


def by_hand(folder: Path, value: bytes, name: str = "archive/data.pkl") -> Path:
    """A file as torch's, with a storage of four numbers."""
    path = folder / "hand.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, b"\x80\x04" + value + b".")
        archive.writestr("archive/data/0", struct.pack("<4f", 1, 2, 3, 4))
        archive.writestr("archive/x", struct.pack("<4f", 5, 6, 7, 8))
    return path
