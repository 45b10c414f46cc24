"""Tracks: how fast windows are read from the memory maps, against reading each from FASTA and bigWig, on yeast.

    zoo benchmark tracks [--parts loader contig memory] [--windows 2000] [--steps 40] [--megabases 25 250]

`loader`: windows of the training part of yeast, moved and turned as in training, in the batches that TrackDataModule
makes by default and in those of basenji.yeast, which are smaller and are pooled from finer bins; the naive loop reads
the same windows one by one with pyfaidx and pyBigWig and bins them. Steps are training steps of basenji.yeast over the
DataModule and on one batch at hand, in turns of one run. `contig`: `zoo predict` along one made contig, by a small net
of random weights, in a process of its own: its memory does not grow with the contig, but for the pages of the FASTA
that the system keeps. `memory`: loss and gradients of one window of 131,072 bases by the published human net, in
float32, with activation checkpointing and without.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyBigWig
import torch
from numpy.typing import NDArray
from pyfaidx import Fasta

sys.path.insert(0, str(Path(__file__).parents[1]))
from common import write_results

from zoo.batch import Batch
from zoo.data.tracks.dataset import TrackDataset
from zoo.datasets.yeast import YeastDataModule
from zoo.genome.sequence import decode, encode
from zoo.hub.checkpoint import save
from zoo.hub.facts import ModelFacts
from zoo.hub.registry import shipped_folder
from zoo.hub.targets import TargetRow
from zoo.models.basenji import Basenji
from zoo.training.run import parse

CONFIG = "basenji.yeast.yaml"
SMALL_NET: dict[str, Any] = {
    "length": 65_536,
    "stem_filters": 8,
    "stem_width": 16,
    "stem_stride": 8,
    "stem_pool": 2,
    "tower_filters": (8, 8),
    "tower_pools": (4, 2),
    "residual_filters": 8,
    "dilations": (1, 2, 4),
    "head_filters": 8,
    "crop": 16,
}
TURNS = 4
STEP = """
import resource, sys, time, torch
from zoo.models.basenji import Basenji
held = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
model = Basenji([f"target{index}" for index in range(5313)], checkpointing=sys.argv[1] == "1")
codes, target = torch.randint(0, 4, (1, model.length)).to(torch.uint8), torch.ones(1, *model.output.shape)
before, started = held(), time.perf_counter()
model.loss.function(model(model.encode(codes)), target).backward()
print(before, held(), time.perf_counter() - started)
"""


def main(arguments: Sequence[str]) -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(prog="zoo benchmark tracks", description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--windows", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--megabases", type=int, nargs="+", default=[25, 250])
    options = parser.parse_args(arguments)
    for part in options.parts:
        print(PARTS[part](options))


def loader_table(options: argparse.Namespace) -> str:
    """Windows and training steps."""
    run = parse([str(shipped_folder("configs") / CONFIG)])
    data, model = run.datamodule, run.model
    assert isinstance(data, YeastDataModule)
    default = YeastDataModule(shift=data.bin_size * data.bins // 2)
    rows: list[list[object]] = [
        ["windows per s", *windows(default, options.windows)],
        ["windows per s, as basenji.yeast", *windows(data, options.windows)],
        ["training steps per s", *steps(data, model, options.steps)],
    ]
    header = ["", "TrackDataModule", "reference", "ratio", "reference is"]
    facts = {"threads": torch.get_num_threads(), "cores": os.cpu_count(), **vars(options)}
    return write_results("tracks", header, rows, facts)


def contig_table(options: argparse.Namespace) -> str:
    """Seconds and memory of `zoo predict` along contigs of these lengths."""
    rows = []
    for size in options.megabases:
        with tempfile.TemporaryDirectory() as folder:
            rows.append([size, *predict_contig(Path(folder), size)])
    header = ["megabases", "seconds", "gigabytes of memory", "megabytes of FASTA in it", "megabytes of bigWig"]
    return write_results("tracks_contig", header, rows, {"net": SMALL_NET, "cores": os.cpu_count()})


def memory_table(options: argparse.Namespace) -> str:
    """Seconds and memory of a training step at the published size."""
    rows = []
    for checkpointing in (False, True):
        command = [sys.executable, "-c", STEP, str(int(checkpointing))]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        rows.append(["yes" if checkpointing else "no", *map(float, done.stdout.split())])
    header = ["activation checkpointing", "gigabytes before", "gigabytes at most", "seconds"]
    return write_results("tracks_memory", header, rows, {"cores": os.cpu_count(), "threads": torch.get_num_threads()})


def predict_contig(folder: Path, megabases: int) -> list[object]:
    """Predict a made contig in a process of its own."""
    rng = np.random.default_rng(0)
    genome = folder / "genome.fa"
    with genome.open("w") as file:
        file.write(">chr1\n")
        for _ in range(megabases):
            letters = decode(rng.integers(0, 4, 1_000_000).astype(np.uint8))
            file.writelines(f"{letters[i : i + 100]}\n" for i in range(0, len(letters), 100))
    torch.manual_seed(0)
    model = Basenji(["made"], **SMALL_NET)
    example = {"codes": torch.zeros(8, model.length, dtype=torch.uint8)}
    save(model, folder / "basenji.small", ModelFacts("basenji.small", "made"), [TargetRow("made", "", "")], example)
    command = [sys.executable, "-m", "zoo.cli", "predict", f"local-dir:{folder / 'basenji.small'}", str(genome)]
    started = time.perf_counter()
    # A process that starts another: the memory of the largest child is that of this one.
    script = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
    script += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    measured = [sys.executable, "-c", script, *command, "-o", str(folder / "tracks")]
    done = subprocess.run(measured, check=True, stdout=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - started
    written = (folder / "tracks" / "made.bw").stat().st_size / 1e6
    return [seconds, int(done.stdout) * 1024 / 1e9, genome.stat().st_size / 1e6, written]


def windows(data: YeastDataModule, count: int) -> list[object]:
    """Windows per second of the training loader and of the naive loop over the same windows."""
    dataset = data.dataset("train")
    batches = max(1, count // data.batch_size)
    order = np.random.default_rng(0).integers(0, len(dataset), (batches, data.batch_size))
    for each in order[:5]:
        dataset.__getitems__(each.tolist())  # the pages are in memory for both
    started = time.perf_counter()
    for each in order:
        dataset.__getitems__(each.tolist())
    ours = order.size / (time.perf_counter() - started)
    few = order.ravel()[: max(20, order.size // 20)]
    naive = NaiveReader(data, dataset)
    naive(int(few[0]))
    started = time.perf_counter()
    for row in few.tolist():
        naive(row)
    theirs = len(few) / (time.perf_counter() - started)
    return [ours, theirs, ours / theirs, "pyfaidx and pyBigWig, window by window"]


class NaiveReader:
    """A window at a time, from the files themselves."""

    def __init__(self, data: YeastDataModule, dataset: TrackDataset) -> None:
        self.fasta = Fasta(data.genome, sequence_always_upper=True)
        self.files = [pyBigWig.open(track.path) for track in data.tracks]
        self.data, self.tiles = data, dataset.tiles
        self.contigs = list(data.data.coverage.contigs)

    def __call__(self, row: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Codes (L,) and values (T, N)."""
        data = self.data
        contig, size = self.contigs[self.tiles.contig[row]], data.bin_size
        start = int(self.tiles.start[row]) * size
        first, end = start - data.crop * size, start + (data.bins + data.crop) * size
        length = len(self.fasta[contig])
        letters = str(self.fasta[contig][max(first, 0) : min(end, length)])
        codes = encode("N" * max(-first, 0) + letters + "N" * max(end - length, 0))
        values = [file.values(contig, start, start + data.bins * size, numpy=True) for file in self.files]
        binned = [
            np.nan_to_num(each).reshape(-1, size).sum(1) / (1 if track.statistic == "sum" else size)
            for each, track in zip(values, data.tracks, strict=True)
        ]
        return codes, np.stack(binned)


def steps(data: YeastDataModule, model: Any, count: int) -> list[object]:
    """Training steps per second over the DataModule and on one batch, in turns."""
    model.train()
    optimizer = torch.optim.AdamW(model.parameters())

    def step(batch: Batch) -> None:
        optimizer.zero_grad()
        model.training_loss(batch).backward()
        optimizer.step()

    def endless() -> Iterator[Batch]:
        loader = data.train_dataloader()
        while True:
            yield from loader

    batches = endless()
    cached = next(batches)
    step(cached)
    seconds = {"cached": 0.0, "loop": 0.0}
    each = max(1, count // TURNS)
    for _ in range(TURNS):
        for name, source in (("cached", [cached] * each), ("loop", islice(batches, each))):
            started = time.perf_counter()
            for batch in source:
                step(batch)
            seconds[name] += time.perf_counter() - started
    ours, theirs = TURNS * each / seconds["loop"], TURNS * each / seconds["cached"]
    return [ours, theirs, ours / theirs, "the same step on one cached batch"]


PARTS: dict[str, Callable[[argparse.Namespace], str]] = {
    "loader": loader_table,
    "contig": contig_table,
    "memory": memory_table,
}

if __name__ == "__main__":
    main(sys.argv[1:])
