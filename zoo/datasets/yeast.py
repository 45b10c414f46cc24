"""yeast: the genome of S. cerevisiae (sacCer3) with nucleosomes (MNase) and transcription starts, as bigWigs.

MNase-seq coverage; SLIC-CAGE, nanoCAGE (500 ng) and STRIPE-seq (YPD, diamide) tags of transcription starts by strand
(Policastro 2020, doi:10.1101/gr.261545.120), in tags per million, averaged over replicates.
"""

import warnings
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zoo.data.genome_split import SplitRules
from zoo.data.tracks.module import TrackDataModule
from zoo.data.tracks.table import Track, write_track_table
from zoo.datasets.built import built_folder
from zoo.datasets.sources import files_of
from zoo.datasets.yeast_genome import RDNA, ROMAN, TEST, VAL, write_genome
from zoo.errors import ConfigError
from zoo.formats.bigwig import BigWig, BigWigWriter
from zoo.utils.download import PublicFile, fetch
from zoo.utils.progress import bar, spinner

__all__ = ["STARTS", "YeastDataModule", "read_starts", "tags_by_base", "yeast_folder"]

# Target -> what it is, and the files or R objects of its replicates.
STARTS = {
    "slic_cage": ("SLIC-CAGE, YPD", ["CAGE_TSSs/TSSset-1.txt", "CAGE_TSSs/TSSset-2.txt"]),
    "nanocage": ("nanoCAGE, 500 ng, YPD", ["CAGE_TSSs/TSSset-3.txt", "CAGE_TSSs/TSSset-4.txt"]),
    "stripe_ypd": ("STRIPE-seq, YPD", [f"YPD_TSSs/TSSset-{number}.txt" for number in range(1, 7)]),
    "stripe_diamide": ("STRIPE-seq, diamide", ["S288C_D_1", "S288C_D_2", "S288C_D_3"]),
}
_STRANDS = {"plus": "+", "minus": "-"}
# MNase coverage is exactly 0 where nothing can be mapped: in runs of so many bases and more.
_UNMAPPABLE = 400
# The few strongest starts have a third of all tags: what a bin has above this counts as a square root.
_SOFT_CLIP = 8.0
_AGREEMENT_BIN = 100
_VERSION = "3"


class Tags(NamedTuple):
    """Tags of one replicate, in tags per million of the sixteen chromosomes.

    Attributes:
        contig: index into `CONTIGS` (P,).
        position: 0-based (P,).
        minus: whether on the minus strand (P,).
        tags: per million (P,).
    """

    contig: NDArray[np.int64]
    position: NDArray[np.int64]
    minus: NDArray[np.bool_]
    tags: NDArray[np.float64]


def yeast_folder() -> Path:
    """The folder of genome.fa, targets.tsv, its bigWigs, blacklist.bed and report.txt; built where it is not there."""
    return built_folder("yeast", ["yeast"], _VERSION, _build)


class YeastDataModule(TrackDataModule):
    """The tracks of `zoo data get yeast`: chrIX and chrXIV are the test, chrXI is for validation.

    Args:
        length: bases of a window.
        bin_size: bases in a bin.
        crop: bins of context on each side.
        options: of TrackDataModule.
    """

    def __init__(self, length: int = 8192, bin_size: int = 16, crop: int = 32, **options: Any) -> None:
        folder = yeast_folder()
        super().__init__(
            genome=str(folder / "genome.fa"),
            targets_table=str(folder / "targets.tsv"),
            length=length,
            bin_size=bin_size,
            crop=crop,
            split=SplitRules(val=VAL, test=TEST),
            blacklist=[str(folder / "blacklist.bed")],
            **options,
        )


def read_starts(name: str) -> list[Tags]:
    """The tags of each replicate of one of `STARTS`."""
    return [_read_r(key) if key.startswith("S288C") else _read_text(key) for key in STARTS[name][1]]


def _build(folder: Path) -> None:
    lengths = write_genome(folder / "genome.fa")
    report = [f"genome: {len(lengths)} chromosomes, {sum(lengths.values()):,} bases"]
    report.append(_write_mnase(folder / "mnase.bw", lengths))
    tracks = [
        Track(
            "mnase",
            str(folder / "mnase.bw"),
            missing="mask",
            unit="coverage",
            description="MNase-seq nucleosome coverage",
        )
    ]
    for name, (description, keys) in bar(list(STARTS.items()), "reading transcription starts"):
        replicates = read_starts(name)
        for strand, sign in _STRANDS.items():
            _write_starts(folder / f"{name}_{strand}.bw", replicates, strand == "minus", lengths)
            partner = f"{name}_{'plus' if strand == 'minus' else 'minus'}"
            tracks.append(
                Track(
                    name=f"{name}_{strand}",
                    path=str(folder / f"{name}_{strand}.bw"),
                    strand_partner=partner,
                    statistic="sum",
                    soft_clip=_SOFT_CLIP,
                    unit=f"tags per million, soft-clipped above {_SOFT_CLIP:g}",
                    description=f"{description}: starts on the {sign} strand, mean of {len(keys)} replicates",
                )
            )
        report.append(f"{name}: {_agreement(replicates, lengths)}")
    write_track_table(folder / "targets.tsv", tracks)
    (folder / "blacklist.bed").write_text("\t".join(map(str, RDNA)) + "\trDNA\n")
    report.append(f"blacklist: the rDNA, {RDNA[0]}:{RDNA[1]:,}-{RDNA[2]:,}")
    (folder / "report.txt").write_text("\n".join(report) + "\n")


def _file(ending: str) -> PublicFile:
    (found,) = (file for file in files_of("yeast") if file.url.endswith(f"/{ending}"))
    return found


def _write_mnase(path: Path, lengths: dict[str, int]) -> str:
    """The published coverage, without what is 0 because nothing can be mapped there; a line for the report."""
    left_out = 0
    with BigWig(fetch(_file("scerevisiae.bw"))) as source, BigWigWriter(path, lengths) as target:
        for name, length in lengths.items():
            values = np.concatenate(list(source.blocks(name, 0, length, 1)))
            edges = np.flatnonzero(np.diff(values == 0, prepend=False, append=False)).reshape(-1, 2)
            for start, end in edges[edges[:, 1] - edges[:, 0] >= _UNMAPPABLE]:
                values[start:end] = np.nan
            left_out += int(np.isnan(values).sum())
            target.add_bins(name, 0, values, 1)
    return f"mnase: {left_out:,} bases left out: without a value, or in runs of {_UNMAPPABLE} zeros and more"


def _write_starts(path: Path, replicates: list[Tags], minus: bool, lengths: dict[str, int]) -> None:
    """One strand's mean over replicates."""
    with BigWigWriter(path, lengths) as target:
        for index, (name, length) in enumerate(lengths.items()):
            values = tags_by_base(replicates, index, minus, length).mean(0)
            there = np.flatnonzero(values)
            target.add_bases(name, there, values[there].astype(np.float32))


def tags_by_base(replicates: list[Tags], index: int, minus: bool, length: int) -> NDArray[np.float64]:
    """Tags per million at each base of one strand of a contig, given by its index: (replicates, length)."""
    found = []
    for tags in replicates:
        here = (tags.contig == index) & (tags.minus == minus)
        found.append(np.bincount(tags.position[here], tags.tags[here], minlength=length))
    return np.stack(found)


def _agreement(replicates: list[Tags], lengths: dict[str, int]) -> str:
    """How well replicates agree, a line for the report."""
    parts = []
    for index, length in enumerate(lengths.values()):
        for minus in (False, True):
            tracks = tags_by_base(replicates, index, minus, length)[:, : length // _AGREEMENT_BIN * _AGREEMENT_BIN]
            parts.append(np.log1p(tracks.reshape(len(replicates), -1, _AGREEMENT_BIN).sum(-1)))
    values = np.corrcoef(np.concatenate(parts, axis=1))
    pairs = [values[pair] for pair in combinations(range(len(replicates)), 2)]
    said = f"r {min(pairs):.3f} to {max(pairs):.3f} (log1p, {_AGREEMENT_BIN}-bp bins)"
    return f"{len(replicates)} replicates agree at {said}"


def _read_text(ending: str) -> Tags:
    table = pd.read_csv(fetch(_file(ending)), sep="\t", skipinitialspace=True)
    return _tags(table["seq"], table["TSS"], table["strand"], table["nTAGs"])


def _read_r(key: str) -> Tags:
    """One replicate of the R file: a GRanges object, whose columns are run-length encoded."""
    objects = _read_objects()
    ranges = objects[key]
    seq = np.repeat(ranges.seqnames.values.astype(str), ranges.seqnames.lengths)
    strand = np.repeat(ranges.strand.values.astype(str), ranges.strand.lengths)
    (score,) = ranges.elementMetadata.listData.values()
    return _tags(pd.Series(seq), pd.Series(ranges.ranges.start), pd.Series(strand), pd.Series(score))


def _tags(seq: "pd.Series[Any]", place: "pd.Series[Any]", strand: "pd.Series[Any]", tags: "pd.Series[Any]") -> Tags:
    """Of the sixteen chromosomes, in tags per million; positions are 1-based in all files."""
    contig = seq.astype(str).str.strip().map({name: index for index, name in enumerate(ROMAN)})
    known = contig.notna().to_numpy()
    count = tags.to_numpy(np.float64)[known]
    return Tags(
        contig[known].to_numpy(np.int64),
        place.to_numpy(np.int64)[known] - 1,
        (strand.astype(str).str.strip() == "-").to_numpy()[known],
        count * 1e6 / count.sum(),
    )


@cache
def _read_objects() -> dict[str, Any]:
    try:
        import rdata
    except ImportError:
        raise ConfigError("reading R files needs the package rdata: pip install 'regzoo[rdata]'") from None
    path = fetch(_file("S288C_TSSs.RDS"))
    with spinner(f"reading {path.name}"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of R classes that are read as plain objects
        found: dict[str, Any] = rdata.read_rds(path, default_encoding="utf8")
    return found
