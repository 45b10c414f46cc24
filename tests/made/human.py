"""Made files under the names of the configurations of human data: a genome of three megabases with that shape."""

from pathlib import Path

import cooler
import numpy as np
import pandas as pd
import pyBigWig
from made.contacts import bins_of

from zoo.data.peaks.table import PeakTable
from zoo.genome.sequence import decode

__all__ = ["COOLERS", "SAMPLES", "make_human"]

# Windows of 1,048,576 bases predict 448 x 2,048 of them: three windows for training, one each for validation and test.
SIZES = {"chr1": 1_400_000, "chr8": 917_504, "chr9": 917_504}
SAMPLES = 164
COOLERS = (
    "HFF_hg38_4DNFIP5EUOFX.mapq_30.2048.cool",
    "H1hESC_hg38_4DNFI1O6IL1Q.mapq_30.2048.cool",
    *("GM12878.2048.cool", "IMR90.2048.cool", "HCT116.2048.cool"),
)
_TRACKS = 4
_SITES = 280


def make_human(folder: Path, architecture: str) -> None:
    """Write the files that the configuration of an architecture names into a folder."""
    rng = np.random.default_rng(0)
    name = "hg19.fa" if architecture == "basset" else "hg38.fa"
    with (folder / name).open("w") as file:
        for contig, size in SIZES.items():
            file.write(f">{contig}\n{decode(rng.integers(0, 4, size).astype(np.uint8))}\n")
    (folder / "val.bed").write_text(f"chr8\t0\t{SIZES['chr8']}\n")
    (folder / "test.bed").write_text(f"chr9\t0\t{SIZES['chr9']}\n")
    {"basset": _write_peaks, "basenji": _write_tracks, "akita": _write_contacts}[architecture](folder, rng)


def _write_peaks(folder: Path, rng: np.random.Generator) -> None:
    """dnase.tsv: sites of 600 bases, each a peak in some of the samples."""
    contig = np.repeat([0, 1, 2], [256, 12, 12])
    start = 2_000 * np.arange(_SITES) % 800_000 + rng.integers(0, 1_000, _SITES)
    labels = rng.random((_SITES, SAMPLES)) < 0.3
    labels[np.arange(_SITES), rng.integers(0, SAMPLES, _SITES)] = True
    targets = [f"sample{number}" for number in range(SAMPLES)]
    table = PeakTable(targets, list(SIZES), contig, start, 600, labels.astype(np.uint8), contig.copy())
    table.write(folder / "dnase.tsv")


def _write_tracks(folder: Path, rng: np.random.Generator) -> None:
    """targets.tsv as its awk command makes it, and bigwigs/."""
    (folder / "bigwigs").mkdir()
    (folder / "blacklist.bed").write_text("chr1\t0\t10000\n")
    rows = ["name\tpath\tstatistic\tscale\tclip\tdescription"]
    for number in range(_TRACKS):
        rows.append(f"ENCFF{number}\tbigwigs/ENCFF{number}.bw\tmean\t2\t64\tDNASE:made {number}")
        with pyBigWig.open(str(folder / "bigwigs" / f"ENCFF{number}.bw"), "w") as file:
            file.addHeader(list(SIZES.items()))
            for contig, size in SIZES.items():
                file.addEntries(contig, 0, values=rng.gamma(0.5, 2.0, size // 128), span=128, step=128)
    (folder / "targets.tsv").write_text("\n".join(rows) + "\n")


def _write_contacts(folder: Path, rng: np.random.Generator) -> None:
    """Coolers of 2,048-bp bins, and the BED file of gaps."""
    (folder / "hg38_gaps_binsize2048_numconseq10.bed").write_text("chr1\t0\t20480\n")
    bins = bins_of(SIZES, 2_048).assign(weight=1.0)
    left = bins.groupby("chrom", sort=False).cumcount(ascending=False).to_numpy()
    row = np.repeat(np.arange(len(bins)), 60)
    for name in COOLERS:
        distance = (500 * rng.random(len(row)) ** 3).astype(int)
        pairs = pd.DataFrame({"bin1_id": row, "bin2_id": row + distance})[distance <= left[row]]
        pixels = pairs.value_counts(sort=False).rename("count").reset_index()
        cooler.create_cooler(str(folder / name), bins, pixels, ordered=True)
