"""yeast_contacts: Hi-C of S. cerevisiae in G1 (2-kb bins), with the genome and the position of each bin on it.

The map is that of `chromosight` (Matthey-Doret 2020, doi:10.1038/s41467-020-19562-7; SRR8769554), of strain W303 in the
coordinates of sacCer3. Centromeres are located in the sequence, by their consensus.
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
from zoo.datasets.built import built_folder, built_path
from zoo.datasets.sources import files_of
from zoo.datasets.yeast_genome import TEST, VAL, write_blacklist, write_genome
from zoo.formats.bigwig_writer import open_bigwig
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import Codes
from zoo.utils.download import PublicFile, fetch

__all__ = [
    "BIN",
    "YeastContactDataModule",
    "contacts_folder",
    "find_centromere",
    "position_tracks",
    "yeast_position_tracks",
]

BIN = 2_000
_NAME, _SETS, _VERSION = "yeast_contacts", ["yeast", "yeast_contacts"], "5"
# The elements of a yeast centromere (Hegemann and Fleig 1993, BioEssays 15:451): CDEI and CDEIII, in IUPAC
# letters, and between them CDEII, 73 to 94 bases, nearly all A or T.
_CDE1, _CDE3 = "RTCACRTG", "TGTTTATGNTTTCCGAA"
_CDE2 = range(73, 95)
_AT_WEIGHT = 10.0  # an A+T fraction of 1 counts as much as so many matching letters
# Bits of the bases that a letter stands for: A 1, C 2, G 4, T 8.
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
    """Hi-C of yeast in G1. Test: chrIX and chrXIV, validation: chrXI, unless `split` names others.

    `prepare_data` downloads and builds the data set; until then the files that options name may be missing.

    Args:
        length: bases of a window.
        crop: bins of context on each side of those that are predicted.
        position: also give the model the position of each bin: its distances to the centromere and to the end of the
            chromosome, and its arm.
        sequence: give the model the sequence; if not, every base is N: what position alone predicts.
        maps: how contact maps are prepared.
        split: other chromosomes for validation and test; None for those of every yeast data set.
        options: options of `ContactDataModule`.
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
        folder = built_path(_NAME, _SETS, _VERSION)
        super().__init__(
            genome=str(folder / ("genome.fa" if sequence else "unknown.fa")),
            coolers={"hic_g1": str(folder / "hic_2kb.cool")},
            length=length,
            crop=crop,
            maps=maps,
            arms=str(folder / "arms.bed"),
            bin_size=BIN,
            inputs_table=str(folder / "inputs.tsv") if position else None,
            split=split or SplitRules(val=VAL, test=TEST),
            blacklist=[str(folder / "blacklist.bed")],
            **options,
        )

    @property
    def input_tracks(self) -> list[Track]:
        """Lines of the table of inputs, known before it is built; empty without `position`."""
        return yeast_position_tracks(Path(self.inputs_table).parent) if self.inputs_table else []

    @property
    def public_files(self) -> list[PublicFile]:
        """The files that the data set is built from."""
        return [file for name in _SETS for file in files_of(name)]

    def fetch(self) -> None:
        """Download and build the data set."""
        contacts_folder()


def contacts_folder() -> Path:
    """Folder of genome, coolers, arms, blacklist, inputs.tsv and its bigWigs; built if it is not there.

    Raises:
        DownloadError: a public file cannot be downloaded.
    """
    return built_folder(_NAME, _SETS, _VERSION, _build)


def yeast_position_tracks(folder: Path) -> list[Track]:
    """The tracks of positions, with their bigWigs in a folder."""
    return [
        Track(name, str(folder / f"{name}.bw"), strand_partner=_PARTNERS.get(name, ""), unit=text, description=text)
        for name, text in _TRACKS.items()
    ]


def _build(folder: Path) -> None:
    """Write the files of the data set."""
    # The second map is an independent experiment (HindIII).
    for file, name in zip(files_of("yeast_contacts"), ("hic_2kb.cool", "hic_10kb.cool"), strict=True):
        shutil.copyfile(fetch(file), folder / name)
    lengths = write_genome(folder / "genome.fa")
    with (folder / "unknown.fa").open("w") as unknown:
        unknown.writelines(f">{name}\n{'N' * length}\n" for name, length in lengths.items())
    genome = Genome(folder / "genome.fa")
    centromeres = {name: find_centromere(genome.codes(Interval(name, 0, length))) for name, length in lengths.items()}
    middles = {name: (start + end) // 2 for name, (start, end) in centromeres.items()}
    with (folder / "centromeres.bed").open("w") as table, (folder / "arms.bed").open("w") as arms:
        for name, (start, end) in centromeres.items():
            table.write(f"{name}\t{start}\t{end}\tCEN{name[3:]}\n")
            arms.write(f"{name}\t0\t{middles[name]}\tleft\n{name}\t{middles[name]}\t{lengths[name]}\tright\n")
    for name in _TRACKS:
        with open_bigwig(folder / f"{name}.bw", lengths) as writer:
            for contig, length in lengths.items():
                writer.add_bins(contig, 0, position_tracks(length, middles[contig])[name], BIN)
    write_track_table(folder / "inputs.tsv", yeast_position_tracks(folder))
    spans = [end - start for start, end in centromeres.values()]
    (folder / "report.txt").write_text(
        f"genome: {len(lengths)} chromosomes, {sum(lengths.values()):,} bases\n"
        f"centromeres: {len(spans)}, {min(spans)} to {max(spans)} bases\n"
        f"{write_blacklist(folder / 'blacklist.bed')}\n"
    )


def position_tracks(length: int, centromere: int) -> dict[str, NDArray[np.float32]]:
    """Positions of the 2-kb bins of a chromosome, at the middle of each bin.

    Args:
        length: bases of the chromosome.
        centromere: middle of the centromere, 0-based.

    Returns:
        Track -> float32 values of the bins (P,).
    """
    middle = np.arange(0, length, BIN) + BIN / 2
    left = np.clip((centromere - middle) / 1e4, -1, 1).astype(np.float32)  # a ramp over 10 kb on each side
    tracks = {"left_arm": left.clip(0), "right_arm": (-left).clip(0), "inside": np.ones(len(middle), np.float32)}
    for name, distance in (
        ("centromere", np.abs(middle - centromere)),
        ("end", np.maximum(np.minimum(middle, length - middle), 0)),  # the middle of the last bin may lie outside
    ):
        tracks[f"{name}_distance"] = (distance / 1e5).astype(np.float32)
        tracks[f"{name}_log_distance"] = (np.log2((1 + distance / 1e3) / 100) / 2).astype(np.float32)
    return tracks


def find_centromere(codes: Codes) -> tuple[int, int]:
    """Locate the centromere of a chromosome: the best match of its three elements, on either strand.

    Args:
        codes: the whole chromosome (L,).

    Returns:
        Start and end, 0-based, half-open, on the given strand.
    """
    matches = []
    for strand, bases in (("+", codes), ("-", np.where(codes < 4, 3 - codes, codes)[::-1])):
        first, last = _matches(bases, _CDE1), _matches(bases, _CDE3)
        at = np.append(0, ((bases == 0) | (bases == 3)).cumsum())  # A and T before each position (L + 1,)
        for gap in _CDE2:
            count = len(last) - len(_CDE1) - gap
            if count < 1:
                continue
            begin = np.arange(count) + len(_CDE1)  # where CDEII begins
            fraction = (at[begin + gap] - at[begin]) / gap
            score = first[:count] + last[begin + gap] + _AT_WEIGHT * fraction
            best = int(score.argmax())
            matches.append((float(score[best]), strand, best, best + len(_CDE1) + gap + len(_CDE3)))
    _, strand, start, end = max(matches)
    return (start, end) if strand == "+" else (len(codes) - end, len(codes) - start)


def _matches(codes: Codes, consensus: str) -> NDArray[np.int64]:
    """Number of letters of a consensus of length K that match at each position (L - K + 1,)."""
    bits = np.left_shift(1, np.minimum(codes, 4)).astype(np.uint8)  # N has a bit that no letter has
    count = len(codes) - len(consensus) + 1
    matches = np.zeros(count, np.int64)
    for i, letter in enumerate(consensus):
        matches += (bits[i : i + count] & _IUPAC[letter]) > 0
    return matches
