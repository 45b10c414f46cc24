"""dsqtl: SNPs that change DNase I accessibility in lymphoblastoid cells (Degner 2012, doi:10.1038/nature10808; hg18).

100 bp around each SNP with the allele that is more accessible and with the other one, as prepared for MAGGIE (Shen
2020, doi:10.1093/bioinformatics/btaa476). Nothing is trained on it: it is a test of models of sequence.
Shapes: V SNPs.
"""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.datasets.sources import files_of
from zoo.errors import IntegrityError
from zoo.formats.sequences import SequenceFile
from zoo.genome.sequence import Codes
from zoo.utils.download import PublicFile, fetch

__all__ = ["Qtls", "read_qtls", "scored_names"]

# The SNPs that the field scores; its first lines say where the list is from.
_SCORED = Path(__file__).with_name("dsqtl_scored.txt")


class Qtls(NamedTuple):
    """SNPs with both alleles.

    Attributes:
        names: ids, `contig.position` of hg18, in the order of the file (V).
        reference: 100 bp with the reference allele, uint8 (V, 100).
        alternative: the same with the other allele, uint8 (V, 100).
        effect: change of accessibility per copy of the other allele, in standard deviations (V,): `Beta`.
        without_sequence: number of SNPs of the table left out because the FASTA files lack them.
    """

    names: list[str]
    reference: Codes
    alternative: Codes
    effect: NDArray[np.float64]
    without_sequence: int

    def select(self, names: list[str]) -> "Qtls":
        """Select SNPs by id, in the order of `names`.

        Raises:
            IntegrityError: an id that is not there.
        """
        row = {name: index for index, name in enumerate(self.names)}
        if unknown := [name for name in names if name not in row]:
            raise IntegrityError(f"there is no dsQTL {unknown[0]!r}")
        rows = [row[name] for name in names]
        arrays = (self.reference[rows], self.alternative[rows], self.effect[rows])
        return Qtls(names, *arrays, self.without_sequence)


@cache
def read_qtls() -> Qtls:
    """Fetch and read all SNPs.

    Raises:
        IntegrityError: the files do not fit each other.
    """
    files = {file.name: file for file in files_of("dsqtl")}
    high, low = _read_alleles(files["dsQTL_high.fa"]), _read_alleles(files["dsQTL_low.fa"])
    if high.keys() != low.keys():
        raise IntegrityError("dsQTL_high.fa and dsQTL_low.fa do not hold the same SNPs")
    with fetch(files["dsQTL.vcf"]).open(newline="") as table:
        effects = {row["ID"]: float(row["Beta"]) for row in csv.DictReader(table, delimiter="\t")}
    names = [name for name in effects if name in high]
    if len(names) != len(high):
        raise IntegrityError("dsQTL.vcf lacks SNPs of dsQTL_high.fa")
    effect = np.array([effects[name] for name in names])
    highs, lows = (np.stack([alleles[name] for name in names]) for alleles in (high, low))
    if not ((highs != lows).sum(1) == 1).all():
        raise IntegrityError("dsQTL_high.fa and dsQTL_low.fa are to differ in one base of each SNP")
    # A positive effect: the other allele is the more accessible one.
    raises = (effect > 0)[:, None]
    return Qtls(names, np.where(raises, lows, highs), np.where(raises, highs, lows), effect, len(effects) - len(names))


def _read_alleles(file: PublicFile) -> dict[str, Codes]:
    """Read a FASTA file: uint8 (100,) by id."""
    fasta = SequenceFile(str(fetch(file)))
    return {name: codes for records in fasta for name, codes in zip(records.names, fasta.codes(records), strict=True)}


def scored_names() -> list[str]:
    """List the ids of the 573 SNPs that are scored."""
    return [line for line in _SCORED.read_text().splitlines() if not line.startswith("#")]
