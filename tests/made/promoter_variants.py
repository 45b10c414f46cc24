"""Made R files in place of the public ones of `yeast_variants`."""

from pathlib import Path

import numpy as np
import pandas as pd
import rdata

from zoo.datasets.yeast_genome import CONTIGS
from zoo.genome.sequence import decode, encode, reverse_complement

__all__ = ["DESIGN", "RESULTS", "made_promoter_variants", "write_promoter_variants"]

RESULTS, DESIGN = "R_resultsAndAnnotations_200719.RData", "R_oligoDesign_TSS_UpStream_190924.RData"
_NUMBERS = ["varNumberInOligo", "pos", "logFC", "AveExpr", "adj.P.Val", "distFromGene"]
_COLUMNS = ["testName", *_NUMBERS[:1], "chr", "pos", "ref", "alt", "gene", "library", "strand", *_NUMBERS[2:]]


def write_promoter_variants(folder: Path, rows: list[list[str]], oligos: dict[str, str]) -> None:
    """Write both files.

    Args:
        folder: where.
        rows: cells of each variant, in the order of the columns that are read.
        oligos: name -> oligo on the gene's strand.
    """
    table = pd.DataFrame(rows, columns=_COLUMNS, dtype=object)
    table[_NUMBERS] = table[_NUMBERS].replace("NA", "nan").astype(float)
    rdata.write_rda(folder / RESULTS, {"resultsAndAnnotations": table})
    names = [name.rpartition("_") for name in oligos]
    design = pd.DataFrame(
        {
            "oligoBlock": [block for block, _, _ in names],
            "alleleString": [alleles for _, _, alleles in names],
            "sequence": [f"GGCGCGCC{decode(reverse_complement(encode(oligo)))}" for oligo in oligos.values()],
        },
        dtype=object,
    )
    rdata.write_rda(folder / DESIGN, {"oligoDesign": design})


def made_promoter_variants(folder: Path, count: int = 320) -> None:
    """Write made SNVs, in the middle of random oligos of 144 bases: each contig has variants of both libraries."""
    rng = np.random.default_rng(0)
    rows, oligos = [], {}
    for number in range(count):
        codes = rng.integers(0, 4, 144).astype(np.uint8)
        other = codes.copy()
        other[72] = (codes[72] + 1) % 4
        oligos[f"Y{number}_1"], oligos[f"Y{number}_2"] = decode(codes), decode(other)
        alleles = ["ACGT"[codes[72]], "ACGT"[other[72]]]
        place = [CONTIGS[number // 2 % 16], str(1000 + number), *alleles, f"Y{number}", ("TSS", "UpStream")[number % 2]]
        values = [f"{value:.4f}" for value in (rng.normal(), rng.normal(), rng.random() ** 3)]
        rows.append([f"Y{number}_2", "1", *place, "+", *values, str(rng.integers(1, 300))])
    write_promoter_variants(folder, rows, oligos)
