"""yeast: the genome of S. cerevisiae (sacCer3) with nucleosomes (MNase) and transcription starts, as bigWigs.

MNase-seq coverage; SLIC-CAGE, nanoCAGE (500 ng) and STRIPE-seq (YPD, diamide) tags of transcription starts by strand
(Policastro 2020, doi:10.1101/gr.261545.120), in tags per million, averaged over replicates.
"""

from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.genome_split import SplitRules
from zoo.data.tracks.module import TrackDataModule
from zoo.data.tracks.table import Track, write_track_table
from zoo.datasets.built import built_folder, built_path
from zoo.datasets.sources import files_of
from zoo.datasets.yeast_genome import TEST, VAL, write_blacklist, write_genome
from zoo.datasets.yeast_starts import STARTS, Tags, read_starts, tags_by_base, yeast_file
from zoo.errors import UnknownNameError
from zoo.formats.bigwig import BigWig
from zoo.formats.bigwig_writer import open_bigwig
from zoo.utils.download import PublicFile, fetch
from zoo.utils.progress import bar

__all__ = ["YeastDataModule", "yeast_folder", "yeast_tracks"]

_STRANDS = {"plus": "+", "minus": "-"}
# MNase coverage is exactly 0 where reads cannot be mapped: in runs of at least so many bases.
_UNMAPPABLE = 400
# The few strongest starts have a third of all tags: the excess over this counts as a square root (`Track.soft_clip`).
_SOFT_CLIP, _AGREEMENT_BIN = 8.0, 100
_NAME, _SETS, _VERSION = "yeast", ["yeast"], "3"


class YeastDataModule(TrackDataModule):
    """The tracks of `zoo data get yeast`. Test: chrIX and chrXIV; validation: chrXI.

    `prepare_data` downloads and builds them; until then the files that options name may be missing.

    Args:
        length: bases of a window.
        bin_size: bases per bin.
        crop: bins of context on each side of those that are predicted.
        assays: those whose tracks are targets, such as `[mnase, slic_cage]`; None for all.
        options: options of `TrackDataModule`.

    Raises:
        UnknownNameError: no such assay.
    """

    def __init__(
        self,
        length: int = 8192,
        bin_size: int = 16,
        crop: int = 32,
        assays: list[str] | None = None,
        **options: Any,
    ) -> None:
        folder = self.folder = built_path(_NAME, _SETS, _VERSION)
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
        known = ["mnase", *STARTS]
        if unknown := [assay for assay in assays or [] if assay not in known]:
            raise UnknownNameError(f"there is no assay {unknown[0]!r} in the yeast data; there are {', '.join(known)}")
        self.assays = assays

    @cached_property
    def tracks(self) -> list[Track]:
        """Lines of the table of targets, known before it is built; of some assays, theirs."""
        return [track for track in yeast_tracks(self.folder) if self.assays is None or _assay(track) in self.assays]

    @property
    def public_files(self) -> list[PublicFile]:
        """The files that the data set is built from."""
        return [file for name in _SETS for file in files_of(name)]

    def fetch(self) -> None:
        """Download and build the data set."""
        yeast_folder()


def yeast_folder() -> Path:
    """Folder of genome.fa, targets.tsv, its bigWigs, blacklist.bed and report.txt; built if it is not there.

    Raises:
        DownloadError: a public file cannot be downloaded.
        MissingExtraError: the package that reads R files is not installed.
    """
    return built_folder(_NAME, _SETS, _VERSION, _build)


def _assay(track: Track) -> str:
    """The assay of a track: its name without the strand."""
    return track.name.removesuffix("_plus").removesuffix("_minus")


def yeast_tracks(folder: Path) -> list[Track]:
    """The targets of the data set, with their bigWigs in a folder."""
    mnase = Track(
        name="mnase",
        path=str(folder / "mnase.bw"),
        missing="mask",
        unit="coverage",
        description="MNase-seq nucleosome coverage",
    )
    starts = [
        Track(
            name=f"{name}_{strand}",
            path=str(folder / f"{name}_{strand}.bw"),
            strand_partner=f"{name}_{'plus' if strand == 'minus' else 'minus'}",
            statistic="sum",
            soft_clip=_SOFT_CLIP,
            unit=f"tags per million, soft-clipped above {_SOFT_CLIP:g}",
            description=f"{description}: starts on the {sign} strand, mean of {len(keys)} replicates",
        )
        for name, (description, keys) in STARTS.items()
        for strand, sign in _STRANDS.items()
    ]
    return [mnase, *starts]


def _build(folder: Path) -> None:
    """Write the files of the data set."""
    lengths = write_genome(folder / "genome.fa")
    genome = f"genome: {len(lengths)} chromosomes, {sum(lengths.values()):,} bases"
    report = [genome, _write_mnase(folder / "mnase.bw", lengths)]
    for name in bar(list(STARTS), "reading transcription starts"):
        replicates = read_starts(name)
        for strand in _STRANDS:
            _write_starts(folder / f"{name}_{strand}.bw", replicates, strand == "minus", lengths)
        report.append(f"{name}: {_agreement(replicates, lengths)}")
    write_track_table(folder / "targets.tsv", yeast_tracks(folder))
    report.append(write_blacklist(folder / "blacklist.bed"))
    (folder / "report.txt").write_text("\n".join(report) + "\n")


def _write_mnase(path: Path, lengths: dict[str, int]) -> str:
    """Write the published coverage without the zeros of unmappable bases; returns a line for the report."""
    masked = 0
    with BigWig(fetch(yeast_file("scerevisiae.bw"))) as source, open_bigwig(path, lengths) as target:
        for name, length in lengths.items():
            values = np.concatenate(list(source.blocks(name, 0, length, 1)))
            edges = np.flatnonzero(np.diff(values == 0, prepend=False, append=False))
            runs = edges.reshape(-1, 2)  # start and end of each run of zeros
            for start, end in runs[runs[:, 1] - runs[:, 0] >= _UNMAPPABLE]:
                values[start:end] = np.nan
            masked += int(np.isnan(values).sum())
            target.add_bins(name, 0, values, 1)
    return f"mnase: {masked:,} bases left out: without a value, or in runs of {_UNMAPPABLE} zeros and more"


def _write_starts(path: Path, replicates: list[Tags], minus: bool, lengths: dict[str, int]) -> None:
    """Write the mean over replicates of one strand; bases without tags have no value."""
    with open_bigwig(path, lengths) as target:
        for index, (name, length) in enumerate(lengths.items()):
            values = tags_by_base(replicates, index, minus, length).mean(0)
            position = np.flatnonzero(values)
            target.add_bases(name, position, values[position].astype(np.float32))


def _agreement(replicates: list[Tags], lengths: dict[str, int]) -> str:
    """Pearson r of pairs of replicates, as a line for the report."""
    rows = []
    for index, length in enumerate(lengths.values()):
        for minus in (False, True):
            tracks = tags_by_base(replicates, index, minus, length)[:, : length // _AGREEMENT_BIN * _AGREEMENT_BIN]
            binned = tracks.reshape(len(replicates), -1, _AGREEMENT_BIN).sum(-1)  # (replicates, bins)
            rows.append(np.log1p(binned))
    correlation = np.corrcoef(np.concatenate(rows, axis=1))
    pairs = [correlation[pair] for pair in combinations(range(len(replicates)), 2)]
    values = f"r {min(pairs):.3f} to {max(pairs):.3f} (log1p, {_AGREEMENT_BIN}-bp bins)"
    return f"{len(replicates)} replicates agree at {values}"
