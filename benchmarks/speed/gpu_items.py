"""What `bench_gpu.py` measures: networks of published sizes, made data for them, and the measurements themselves.

A measurement is a function of an architecture and a `Machine`; it returns rows of the table.
"""

import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from zoo.batch import Batch
from zoo.data.base import GenomicDataModule
from zoo.genome.sequence import decode
from zoo.hub.architectures import load_architecture
from zoo.hub.verification import TOLERANCES
from zoo.inference.engine import Precision, predict_batch
from zoo.models._base import SequenceModel
from zoo.training.compiled import compile_network

__all__ = ["ARCHITECTURES", "MEASUREMENTS", "Machine", "Row"]

ARCHITECTURES = ("mlp", "deepbind", "basset", "basenji", "akita")

_TRAINED: tuple[Precision, ...] = ("32", "bf16")
_NAMES: dict[Precision, str] = {"32": "float32", "bf16": "bfloat16", "16": "float16"}
_CONTIGS = {"chr1": 8, "chr2": 2, "chr3": 2}  # windows of a sequence's length, of which the last two are held out
_WARM = 3  # steps that are not counted


@dataclass(frozen=True)
class Size:
    """Sizes of an architecture.

    Attributes:
        length: bases.
        batch: sequences in a batch of training.
        rows: sequences that are compared with the CPU.
        targets: number of targets.
        bin_size: bases of a bin; 1 for labels.
        crop: bins at each end that are not predicted.
        options: further arguments of the class.
    """

    length: int
    batch: int
    rows: int
    targets: int
    bin_size: int
    crop: int
    options: dict[str, Any]


_TRUNK = {"stem_filters": 8, "tower_filters": (8, 10), "residual_filters": 6}
# The defaults of the classes are the published networks.
FULL = {
    "mlp": Size(251, 256, 64, 1, 1, 0, {}),
    "deepbind": Size(101, 256, 64, 1, 1, 0, {}),
    "basset": Size(600, 128, 64, 164, 1, 0, {}),
    "basenji": Size(131_072, 4, 1, 16, 128, 64, {}),
    "akita": Size(1_048_576, 2, 1, 1, 2_048, 32, {}),
}
_PAIRS = {"reduced_filters": 6, "filters": 6, "residual_filters": 4, "dilations": (1, 2)}
SMALL = {
    "mlp": Size(40, 8, 4, 2, 1, 0, {"hidden": (8,)}),
    "deepbind": Size(40, 8, 4, 2, 1, 0, {"motifs": {"filters": 4, "width_bases": 8}}),
    "basset": Size(200, 4, 4, 2, 1, 0, {"hidden": (8,)}),
    "basenji": Size(512, 2, 2, 2, 8, 2, {"trunk": {**_TRUNK, "tower_pools": (2, 2)}, "head_filters": 8}),
    "akita": Size(
        *(640, 2, 2, 1, 20, 1),
        {"trunk": {**_TRUNK, "tower_pools": (5, 2), "dilations": (1, 2)}, "pair_map": _PAIRS},
    ),
}


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        architecture: what was measured.
        measurement: what of it.
        precision: in which it was computed.
        compiled: whether by torch.compile.
        value: the number.
        unit: its unit.
        limit: the largest value with which it passes; empty where there is none.
        result: passed, failed or measured.
    """

    architecture: str
    measurement: str
    precision: str
    compiled: str
    value: float
    unit: str
    limit: str = ""
    result: str = "measured"


@dataclass(frozen=True)
class Machine:
    """Where and how large.

    Attributes:
        device: of torch.
        is_small: whether networks are tiny, to rehearse.
        folder: for made data.
    """

    device: str
    is_small: bool
    folder: Path

    def size(self, architecture: str) -> Size:
        """The sizes of an architecture."""
        return (SMALL if self.is_small else FULL)[architecture]

    @property
    def steps(self) -> int:
        """Number of training steps of a measurement."""
        return 3 if self.is_small else 20

    def synchronize(self) -> None:
        """Wait for the device."""
        if self.device != "cpu":
            torch.cuda.synchronize()


def build(architecture: str, size: Size) -> SequenceModel:
    """Build a network with the same random weights each time."""
    torch.manual_seed(1)
    targets = [f"t{index}" for index in range(size.targets)]
    options = {**size.options, **({"crop_bins": size.crop} if size.crop else {})}
    cls: Any = load_architecture(architecture)
    model: SequenceModel = cls(targets=targets, length=size.length, **options)
    return model


def codes_of(size: Size, rows: int) -> Tensor:
    """Random codes (rows, L)."""
    return torch.randint(0, 4, (rows, size.length), generator=torch.Generator().manual_seed(2)).to(torch.uint8)


def batch_of(model: SequenceModel, size: Size, device: str) -> Batch:
    """A random batch of training on a device."""
    target = torch.rand(size.batch, *model.output.shape, generator=torch.Generator().manual_seed(3)).round()
    return Batch(codes_of(size, size.batch).to(device), target.to(device))


def trained(architecture: str, machine: Machine) -> SequenceModel:
    """A network after a few steps of training, so that norms have the statistics of its own layers."""
    size = machine.size(architecture)
    model = build(architecture, size).to(machine.device).train()
    batch = batch_of(model, size, machine.device)
    step = stepper(model, "32", machine)
    for _ in range(_WARM):
        step(batch)
    return model.eval()


def stepper(model: SequenceModel, precision: Precision, machine: Machine) -> Callable[[Batch], None]:
    """A training step by AdamW, as Lightning takes it in mixed precision."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    dtype = torch.bfloat16 if precision == "bf16" else None

    def step(batch: Batch) -> None:
        optimizer.zero_grad()
        with torch.autocast(torch.device(machine.device).type, dtype, enabled=dtype is not None):
            loss = model.training_loss(batch).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


@contextmanager
def exact_float32() -> Iterator[None]:
    """Float32 without TensorFloat-32, which PyTorch takes for convolutions by default."""
    backends: tuple[Any, ...] = (torch.backends.cudnn, torch.backends.cuda.matmul)
    before = [backend.allow_tf32 for backend in backends]
    try:
        for backend in backends:
            backend.allow_tf32 = False
        yield
    finally:
        for backend, value in zip(backends, before, strict=True):
            backend.allow_tf32 = value


def measure_parity(architecture: str, machine: Machine) -> list[Row]:
    """Compare predictions with those of the CPU in float32."""
    model = trained(architecture, machine)
    codes = codes_of(machine.size(architecture), machine.size(architecture).rows)
    names, rows = [str(index) for index in range(len(codes))], []
    results = {}
    for precision in TOLERANCES:
        with exact_float32():
            results[precision] = predict_batch(model, codes, names, precision)
    tf32 = predict_batch(model, codes, names, "32")
    exact = predict_batch(model.cpu(), codes, names, "32")
    for precision, limit in TOLERANCES.items():
        rows.append(_difference(architecture, "prediction", _NAMES[precision], "no", results[precision], exact, limit))
    # Ten bits of mantissa, as float16 has.
    rows.append(_difference(architecture, "prediction", "TensorFloat-32", "no", tf32, exact, TOLERANCES["16"]))
    return rows


def _difference(
    architecture: str, what: str, precision: str, compiled: str, values: Any, exact: Any, limit: float
) -> Row:
    scale = float(np.abs(exact).max())
    value = float(np.abs(values - exact).max()) / max(scale, 1e-30)
    result = "passed" if value <= limit else "failed"
    unit = "of the largest value"
    return Row(architecture, f"difference of a {what}", precision, compiled, value, unit, str(limit), result)


def measure_training(architecture: str, machine: Machine) -> list[Row]:
    """Measure training steps on a batch that lies on the device."""
    return [row for precision in _TRAINED for row in _training(architecture, machine, precision, False)]


def measure_compiled(architecture: str, machine: Machine) -> list[Row]:
    """Compare compiled predictions with those of the same device, and measure compiled training steps."""
    model = trained(architecture, machine)
    codes = codes_of(machine.size(architecture), machine.size(architecture).rows)
    names = [str(index) for index in range(len(codes))]
    with exact_float32():
        exact = predict_batch(model, codes, names, "32")
        compile_network(model)
        values = predict_batch(model, codes, names, "32")
    rows = [_difference(architecture, "prediction", "float32", "yes", values, exact, TOLERANCES["32"])]
    return [*rows, *(row for p in _TRAINED for row in _training(architecture, machine, p, True))]


def _training(architecture: str, machine: Machine, precision: Precision, is_compiled: bool) -> list[Row]:
    """Sequences per second and peak memory of training, and of a compiled network the seconds of its first step."""
    size = machine.size(architecture)
    model = build(architecture, size).to(machine.device).train()
    if is_compiled:
        compile_network(model)
    batch, step = batch_of(model, size, machine.device), stepper(model, precision, machine)
    if machine.device != "cpu":
        torch.cuda.reset_peak_memory_stats()
    seconds = [time.perf_counter()]
    for count in (1, _WARM, machine.steps):
        for _ in range(count):
            step(batch)
        machine.synchronize()
        seconds.append(time.perf_counter())
    first, _, measured = (later - earlier for earlier, later in pairwise(seconds))
    words = (_NAMES[precision], "yes" if is_compiled else "no")
    rows = [Row(architecture, "training", *words, machine.steps * size.batch / measured, "sequences per s")]
    if is_compiled:
        rows.append(Row(architecture, "first step, with compilation", *words, first, "s"))
    if machine.device != "cpu":
        rows.append(Row(architecture, "peak memory", *words, torch.cuda.max_memory_allocated() / 1e9, "GB"))
    return rows


class _Waiting(Callback):
    """Measures how long a training loop waits for batches, from the end of a step on the device to the next one."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.waited, self.steps = machine, 0.0, 0
        self.began = self.ended = math.nan

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        """Count the wait, but for the first steps."""
        if self.steps > _WARM:
            self.waited += time.perf_counter() - self.ended

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        """Wait for the device."""
        self.machine.synchronize()
        self.ended = time.perf_counter()
        self.steps += 1
        if self.steps == _WARM + 1:
            self.began = self.ended


def measure_waiting(architecture: str, machine: Machine) -> list[Row]:
    """Train by Lightning's Trainer on the batches of a DataModule: rate, and share of the time without a batch."""
    rows = []
    size = machine.size(architecture)
    steps = machine.steps + _WARM + 1
    for precision in _TRAINED:
        data = make_data(architecture, size, machine, steps)
        model = build(architecture, replace(size, targets=len(data.spec().targets)))
        waiting = _Waiting(machine)
        trainer = Trainer(
            max_steps=steps,
            accelerator="cpu" if machine.device == "cpu" else "gpu",
            devices=1,
            precision="32-true" if precision == "32" else "bf16-mixed",
            callbacks=[waiting],
            limit_val_batches=0,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(model, datamodule=data)
        seconds = waiting.ended - waiting.began
        words = (_NAMES[precision], "no")
        rate = (waiting.steps - _WARM - 1) * size.batch / seconds
        rows.append(Row(architecture, "training on a DataModule", *words, rate, "sequences per s"))
        rows.append(Row(architecture, "waiting for data", *words, waiting.waited / seconds, "of the time"))
    return rows


def make_data(architecture: str, size: Size, machine: Machine, steps: int) -> GenomicDataModule:
    """Make random data and open them as a user's: a table, peaks' sites, bigWigs or a cooler."""
    folder = machine.folder / architecture
    folder.mkdir(exist_ok=True)
    workers = 0 if machine.is_small else min(8, os.cpu_count() or 1)
    options: dict[str, Any] = {"batch_size": size.batch, "num_workers": workers}
    rng = np.random.default_rng(4)
    if size.bin_size == 1:
        from zoo.data.sequences import SequenceDataModule

        names = [f"t{index}" for index in range(size.targets)]
        count = 2 * steps * size.batch
        labels = rng.integers(0, 2, (count, size.targets)).astype(str)
        codes = rng.integers(0, 4, (count, size.length)).astype(np.uint8)
        lines = ["\t".join([decode(row), *values]) for row, values in zip(codes, labels, strict=True)]
        (folder / "table.tsv").write_text("\n".join(["\t".join(["sequence", *names]), *lines]) + "\n")
        return SequenceDataModule(table=str(folder / "table.tsv"), label_columns=names, **options)
    from zoo.data.genome_split import SplitRules

    contigs = {name: windows * size.length for name, windows in _CONTIGS.items()}
    text = {name: decode(rng.integers(0, 4, length).astype(np.uint8)) for name, length in contigs.items()}
    (folder / "genome.fa").write_text("".join(f">{name}\n{letters}\n" for name, letters in text.items()))
    options |= {"length": size.length, "crop": size.crop, "epoch_size": steps * size.batch}
    options |= {"split": SplitRules(val=["chr2"], test=["chr3"])}
    if architecture == "basenji":
        return _tracks(folder, contigs, size, options, rng)
    return _contacts(folder, contigs, size, options, rng)


def _tracks(
    folder: Path, contigs: dict[str, int], size: Size, options: dict[str, Any], rng: np.random.Generator
) -> GenomicDataModule:
    from zoo.data.tracks import TrackDataModule
    from zoo.formats.bigwig_writer import open_bigwig

    with open_bigwig(folder / "one.bw", contigs) as file:
        for name, length in contigs.items():
            file.add_bins(name, 0, rng.gamma(1, 1, length // size.bin_size).astype(np.float32), size.bin_size)
    bigwigs = {f"t{index}": str(folder / "one.bw") for index in range(size.targets)}
    return TrackDataModule(str(folder / "genome.fa"), bigwigs=bigwigs, bin_size=size.bin_size, **options)


def _contacts(
    folder: Path, contigs: dict[str, int], size: Size, options: dict[str, Any], rng: np.random.Generator
) -> GenomicDataModule:
    import cooler
    import pandas as pd

    from zoo.data.contacts import ContactDataModule

    step = size.bin_size
    starts = [(name, start) for name, length in contigs.items() for start in range(0, length, step)]
    bins = pd.DataFrame(starts, columns=["chrom", "start"])
    bins["end"], bins["weight"] = bins["start"] + step, 1.0
    pixels, offset = [], 0
    for length in contigs.values():
        count = length // step
        row = np.repeat(np.arange(count), np.minimum(count - np.arange(count), size.length // step))
        column = row + np.arange(len(row)) - np.searchsorted(row, row)
        contacts = rng.poisson(200 / (1 + column - row)) + 1
        pixels.append(pd.DataFrame({"bin1_id": row + offset, "bin2_id": column + offset, "count": contacts}))
        offset += count
    cooler.create_cooler(str(folder / "made.cool"), bins, pd.concat(pixels), ordered=True)
    coolers = {"t0": str(folder / "made.cool")}
    return ContactDataModule(str(folder / "genome.fa"), coolers, **options)


MEASUREMENTS: dict[str, Callable[[str, Machine], list[Row]]] = {
    "parity": measure_parity,
    "training": measure_training,
    "waiting": measure_waiting,
    "compile": measure_compiled,
}
