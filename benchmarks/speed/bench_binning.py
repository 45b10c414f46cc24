"""Binning: seconds to turn bigWig files into a memory map of bins, against reading each file once, on yeast.

    zoo benchmark binning [--copies 16] [--rounds 5]

Two sets of files: the nine tracks of yeast, eight of which have values at few bases, and copies of the nucleosome
track, which has a value at almost every base. Two references, in one process each: pyBigWig reads the values of each
contig and does nothing with them; or numpy also sums them in bins. Medians of several rounds in turns; all files are in
the page cache.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pyBigWig
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))
from common import make_parser, write_results
from speed.timing import time_in_turns

from zoo.data.tracks.coverage import Coverage
from zoo.data.tracks.table import Track
from zoo.datasets.yeast import YeastDataModule
from zoo.genome.fasta import Genome

MNASE = 0  # index of the nucleosome track among the tracks of yeast
HEADER = [
    *("bigWig files", "bases in a bin", "processes", "Coverage, s", "reading, s", "reading and numpy, s"),
    *("reading / Coverage", "reading and numpy / Coverage"),
]


def main(arguments: Sequence[str]) -> None:
    """Measure, print and write the table."""
    parser = make_parser("binning", __doc__)
    parser.add_argument("--copies", type=int, default=16, help="copies of the nucleosome track (default: 16)")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each method (default: 5)")
    options = parser.parse_args(arguments)
    data, cores = YeastDataModule(), os.cpu_count() or 1
    data.fetch()
    copies = [replace(data.tracks[MNASE], name=str(index)) for index in range(options.copies)]
    rows = []
    for title, tracks, width, workers in (
        ("9 tracks of yeast", data.tracks, 16, 0),
        ("9 tracks of yeast", data.tracks, 4, 0),
        (f"{options.copies} copies of mnase", copies, 16, 0),
        (f"{options.copies} copies of mnase", copies, 16, cores),
    ):
        methods: list[Callable[[], object]] = [
            partial(build_coverage, tracks, data.genome, width, workers),
            partial(read_values, tracks),
            partial(read_and_bin, tracks, width),
        ]
        coverage, reading, binning = np.median(time_in_turns(methods, options.rounds), axis=0).tolist()
        times = [coverage, reading, binning, reading / coverage, binning / coverage]
        rows.append([title, width, max(1, workers), *times])
    print(write_results("binning", HEADER, rows, {"cores": cores, **vars(options)}))


def build_coverage(tracks: list[Track], fasta: str, width: int, workers: int) -> None:
    """Build the memory map in a new folder, so that none from the cache is used."""
    genome = Genome(fasta)
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, ZOO_CACHE=folder):
        Coverage(tracks, genome, genome.contigs, width, workers=workers).build()


def read_values(tracks: list[Track]) -> int:
    """Read all values; return how many there are."""
    return sum(len(values) for values in contig_values(tracks))


def read_and_bin(tracks: list[Track], width: int) -> list[NDArray[np.float32]]:
    """Read all values and sum them in the whole bins of each contig."""
    binned = []
    for values in contig_values(tracks):
        whole = values[: len(values) // width * width]
        binned.append(np.nan_to_num(whole).reshape(-1, width).sum(1))  # (bases,) -> (bins, width) -> (bins,)
    return binned


def contig_values(tracks: list[Track]) -> Iterator[NDArray[np.float32]]:
    """Yield the value of every base of each contig of each file, (bases,)."""
    for track in tracks:
        with pyBigWig.open(track.path) as file:
            for contig, length in file.chroms().items():
                yield file.values(contig, 0, length, numpy=True)


if __name__ == "__main__":
    main(sys.argv[1:])
