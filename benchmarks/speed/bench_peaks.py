"""Peaks: how long a table of many files takes and how much memory, and what reading from the genome costs training.

    zoo benchmark peaks [--files 164] [--peaks 2000000] [--steps 60]

The table: made narrowPeak files with peaks around shared places on the contig lengths of a genome of 3 gigabases, by
`zoo data peaks`, in a process of its own. Training: Basset as published (600 bp, 164 targets) on a made genome, the
steps of the loop over PeakDataModule against the same step on one batch at hand, in turns of one run.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))
from common import write_results

from zoo.batch import Batch
from zoo.data.peaks.module import PeakDataModule
from zoo.data.peaks.table import PeakTable
from zoo.genome.sequence import decode
from zoo.models.basset import Basset

GIGABASES = 3
CONTIGS = 24
TURNS = 6
BATCH = 128
TARGETS = 164
LENGTH = 600


def main(arguments: Sequence[str]) -> None:
    """Measure, print and write both tables."""
    parser = argparse.ArgumentParser(prog="zoo benchmark peaks", description=__doc__)
    parser.add_argument("--files", type=int, default=TARGETS)
    parser.add_argument("--peaks", type=int, default=2_000_000)
    parser.add_argument("--steps", type=int, default=60)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        print(table_results(Path(folder), options.files, options.peaks))
        print(training_results(Path(folder), options.steps))


def table_results(folder: Path, files: int, peaks: int) -> str:
    """Seconds and memory of `zoo data peaks`."""
    names = make_peaks(folder, files, peaks)
    table = folder / "table.tsv"
    command = [sys.executable, "-m", "zoo.cli", "data", "peaks", *names, "--contig-lengths", str(folder / "sizes")]
    started = time.perf_counter()
    done = subprocess.run([*command, "-o", str(table)], stderr=subprocess.PIPE, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(done.stderr)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6  # in kilobytes, of the largest child
    with table.open() as lines:
        sites = sum(1 for _ in lines) - 1
    header = ["files", "peaks", "gigabases", "sites", "seconds", "gigabytes of memory", "megabytes of table"]
    row = [files, peaks, GIGABASES, sites, seconds, memory, table.stat().st_size / 1e6]
    return write_results("peaks_table", header, [row], done.stderr.splitlines()[:-1])  # the last names the file


def make_peaks(folder: Path, files: int, peaks: int) -> list[str]:
    """Made narrowPeak files, a fifth as many places as peaks, and a file of contig lengths; the files' paths."""
    rng = np.random.default_rng(0)
    size = int(GIGABASES * 1e9 / CONTIGS)
    (folder / "sizes").write_text("".join(f"chr{i + 1}\t{size}\n" for i in range(CONTIGS)))
    places = rng.integers(1000, size * CONTIGS - 1000, peaks // 5)
    paths = []
    for number in range(files):
        count = peaks // files + (number < peaks % files)
        summit = rng.choice(places, count) + rng.normal(0, 60, count).astype(int)
        contig, summit = summit // size, np.clip(summit % size, 500, size - 500)
        start, end = summit - rng.integers(50, 300, count), summit + rng.integers(50, 300, count)
        path = folder / f"cell{number}.narrowPeak"
        columns = zip(contig.tolist(), start.tolist(), end.tolist(), (summit - start).tolist(), strict=True)
        path.write_text("".join(f"chr{c + 1}\t{s}\t{e}\t.\t0\t.\t1\t1\t1\t{p}\n" for c, s, e, p in columns))
        paths.append(str(path))
    return paths


def training_results(folder: Path, steps: int) -> str:
    """Steps per second over the DataModule and on one batch, in turns."""
    data = made_module(folder)
    model = Basset([f"cell{i}" for i in range(TARGETS)]).train()
    optimizer = torch.optim.AdamW(model.parameters())

    def step(batch: Batch) -> None:
        optimizer.zero_grad()
        model.training_loss(batch).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    batches = endless(data)
    cached = next(batches)
    seconds = {"cached": 0.0, "loop": 0.0}
    step(cached)
    for _ in range(TURNS):
        for name, source in (("cached", [cached] * (steps // TURNS)), ("loop", islice(batches, steps // TURNS))):
            started = time.perf_counter()
            for batch in source:
                step(batch)
            seconds[name] += time.perf_counter() - started
    count = steps // TURNS * TURNS
    rates = {name: count / value for name, value in seconds.items()}
    alone = reading_rate(batches, count)
    header = [
        "steps",
        "batch",
        "cached batch, steps per s",
        "DataModule, steps per s",
        "ratio",
        "reading alone, batches per s",
    ]
    row = [count, BATCH, rates["cached"], rates["loop"], rates["loop"] / rates["cached"], alone]
    return write_results("peaks_training", header, [row], {"threads": torch.get_num_threads(), "cores": os.cpu_count()})


def reading_rate(batches: Iterator[Batch], count: int) -> float:
    """Batches per second that the DataModule reads when nothing is done with them."""
    started = time.perf_counter()
    for _ in islice(batches, count):
        pass
    return count / (time.perf_counter() - started)


def endless(data: PeakDataModule) -> Iterator[Batch]:
    """Training batches, epoch after epoch."""
    loader = data.train_dataloader()
    while True:
        yield from loader


def made_module(folder: Path, sites: int = 20_000) -> PeakDataModule:
    """A made genome, a kilobase for each site, and random labels; strands and shifts are drawn, as in training."""
    rng = np.random.default_rng(1)
    genome = folder / "genome.fa"
    letters = decode(rng.integers(0, 4, 1000 * sites).astype(np.uint8))
    genome.write_text(">chr1\n" + "\n".join(letters[i : i + 60] for i in range(0, len(letters), 60)) + "\n")
    # Apart by more than a shift, so that no part touches another.
    start: NDArray[np.int64] = 10 + 990 * np.arange(sites) + rng.integers(0, 300, sites)
    labels = (rng.random((len(start), TARGETS)) < 0.05).astype(np.uint8)
    targets = [f"cell{i}" for i in range(TARGETS)]
    part = rng.integers(0, 3, len(start))
    PeakTable(targets, ["chr1"], np.zeros_like(start), start, LENGTH, labels, part).write(folder / "sites.tsv")
    table = str(folder / "sites.tsv")
    return PeakDataModule(str(genome), table=table, reverse_complement=True, shift=3, batch_size=BATCH)


if __name__ == "__main__":
    main(sys.argv[1:])
