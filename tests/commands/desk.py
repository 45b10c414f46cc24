"""A working folder for commands, and the registry of a case for each of their arguments."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyBigWig
import pytest
import torch
from made.models import Made

import zoo.hub.load
from zoo.inference.engine import Precision, predict_batch

Run = Callable[..., tuple[int, str, str]]

SEQUENCES = ["ACGTACGTACGTACGTACGT", "GATTACAGATTACAGATTAC"]


@dataclass
class Desk:
    """A working folder, made files, and the command line."""

    made: Made
    run_zoo: Run
    monkeypatch: pytest.MonkeyPatch

    def run(self, *words: str) -> str:
        """Standard output of a command that works."""
        code, out, err = self.run_zoo(*words)
        assert code == 0, err
        return out

    def refused(self, *words: str) -> str:
        """The one sentence of a command that is refused, and writes nothing."""
        before = contents()
        code, out, err = self.run_zoo(*words)
        assert (code, out, err.count("\n"), err[:5]) == (2, "", 1, "zoo: ")
        assert contents() == before
        return err

    def predict(self, kind: str, *options: str, source: str = "") -> dict[str, Any]:
        """What is written for a kind: target -> values."""
        name, output = self.made.models[kind], {"labels": "-", "tracks": "new", "contacts": "new.npz"}[kind]
        words = [] if "-o" in options or "--output" in options else ["-o", output]
        out = self.run("predict", name, source or self.source(kind), *options, *words)
        return self.read(kind, out, options[options.index("-o") + 1] if "-o" in options else output)

    def source(self, kind: str) -> str:
        return "in.fa" if kind == "labels" else str(self.made.genome)

    def read(self, kind: str, out: str, output: str) -> dict[str, Any]:
        """Target -> values, of what was written; the files are taken away."""
        if kind == "labels":
            header, *rows = [line.split("\t") for line in out.splitlines()]
            return {name: [row[i] for row in rows] for i, name in enumerate(header)}
        if kind == "contacts":
            with np.load(output) as arrays:
                names = arrays["targets"].tolist()
                maps = {region: arrays[region] for region in arrays if region != "targets"}
            Path(output).unlink()
            return {name: {region: values[i] for region, values in maps.items()} for i, name in enumerate(names)}
        result: dict[str, Any] = {}
        for path in sorted(Path(output).iterdir()):
            with pyBigWig.open(str(path)) as file:
                result[path.stem] = {
                    contig: file.values(contig, 0, length, numpy=True) for contig, length in file.chroms().items()
                }
            path.unlink()
        return result

    def devices(self) -> list[str]:
        """The devices on which models will be loaded."""
        devices: list[str] = []
        load = zoo.hub.load.load

        def recording(name: str, device: str) -> Any:
            devices.append(device)
            return load(name, device)

        self.monkeypatch.setattr("zoo.hub.load.load", recording)
        return devices

    def record(self, kind: str) -> list[tuple[int, bool]]:
        """Batches that will be predicted: their sizes, and whether in a lower precision."""
        batches: list[tuple[int, bool]] = []
        module = f"zoo.inference.{kind}.predict_batch"

        def recording(model: Any, codes: torch.Tensor, names: Any, precision: Precision, inputs: Any = None) -> Any:
            batches.append((len(codes), precision != "32"))
            return predict_batch(model, codes, names, precision, inputs)

        self.monkeypatch.setattr(module, recording)
        return batches

    def drawn(self, kind: str) -> list[tuple[Any, ...]]:
        """Arguments of the pictures that will be drawn."""
        calls: list[tuple[Any, ...]] = []

        def draw(picture: Path, *values: Any) -> None:
            picture.write_text("drawn")
            calls.append(values)

        name = {"tracks": "draw_tracks", "contacts": "draw_contact_maps"}[kind]
        self.monkeypatch.setattr(f"zoo.plots.{kind}.{name}", draw)
        return calls

    def plot(self, kind: str, *options: str) -> tuple[Any, ...]:
        """Arguments of the picture of chr1:1000-3000."""
        calls = self.drawn(kind)
        words = ["--plot", "chr1:1,000-3,000", "-o", "a.png", *options]
        self.run("predict", self.made.models[kind], str(self.made.genome), *words)
        return calls[-1]


def contents() -> dict[str, bytes]:
    """What lies here: the bytes of each file, and the folders, which are empty ones too."""
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in Path().rglob("*")}


Case = Callable[[Desk], None]
CASES: dict[tuple[str, str], Case] = {}


def case(argument: str, *commands: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as the case of an argument: of `predict`, it is called with the kind too."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        for command in commands:
            kind = command.removeprefix("predict ")
            assert (command, argument) not in CASES
            CASES[command, argument] = (
                (lambda desk, kind=kind: function(desk, kind)) if command != kind else function  # type: ignore[misc]
            )
        return function

    return register
