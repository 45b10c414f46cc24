"""satmut_mpra: effects of 44,647 variants in 29 experiments on 21 regulatory elements (Kircher 2019).

doi:10.1038/s41467-019-11526-w; GRCh38; fewer where a barcode filter is applied, see `MINIMUM_BARCODES`.

Saturation mutagenesis: each single-base substitution and one-base deletion of a promoter or enhancer, in a reporter
assay. Nothing is trained on it: it is a test of models of sequence. Shapes: V variants, L bases of an element.
"""

import csv
import gzip
from collections import defaultdict
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.datasets.sources import files_of
from zoo.errors import IntegrityError
from zoo.genome.sequence import UNKNOWN, Codes, encode
from zoo.utils.download import fetch
from zoo.utils.progress import spinner

__all__ = ["DELETED", "MINIMUM_BARCODES", "Experiment", "read_experiments"]

# Code of the allele of a deletion: no base.
DELETED = 255
# The usual filter of the authors and of those who score this set: effects of fewer barcodes are noise.
MINIMUM_BARCODES = 10
_RELEASE = "GRCh38"
_MISSING = "NA"


class Experiment(NamedTuple):
    """One experiment: the variants of an element in one cell line.

    Attributes:
        name: of the experiment, such as `PKLR-24h`.
        contig: contig of GRCh38, such as `chr1`.
        start: position of the element's first base on it, from 0.
        codes: uint8 (L,): the element as the reference has it, N where no variant tells.
        position: position of each variant in the element, from 0 (V,).
        alternative: code of its allele, `DELETED` for a deletion of one base, uint8 (V,).
        effect: measured log2 effect on expression (V,).
        gaps: positions of the element that no variant covers.
        few_barcodes: variants left out because they have fewer than `MINIMUM_BARCODES` barcodes.
        no_position: variants left out because the file does not say where they are.
    """

    name: str
    contig: str
    start: int
    codes: Codes
    position: NDArray[np.int64]
    alternative: NDArray[np.uint8]
    effect: NDArray[np.float64]
    gaps: int
    few_barcodes: int
    no_position: int

    @property
    def is_deletion(self) -> NDArray[np.bool_]:
        """Mark the deletions (V,); all other variants are substitutions."""
        deletion: NDArray[np.bool_] = self.alternative == DELETED
        return deletion


@cache
def read_experiments() -> dict[str, Experiment]:
    """Fetch and read the table: experiments by name, in alphabetical order.

    Raises:
        IntegrityError: rows that contradict each other, or an allele that is none.
    """
    (file,) = files_of("satmut_mpra")
    path = fetch(file)
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    with spinner(f"reading {path}"), gzip.open(path, "rt", newline="") as table:
        for row in csv.DictReader(table, delimiter="\t"):
            if row["Release"] == _RELEASE:  # each variant is there a second time, with the positions of GRCh37
                rows[row["Element"]].append(row)
    return {name: _experiment(name, rows[name], f"{path}: {name}") for name in sorted(rows)}


def _experiment(name: str, rows: list[dict[str, str]], where: str) -> Experiment:
    """Join the rows of one experiment."""
    placed = [row for row in rows if row["Pos"] != _MISSING]
    used = [row for row in placed if int(row["Barcodes"]) >= MINIMUM_BARCODES]
    contigs = {row["Chrom"] for row in placed}
    if len(contigs) != 1:
        raise IntegrityError(f"{where} lies on {len(contigs)} chromosomes where one was expected")
    reference = _reference(placed, where)
    start = min(reference)
    codes = np.full(max(reference) - start + 1, UNKNOWN, np.uint8)
    codes[np.array(list(reference)) - start] = encode("".join(reference.values()))
    alleles = "".join(row["Alt"] for row in used)
    if len(alleles) != len(used) or set(alleles) - set("ACGT-"):
        raise IntegrityError(f"{where} has alleles other than A, C, G, T and -")
    deleted = np.frombuffer(alleles.encode(), np.uint8) == ord("-")
    return Experiment(
        name,
        f"chr{contigs.pop()}",
        start - 1,
        codes,
        np.array([int(row["Pos"]) for row in used]) - start,
        np.where(deleted, DELETED, encode(alleles.replace("-", "N"))).astype(np.uint8),
        np.array([float(row["Coefficient"]) for row in used]),
        int((codes == UNKNOWN).sum()),
        len(placed) - len(used),
        len(rows) - len(placed),
    )


def _reference(rows: list[dict[str, str]], where: str) -> dict[int, str]:
    """Base of the reference at each position, from 1."""
    reference: dict[int, str] = {}
    for row in rows:
        position, base = int(row["Pos"]), row["Ref"]
        if base not in tuple("ACGT") or reference.setdefault(position, base) != base:
            raise IntegrityError(f"{where} has another reference base, {base}, at {row['Chrom']}:{position}")
    return reference
