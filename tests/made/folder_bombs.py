"""Checkpoint folders of small files that would take hours or all memory, if a reader believed what they say."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from made.folders import (
    CONFIG,
    EXAMPLE,
    FORMAT_1,
    WEIGHTS,
    Files,
    change_values,
    join_tensors,
    read_folder,
    sealed,
    split_tensors,
    write_folder,
)

__all__ = ["BOMBS", "drop_bomb"]

_FOLDERS = {folder.name: folder for folder in FORMAT_1}
_LARGE = 2_000_000_000
_HOLE = 1 << 40  # bytes of files that are all hole


def _arguments(name: str, **changes: Any) -> Files:
    """A folder with other arguments."""
    return change_values(read_folder(_FOLDERS[name]), lambda config: config["arguments"].update(changes))


def _config(name: str, text: str | bytes) -> Files:
    return {**read_folder(_FOLDERS[name]), CONFIG: text if isinstance(text, bytes) else text.encode()}


def _current(name: str, **changes: Any) -> Files:
    """A folder of the current format, as far as the arguments are concerned, with other arguments."""

    def edit(config: dict[str, Any]) -> None:
        config.update(format=2, run=None)
        config["arguments"] = {key: config["arguments"][key] for key in ("targets", "length", "loss")} | changes

    return change_values(read_folder(_FOLDERS[name]), edit)


def _values(name: str, **changes: Any) -> Files:
    return change_values(read_folder(_FOLDERS[name]), lambda config: config.update(changes))


def _hole(file: str) -> Files:
    """A file that is a hole, but for its beginning."""
    files = read_folder(_FOLDERS["mlp.tiny"])
    content = files[file]
    assert isinstance(content, bytes)

    def write(path: Path) -> None:
        path.write_bytes(content)
        os.truncate(path, _HOLE)

    return {**files, file: write}


def _wide_weights() -> Files:
    """Weights of a net of 100 million hidden units, of which none lies on the disk."""
    files = _arguments("mlp.tiny", hidden=[100_000_000])
    header, start = {}, 0
    for name, shape in (
        ("trunk.0.weight", [100_000_000, 48]),
        ("trunk.0.bias", [100_000_000]),
        ("head.weight", [2, 100_000_000]),
        ("head.bias", [2]),
    ):
        end = start + 4 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, end]}
        start = end
    text = join_tensors(header, b"")

    def write(path: Path) -> None:
        path.write_bytes(text)
        os.truncate(path, len(text) + start)

    return {**files, WEIGHTS: write}


def _many_tensors() -> Files:
    """A header of very many tensors without a value."""
    files = read_folder(_FOLDERS["mlp.tiny"])
    content = files[WEIGHTS]
    assert isinstance(content, bytes)
    header, data = split_tensors(content)
    empty = {"dtype": "F32", "shape": [0], "data_offsets": [len(data), len(data)]}
    return sealed({**files, WEIGHTS: join_tensors({**header, **{f"t{i}": empty for i in range(90_000)}}, data)})


def _many_layers() -> Files:
    """As many tensors as a deep net would have, each of one value, and a net that is deeper still."""
    files = _arguments("mlp.tiny", hidden=[1] * 1_000)
    header = {f"t{i}": {"dtype": "F32", "shape": [1], "data_offsets": [4 * i, 4 * i + 4]} for i in range(900)}
    return sealed({**files, WEIGHTS: join_tensors(header, bytes(4 * 900))})


def _example(name: str, count: int, bases: int, **arguments: Any) -> Files:
    """An example of many or long sequences, with predictions of 0."""
    files = _arguments(name, **arguments) if arguments else read_folder(_FOLDERS[name])
    content = files[EXAMPLE]
    assert isinstance(content, bytes)
    shape = [count, *split_tensors(content)[0]["expected"]["shape"][1:]]
    size, values = count * bases, 4
    for axis in shape:
        values *= axis
    header = {
        "codes": {"dtype": "U8", "shape": [count, bases], "data_offsets": [0, size]},
        "expected": {"dtype": "F32", "shape": shape, "data_offsets": [size, size + values]},
    }
    return sealed({**files, EXAMPLE: join_tensors(header, bytes(size + values))})


def _targets(text: bytes) -> Files:
    return sealed({**read_folder(_FOLDERS["mlp.tiny"]), "targets.tsv": text})


_NAMES = [f"target {number}" for number in range(200_000)]
# What it is -> the folder's name and the maker of its files.
BOMBS: dict[str, tuple[str, Callable[[], Files]]] = {
    "MLP of two huge layers": ("mlp.tiny", lambda: _arguments("mlp.tiny", hidden=[100_000, 100_000])),
    "MLP of a hundred layers as wide as its file": ("mlp.tiny", lambda: _arguments("mlp.tiny", hidden=[200] * 900)),
    "MLP of very long sequences": ("mlp.tiny", lambda: _arguments("mlp.tiny", length=_LARGE)),
    "MLP of 200 million bases": ("mlp.tiny", lambda: _arguments("mlp.tiny", length=200_000_000)),
    "size beyond 64 bits": ("mlp.tiny", lambda: _arguments("mlp.tiny", hidden=[10**400])),
    "million layers": ("mlp.tiny", lambda: _arguments("mlp.tiny", hidden=[1] * 1_000_000)),
    "more layers than tensors": ("mlp.tiny", _many_layers),
    "list times a number": (
        "deepbind.tiny",
        lambda: _current("deepbind.tiny", ensemble_members=[1] * 900, motifs={"filters": _LARGE}),
    ),
    "very many ensemble members": ("basset.tiny", lambda: _arguments("basset.tiny", members=_LARGE)),
    "ensemble members below the number of weights": ("basset.tiny", lambda: _arguments("basset.tiny", members=900)),
    "text times a number in format 1": (
        "akita.tiny",
        lambda: _arguments("akita.tiny", input_size=None, stem_stride="a" * 900, stem_pool=_LARGE, tower_pools=[]),
    ),
    "product of very many pools": (
        "akita.tiny",
        lambda: _arguments("akita.tiny", input_size=None, tower_pools=[_LARGE] * 100_000),
    ),
    "very many dilations": ("basenji.tiny", lambda: _arguments("basenji.tiny", dilations=[1] * 1_000)),
    "bins of one base": (
        "akita.tiny",
        lambda: _arguments("akita.tiny", length=200_000_000, stem_stride=1, stem_pool=1, tower_pools=[1, 1]),
    ),
    "200,000 targets": ("mlp.tiny", lambda: _arguments("mlp.tiny", targets=_NAMES)),
    "200,000 targets, the last one twice": ("mlp.tiny", lambda: _arguments("mlp.tiny", targets=[*_NAMES, _NAMES[-1]])),
    "200,000 input tracks": (
        "basset.tiny",
        lambda: _current("basset.tiny", inputs={"names": _NAMES, "strand_pairs": list(range(200_000))}),
    ),
    "nested 100,000 deep": ("mlp.tiny", lambda: _config("mlp.tiny", "[" * 100_000)),
    "objects nested 900 deep": (
        "mlp.tiny",
        lambda: _values("mlp.tiny", run=json.loads('{"a":' * 900 + "1" + "}" * 900)),
    ),
    "millions of empty lists": ("mlp.tiny", lambda: _config("mlp.tiny", "[" + "[]," * 9_000_000 + "[]]")),
    "two million objects": ("mlp.tiny", lambda: _config("mlp.tiny", "[" + '{"ab":0},' * 1_900_000 + "0]")),
    "two million keys": (
        "mlp.tiny",
        lambda: _config("mlp.tiny", "{" + ",".join(f'"{number}":0' for number in range(1_990_000)) + "}"),
    ),
    "config.json of 40 MB": ("mlp.tiny", lambda: _config("mlp.tiny", b" " * 40_000_000)),
    "number of a million digits": ("mlp.tiny", lambda: _config("mlp.tiny", '{"format":' + "9" * 1_000_000 + "}")),
    "text of 30 MB": ("mlp.tiny", lambda: _values("mlp.tiny", use="a" * 30_000_000)),
    "hundred thousand metrics": (
        "mlp.tiny",
        lambda: change_values(
            read_folder(_FOLDERS["mlp.tiny"]), lambda config: config["run"].update(metrics={n: {} for n in _NAMES})
        ),
    ),
    "hole in config.json": ("mlp.tiny", lambda: _hole(CONFIG)),
    "hole in the weights": ("mlp.tiny", lambda: _hole(WEIGHTS)),
    "hole in the example": ("mlp.tiny", lambda: _hole(EXAMPLE)),
    "hole in targets.tsv": ("mlp.tiny", lambda: _hole("targets.tsv")),
    "hole in the card": ("mlp.tiny", lambda: _hole("README.md")),
    "20 GB of weights that are a hole": ("mlp.tiny", _wide_weights),
    "header of 100 MB": (
        "mlp.tiny",
        lambda: sealed({**read_folder(_FOLDERS["mlp.tiny"]), WEIGHTS: (99_000_000).to_bytes(8, "little") + b" " * 99}),
    ),
    "90,000 empty tensors": ("mlp.tiny", _many_tensors),
    "example of a million sequences": ("mlp.tiny", lambda: _example("mlp.tiny", 1_000_000, 12)),
    "example of 30 million bases": ("deepbind.scan", lambda: _example("deepbind.scan", 1, 30_000_000)),
    "example of 1,000 long sequences": ("deepbind.scan", lambda: _example("deepbind.scan", 1_000, 20_000)),
    "window of 20 million bases": (
        "deepbind.scan",
        lambda: _example("deepbind.scan", 1, 20_000_000, length=20_000_000),
    ),
    "targets.tsv of one line": ("mlp.tiny", lambda: _targets(b"a" * 60_000_000)),
    "targets.tsv of a million rows": (
        "mlp.tiny",
        lambda: _targets(b"name\tdescription\tunit\tthreshold\n" + b"a\tb\tc\t\n" * 1_000_000),
    ),
    "targets.tsv of 30 million columns": ("mlp.tiny", lambda: _targets(b"\t" * 30_000_000)),
}


def drop_bomb(home: Path, what: str) -> str:
    """Write one of `BOMBS` into `home/checkpoints`; returns the folder's name."""
    name, make = BOMBS[what]
    write_folder(home / "checkpoints" / name, make())
    return name
