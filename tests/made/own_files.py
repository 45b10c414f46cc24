"""Made files under the names that README uses for a reader's own: a genome, peaks, bigWigs, contacts, sequences."""

import gzip
from pathlib import Path

import cooler
import numpy as np
import pandas as pd
import pyBigWig
import pysam
from made.contacts import bins_of

from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import decode

__all__ = ["CONTIGS", "make_own_files"]

# chr21 is as long as README's regions need.
CONTIGS = {"chr1": 3_000_000, "chr8": 2_000_000, "chr9": 2_000_000, "chr21": 33_000_000}
_BIN = 2_000


def make_own_files(folder: Path, contigs: dict[str, int] | None = None, peaks: int = 200) -> None:
    """Write all files into a folder.

    Args:
        folder: an existing folder.
        contigs: contig -> length of the genome.
        peaks: number of peaks of each file on each contig.
    """
    sizes, rng = contigs or CONTIGS, np.random.default_rng(0)
    with (folder / "genome.fa").open("w") as file:
        for name, size in sizes.items():
            file.write(f">{name}\n{decode(rng.integers(0, 4, size).astype(np.uint8))}\n")
    _write_sequences(folder, rng)
    _write_peaks(folder, sizes, peaks, rng)
    for name in ("one", "two", "cover"):
        _write_bigwig(folder / f"{name}.bw", sizes, rng)
    (folder / "targets.tsv").write_text("name\tpath\none\tone.bw\ntwo\ttwo.bw\n")
    (folder / "inputs.tsv").write_text("name\tpath\ncover\tcover.bw\n")
    _write_contacts(folder, sizes, rng)
    _write_variants(folder)


def _sequences(rng: np.random.Generator, count: int, length: int) -> list[str]:
    return [decode(codes) for codes in rng.integers(0, 4, (count, length)).astype(np.uint8)]


def _write_sequences(folder: Path, rng: np.random.Generator) -> None:
    """bound.fa has a motif, unbound.fa none; activity.tsv measures it."""
    bound = [text[:40] + "TGACTCAGGC" + text[50:] for text in _sequences(rng, 200, 101)]
    (folder / "bound.fa").write_text("".join(f">{index}\n{text}\n" for index, text in enumerate(bound)))
    unbound = _sequences(rng, 200, 101)
    (folder / "unbound.fa").write_text("".join(f">{index}\n{text}\n" for index, text in enumerate(unbound)))
    rows = [(text, 1_000 + 500 * ("TGACTCAGGC" in text) + 50 * rng.normal()) for text in bound + unbound]
    (folder / "activity.tsv").write_text(
        "sequence\tactivity\n" + "".join(f"{text}\t{value:.1f}\n" for text, value in rows)
    )


def _write_peaks(folder: Path, sizes: dict[str, int], count: int, rng: np.random.Generator) -> None:
    for name in ("ctcf", "rest"):
        lines = []
        for contig, size in sizes.items():
            for start in np.sort(rng.integers(1_000, size - 2_000, count)).tolist():
                summit = int(rng.integers(50, 150))
                lines.append(
                    f"{contig}\t{start}\t{start + 200}\tpeak\t{rng.integers(1, 1000)}\t.\t9.5\t-1\t-1\t{summit}\n"
                )
        (folder / f"{name}.narrowPeak.gz").write_bytes(gzip.compress("".join(lines).encode()))
        (folder / f"{name}.bed").write_text("".join("\t".join(line.split("\t")[:4]) + "\n" for line in lines))
    (folder / "genes.bed").write_text((folder / "rest.bed").read_text())
    (folder / "blacklist.bed").write_text("chr1\t0\t20000\n")
    (folder / "arms.bed").write_text("".join(f"{name}\t0\t{size}\n" for name, size in sizes.items()))


def _write_bigwig(path: Path, sizes: dict[str, int], rng: np.random.Generator) -> None:
    with pyBigWig.open(str(path), "w") as file:
        file.addHeader(list(sizes.items()))
        for name, size in sizes.items():
            file.addEntries(name, 0, values=rng.gamma(1.0, 5.0, size // 100), span=100, step=100)


def _write_variants(folder: Path) -> None:
    """A substitution and a deletion in a VCF that is compressed by bgzip."""
    genome = Genome(folder / "genome.fa")
    two = genome.sequence(Interval("chr1", 9_999, 10_001))
    lines = [f"chr1\t10000\t.\t{two[0]}\t{'ACGT'['ACGT'.index(two[0]) - 1]}", f"chr1\t10000\t.\t{two}\t{two[0]}"]
    head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    with pysam.BGZFile(str(folder / "variants.vcf.gz"), "wb") as file:  # type: ignore[call-arg]
        file.write((head + "".join(f"{line}\t.\t.\t.\n" for line in lines)).encode())


def _write_contacts(folder: Path, sizes: dict[str, int], rng: np.random.Generator) -> None:
    """contacts.mcool with weights, at 2,000 and 4,000 bases, and a table of expected contacts."""
    bins = bins_of(sizes, _BIN).assign(weight=1.0)
    reach, last = 520, bins.groupby("chrom", sort=False).cumcount(ascending=False).to_numpy()
    row = np.repeat(np.arange(len(bins)), 60)
    distance = (reach * rng.random(len(row)) ** 3).astype(int)
    pairs = pd.DataFrame({"bin1_id": row, "bin2_id": row + distance})[distance <= last[row]]
    pixels = pairs.value_counts(sort=False).rename("count").reset_index()
    cooler.create_cooler(str(folder / "contacts.cool"), bins, pixels, ordered=True)
    cooler.zoomify_cooler(str(folder / "contacts.cool"), str(folder / "contacts.mcool"), [_BIN, 2 * _BIN], 10_000_000)
    rows = "".join(f"chr1\tchr1\t{index}\t1000\t{1 / (index + 1):.6g}\n" for index in range(reach))
    (folder / "table.tsv").write_text("region1\tregion2\tdist\tn_valid\tbalanced.avg\n" + rows)
