"""The genome of S. cerevisiae (sacCer3), and how every yeast set here splits it."""

from pathlib import Path

from zoo.datasets.sources import files_of
from zoo.utils.download import fetch

__all__ = ["CONTIGS", "RDNA", "ROMAN", "TEST", "VAL", "write_genome"]

ROMAN = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV", "XVI"]
CONTIGS = [f"chr{number}" for number in ROMAN]
VAL = ["chrXI"]
TEST = ["chrIX", "chrXIV"]
# The array of ribosomal RNA genes stands for some 150 copies: what is measured there is not of one.
RDNA = ("chrXII", 450_000, 490_000)
_LINE = 60


def write_genome(path: Path) -> dict[str, int]:
    """One FASTA of the sixteen chromosomes; their lengths."""
    files = {file.name: file for file in files_of("yeast")}
    lengths = {}
    with path.open("w") as genome:
        for number, name in enumerate(CONTIGS, 1):
            letters = "".join(fetch(files[f"chr{number}.fa"]).read_text().split("\n")[1:])
            lengths[name] = len(letters)
            genome.write(f">{name}\n")
            genome.writelines(f"{letters[i : i + _LINE]}\n" for i in range(0, len(letters), _LINE))
    return lengths
