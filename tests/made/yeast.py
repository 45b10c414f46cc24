"""Synthetic files in place of the public ones of yeast: sixteen small chromosomes, coverage, tables of starts."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyBigWig

from zoo.datasets.yeast_genome import CONTIGS
from zoo.utils.download import PublicFile

# Long enough for a window of basenji.yeast.
CHROMOSOME = 9000
# Bases of coverage 0 on each chromosome: a run that counts as unmappable, and one that is too short for that.
UNMAPPABLE = (2000, 2500)
SHORT_RUN = (4000, 4300)


def made_coverage(path: Path, rng: np.random.Generator) -> None:
    """Write coverage in steps of 10 bases, like the published file, of the mitochondrion too."""
    with pyBigWig.open(str(path), "w") as file:
        names = [*CONTIGS, "chrM"]
        file.addHeader([(name, CHROMOSOME) for name in names])
        for name in names:
            values = rng.integers(1, 200, CHROMOSOME // 10).astype(float)
            for start, end in (UNMAPPABLE, SHORT_RUN):
                values[start // 10 : end // 10] = 0
            file.addEntries(name, 0, values=values, span=10, step=10)


def made_starts(path: Path, rng: np.random.Generator) -> None:
    """Write a table of tags, padded with blanks like the published ones."""
    table = made_tags(rng)
    lines = [f"{r.seq}\t{r.TSS:8d}\t{r.strand}\t{r.nTAGs:3d}\tTRUE" for r in table.itertuples()]
    path.write_text("\n".join(["seq\tTSS\tstrand\tnTAGs\tisreal", *lines]) + "\n")


def made_tags(rng: np.random.Generator) -> pd.DataFrame:
    """Draw 400 positions (1-based) of each chromosome and of the mitochondrion, with 1 to 9 tags."""
    names = [name.removeprefix("chr") for name in CONTIGS] + ["Mito"]
    tables = []
    for name in names:
        position = np.sort(rng.choice(CHROMOSOME, 400, replace=False)) + 1
        strand, tags = np.where(rng.random(400) < 0.5, "+", "-"), rng.integers(1, 10, 400)
        tables.append(pd.DataFrame({"seq": name, "TSS": position, "strand": strand, "nTAGs": tags}))
    return pd.concat(tables, ignore_index=True)


def made_objects() -> dict[str, Any]:
    """Make objects like those that rdata reads from GRanges: run-length encoded columns."""
    objects = {}
    for number in (1, 2, 3):
        table = made_tags(np.random.default_rng(100 + number))
        objects[f"S288C_D_{number}"] = SimpleNamespace(
            seqnames=_runs(table["seq"]),
            strand=_runs(table["strand"]),
            ranges=SimpleNamespace(start=table["TSS"].to_numpy()),
            elementMetadata=SimpleNamespace(listData={"score": table["nTAGs"].to_numpy(float)}),
        )
    return objects


def _runs(column: "pd.Series[str]") -> SimpleNamespace:
    values = column.to_numpy(str)
    first = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    return SimpleNamespace(values=values[first], lengths=np.diff(np.append(first, len(values))))


MADE_YEAST: dict[str, Callable[[Path, np.random.Generator], None]] = {".bw": made_coverage, ".txt": made_starts}


def seed_of(url: str) -> int:
    """Return a seed that differs by url, because files of one name lie in two folders."""
    return sum(map(ord, url[-24:]))


def fetch_made(folder: Path, file: PublicFile) -> Path:
    """Write the synthetic file in place of a public one; return its path."""
    path = folder / file.url.rsplit("/", 2)[-2] / file.name
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".fa":
        path.write_text(f">{path.stem}\n" + "ACGTTGCA" * (CHROMOSOME // 8) + "\n")
    else:
        MADE_YEAST[path.suffix](path, np.random.default_rng(seed_of(file.url)))
    return path
