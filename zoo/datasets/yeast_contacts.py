"""Contacts in yeast: Hi-C of S. cerevisiae in G1 (2-kb bins), with the genome and where each bin lies on it.

The map is that of `chromosight` (Matthey-Doret 2020, doi:10.1038/s41467-020-19562-7; SRR8769554), of strain W303 in the
coordinates of sacCer3. Centromeres are found in the sequence, by their consensus.
"""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.contacts.maps import MapRules
from zoo.data.contacts.module import ContactDataModule
from zoo.data.genome_split import SplitRules
from zoo.data.tracks.table import Track, write_track_table
from zoo.datasets.built import built_folder
from zoo.datasets.sources import files_of
from zoo.datasets.yeast_genome import RDNA, TEST, VAL, write_genome
from zoo.formats.bigwig import BigWigWriter
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import Codes
from zoo.utils.download import fetch

__all__ = ["BIN", "YeastContactDataModule", "contacts_folder", "find_centromere", "position_tracks"]

BIN = 2_000
_VERSION = "5"
# The elements of a yeast centromere (Hegemann and Fleig 1993), between which lie 73 to 94 bases, nearly all A or T.
_CDE1, _CDE3 = "RTCACRTG", "TGTTTATGNTTTCCGAA"
_CDE2 = range(73, 95)
_AT_WEIGHT = 10.0
_IUPAC = {"A": 1, "C": 2, "G": 4, "T": 8, "R": 5, "N": 15}
_TRACKS = {
    "centromere_distance": "distance to the centromere, 100 kb",
    "centromere_log_distance": "distance to the centromere, log2((1 + kb) / 100) / 2",
    "end_distance": "distance to the nearer end of the chromosome, 100 kb",
    "end_log_distance": "distance to the nearer end of the chromosome, log2((1 + kb) / 100) / 2",
    "left_arm": "1 from 10 kb left of the centromere on, 0 right of it",
    "right_arm": "1 from 10 kb right of the centromere on, 0 left of it",
    "inside": "1 within the chromosome",
}
_PARTNERS = {"left_arm": "right_arm", "right_arm": "left_arm"}


class YeastContactDataModule(ContactDataModule):
    """Hi-C of yeast in G1; if nothing else is said, chrIX and chrXIV are the test, and chrXI is for validation.

    Args:
        length: bases of a window.
        crop: bins of context on each side.
        position: read beside the sequence where each bin lies: its distances to the centromere and to the end of the
            chromosome, and on which arm.
        sequence: read the sequence; if not, N stands for every base: what position alone tells.
        maps: how maps are prepared.
        split: other chromosomes for validation and test; None for those of every table of yeast.
        options: of ContactDataModule.
    """

    def __init__(
        self,
        length: int = 128_000,
        crop: int = 0,
        position: bool = False,
        sequence: bool = True,
        maps: MapRules | None = None,
        split: SplitRules | None = None,
        **options: Any,
    ) -> None:
        folder = contacts_folder()
        super().__init__(
            genome=str(folder / ("genome.fa" if sequence else "unknown.fa")),
            coolers={"hic_g1": str(folder / "hic_2kb.cool")},
            length=length,
            crop=crop,
            maps=maps,
            arms=str(folder / "arms.bed"),
            inputs_table=str(folder / "inputs.tsv") if position else None,
            split=split or SplitRules(val=VAL, test=TEST),
            blacklist=[str(folder / "blacklist.bed")],
            **options,
        )


def contacts_folder() -> Path:
    """The folder of genome, coolers, arms, blacklist, inputs.tsv and its bigWigs; built where it is not there."""
    return built_folder("yeast_contacts", ["yeast", "yeast_contacts"], _VERSION, _build)


def _build(folder: Path) -> None:
    # The second is an independent experiment (HindIII).
    for file, name in zip(files_of("yeast_contacts"), ("hic_2kb.cool", "hic_10kb.cool"), strict=True):
        shutil.copyfile(fetch(file), folder / name)
    lengths = write_genome(folder / "genome.fa")
    with (folder / "unknown.fa").open("w") as unknown:
        unknown.writelines(f">{name}\n{'N' * length}\n" for name, length in lengths.items())
    genome = Genome(folder / "genome.fa")
    middles, centromeres = {}, []
    with (folder / "centromeres.bed").open("w") as table, (folder / "arms.bed").open("w") as arms:
        for name, length in lengths.items():
            start, end = find_centromere(genome.codes(Interval(name, 0, length)))
            middles[name] = (start + end) // 2
            centromeres.append((start, end))
            table.write(f"{name}\t{start}\t{end}\tCEN{name[3:]}\n")
            arms.write(f"{name}\t0\t{middles[name]}\tleft\n{name}\t{middles[name]}\t{length}\tright\n")
    (folder / "blacklist.bed").write_text("\t".join(map(str, RDNA)) + "\trDNA\n")
    for name in _TRACKS:
        with BigWigWriter(folder / f"{name}.bw", lengths) as writer:
            for contig, length in lengths.items():
                writer.add_bins(contig, 0, position_tracks(length, middles[contig])[name], BIN)
    write_track_table(
        folder / "inputs.tsv",
        [
            Track(name, str(folder / f"{name}.bw"), strand_partner=_PARTNERS.get(name, ""), unit=said, description=said)
            for name, said in _TRACKS.items()
        ],
    )
    spans = [end - start for start, end in centromeres]
    (folder / "report.txt").write_text(
        f"genome: {len(lengths)} chromosomes, {sum(lengths.values()):,} bases\n"
        f"centromeres: {len(spans)}, {min(spans)} to {max(spans)} bases\n"
        f"blacklist: the rDNA, {RDNA[0]}:{RDNA[1]:,}-{RDNA[2]:,}\n"
    )


def position_tracks(length: int, centromere: int) -> dict[str, NDArray[np.float32]]:
    """Where the middles of the 2-kb bins of a chromosome lie: name -> values of the bins."""
    middle = np.arange(0, length, BIN) + BIN / 2
    left = np.clip((centromere - middle) / 1e4, -1, 1).astype(np.float32)
    found = {"left_arm": left.clip(0), "right_arm": (-left).clip(0), "inside": np.ones(len(middle), np.float32)}
    for name, distance in (
        ("centromere", np.abs(middle - centromere)),
        ("end", np.maximum(np.minimum(middle, length - middle), 0)),
    ):
        found[f"{name}_distance"] = (distance / 1e5).astype(np.float32)
        found[f"{name}_log_distance"] = (np.log2((1 + distance / 1e3) / 100) / 2).astype(np.float32)
    return found


def find_centromere(codes: Codes) -> tuple[int, int]:
    """Start and end of the centromere of a chromosome: the best match of its three elements, on either strand.

    Args:
        codes: the whole chromosome (L,).

    Returns:
        0-based, half-open, on the given strand.
    """
    found = []
    for strand, letters in (("+", codes), ("-", np.where(codes < 4, 3 - codes, codes)[::-1])):
        first, last = _matches(letters, _CDE1), _matches(letters, _CDE3)
        rich = np.append(0, ((letters == 0) | (letters == 3)).cumsum())
        for gap in _CDE2:
            count = len(last) - len(_CDE1) - gap
            if count < 1:
                continue
            begin = np.arange(count) + len(_CDE1)
            share = (rich[begin + gap] - rich[begin]) / gap
            score = first[:count] + last[begin + gap] + _AT_WEIGHT * share
            best = int(score.argmax())
            found.append((float(score[best]), strand, best, best + len(_CDE1) + gap + len(_CDE3)))
    _, strand, start, end = max(found)
    return (start, end) if strand == "+" else (len(codes) - end, len(codes) - start)


def _matches(codes: Codes, consensus: str) -> NDArray[np.int64]:
    """At each position how many letters of a consensus fit."""
    bits = np.left_shift(1, np.minimum(codes, 4)).astype(np.uint8)
    count = len(codes) - len(consensus) + 1
    found = np.zeros(count, np.int64)
    for i, letter in enumerate(consensus):
        found += (bits[i : i + count] & _IUPAC[letter]) > 0
    return found
