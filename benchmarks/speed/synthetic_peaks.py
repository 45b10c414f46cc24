"""Synthetic data of the peak benchmark: narrowPeak files, and a genome with a table of labelled sites."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.data.peaks.module import PeakDataModule
from zoo.data.peaks.table import PeakTable
from zoo.genome.sequence import decode

__all__ = ["BATCH_SIZE", "GIGABASES", "LENGTH", "TARGETS", "make_module", "make_peaks"]

GIGABASES = 3
CONTIGS = 24
BATCH_SIZE = 128
TARGETS = 164
LENGTH = 600


def make_peaks(folder: Path, files: int, peaks: int) -> list[str]:
    """Write narrowPeak files and a file of contig lengths, `sizes`; return the paths of the former.

    Peaks lie around positions that the files share; there are a fifth as many positions as peaks.
    """
    rng = np.random.default_rng(0)
    size = int(GIGABASES * 1e9 / CONTIGS)
    (folder / "sizes").write_text("".join(f"chr{i + 1}\t{size}\n" for i in range(CONTIGS)))
    positions = rng.integers(1000, size * CONTIGS - 1000, peaks // 5)
    paths = []
    for index in range(files):
        count = peaks // files + (index < peaks % files)
        summit = rng.choice(positions, count) + rng.normal(0, 60, count).astype(int)
        contig, summit = summit // size, np.clip(summit % size, 500, size - 500)
        start, end = summit - rng.integers(50, 300, count), summit + rng.integers(50, 300, count)
        path = folder / f"cell{index}.narrowPeak"
        columns = zip(contig.tolist(), start.tolist(), end.tolist(), (summit - start).tolist(), strict=True)
        path.write_text("".join(f"chr{c + 1}\t{s}\t{e}\t.\t0\t.\t1\t1\t1\t{p}\n" for c, s, e, p in columns))
        paths.append(str(path))
    return paths


def make_module(folder: Path, sites: int = 20_000) -> PeakDataModule:
    """Write a random genome, a kilobase for each site, and random labels; open them augmented as in training."""
    rng = np.random.default_rng(1)
    genome = folder / "genome.fa"
    letters = decode(rng.integers(0, 4, 1000 * sites).astype(np.uint8))
    genome.write_text(">chr1\n" + "\n".join(letters[i : i + 60] for i in range(0, len(letters), 60)) + "\n")
    # Sites are further apart than the largest shift, so that none is dropped for touching one of another split.
    start: NDArray[np.int64] = 10 + 990 * np.arange(sites) + rng.integers(0, 300, sites)
    labels = (rng.random((len(start), TARGETS)) < 0.05).astype(np.uint8)
    targets = [f"cell{i}" for i in range(TARGETS)]
    split = rng.integers(0, 3, len(start))
    table = folder / "sites.tsv"
    PeakTable(targets, ["chr1"], np.zeros_like(start), start, LENGTH, labels, split).write(table)
    return PeakDataModule(str(genome), table=str(table), reverse_complement=True, shift=3, batch_size=BATCH_SIZE)
