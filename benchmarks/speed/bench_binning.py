"""Binning: how fast bigWigs become a memory map of bins, against reading each of them once, on yeast.

    zoo benchmark binning [--copies 16] [--turns 5]

Two sets of bigWigs: yeast's nine, eight of which have few values, and copies of the one that has values almost
everywhere. Two references, both in one process: pyBigWig reads the values of each contig, no more; and numpy sums up
the bins of what was read. Medians of runs in turns; the files are in the system's memory for all.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pyBigWig
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))
from common import write_results

from zoo.data.tracks.coverage import Coverage
from zoo.data.tracks.table import Track
from zoo.datasets.yeast import YeastDataModule
from zoo.genome.fasta import Genome

DENSE = 0  # the place of MNase among yeast's tracks


def main(arguments: Sequence[str]) -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(prog="zoo benchmark binning", description=__doc__)
    parser.add_argument("--copies", type=int, default=16)
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args(arguments)
    data, cores = YeastDataModule(), os.cpu_count() or 1
    data.fetch()
    dense = [replace(data.tracks[DENSE], name=str(copy)) for copy in range(options.copies)]
    rows = []
    for what, tracks, width, workers in (
        ("yeast's nine", data.tracks, 16, 0),
        ("yeast's nine", data.tracks, 4, 0),
        (f"{options.copies} copies of mnase", dense, 16, 0),
        (f"{options.copies} copies of mnase", dense, 16, cores),
    ):
        ways: list[Callable[[], object]] = [
            partial(bin_anew, tracks, data.genome, width, workers),
            partial(read, tracks),
            partial(read_and_bin, tracks, width),
        ]
        ours, only_read, binned = seconds(ways, options.turns)
        rows.append([what, width, max(1, workers), ours, only_read, binned, only_read / ours, binned / ours])
    header = ["bigWigs", "bases in a bin", "processes", "Coverage, s", "reading, s", "reading and numpy, s"]
    header += ["reading / Coverage", "reading and numpy / Coverage"]
    print(write_results("binning", header, rows, {"cores": cores, **vars(options)}))


def seconds(ways: list[Callable[[], object]], turns: int) -> list[float]:
    """The median of each, run in turns."""
    taken = np.empty((turns, len(ways)))
    for turn in range(turns):
        for index, way in enumerate(ways):
            started = time.perf_counter()
            way()
            taken[turn, index] = time.perf_counter() - started
    found: list[float] = np.median(taken, axis=0).tolist()
    return found


def bin_anew(tracks: list[Track], fasta: str, width: int, workers: int) -> None:
    """The memory map, in a new folder."""
    genome = Genome(fasta)
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, ZOO_CACHE=folder):
        Coverage(tracks, genome, genome.contigs, width, workers=workers).build()


def read(tracks: list[Track]) -> int:
    """How many values there are."""
    return sum(len(values) for values in contig_values(tracks))


def read_and_bin(tracks: list[Track], width: int) -> list[NDArray[np.float32]]:
    """Sums of the whole bins of each contig."""
    found = []
    for values in contig_values(tracks):
        whole = values[: len(values) // width * width]
        found.append(np.nan_to_num(whole).reshape(-1, width).sum(1))
    return found


def contig_values(tracks: list[Track]) -> Iterator[NDArray[np.float32]]:
    """The values of all bases of each contig of each file."""
    for track in tracks:
        with pyBigWig.open(track.path) as file:
            for contig, length in file.chroms().items():
                yield file.values(contig, 0, length, numpy=True)


if __name__ == "__main__":
    main(sys.argv[1:])
