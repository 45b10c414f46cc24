"""Pickled modules: what torch saved is read to the bit, what asks for anything else is refused and never run."""

import os
import pickle
import struct
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from made.pickles import by_hand, called, layer, named, number, row, storage, table, tensor, text, with_weight
from torch import Tensor, nn

from zoo.errors import IntegrityError
from zoo.importers._module_pickle import read_module
from zoo.importers.akita import TARGETS, convert
from zoo.models.akita import Akita


def saved(folder: Path, model: object) -> Path:
    torch.save(model, folder / "model.pth")
    return folder / "model.pth"


def assert_same(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype, name
        assert torch.equal(found[name], value), name


# What torch saved.


def net() -> nn.Sequential:
    """Layers of many kinds, one within another; the counters and means of the norms have moved."""
    torch.manual_seed(0)
    inner = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm2d(2), nn.Dropout(0.3))
    model = nn.Sequential(nn.Conv1d(4, 6, 5), nn.BatchNorm1d(6), nn.ReLU(), nn.ModuleList([inner]), nn.Linear(3, 2))
    for _ in range(3):
        model[1](torch.randn(5, 6, 7)), inner(torch.randn(5, 2, 4, 4))
    return model


def test_a_saved_module_reads_to_its_state_dict(tmp_path: Path) -> None:
    model = net()
    found = read_module(saved(tmp_path, model), set())
    assert_same(found, model.state_dict())
    assert int(found["1.num_batches_tracked"]) == int(found["3.0.1.num_batches_tracked"]) == 3
    assert found["1.running_mean"].abs().min() > 0
    assert not any(value.requires_grad for value in found.values())


@pytest.mark.parametrize(
    "dtype",
    [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int32, torch.int64, torch.bool],
)
def test_numbers_of_any_kind_are_read_to_the_bit(tmp_path: Path, dtype: torch.dtype) -> None:
    model = nn.Sequential(nn.Identity())
    model.register_buffer("many", (100 * torch.randn(3, 5)).to(dtype))
    model.register_buffer("one", torch.tensor(3).to(dtype))
    if dtype.is_floating_point:
        model.register_parameter("odd", nn.Parameter(torch.tensor([torch.inf, -0.0, 1 / 3]).to(dtype)))
    assert_same(read_module(saved(tmp_path, model), set()), model.state_dict())


def test_views_and_what_shares_a_storage_are_read_as_they_are_seen(tmp_path: Path) -> None:
    base = torch.randn(10, 8)
    model = nn.Sequential(nn.Linear(5, 3), nn.Linear(5, 3))
    model[0].weight = nn.Parameter(base[1:9:3, 2:7])
    model[1].weight = nn.Parameter(base[5:, 4:7].T)
    model[1].bias = model[0].bias
    model.register_buffer("row", base[7])
    model.register_buffer("same", base[:1].expand(4, 8))
    path = saved(tmp_path, model)
    with zipfile.ZipFile(path) as archive:
        assert sum("/data/" in name for name in archive.namelist()) == 2  # the base and the bias
    found = read_module(path, set())
    assert_same(found, model.state_dict())
    found["row"].zero_()
    assert torch.equal(found["0.weight"], base[1:9:3, 2:7])


class Net(nn.Module):
    """A class of a publisher, with things within that are no tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes, self.names, self.body = [1, 2], {"a", "b"}, net()
        self.scale = nn.Parameter(torch.ones(2))


def test_a_class_of_the_publisher_is_read_where_it_is_expected_and_refused_where_not(tmp_path: Path) -> None:
    model = Net()
    path = saved(tmp_path, model)
    assert_same(read_module(path, {f"{__name__}.Net"}), model.state_dict())
    for expected in (set(), {"Net"}, {f"{__name__}.Ne"}, {f"{__name__}.Net.x"}):
        with pytest.raises(IntegrityError, match=rf"model\.pth: it asks for '{__name__}\.Net'.*nothing of it was run"):
            read_module(path, expected)


# Files by hand.


def refused(path: Path, said: str) -> None:
    with pytest.raises(IntegrityError, match=said) as caught:
        read_module(path, {"published.Net"})
    assert "\n" not in str(caught.value)


def test_a_file_by_hand_is_read_where_it_holds_a_module(tmp_path: Path) -> None:
    def read(value: bytes) -> dict[str, object]:
        return {k: v.tolist() for k, v in read_module(by_hand(tmp_path, value), {"published.Net"}).items()}

    assert read(with_weight(tensor())) == {"weight": [1, 2, 3, 4]}
    assert read(with_weight(tensor(1, (2, 2), (1, 1)))) == {"weight": [[2, 3], [3, 4]]}
    assert read(with_weight(called("torch._utils", "_rebuild_parameter", tensor(), b"\x89"))) == {
        "weight": [1, 2, 3, 4]
    }
    inner = with_weight(tensor(3, (), ()))
    whole = layer(table(_buffers=table(b=tensor(3, (1,))), _modules=table(inner=inner)), "published", "Net")
    assert read(whole) == {"b": [4], "inner.weight": 4}


SHELL, PYTHON = "touch {}", "open({!r}, 'w').close()"


@pytest.mark.parametrize("place", ["root", "weight", "state", "argument"])
@pytest.mark.parametrize(
    ("module", "name", "command"),
    [
        ("os", "system", SHELL),
        ("posix", "system", SHELL),
        ("subprocess", "getoutput", SHELL),
        ("builtins", "eval", PYTHON),
        ("builtins", "exec", PYTHON),
        ("torch", "os.system", SHELL),
        ("torch._utils", "torch.os.system", SHELL),
        ("torch.nn.modules.module", "torch.os.system", SHELL),
    ],
)
def test_what_would_run_a_command_is_refused_and_does_not(
    tmp_path: Path, module: str, name: str, command: str, place: str
) -> None:
    marker = tmp_path / "marker"
    hostile = called(module, name, text(command.format(str(marker))))
    pickle.loads(b"\x80\x04" + hostile + b".")  # python's own reader runs it
    assert marker.is_file()
    marker.unlink()
    put: dict[str, Callable[[bytes], bytes]] = {
        "root": lambda value: value,
        "weight": with_weight,
        "state": lambda value: layer(value, "published", "Net"),
        "argument": lambda value: with_weight(tensor(place=value)),
    }
    layers = module == "torch.nn.modules.module"
    refused(by_hand(tmp_path, put[place](hostile)), "it calls a class" if layers else f"asks for '{module}.{name}'")
    assert not marker.exists()


class Called:
    """Pickles as a call."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


@pytest.mark.parametrize("function", [os.system, eval, subprocess.getoutput])
def test_a_module_that_torch_itself_would_be_made_to_run_is_refused(
    tmp_path: Path, function: Callable[..., object]
) -> None:
    marker = tmp_path / "marker"
    model = net()
    model.note = Called(function, (PYTHON if function is eval else SHELL).format(str(marker)))  # type: ignore[assignment]
    path = saved(tmp_path, model)
    torch.load(path, weights_only=False)
    assert marker.is_file()
    marker.unlink()
    refused(path, r"model\.pth: it asks for '\w+\.\w+', which no model needs; nothing of it was run")
    assert not marker.exists()


def test_functions_beside_the_layers_are_not_called(tmp_path: Path) -> None:
    hooks = torch.nn.modules.module._global_forward_hooks
    register = "torch.nn.modules.module", "register_module_forward_hook"
    refused(by_hand(tmp_path, called(*register, text("hook"))), "it calls a class")
    refused(by_hand(tmp_path, with_weight(called(*register, text("hook")))), "it calls a class")
    assert not hooks
    # Without arguments, or as a class, it stands for nothing but a name.
    assert read_module(by_hand(tmp_path, called(*register)), set()) == {}
    assert read_module(by_hand(tmp_path, layer(table(), *register)), set()) == {}
    assert not hooks


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (layer(table(), "published", "Other"), r"asks for 'published\.Other'"),
        (layer(table(), "published.Net", "x"), r"asks for 'published\.Net\.x'"),
        (layer(table(), "torch.nn", "Linear"), r"asks for 'torch\.nn\.Linear'"),
        (with_weight(named("torch", "ByteTensor")), r"asks for 'torch\.ByteTensor'"),
        (called("published", "Net", number(3)), "calls a class"),
        (called("torch.nn.modules.linear", "Linear", number(3), number(4)), "calls a class"),
        (named("published", "Net") + row(number(3)) + b"\x81", "calls a class"),
        (named("published", "Net") + b")" + table(a=number(3)) + b"\x92", "a step NEWOBJ_EX"),
        (b"(" + number(3) + b"ipublished\nNet\n", "a step INST, which no model needs; nothing of it was run"),
        (layer(row(number(1), number(2))), "the state of a module is no dictionary"),
        (layer(text("state")), "the state of a module is no dictionary"),
        (layer(row(table(), table(__class__=number(1)))), "the state of a module is no dictionary"),
        (named("published", "Net") + table() + b"b", "sets the state of a function or class"),
        (layer(table()) + row() + b"R", "not a pickled module"),
        (with_weight(storage(word="module")), "refers to something that is no storage"),
        (with_weight(storage(kind=text("FloatStorage"))), "refers to something that is no storage"),
        (with_weight(storage(kind=named("published", "Net"))), "refers to something that is no storage"),
        (with_weight(row(text("storage"), named("torch", "FloatStorage"), number(0)) + b"Q"), "that is no storage"),
        (with_weight(row(text("storage")) + b"Q"), "that is no storage"),
        (with_weight(number(3) + b"Q"), "that is no storage"),
        (with_weight(b"Pstorage\n"), "a step PERSID"),
        (with_weight(tensor(place=text("0"))), "a tensor without a storage"),
        (with_weight(tensor(place=tensor())), "a tensor without a storage"),
        (with_weight(named("torch", "FloatStorage") + row(number(4)) + b"R"), "not a pickled module"),
        (with_weight(tensor(shape=(5,), stride=(1,))), "reaches outside its storage"),
        (with_weight(tensor(1)), "reaches outside its storage"),
        (with_weight(tensor(0, (2, 2), (3, 1))), "reaches outside its storage"),
        (with_weight(tensor(0, (2,), (2**61,))), "reaches outside its storage"),
        (with_weight(tensor(0, (0, 2**70), (1, 1))), "reaches outside its storage"),
        (with_weight(tensor(0, (1,) * 33, (1,) * 33)), "too many of them"),
        (with_weight(tensor(0, (2**62,), (0,))), "far larger than the file"),
        (with_weight(tensor(0, (2**70,), (1,))), "far larger than the file"),
        (with_weight(tensor(0, (2, 2), (1,))), "as many strides as sizes"),
        (with_weight(tensor(-1, (2,))), "reaches outside its storage"),
        (with_weight(tensor(3, (2,), (-1,))), "reaches outside its storage"),
        (with_weight(tensor(0, (-1,))), "reaches outside its storage"),
        (with_weight(tensor(place=storage("1"))), "not a pickled module .*archive/data/1"),
        (with_weight(tensor(place=storage("../x"))), r"not a pickled module .*data/\.\./x"),
        (with_weight(tensor(place=storage("/etc/passwd"))), "not a pickled module .*no item"),
        (with_weight(tensor(place=storage(kind=named("torch", "DoubleStorage")))), "another size than the file says"),
        (table(_parameters=table(weight=tensor())), "dict where a module is wanted"),
        (called("collections", "OrderedDict"), "OrderedDict where a module is wanted"),
        (row(layer(table())), "tuple where a module is wanted"),
        (named("published", "Net"), "Symbol where a module is wanted"),
        (tensor(), "Tensor where a module is wanted"),
        (b"", "not a pickled module"),
        (b"(((", "not a pickled module"),
        (b"0" * 9, "not a pickled module"),
        (b"\x82\x01", "a step EXT1, which no model needs"),
        (b"h\x07", "not a pickled module"),
        (b"\xff", "not a pickled module"),
        (b"X\xff\xff\xff\x7fno", "not a pickled module"),
    ],
)
def test_what_is_not_the_tensors_of_a_module_is_refused(tmp_path: Path, value: bytes, said: str) -> None:
    refused(by_hand(tmp_path, value), rf"hand\.pth: .*{said}" if "|" not in said else said)


def test_modules_that_hold_themselves_come_to_an_end(tmp_path: Path) -> None:
    empty = named("published", "Net") + b")\x81q\x00"
    refused(by_hand(tmp_path, empty + table(_modules=table(a=b"h\x00", b=b"h\x00")) + b"b"), "without end")
    deep = with_weight(tensor())
    for _ in range(30):
        deep = layer(table(_modules=table(a=deep)))
    assert list(read_module(by_hand(tmp_path, deep), set())) == ["a." * 30 + "weight"]
    for _ in range(30):
        deep = layer(table(_modules=table(a=deep)))
    refused(by_hand(tmp_path, deep), "without end")


def test_files_that_are_no_archive_of_torch_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.pth"
    whole = saved(tmp_path, net()).read_bytes()
    for content in (b"", b"no zip", pickle.dumps({}), whole[:30], whole[: len(whole) // 2], whole[:-30], whole[30:]):
        path.write_bytes(content)
        refused(path, r"broken\.pth: not a")
    torch.save(net(), path, _use_new_zipfile_serialization=False)
    refused(path, "that is no storage")  # it refers to the source text of its classes
    refused(tmp_path / "nowhere.pth", "No such file")
    refused(by_hand(tmp_path, with_weight(tensor()), "archive/other.pkl"), "not a pickled module")
    refused(by_hand(tmp_path, with_weight(tensor()), "data.pkl"), "not a pickled module")
    with zipfile.ZipFile(by_hand(tmp_path, with_weight(tensor())), "a") as archive:
        archive.writestr("other/data.pkl", b"")
    refused(tmp_path / "hand.pth", "not a pickled module")


def test_a_changed_byte_of_a_storage_is_noticed(tmp_path: Path) -> None:
    path = by_hand(tmp_path, with_weight(tensor()))
    content = path.read_bytes()
    assert content.count(struct.pack("<4f", 1, 2, 3, 4)) == 1
    path.write_bytes(content.replace(struct.pack("<4f", 1, 2, 3, 4), struct.pack("<4f", 1, 2, 3, 5)))
    refused(path, r"not a pickled module \(Bad CRC-32")


def test_what_is_compressed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x04" + with_weight(tensor()) + b".")
        archive.writestr("archive/data/0", bytes(1_000_000))
    assert path.stat().st_size < 10_000
    refused(path, "is compressed, as torch has none")


def test_a_plain_state_dict_is_no_module(tmp_path: Path) -> None:
    refused(saved(tmp_path, net().state_dict()), "OrderedDict where a module is wanted")
    refused(saved(tmp_path, dict(net().state_dict())), "dict where a module is wanted")
    refused(saved(tmp_path, torch.ones(3)), "Tensor where a module is wanted")


# The published Akita.


def published_names() -> list[str]:
    """Names in the published file, in its order, written down from it."""
    convolutions = [("conv_block_1.conv", "conv_block_1.batch_norm")]
    convolutions += [(f"conv_tower.conv_tower.{i}", f"conv_tower.conv_tower.{i + 1}") for i in range(1, 38, 4)]
    convolutions += [
        (f"residual1d_block{i}.conv{j}", f"residual1d_block{i}.bn{j}") for i in range(1, 9) for j in (1, 2)
    ]
    convolutions += [("conv_reduce.layers.1", "conv_reduce.layers.2"), ("conv2d_block.block.1", "conv2d_block.block.2")]
    convolutions += [
        (f"residual2d_block{i}.conv{j}", f"residual2d_block{i}.bn{j}") for i in range(1, 7) for j in (1, 2)
    ]
    norm = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    names = [name for conv, bn in convolutions for name in (f"{conv}.weight", *(f"{bn}.{each}" for each in norm))]
    return [*names, "final.dense.weight", "final.dense.bias"]


def test_every_published_name_of_akita_becomes_one_of_ours() -> None:
    torch.manual_seed(0)
    ours = {
        name: torch.randn(value.shape) if value.is_floating_point() else torch.tensor(7)
        for name, value in Akita(TARGETS).state_dict().items()
    }
    # Both files hold their modules in the order in which they are run.
    theirs = dict(zip(published_names(), ours.values(), strict=True))
    assert theirs["final.dense.weight"].shape == (5, 48, 1)
    theirs["final.dense.weight"] = theirs["final.dense.weight"][..., 0]
    counters = [name for name in theirs if name.endswith("num_batches_tracked")]
    assert len(counters) == 1 + 10 + 2 * 8 + 1 + 1 + 2 * 6
    assert sum(value.numel() for value in theirs.values()) == 746_149 + 5_504 + len(counters)
    found = convert(theirs, Path("akita.pth"))
    assert_same(found, ours)
    model = Akita(TARGETS)
    model.load_state_dict(found, strict=True)
    assert_same(model.state_dict(), ours)


@pytest.mark.parametrize(
    "name",
    [
        "final.dense",
        "weight",
        "",
        "final.other.weight",
        "final.dense.weight.",
        "final.dense.a-b",
        "conv_tower.conv_tower.41.weight",
        "residual1d_block9.conv1.weight",
        "residual2d_block1.conv3.weight",
        "trunk.0.conv.weight",
    ],
)
def test_a_name_that_is_none_of_the_published_is_one_sentence(name: str) -> None:
    with pytest.raises(IntegrityError) as caught:
        convert({"final.dense.bias": torch.ones(5), name: torch.ones(1)}, Path("akita.pth"))
    assert str(caught.value) == f"akita.pth: not the published Akita model (what is {name!r}?)"


# What a file may not do to tensors, to this process, or to its reader's patience.


@pytest.mark.parametrize(
    ("value", "said"),
    [
        # The state of a tensor would put another storage under it, and let it reach past that.
        (with_weight(tensor() + row(tensor(), number(0), row(number(2000)), row(number(1))) + b"b"), "not a pickled"),
        (with_weight(tensor() + row(b"\x88", b"N", b"}") + b"b"), "not a pickled"),
        (named("torch._utils", "_rebuild_parameter") + table(a=number(3)) + b"b", "sets the state of a function"),
        (named("torch._utils", "_rebuild_tensor_v2") + table(a=number(3)) + b"b", "sets the state of a function"),
        (layer(table(_parameters=number(5))), "the _parameters of a module are no dictionary"),
        (layer(table(_buffers=tensor())), "the _buffers of a module are no dictionary"),
        (layer(table(_modules=row(number(1)))), "the _modules of a module are no dictionary"),
        (with_weight(tensor(0, (50_000_000,), (0,))), "far larger than the file"),
        (b"\x8e" + b"\xff" * 8, "not a pickled module"),
        (b"Np" + b"9" * 30 + b"\n", "NoneType where a module is wanted"),
    ],
)
def test_what_reaches_for_more_than_its_own_tensors_is_refused(tmp_path: Path, value: bytes, said: str) -> None:
    refused(by_hand(tmp_path, value), said)


@pytest.mark.slow
def test_modules_that_share_modules_end(tmp_path: Path) -> None:
    deepest = nn.Linear(1, 1)
    model: nn.Module = deepest
    for _ in range(30):  # a thousand million paths to the innermost
        outer = nn.Module()
        outer._modules = {"a": model, "b": model}
        model = outer
    refused(saved(tmp_path, model), "modules within modules without end")


def test_empty_and_hidden_buffers_are_read_as_the_state_dict_has_them(tmp_path: Path) -> None:
    model = nn.Module()
    model.register_buffer("empty", torch.empty(0, dtype=torch.int64))
    model.register_buffer("hidden", torch.ones(3), persistent=False)
    found = read_module(saved(tmp_path, model), set())
    assert found.keys() == model.state_dict().keys() == {"empty"}
    assert found["empty"].dtype == torch.int64


def test_damaged_compression_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + layer(table()) + b"." + b"a" * 500)
    raw = bytearray(path.read_bytes())
    place = raw.index(b"data.pkl") + len(b"data.pkl")
    raw[place + 3 : place + 30] = b"\xff" * 27
    path.write_bytes(raw)
    refused(path, "is compressed, as torch has none")


# Small files that crashed their reader, or kept it busy.


def beside(value: bytes) -> bytes:
    """A module with a weight, and another value in its state."""
    return layer(table(note=value, _parameters=table(weight=tensor())))


def test_containers_within_containers_are_read_however_deep_they_are(tmp_path: Path) -> None:
    depth = 200_000
    for deep in (
        b"N" + b"\x85" * depth,
        b"](" * depth + b"e" * depth,
        (b"}" + text("a")) * depth + b"N" + b"s" * depth,
    ):
        assert read_module(by_hand(tmp_path, beside(deep)), set())["weight"].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"}" + b"N" + b"\x85" * 100_000 + b"Ns", "neither a text nor a small number"),  # hashing it recurses
        (b"\x8f(" + b"N" + b"\x85" * 100_000 + b"\x90", "neither a text nor a small number"),
        (b"}(" + b"".join(number(i * (2**61 - 1)) + b"N" for i in range(1, 9)) + b"u", "nor a small number"),
        (b"N" + b"q\x000" + b"(h\x00h\x00tq\x000" * 60 + b"}h\x00Ns", "neither a text nor a small number"),
        (b"N" * 1_000_001, "more than 1,000,000 steps"),
        (
            b"](" + b"K\x01" * 2_000 + b"e\x94\x85\x940" + (named("builtins", "set") + b"h\x01R0") * 600,
            "1,000,000 steps",
        ),
        (b"\x8b" + struct.pack("<i", 100_000) + b"\x7f" * 100_000, "a number of more than a hundred bits"),
        (text("a" * 100_001), "a text of 100,001 letters"),
        (b"X" + struct.pack("<I", 2**32 - 1), "not a pickled module"),
    ],
)
def test_what_took_a_reader_down_is_refused_at_once(tmp_path: Path, value: bytes, said: str) -> None:
    refused(by_hand(tmp_path, beside(value)), said)


def test_archives_that_lie_about_their_entries_are_refused(tmp_path: Path) -> None:
    raw = by_hand(tmp_path, with_weight(tensor())).read_bytes()
    place = raw.index(b"PK\x01\x02")
    sizes = raw[: place + 20] + struct.pack("<II", 10**9, 10**9) + raw[place + 28 :]
    table_size = raw[:-10] + struct.pack("<I", 10**9) + raw[-6:]
    for content, said in ((sizes, "overlaps another one"), (table_size, "Bad offset for central directory")):
        (tmp_path / "lie.pth").write_bytes(content)
        refused(tmp_path / "lie.pth", said)
