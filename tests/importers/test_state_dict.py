"""Files of state dicts, of torch's zip format and of the one before it: read as torch reads them."""

import pickle
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from made.pickles import by_hand, called, number, row, storage, table, tensor, text

from zoo.errors import IntegrityError
from zoo.importers._state_dict import read_state_dict

TYPES = [
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int8, torch.uint8),
    *(torch.int16, torch.int32, torch.int64, torch.bool),
]


def state() -> dict[str, Any]:
    """Numbers of all types, views, what shares a storage, a scalar, and nothing."""
    base = torch.randn(10, 8, generator=torch.Generator().manual_seed(0))
    values = {str(dtype): (100 * base).to(dtype) for dtype in TYPES}
    views = {"part": base[1:9:3, 2:7], "turned": base[5:].T, "row": base[7], "same": base[:1].expand(4, 8)}
    return {**values, **views, "one": torch.tensor(3), "none": torch.empty(0), "p": torch.nn.Parameter(base)}


@pytest.mark.parametrize("protocol", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "old"])
def test_a_state_dict_is_read_as_torch_reads_it(tmp_path: Path, zipped: bool, protocol: int) -> None:
    path = tmp_path / "state.pth"
    torch.save(state(), path, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
    found, expected = read_state_dict(path), torch.load(path, weights_only=False)
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype, name
        assert torch.equal(found[name], value), name
    found["row"].zero_()
    assert torch.equal(found["part"], expected["part"])


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "old"])
def test_the_state_dict_of_a_module_has_versions_which_are_left_out(tmp_path: Path, zipped: bool) -> None:
    model = torch.nn.Sequential(torch.nn.Conv1d(4, 3, 5), torch.nn.BatchNorm1d(3))
    torch.save(model.state_dict(), tmp_path / "state.pth", _use_new_zipfile_serialization=zipped)
    found = read_state_dict(tmp_path / "state.pth")
    assert {name: value.tolist() for name, value in found.items()} == {
        name: value.tolist() for name, value in model.state_dict().items()
    }


def old_file(folder: Path, value: bytes, keys: list[str], storages: bytes, little: bool = True) -> Path:
    """A file of the format before torch 1.6, by hand."""
    head = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": little})
    parts = [*(pickle.dumps(part, 2) for part in head), b"\x80\x02" + value + b".", pickle.dumps(keys, 2), storages]
    (folder / "hand.pth").write_bytes(b"".join(parts))
    return folder / "hand.pth"


FOUR = struct.pack("<q4f", 4, 1, 2, 3, 4)
VIEW = row(text("storage"), b"ctorch\nFloatStorage\n", text("0"), text("cpu"), number(4), row(text("v"), b"K\x01K\x02"))


def test_an_old_file_by_hand_is_read(tmp_path: Path) -> None:
    place = storage(kind=b"ctorch\nFloatStorage\n")
    sizes = number(1), row(number(2)), row(number(1))
    plain = b"ctorch._utils\n_rebuild_tensor\n" + row(place, *sizes) + b"R"
    part = b"ctorch._utils\n_rebuild_tensor_v2\n" + row(VIEW + b"Q", number(0), *sizes[1:]) + b"R"
    named = b"}(U\x01a" + plain + b"T\x01\x00\x00\x00b" + part + b"u"  # texts as python 2 wrote them
    found = read_state_dict(old_file(tmp_path, named, ["0"], FOUR + b"more"))
    assert {name: value.tolist() for name, value in found.items()} == {"a": [2, 3], "b": [2, 3]}


@pytest.mark.parametrize(
    ("keys", "storages", "said"),
    [
        ([], FOUR, "not a plain file of tensors"),
        (["0", "0"], FOUR + FOUR, "another size than the file says, or is cut off"),
        (["1"], FOUR, "storages that are not those of its tensors"),
        (["0", "1"], FOUR + FOUR, "storages that are not those of its tensors"),
        (["0"], FOUR[:-1], "cut off"),
        (["0"], b"", "another size"),
        (["0"], struct.pack("<q4f", 5, 1, 2, 3, 4) + bytes(4), "another size"),
        (["0"], struct.pack("<q4f", -1, 1, 2, 3, 4), "another size"),
    ],
)
def test_storages_that_do_not_fit_an_old_file_are_refused(
    tmp_path: Path, keys: list[str], storages: bytes, said: str
) -> None:
    value = b"}U\x01a" + b"ctorch._utils\n_rebuild_tensor\n"
    value += row(storage(kind=b"ctorch\nFloatStorage\n"), number(0), row(number(4)), row(number(1))) + b"Rs"
    assert list(read_state_dict(old_file(tmp_path, value, ["0"], FOUR))) == ["a"]
    with pytest.raises(IntegrityError, match=rf"hand\.pth: .*{said}"):
        read_state_dict(old_file(tmp_path, value, keys, storages))
    with pytest.raises(IntegrityError, match="another order of bytes"):
        read_state_dict(old_file(tmp_path, value, ["0"], FOUR, little=False))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (table(a=number(3)), "what is 'a'"),
        (table(a=table(b=tensor())), "what is 'a'"),
        (b"}(" + number(3) + tensor() + b"u", "what is '3'"),
        (b"}(" + text("a\nb") + tensor() + b"u", r"what is 'a\\nb'"),
        (row(tensor()), "tuple where a state dict is wanted"),
        (called("collections", "OrderedDict", row(row(text("a"), tensor(5)))), "reaches outside its storage"),
        (called("torch.nn.modules.linear", "Linear"), "asks for 'torch.nn.modules.linear.Linear'"),
    ],
)
def test_what_is_no_state_dict_is_refused(tmp_path: Path, value: bytes, said: str) -> None:
    pairs = called("collections", "OrderedDict", row(row(text("a"), tensor(1, (3,)))))  # as python 2 has them
    assert read_state_dict(by_hand(tmp_path, pairs))["a"].tolist() == [2, 3, 4]
    with pytest.raises(IntegrityError, match=rf"hand\.pth: .*{said}"):
        read_state_dict(by_hand(tmp_path, value))
