"""Faults of a checkpoint folder, each by name: how it is made, and words of the sentence that refuses it."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from zoo.utils.download import sha256_of

__all__ = ["HOSTILE", "edit", "link", "pipe"]


def edit(folder: Path, **changes: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    for key, value in changes.items():
        *outer, last = key.split("__")
        table = config[outer[0]] if outer else config
        table[last] = value
    (folder / "config.json").write_text(json.dumps(config))


def publish(folder: Path) -> None:
    hashes = json.loads((folder / "config.json").read_text())["sha256"]
    edit(folder, sha256={name: sha256_of(folder / name) for name in hashes})


def replace_text(folder: Path, old: str, new: str) -> None:
    text = (folder / "config.json").read_text()
    assert old in text
    (folder / "config.json").write_text(text.replace(old, new, 1))


def change_example(folder: Path, **tensors: Any) -> None:
    example = load_file(folder / "example.safetensors")
    save_file({**example, **tensors}, folder / "example.safetensors")
    publish(folder)


def change_weights(folder: Path, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
    state = load_file(folder / "model.safetensors")
    save_file({name: change(value) for name, value in state.items()}, folder / "model.safetensors")
    publish(folder)


def link(folder: Path, name: str, target: str) -> None:
    (folder / name).unlink()
    (folder / name).symlink_to(target)


def pipe(folder: Path, name: str) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)


def write_targets(folder: Path, *rows: str) -> None:
    (folder / "targets.tsv").write_text("\n".join(["name\tdescription\tunit\tthreshold", *rows, ""]))
    publish(folder)


def write_other(folder: Path, text: str) -> None:
    (folder / "targets.tsv").write_text(text)
    publish(folder)


# What is wrong -> how, and words of the sentence.
HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "deep lists": (lambda f: (f / "config.json").write_text("[" * 90_000), "too deep in each other"),
    "deep objects": (lambda f: edit(f, run=json.loads('{"a":' * 30 + "1" + "}" * 30)), "more than 10 deep"),
    "length NaN": (lambda f: replace_text(f, '"length": 20', '"length": NaN'), "NaN is no JSON number"),
    "tolerance beyond floats": (lambda f: replace_text(f, '"tolerance": 0.0001', '"tolerance": 1e999'), "not inf"),
    "tolerance a text": (lambda f: edit(f, tolerance="1e-4"), "tolerance must be a number"),
    "sha256 a list": (lambda f: edit(f, sha256=["model.safetensors"]), "sha256 must be an object"),
    "sha256 of a list": (lambda f: edit(f, sha256={"model.safetensors": []}), "64 hexadecimal digits, not []"),
    "sha256 of the folder above": (lambda f: edit(f, sha256={"..": "0" * 64}), "outside the folder: '..'"),
    "sha256 of no name": (lambda f: edit(f, sha256={"": "0" * 64}), "outside the folder: ''"),
    "key twice": (lambda f: replace_text(f, "{", '{"name": "mlp.other",'), "the key 'name' occurs twice"),
    "format true": (lambda f: edit(f, format=True), "has format True"),
    "name in two lines": (lambda f: edit(f, name="mlp.a\nb"), "one line"),
    "name of a terminal's commands": (lambda f: edit(f, name="mlp.\x1b[2J"), "without control characters"),
    "key in two lines": (lambda f: edit(f, **{"a\nb": 1}), "is no key of one line"),
    "half a character": (lambda f: edit(f, summary="\ud800"), "without control characters"),
    "seed of a text": (lambda f: edit(f, run__seed=0.5), "seed must be a whole number"),
    "inputs of a number": (lambda f: edit(f, arguments__inputs={"names": 3}), "inputs must be a list"),
    "scores of one target": (lambda f: edit(f, run__target_metrics={"auroc": [0.5]}), "2 values each"),
    "32 MB of spaces": (lambda f: (f / "config.json").write_text(" " * 40_000_000), "this file may have 33,554,432"),
    "layer of 10 billion weights": (lambda f: edit(f, arguments__hidden=[100_000] * 2), "far more than are stored"),
    "number beyond 32 bits": (lambda f: edit(f, arguments__hidden=[1 << 31]), "beyond the largest of 2,147,483,647"),
    "hundreds of layers": (lambda f: edit(f, arguments__hidden=[600] * 900), "far more than are stored"),
    "million layers": (lambda f: edit(f, arguments__hidden=[1] * 1_000_000), "it may hold 1,000"),
    "hidden a number": (lambda f: edit(f, arguments__hidden=8), "hidden must be a list, not 8"),
    "target twice": (lambda f: edit(f, arguments__targets=["a", "a"]), "targets holds a name twice"),
    "other precision": (lambda f: change_weights(f, torch.Tensor.half), "head.0.bias is F16 [2], not F32 [2]"),
    "code of no base": (lambda f: change_example(f, codes=torch.full((4, 20), 5).byte()), "0 to 4, not 5"),
    "codes of 4 bytes": (lambda f: change_example(f, codes=torch.zeros(4, 20)), "codes is F32 [4, 20], not U8 [4, 20]"),
    "no sequence": (lambda f: change_example(f, codes=torch.zeros(0, 20).byte()), "1 to 1,000 sequences"),
    "one axis": (lambda f: change_example(f, codes=torch.zeros(20).byte()), "not [20]"),
    "sequences too short": (lambda f: change_example(f, codes=torch.zeros(4, 9).byte()), "9 bases; the model takes 20"),
    "other prediction": (lambda f: change_example(f, expected=torch.zeros(4, 3)), "expected is F32 [4, 3]"),
    "infinite prediction": (lambda f: change_example(f, expected=torch.full((4, 2), torch.inf)), "NaN or infinite"),
    "empty card": (lambda f: (f / "README.md").write_text(" \n"), "README.md is empty"),
    "card of bytes": (lambda f: (f / "README.md").write_bytes(b"\xff"), "README.md is not a text file in UTF-8"),
    "weights of this process": (
        lambda f: link(f, "model.safetensors", "/proc/self/environ"),
        "a link out of its folder",
    ),
    "config of a device": (lambda f: link(f, "config.json", "/dev/zero"), "a link out of its folder, to /dev/zero"),
    "card out of the folder": (lambda f: link(f, "README.md", "../../x"), "README.md is missing"),
    "link to itself": (lambda f: link(f, "targets.tsv", "targets.tsv"), "a link to itself"),
    "folder for a file": (lambda f: link(f, "targets.tsv", "."), "not a regular file"),
    "pipe for a file": (lambda f: pipe(f, "model.safetensors"), "not a regular file"),
    "hole for weights": (lambda f: os.truncate(f / "model.safetensors", 1 << 40), "only 4,096 lie on the disk"),
    "columns of another table": (
        lambda f: write_other(f, "name\tcolour\na\tred\n"),
        "must have the columns name",
    ),
    "row without a unit": (lambda f: write_targets(f, "a\tb"), "row 1 has 2 columns, not 4"),
    "targets of another model": (lambda f: write_targets(f, "a\t\t\t"), "the names are not the 2 targets"),
    "threshold that is no probability": (lambda f: write_targets(f, "first\t\t\tnan"), "must be a number from 0 to 1"),
    "empty targets": (lambda f: write_other(f, ""), "targets.tsv is empty"),
    "very long field": (lambda f: write_other(f, "name\t" + "a" * 200_000), "targets.tsv"),
}
