"""Tracks: speed of reading and training windows, of prediction along a contig, and memory of a training step.

    zoo benchmark tracks [--tables loader contig memory] [--windows 2000] [--steps 40] [--megabases 25 250]

Table `tracks` (loader): windows of the training chromosomes of yeast, shifted and reverse-complemented as in training,
in the default batches of TrackDataModule and in those of basenji.yeast, which are smaller and are pooled from finer
bins. The reference reads the same windows one by one with pyfaidx and pyBigWig and bins them. Training steps of
basenji.yeast on the batches of the DataModule are compared, in turns, with steps on one batch that lies in memory.

Table `tracks_contig`: seconds and memory of `zoo predict` along one random contig, by a small network with random
weights, in a process of its own. Memory does not grow with the contig, except for the pages of the FASTA file that the
system keeps in memory.

Table `tracks_memory`: loss and gradients of one window of 131,072 bases by the published human network, in float32,
with and without activation checkpointing.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from common import make_parser, write_results
from speed import training_memory
from speed.contig_prediction import SMALL_NETWORK, predict_contig
from speed.timing import endless_batches, training_rates
from speed.window_reader import WindowReader

from zoo.datasets.yeast import YeastDataModule
from zoo.hub.registry import shipped_folder
from zoo.models._base import SequenceModel
from zoo.training.parse import parse

CONFIG = "basenji.yeast.yaml"
ROUNDS = 4


def main(arguments: Sequence[str]) -> None:
    """Measure, print and write the tables."""
    parser = make_parser("tracks", __doc__)
    parser.add_argument("--tables", nargs="+", choices=list(TABLES), default=list(TABLES), help="tables to compute")
    parser.add_argument("--windows", type=int, default=2000, help="windows that are read (default: 2000)")
    parser.add_argument("--steps", type=int, default=40, help="training steps of each kind (default: 40)")
    parser.add_argument("--megabases", type=int, nargs="+", default=[25, 250], help="lengths of the contigs")
    options = parser.parse_args(arguments)
    for table in options.tables:
        print(TABLES[table](options))


def loader_table(options: argparse.Namespace) -> str:
    """Measure windows and training steps per second."""
    run = parse([str(shipped_folder("configs") / CONFIG)])
    data, model = run.datamodule, run.model
    assert isinstance(data, YeastDataModule)
    default = YeastDataModule(shift=data.bin_size * data.bins // 2)
    rows: list[list[object]] = [
        ["windows per s", *compare_reading(default, options.windows)],
        ["windows per s, as basenji.yeast", *compare_reading(data, options.windows)],
        ["training steps per s", *compare_training(data, model, options.steps)],
    ]
    header = ["measurement", "TrackDataModule", "reference", "ratio", "reference method"]
    facts = {"threads": torch.get_num_threads(), "cores": os.cpu_count(), **vars(options)}
    return write_results("tracks", header, rows, facts)


def contig_table(options: argparse.Namespace) -> str:
    """Measure seconds and memory of `zoo predict` along contigs of the given lengths."""
    rows = []
    for size in options.megabases:
        with tempfile.TemporaryDirectory() as folder:
            rows.append([size, *predict_contig(Path(folder), size)])
    header = ["megabases", "seconds", "gigabytes of memory", "megabytes of FASTA in it", "megabytes of bigWig"]
    return write_results("tracks_contig", header, rows, {"network": SMALL_NETWORK, "cores": os.cpu_count()})


def memory_table(options: argparse.Namespace) -> str:
    """Measure seconds and memory of a training step at the published size, in a process for each row."""
    rows = []
    for checkpointing in ("no", "yes"):
        command = [sys.executable, training_memory.__file__, checkpointing]
        process = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        rows.append([checkpointing, *map(float, process.stdout.split())])
    header = ["activation checkpointing", "gigabytes before", "peak gigabytes", "seconds"]
    return write_results("tracks_memory", header, rows, {"cores": os.cpu_count(), "threads": torch.get_num_threads()})


def compare_reading(data: YeastDataModule, count: int) -> list[object]:
    """Measure windows per second of the training data set, and of a reader that takes them one by one."""
    dataset = data.dataset("train")
    batches = max(1, count // data.batch_size)
    order = np.random.default_rng(0).integers(0, len(dataset), (batches, data.batch_size))
    for rows in order[:5]:
        dataset.__getitems__(rows.tolist())  # brings the files into the page cache, for both
    started = time.perf_counter()
    for rows in order:
        dataset.__getitems__(rows.tolist())
    rate = order.size / (time.perf_counter() - started)
    few = order.ravel()[: max(20, order.size // 20)].tolist()
    reader = WindowReader(data, dataset)
    reader.read(few[0])
    started = time.perf_counter()
    for row in few:
        reader.read(row)
    reference = len(few) / (time.perf_counter() - started)
    return [rate, reference, rate / reference, "pyfaidx and pyBigWig, window by window"]


def compare_training(data: YeastDataModule, model: SequenceModel, steps: int) -> list[object]:
    """Measure training steps per second on the batches of the DataModule, and on one cached batch."""
    rates = training_rates(model, endless_batches(data), steps, ROUNDS)
    return [rates.loop, rates.cached, rates.loop / rates.cached, "the same step on one cached batch"]


TABLES: dict[str, Callable[[argparse.Namespace], str]] = {
    "loader": loader_table,
    "contig": contig_table,
    "memory": memory_table,
}

if __name__ == "__main__":
    main(sys.argv[1:])
