"""The genome of S. cerevisiae (sacCer3), and how every yeast data set splits it."""

from pathlib import Path

from zoo.datasets.sources import files_of
from zoo.utils.download import fetch

__all__ = ["CONTIGS", "RDNA", "ROMAN", "TEST", "VAL", "write_blacklist", "write_genome"]

ROMAN = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV", "XVI"]
CONTIGS = [f"chr{number}" for number in ROMAN]
VAL = ["chrXI"]
TEST = ["chrIX", "chrXIV"]
# The rDNA array: the reference has 2 of about 150 copies, so coverage and contacts there are sums over all of them.
RDNA = ("chrXII", 450_000, 490_000)
_LINE = 60  # bases per line of the FASTA


def write_genome(path: Path) -> dict[str, int]:
    """Write the sixteen chromosomes to one FASTA file.

    Args:
        path: file to write.

    Returns:
        contig -> length in bases.

    Raises:
        DownloadError: a public file cannot be downloaded.
    """
    files = {file.name: file for file in files_of("yeast")}
    lengths = {}
    with path.open("w") as genome:
        for number, name in enumerate(CONTIGS, 1):
            letters = "".join(fetch(files[f"chr{number}.fa"]).read_text().split("\n")[1:])
            lengths[name] = len(letters)
            genome.write(f">{name}\n")
            genome.writelines(f"{letters[i : i + _LINE]}\n" for i in range(0, len(letters), _LINE))
    return lengths


def write_blacklist(path: Path) -> str:
    """Write the rDNA to a BED file.

    Args:
        path: file to write.

    Returns:
        A line for the report of a data set.
    """
    path.write_text("\t".join(map(str, RDNA)) + "\trDNA\n")
    return f"blacklist: the rDNA, {RDNA[0]}:{RDNA[1]:,}-{RDNA[2]:,}"
