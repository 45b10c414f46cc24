"""Transcription starts of yeast: tags of each replicate, as text tables and R objects (Policastro 2020)."""

import warnings
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zoo.datasets.sources import files_of
from zoo.datasets.yeast_genome import ROMAN
from zoo.utils.download import PublicFile, fetch
from zoo.utils.extras import require_extras
from zoo.utils.progress import spinner

__all__ = ["STARTS", "Tags", "read_starts", "tags_by_base", "yeast_file"]

# Assay -> description, and the files or R objects of its replicates.
STARTS = {
    "slic_cage": ("SLIC-CAGE, YPD", ["CAGE_TSSs/TSSset-1.txt", "CAGE_TSSs/TSSset-2.txt"]),
    "nanocage": ("nanoCAGE, 500 ng, YPD", ["CAGE_TSSs/TSSset-3.txt", "CAGE_TSSs/TSSset-4.txt"]),
    "stripe_ypd": ("STRIPE-seq, YPD", [f"YPD_TSSs/TSSset-{number}.txt" for number in range(1, 7)]),
    "stripe_diamide": ("STRIPE-seq, diamide", ["S288C_D_1", "S288C_D_2", "S288C_D_3"]),
}


class Tags(NamedTuple):
    """Tags of one replicate, in tags per million of the sixteen chromosomes. P positions.

    Attributes:
        contig: index into `CONTIGS` (P,).
        position: 0-based (P,).
        minus: whether on the minus strand (P,).
        tags: tags per million (P,).
    """

    contig: NDArray[np.int64]
    position: NDArray[np.int64]
    minus: NDArray[np.bool_]
    tags: NDArray[np.float64]


def read_starts(name: str) -> list[Tags]:
    """Tags of each replicate of an assay in `STARTS`."""
    return [_read_r(key) if key.startswith("S288C") else _read_text(key) for key in STARTS[name][1]]


def tags_by_base(replicates: list[Tags], index: int, minus: bool, length: int) -> NDArray[np.float64]:
    """Tags per million at each base of one strand of a contig.

    Args:
        replicates: tags of each replicate (R).
        index: index of the contig in `CONTIGS`.
        minus: whether the minus strand is meant.
        length: bases of the contig, L.

    Returns:
        float64 (R, L).
    """
    rows = []
    for tags in replicates:
        chosen = (tags.contig == index) & (tags.minus == minus)
        rows.append(np.bincount(tags.position[chosen], tags.tags[chosen], minlength=length))
    return np.stack(rows)


def yeast_file(ending: str) -> PublicFile:
    """Find the public file of the yeast data whose url ends so."""
    (file,) = (file for file in files_of("yeast") if file.url.endswith(f"/{ending}"))
    return file


def _read_text(ending: str) -> Tags:
    table = pd.read_csv(fetch(yeast_file(ending)), sep="\t", skipinitialspace=True)
    return _tags(table["seq"], table["TSS"], table["strand"], table["nTAGs"])


def _read_r(key: str) -> Tags:
    """Read one replicate of the R file: a GRanges object, of which the columns are run-length encoded."""
    ranges = _read_objects()[key]
    seq = np.repeat(ranges.seqnames.values.astype(str), ranges.seqnames.lengths)
    strand = np.repeat(ranges.strand.values.astype(str), ranges.strand.lengths)
    (score,) = ranges.elementMetadata.listData.values()
    return _tags(pd.Series(seq), pd.Series(ranges.ranges.start), pd.Series(strand), pd.Series(score))


def _tags(seq: "pd.Series[Any]", position: "pd.Series[Any]", strand: "pd.Series[Any]", tags: "pd.Series[Any]") -> Tags:
    """Select the sixteen chromosomes and scale to tags per million; positions are 1-based in all files."""
    contig = seq.astype(str).str.strip().map({name: index for index, name in enumerate(ROMAN)})
    known = contig.notna().to_numpy()
    count = tags.to_numpy(np.float64)[known]
    return Tags(
        contig[known].to_numpy(np.int64),
        position.to_numpy(np.int64)[known] - 1,
        (strand.astype(str).str.strip() == "-").to_numpy()[known],
        count * 1e6 / count.sum(),
    )


@cache
def _read_objects() -> dict[str, Any]:
    require_extras(["rdata"], "reading R files")
    import rdata

    path = fetch(yeast_file("S288C_TSSs.RDS"))
    with spinner(f"reading {path.name}"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about R classes that are read as plain objects
        objects: dict[str, Any] = rdata.read_rds(path, default_encoding="utf8")
    return objects
