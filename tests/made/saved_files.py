"""Files of torch: small ones as torch writes them, mutated ones, and what readers make of them (in a child process)."""

import hashlib
import io
import pickle
import pickletools
import random
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

__all__ = ["KINDS", "expected_of", "made_file", "mutate", "read_module_digest", "read_state_digest"]

KINDS = ("module", "zip", "old")
Digest = dict[str, str]


def made_file(kind: str) -> bytes:
    """A small module or state dict, as torch saves it: convolution, norm and dense layer, of three types of numbers."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv1d(4, 3, 5), nn.BatchNorm1d(3), nn.Sequential(nn.Linear(3, 2)))
    model.register_buffer("many", torch.arange(6).reshape(2, 3).half().T)
    saved, file = model if kind == "module" else model.state_dict(), io.BytesIO()
    torch.save(saved, file, _use_new_zipfile_serialization=kind != "old")
    return file.getvalue()


# Run in a child process.


def _digest(tensors: dict[str, Any]) -> Digest:
    return {
        name: f"{value.dtype} {tuple(value.shape)} {hashlib.sha256(str(value.tolist()).encode()).hexdigest()[:12]}"
        for name, value in tensors.items()
    }


def read_module_digest(path: str) -> Digest:
    """What the zoo's reader of modules reads."""
    from zoo.importers._module_pickle import read_module

    return _digest(read_module(Path(path), {"published.Net"}))


def read_state_digest(path: str) -> Digest:
    """What the zoo's reader of state dicts reads."""
    from zoo.importers._state_dict import read_state_dict

    return _digest(read_state_dict(Path(path)))


def expected_of(path: str, kind: str) -> Digest:
    """What others read: torch, with tensors alone; of a module, python's unpickler with torch's functions."""
    import torch

    if kind != "module":
        return _digest(dict(torch.load(path, weights_only=True)))
    with zipfile.ZipFile(path) as archive:
        root = _Unpickler(archive).load()
    return _digest(dict(_state_of(root)))


class _Layer:
    """An object of any class."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


class _Unpickler(pickle.Unpickler):
    """Python's own unpickler, which finds torch's functions and storages alone; all layers are `_Layer`."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        (name,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
        super().__init__(io.BytesIO(archive.read(name)))
        self.archive, self.folder = archive, name.removesuffix("data.pkl")

    def find_class(self, module: str, name: str) -> Any:
        import torch

        known = {
            "collections.OrderedDict": OrderedDict,
            "__builtin__.set": set,
            "torch._utils._rebuild_tensor_v2": torch._utils._rebuild_tensor_v2,
            "torch._utils._rebuild_parameter": lambda tensor, *_: tensor,
            "torch.FloatStorage": torch.float32,
            "torch.LongStorage": torch.int64,
            "torch.HalfStorage": torch.float16,
        }
        return _Layer if module.startswith("torch.nn.modules.") else known[f"{module}.{name}"]

    def persistent_load(self, key: Any) -> Any:
        import torch

        _, dtype, name, _, count = key
        data = bytearray(self.archive.read(f"{self.folder}data/{name}"))
        assert len(data) == count * dtype.itemsize
        untyped = torch.frombuffer(data, dtype=torch.uint8).untyped_storage()
        wrapped: Any = torch.storage.TypedStorage
        return wrapped(wrap_storage=untyped, dtype=dtype, _internal=True)


def _state_of(module: Any, prefix: str = "") -> Any:
    hidden: set[str] = getattr(module, "_non_persistent_buffers_set", set())
    # A layer without one of its tables holds nothing there; what is missing then is found when a model is filled.
    parameters, buffers, modules = (getattr(module, f"_{kind}", {}) for kind in ("parameters", "buffers", "modules"))
    for name, value in {**parameters, **buffers}.items():
        if value is not None and name not in hidden:
            yield f"{prefix}{name}", value
    for name, inner in modules.items():
        yield from _state_of(inner, f"{prefix}{name}.")


# Mutations.


def mutate(content: bytes, kind: str, random_: random.Random) -> tuple[str, bytes]:
    """Change a file in one or a few places: what was done, and the new content."""
    ways: list[Callable[[bytes, random.Random], bytes]] = [_change, _cut, _insert, _exchange]
    if kind == "old":
        ways += [lambda raw, dice: _old_pickle(raw, dice)] * 6
    else:
        ways += [_members, _members, *[_zipped_pickle] * 6]
    way = random_.choice(ways)
    return way.__name__, way(content, random_)


def _change(content: bytes, dice: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(dice.choice((1, 1, 1, 3, 20))):
        changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed)


def _cut(content: bytes, dice: random.Random) -> bytes:
    first = dice.randrange(len(content))
    return content[:first] + content[first + dice.choice((1, 8, 100, len(content))) :]


def _insert(content: bytes, dice: random.Random) -> bytes:
    first = dice.randrange(len(content))
    return content[:first] + dice.randbytes(dice.choice((1, 4, 8, 64))) + content[first:]


def _exchange(content: bytes, dice: random.Random) -> bytes:
    size = dice.choice((1, 8, 64))
    one, other = sorted(dice.sample(range(len(content) // size), 2))
    blocks = [content[i : i + size] for i in range(0, len(content), size)]
    blocks[one], blocks[other] = blocks[other], blocks[one]
    return b"".join(blocks)


def mutate_pickle(pickled: bytes, dice: random.Random) -> bytes:
    """Change steps of a pickle: another step, another argument, one left out, twice or elsewhere, or bytes."""
    places = [place for _, _, place in pickletools.genops(pickled)] + [len(pickled)]
    steps = [pickled[a:b] for a, b in pairwise(places)]
    for _ in range(dice.choice((1, 1, 2, 5))):
        index = dice.randrange(len(steps))
        step, how = steps[index], dice.randrange(6)
        if how == 0:
            steps[index] = dice.choice(pickletools.opcodes).code.encode("latin-1") + step[1:]
        elif how == 1:
            steps[index] = step[:1] + dice.randbytes(len(step) - 1)
        elif how == 2:
            del steps[index]
        elif how == 3:
            steps.insert(index, step)
        elif how == 4:
            other = dice.randrange(len(steps))
            steps[index], steps[other] = steps[other], steps[index]
        else:
            steps[index] = _change(step, dice)
        steps = steps or [b"."]
    return b"".join(steps)


def _entries(content: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def _zip(entries: list[tuple[str, bytes]]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return file.getvalue()


def _zipped_pickle(content: bytes, dice: random.Random) -> bytes:
    return _zip([(n, mutate_pickle(d, dice) if n.endswith("data.pkl") else d) for n, d in _entries(content)])


def _members(content: bytes, dice: random.Random) -> bytes:
    entries, how = _entries(content), dice.randrange(5)
    one, other = dice.sample(range(len(entries)), 2)
    (name, data), (other_name, other_data) = entries[one], entries[other]
    if how == 0:
        entries[one], entries[other] = (name, other_data), (other_name, data)
    elif how == 1:
        del entries[one]
    elif how == 2:
        entries.append((name, other_data))
    elif how == 3:
        entries[one] = (name, data[: dice.randrange(len(data) + 1)])
    else:
        entries[one] = (name, data + dice.randbytes(8))
    return _zip(entries)


def _old_pickle(content: bytes, dice: random.Random) -> bytes:
    """Change one of the five pickles at the beginning of a file of the old format."""
    file, ends = io.BytesIO(content), [0]
    for _ in range(5):
        for _ in pickletools.genops(file):
            pass
        ends.append(file.tell())
    which = dice.choice((0, 1, 2, 3, 3, 3, 3, 4))
    first, last = ends[which], ends[which + 1]
    return content[:first] + mutate_pickle(content[first:last], dice) + content[last:]
