"""Small files of torch made to crash their reader, to exhaust its memory or time, or to make it run something."""

import io
import pickle
import struct
import warnings
import zipfile
from collections.abc import Callable, Iterator

from made.pickles import called, layer, named, number, row, storage, table, tensor, text, with_weight

__all__ = ["Hostile", "hostile_files"]

# What, the kind of file that it is read as, and its content, which is made when it is needed.
Hostile = tuple[str, str, Callable[[], bytes]]

_FOUR = struct.pack("<4f", 1, 2, 3, 4)
_SIZES = (1_000, 60_000, 300_000)
_NONE, _POP = b"N", b"0"
_NESTED = {
    "tuple": (b"", _NONE, b"\x85"),
    "pairs": (b"", _NONE, b"N\x86"),
    "list": (b"](", _NONE, b"e"),
    "list of one": (b"]", _NONE, b"a"),
    "dictionary": (b"}" + text("a"), _NONE, b"s"),
    "marked tuple": (b"(", _NONE, b"t"),
    "object": (named("published", "Net") + b")\x81}" + text("a"), _NONE, b"sb"),
}


def _zipped(pickled: bytes, **others: bytes) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x04" + pickled + b".")
        archive.writestr("archive/data/0", _FOUR)
        for name, data in others.items():
            archive.writestr(name, data)
    return file.getvalue()


def _old(pickled: bytes, keys: bytes | None = None, storages: bytes = struct.pack("<q", 4) + _FOUR) -> bytes:
    head = b"".join(pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}))
    return head + b"\x80\x02" + pickled + b"." + (pickle.dumps(["0"], 2) if keys is None else keys) + storages


def _beside(value: bytes) -> bytes:
    """A module with its weight, and a value that no tensor needs."""
    return layer(table(note=value, _parameters=table(weight=tensor())))


def _in_all(what: str, value: Callable[[], bytes]) -> Iterator[Hostile]:
    """One value within each kind of file."""
    yield f"{what}, module", "module", lambda: _zipped(_beside(value()))
    yield f"{what}, state dict", "zip", lambda: _zipped(table(weight=tensor()) + text("b") + value() + b"s")
    yield f"{what}, old file", "old", lambda: _old(table(weight=tensor()) + text("b") + value() + b"s")


def _nested(container: str, depth: int) -> bytes:
    begin, inner, end = _NESTED[container]
    return begin * depth + inner + end * depth


def _doubled(end: bytes, times: int) -> bytes:
    """A container that holds another one twice, which holds another one twice."""
    return _NONE + b"q\x000" + b"".join(b"(h\x00h\x00" + end + b"q\x000" for _ in range(times)) + b"h\x00"


def _deep() -> Iterator[Hostile]:
    for container in _NESTED:
        for depth in _SIZES:
            yield (
                f"{container} within {container}, {depth}",
                "module",
                lambda c=container, d=depth: _zipped(_beside(_nested(c, d))),  # type: ignore[misc]
            )
        yield from _in_all(f"deep {container} as a key", lambda c=container: b"}" + _nested(c, 50_000) + b"Ns")  # type: ignore[misc]
        yield from _in_all(f"deep {container} in a set", lambda c=container: b"\x8f(" + _nested(c, 50_000) + b"\x90")  # type: ignore[misc]
    for end, what in ((b"t", "tuples"), (b"l", "lists"), (b"\x91", "frozen sets")):
        for times in (30, 50_000):
            yield from _in_all(f"{what} doubled {times} times", lambda e=end, t=times: _doubled(e, t))  # type: ignore[misc]
    yield from _in_all("doubled tuples as a key", lambda: b"}" + _doubled(b"t", 60) + b"Ns")
    yield from _in_all("doubled tuples in a set", lambda: b"\x8f(" + _doubled(b"t", 60) + b"\x90")


def _large() -> Iterator[Hostile]:
    lie, long = struct.pack("<I", 2**32 - 1), struct.pack("<Q", 2**61)
    values: dict[str, Callable[[], bytes]] = {
        "a text of 4 GB that is not there": lambda: b"X" + lie + b"a",
        "a text of 2 EB that is not there": lambda: b"\x8d" + long + b"a",
        "bytes of 2 EB that are not there": lambda: b"\x8e" + long + b"a",
        "an array of 2 EB that is not there": lambda: b"\x96" + long + b"a",
        "a frame of 2 EB": lambda: b"\x95" + long + b"N",
        "a text of 10 MB": lambda: text("a" * 10_000_000),
        "a text of python 2 of 10 MB": lambda: b"T" + struct.pack("<i", 10_000_000) + b"a" * 10_000_000,
        "a quoted text of 5 MB": lambda: b"S'" + b"\\x41" * 1_250_000 + b"'\n",
        "an escaped text of 5 MB": lambda: b"V" + b"\\u0041" * 800_000 + b"\n",
        "a number of 2 GB that is not there": lambda: b"\x8b" + struct.pack("<i", 2**31 - 1) + b"a",
        "a number of 8 MB": lambda: b"\x8b" + struct.pack("<i", 8_000_000) + b"\x7f" * 8_000_000,
        "a number of two million digits": lambda: b"I" + b"9" * 2_000_000 + b"\n",
        "a long number of two million digits": lambda: b"L" + b"9" * 2_000_000 + b"L\n",
        "ten thousand numbers of 255 bytes": lambda: (b"\x8a\xff" + b"\x7f" * 255) * 10_000,
        "a float of two million digits": lambda: b"F" + b"9" * 2_000_000 + b"\n",
        "five million values": lambda: _NONE * 5_000_000,
        "five million sets": lambda: b"\x8f" * 5_000_000,
        "five million marks": lambda: b"(" * 5_000_000,
        "five million copies": lambda: b"N" + b"2" * 5_000_000,
        "five million pushed and popped": lambda: (_NONE + _POP) * 2_500_000 + _NONE,
        "15 MB of dictionaries": lambda: b"}" * 15_000_000,
        "20 MB of lists": lambda: b"]" * 20_000_000,
        "a million kept values": lambda: (
            b"N" + b"".join(b"r" + struct.pack("<I", 4_000_000_000 - i) for i in range(1_000_000))
        ),
        "a memo number of a million digits": lambda: b"Np" + b"9" * 1_000_000 + b"\n",
        "a list of half a million made into sets again and again": lambda: (
            b"](" + b"K\x01" * 400_000 + b"e\x94\x85\x940" + (named("builtins", "set") + b"h\x01R0") * 10_000 + b"N"
        ),
    }
    for what, value in values.items():
        yield from _in_all(what, value)


def _collisions() -> Iterator[Hostile]:
    def keys(numbers: Callable[[int], int]) -> bytes:
        return b"".join(b"\x8a\x10" + numbers(i).to_bytes(16, "little", signed=True) + b"N" for i in range(60_000))

    modulus = 2**61 - 1
    for what, numbers in (("one hash", lambda i: i * modulus), ("low bits alike", lambda i: i << 40)):
        yield from _in_all(f"60,000 keys of {what}", lambda n=numbers: b"}(" + keys(n) + b"u")  # type: ignore[misc]
        yield from _in_all(
            f"60,000 members of {what}",
            lambda n=numbers: b"\x8f(" + keys(n).replace(b"N\x8a", b"\x8a") + b"0\x90",  # type: ignore[misc]
        )
    for what, key in (("a float", b"G" + struct.pack(">d", 1e300)), ("a tensor", tensor()), ("nothing", _NONE)):
        yield from _in_all(f"{what} as a key", lambda k=key: b"}" + k + b"Ns")  # type: ignore[misc]


_NAMES = (
    *(("os", "system"), ("posix", "system"), ("builtins", "eval"), ("builtins", "exec"), ("subprocess", "Popen")),
    *(("importlib", "import_module"), ("torch", "load"), ("torch.hub", "load"), ("torch.storage", "_load_from_bytes")),
    *(("builtins", "getattr"), ("functools", "partial"), ("torch._utils", "_rebuild_sparse_tensor"), ("pty", "spawn")),
    *(("torch", "os.system"), ("antigravity", "open"), ("this", "s"), ("numpy", "fromfile"), ("runpy", "run_path")),
)


def _foreign() -> Iterator[Hostile]:
    for module, name in _NAMES:
        call = text("touch /tmp/executed"), row(text("touch /tmp/executed"))
        yield (
            f"{module}.{name} called",
            "module",
            lambda m=module, n=name, c=call: _zipped(_beside(named(m, n) + c[1] + b"R")),  # type: ignore[misc]
        )
        yield (
            f"{module}.{name} by its lines",
            "zip",
            lambda m=module, n=name, c=call: _zipped(  # type: ignore[misc]
                table(weight=tensor()) + text("b") + f"c{m}\n{n}\n".encode() + c[1] + b"Rs"
            ),
        )
        yield (
            f"{module}.{name} as an instance",
            "old",
            lambda m=module, n=name, c=call: _old(  # type: ignore[misc]
                b"(" + c[0] + f"i{m}\n{n}\n".encode()
            ),
        )


def _calls() -> Iterator[Hostile]:
    net, rebuild, ordered = named("published", "Net"), named("torch._utils", "_rebuild_tensor_v2"), "OrderedDict"
    values = {
        "a class called": net + row(number(1)) + b"R",
        "a class made with arguments": net + row(number(1)) + b"\x81",
        "a class made with names": net + b")}\x92",
        "a class made by OBJ": b"(" + net + number(1) + b"o",
        "a function made": rebuild + b")\x81",
        "a function with a state": rebuild + table(_call=number(1)) + b"b",
        "a function without arguments": rebuild + b")R",
        "a storage called": named("torch", "FloatStorage") + row(number(10**9)) + b"R",
        "a tensor with a state": tensor() + row(tensor(), number(0), row(number(9)), row(number(1))) + b"b",
        "a list with a state": b"]" + table(a=number(1)) + b"b",
        "a state with a class": layer(table(__class__=net, __dict__=table(a=number(1)))),
        "a state of two": layer(row(b"N", table(a=number(1)))),
        "a call of a text": text("a") + b")R",
        "a call with a list": net + b"]R",
        "a dictionary of a number": called("collections", ordered, number(10**9)),
        "a dictionary of triples": called("collections", ordered, row(row(_NONE, _NONE, _NONE))),
        "a set of a dictionary": called("builtins", "set", b"}"),
        "items for a tensor": tensor() + b"(" + text("a") + b"Nu",
        "members for a dictionary": b"}(K\x01\x90",
        "an extension": b"\x82\x01",
        "a buffer": b"\x97",
        "a persistent id in a line": b"Pos.system\n",
        "a value below nothing": b"00000",
        "an end without a mark": b"t",
        "a key without a value": b"}(K\x01u",
        "a value that was never kept": b"h\x63",
    }
    for what, value in values.items():
        yield from _in_all(what, lambda v=value: v)  # type: ignore[misc]


def _tensors() -> Iterator[Hostile]:
    big = 2**62
    values = {
        "past its storage": tensor(1),
        "far past its storage": tensor(2**40),
        "before its storage": tensor(-1, (2,)),
        "backwards": tensor(3, (2,), (-1,)),
        "of a negative size": tensor(0, (-4,)),
        "expanded to a petabyte": tensor(0, (2**50,), (0,)),
        "expanded to 200 MB": tensor(0, (50_000_000,), (0,)),
        "of sizes whose product overflows": tensor(0, (2**33, 2**33), (0, 0)),
        "of no element and huge sizes": tensor(0, (0, big * 4), (1, 1)),
        "of a huge stride": tensor(0, (2,), (big,)),
        "of a thousand dimensions": tensor(0, (1,) * 1_000, (1,) * 1_000),
        "of more sizes than strides": tensor(0, (2, 2), (1,)),
        "of sizes that are texts": tensor()[:-1] + b"0" + text("a") + b"R",
        "of another type than its storage": tensor(place=storage(kind=named("torch", "DoubleStorage"))),
        "of a storage that is not there": tensor(place=storage("7")),
        "of a file outside": tensor(place=storage("../../../../etc/passwd")),
        "of a storage without parts": tensor(place=b")Q"),
        "of a storage with a list": tensor(place=b"]Q"),
        "of a storage by a number": tensor(place=number(3) + b"Q"),
        "of a module": tensor(place=storage(word="module")),
        "of a storage of many numbers": tensor(place=row(*[number(1)] * 50_000) + b"Q"),
        "of a storage of a negative size": tensor(
            place=row(text("storage"), named("torch", "FloatStorage"), text("0"), text("cpu"), number(-4)) + b"Q"
        ),
        "of a storage of 10^30 numbers": tensor(
            place=row(text("storage"), named("torch", "FloatStorage"), text("0"), text("cpu"), number(10**30)) + b"Q"
        ),
        "of itself": tensor(place=tensor()),
    }
    for what, value in values.items():
        yield f"a tensor {what}, module", "module", lambda v=value: _zipped(with_weight(v))  # type: ignore[misc]
        yield f"a tensor {what}, state dict", "zip", lambda v=value: _zipped(table(weight=v))  # type: ignore[misc]
        yield f"a tensor {what}, old file", "old", lambda v=value: _old(table(weight=v))  # type: ignore[misc]


def _modules() -> Iterator[Hostile]:
    def shared(times: int) -> bytes:
        inner = layer(table(_modules=b"N")) + b"q\x000"
        return inner + (layer(table(_modules=table(a=b"h\x00", b=b"h\x00"))) + b"q\x000") * times + b"h\x00"

    empty = b"}(" + b"".join(text(f"p{i}") + tensor(0, (0,)) for i in range(20_000)) + b"u"
    many = layer(table(_parameters=empty)) + b"q\x000"
    wide = b"}(" + b"".join(text(f"m{i}") + b"h\x00" for i in range(20_000)) + b"u"
    name = "n" * 90_000
    long_names = named("published", "Net") + b")\x81q\x00" + b"}" + text("_modules") + b"}" + text(name) + b"h\x00ssb"
    values = {
        "modules that hold themselves": lambda: long_names,
        "modules shared 40 times over": lambda: shared(40),
        "modules shared 60,000 times over": lambda: shared(60_000),
        "20,000 modules of 20,000 empty tensors": lambda: many + layer(table(_modules=wide)),
        "hidden names as a list": lambda: layer(table(_non_persistent_buffers_set=b"]")),
        "parameters as a list": lambda: layer(table(_parameters=b"]")),
        "names that are numbers": lambda: layer(table(_parameters=b"}K\x01" + tensor() + b"s")),
    }
    for what, value in values.items():
        yield what, "module", lambda v=value: _zipped(v())  # type: ignore[misc]


def _archive(method: int, **entries: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(f"archive/{name}", data)
    return file.getvalue()


def _overlapping(count: int) -> bytes:
    """An archive whose entries all have the bytes of one."""
    whole = bytearray(_archive(zipfile.ZIP_STORED, **{"data/0": bytes(1_000_000)}))
    place = whole.index(b"PK\x01\x02")
    end = whole.index(b"PK\x05\x06")
    central, tail = whole[place:end], whole[end:]
    struct.pack_into("<HHI", tail, 8, min(count, 65_535), min(count, 65_535), len(central) * count)
    return bytes(whole[:place] + central * count + tail)


def _patched(content: bytes, mark: bytes, offset: int, value: bytes) -> bytes:
    place = content.index(mark) + offset
    return content[:place] + value + content[place + len(value) :]


def _archives() -> Iterator[Hostile]:
    good = _zipped(with_weight(tensor()))
    pickled, methods = b"\x80\x04" + with_weight(tensor()) + b".", (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
    values: dict[str, Callable[[], bytes]] = {
        **{
            f"a storage that inflates to {size} MB, method {method}": lambda m=method, s=size: _archive(  # type: ignore[misc]
                m, **{"data.pkl": pickled, "data/0": bytes(s * 1_000_000)}
            )
            for method in methods
            for size in (10, 200)
        },
        "a pickle that inflates to 200 MB": lambda: _archive(8, **{"data.pkl": _NONE * 200_000_000}),
        "a pickle of 20 MB": lambda: _archive(0, **{"data.pkl": _NONE * 20_000_000}),
        "entries that lie in one another": lambda: _overlapping(3_000),
        "200,000 entries": lambda: _overlapping(200_000),
        "entries of one name": lambda: _zipped(with_weight(tensor()), **{"archive/data/0": _FOUR}),
        "two pickles": lambda: _zipped(with_weight(tensor()), **{"b/data.pkl": pickled}),
        "no pickle": lambda: _archive(0, **{"data/0": _FOUR}),
        "another order of bytes": lambda: _zipped(with_weight(tensor()), **{"archive/byteorder": b"big"}),
        "an encrypted entry": lambda: _patched(good, b"PK\x01\x02", 8, b"\x01\x00"),
        "an unknown compression": lambda: _patched(good, b"PK\x01\x02", 10, b"\x63\x00"),
        "an entry of 4 GB that is not there": lambda: _patched(good, b"PK\x01\x02", 20, b"\xfe\xff\xff\xff" * 2),
        "a table of 4 GB that is not there": lambda: _patched(good, b"PK\x05\x06", 12, b"\xfe\xff\xff\xff"),
        "a table before the file": lambda: _patched(good, b"PK\x05\x06", 16, b"\xfe\xff\xff\xff"),
        "a comment that is not there": lambda: _patched(good, b"PK\x05\x06", 20, b"\xff\xff"),
        "a name of 60 KB": lambda: _zipped(with_weight(tensor()), **{"n" * 60_000: b""}),
        "no archive": lambda: b"PK\x03\x04" + bytes(100_000),
        "nothing but its end": lambda: b"PK\x05\x06" + bytes(18),
    }
    for what, value in values.items():
        for kind in ("module", "zip"):
            yield f"{what}, {kind}", kind, value


def _olds() -> Iterator[Hostile]:
    state = table(weight=tensor())
    count = struct.pack("<q", 2**62)
    values: dict[str, Callable[[], bytes]] = {
        "a storage of 2^62 numbers": lambda: _old(state, storages=count + _FOUR),
        "a storage that is cut off": lambda: _old(state, storages=struct.pack("<q", 4) + _FOUR[:-1]),
        "a storage of 8 GB in both places": lambda: _old(
            table(weight=tensor(place=storage()[:-4] + number(2 * 10**9) + b"tQ")),
            storages=struct.pack("<q", 2 * 10**9) + _FOUR,
        ),
        "a storage listed a hundred thousand times": lambda: _old(state, pickle.dumps(["0"] * 100_000, 2)),
        "a list of a million storages": lambda: _old(state, b"\x80\x02](" + b"U\x010" * 900_000 + b"e."),
        "storages that are no list": lambda: _old(state, pickle.dumps({"0": 1}, 2)),
        "no list of storages": lambda: _old(state, b""),
        "a wrong mark": lambda: pickle.dumps(12, 2) + _old(state),
        "a mark alone": lambda: pickle.dumps(0x1950A86A20F9469CFC6C, 2),
        "a foreign name in its first pickle": lambda: b"cos\nsystem\n(S'touch /tmp/executed'\ntR." + _old(state),
        "an archive of torch 0.1": lambda: b"storages" + bytes(504) + bytes(1024),
        "zeros": lambda: bytes(1_000_000),
        "nothing": lambda: b"",
    }
    for what, value in values.items():
        yield what, "old", value


def hostile_files() -> list[Hostile]:
    """All of them, families one after another."""
    families = (_deep, _large, _collisions, _foreign, _calls, _tensors, _modules, _archives, _olds)
    return [hostile for family in families for hostile in family()]
