"""A synthetic genome with planted domain boundaries, and a cooler of contacts drawn from them."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import cooler
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zoo.genome.sequence import decode, encode

BIN = 256
MOTIF = "GATTACAGGCCTTAGC"
COPIES = 4  # of the motif in the bin of a boundary
REACH = 40  # largest distance of a contact, in bins


class MadeContacts(NamedTuple):
    """A synthetic data set.

    Attributes:
        genome: FASTA.
        cooler: balanced counts.
        truth: contig -> log(observed/expected) of the boundaries (bins, bins).
    """

    genome: Path
    cooler: Path
    truth: dict[str, NDArray[np.float64]]


def make_contacts(
    folder: Path,
    lengths: Mapping[str, int],
    depth: float = 60.0,
    seed: int = 0,
    weights: bool = True,
    reach: int = REACH,
) -> MadeContacts:
    """Draw contacts: e times fewer across a boundary than within a domain, and fewer with distance."""
    rng = np.random.default_rng(seed)
    truth, letters, chunks, offset = {}, {}, [], 0
    for name, length in lengths.items():
        codes = rng.integers(0, 4, length).astype(np.uint8)
        bins = -(-length // BIN)
        borders = np.flatnonzero(rng.random(bins) < 1 / 9)
        motif = encode(MOTIF)
        for border in borders:
            for start in border * BIN + rng.integers(0, BIN - len(motif), COPIES):
                if start + len(motif) <= length:
                    codes[start : start + len(motif)] = motif if rng.random() < 0.5 else (3 - motif)[::-1]
        letters[name] = decode(codes)
        domain = np.isin(np.arange(bins), borders).cumsum()
        crossed = np.minimum(np.abs(domain[:, None] - domain), 2)
        truth[name] = 0.5 - crossed.astype(float)
        row, column = np.triu_indices(bins)
        near = column - row < reach
        row, column = row[near], column[near]
        mean = depth / (1 + column - row) * np.exp(truth[name][row, column])
        count = rng.poisson(mean)
        kept = count > 0
        chunks.append(pd.DataFrame({"bin1_id": row + offset, "bin2_id": column + offset, "count": count})[kept])
        offset += bins
    genome = folder / "genome.fa"
    genome.write_text("".join(f">{name}\n{text}\n" for name, text in letters.items()))
    path = folder / "made.cool"
    table = bins_of(lengths, BIN)
    if weights:
        table["weight"] = 1.0
    cooler.create_cooler(str(path), table, pd.concat(chunks), ordered=True)
    return MadeContacts(genome, path, truth)


def bins_of(lengths: Mapping[str, int], size: int) -> pd.DataFrame:
    """Make the table of bins of a cooler."""
    rows = [
        (name, start, min(start + size, length)) for name, length in lengths.items() for start in range(0, length, size)
    ]
    return pd.DataFrame(rows, columns=["chrom", "start", "end"])
