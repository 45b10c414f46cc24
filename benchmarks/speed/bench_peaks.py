"""Peaks: seconds and memory of `zoo data peaks`, and the training speed of PeakDataModule.

    zoo benchmark peaks [--files 164] [--peaks 2000000] [--steps 60]

Table `peaks_table`: synthetic narrowPeak files, with peaks around shared positions on contigs of 3 gigabases together,
are merged into one table by `zoo data peaks`, in a process of its own.

Table `peaks_training`: training steps per second of Basset as published (600 bp, 164 targets) on a synthetic genome.
Steps on the batches of PeakDataModule are compared with steps on one batch that lies in memory; the two take turns.
"""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from common import make_parser, write_results
from speed.child_process import run_measured
from speed.synthetic_peaks import GIGABASES, TARGETS, make_module, make_peaks
from speed.timing import endless_batches, time_in_turns, training_rates

from zoo.batch import Batch
from zoo.models.basset import Basset

ROUNDS = 6
TABLE_HEADER = ["files", "peaks", "gigabases", "sites", "seconds", "gigabytes of memory", "megabytes of table"]
TRAINING_HEADER = [
    *("steps", "batch", "cached batch, steps per s", "DataModule, steps per s", "ratio"),
    "reading alone, batches per s",
]


def main(arguments: Sequence[str]) -> None:
    """Measure, print and write both tables."""
    parser = make_parser("peaks", __doc__)
    parser.add_argument("--files", type=int, default=TARGETS, help=f"narrowPeak files (default: {TARGETS})")
    parser.add_argument("--peaks", type=int, default=2_000_000, help="peaks in all files together (default: 2000000)")
    parser.add_argument("--steps", type=int, default=60, help="training steps of each kind (default: 60)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        print(measure_table(Path(folder), options.files, options.peaks))
        print(measure_training(Path(folder), options.steps))


def measure_table(folder: Path, files: int, peaks: int) -> str:
    """Measure seconds and memory of `zoo data peaks`."""
    paths = make_peaks(folder, files, peaks)
    table = folder / "table.tsv"
    command = [sys.executable, "-m", "zoo.cli", "data", "peaks", *paths, "--contig-lengths", str(folder / "sizes")]
    process = run_measured([*command, "-o", str(table)])
    with table.open() as lines:
        sites = sum(1 for _ in lines) - 1
    row = [files, peaks, GIGABASES, sites, process.seconds, process.gigabytes, table.stat().st_size / 1e6]
    report = process.errors.splitlines()[:-1]  # without the last line, which names the file
    return write_results("peaks_table", TABLE_HEADER, [row], report)


def measure_training(folder: Path, steps: int) -> str:
    """Measure training steps per second, and the batches per second that are read when nothing is trained."""
    data = make_module(folder)
    model = Basset([f"cell{i}" for i in range(TARGETS)])
    batches = endless_batches(data)
    rates = training_rates(model, batches, steps, ROUNDS)
    count = max(1, steps // ROUNDS) * ROUNDS
    seconds = float(time_in_turns([partial(read_batches, batches, count)], 1)[0, 0])
    row = [count, data.batch_size, rates.cached, rates.loop, rates.loop / rates.cached, count / seconds]
    facts = {"threads": torch.get_num_threads(), "cores": os.cpu_count()}
    return write_results("peaks_training", TRAINING_HEADER, [row], facts)


def read_batches(batches: Iterator[Batch], count: int) -> None:
    """Read batches and do nothing with them."""
    for _ in islice(batches, count):
        pass


if __name__ == "__main__":
    main(sys.argv[1:])
