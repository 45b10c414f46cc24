"""yeast_variants: effects of 6,362 natural promoter variants of yeast in a reporter assay (Renganaath 2020).

doi:10.7554/eLife.62669; sacCer3; variants between the strains BY (the reference) and RM. Each variant was measured in a
pair of oligos of about 144 bases that differ in it alone: in the TSS library they end at a gene's transcription start
and are the core promoter of the reporter gene; in the upstream library they have the variant in their middle and lie in
front of a core promoter that is the same for all. Oligos are given here on the strand of the gene, without the cloning
site in front of them. Shapes: V variants.
"""

import warnings
from functools import cache
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zoo.datasets.sources import files_of
from zoo.errors import IntegrityError
from zoo.genome.sequence import decode, encode, reverse_complement
from zoo.utils.download import fetch
from zoo.utils.extras import require_extras
from zoo.utils.progress import spinner

__all__ = ["FDR", "LIBRARIES", "Library", "PromoterVariants", "read_variants"]

Library = Literal["TSS", "UpStream"]
LIBRARIES: tuple[Library, ...] = get_args(Library)
# False discovery rate below which the authors call a variant causal.
FDR = 0.05
_RESULTS, _DESIGN = "R_resultsAndAnnotations_200719.RData", "R_oligoDesign_TSS_UpStream_190924.RData"
# Cloning site at the start of every oligo of the design.
_SITE = "GGCGCGCC"
# Alleles in the name of an oligo: one digit for each variant that lies in it.
_REFERENCE, _ALTERNATIVE = "1", "2"


class PromoterVariants(NamedTuple):
    """Variants that were measured, each in one pair of oligos; some in several pairs, which are several rows.

    Attributes:
        names: name of the oligo with the other allele: gene, block of oligos and alleles (V).
        contig: contig of sacCer3, such as `chrIX` (V).
        position: position of the first base of the reference allele on it, from 0 (V,).
        reference: reference allele, on the plus strand (V).
        alternative: the other allele, on the plus strand (V).
        gene: gene whose promoter it is (V).
        minus: whether the gene lies on the minus strand (V,).
        library: index into `LIBRARIES` (V,).
        effect: log2 of the reporter's RNA over DNA with the other allele, minus that with the reference (V,).
        mean: mean of the log2 of RNA over DNA of both oligos (V,).
        adjusted_p: p-value of the effect, adjusted for all tests; below `FDR` it is called causal (V,).
        distance: bases from the gene's start, NaN where the file does not say (V,).
        reference_oligo: oligo with the reference allele, 5' to 3' on the gene's strand (V).
        alternative_oligo: the oligo with the other allele (V).
    """

    names: list[str]
    contig: NDArray[np.str_]
    position: NDArray[np.int64]
    reference: NDArray[np.str_]
    alternative: NDArray[np.str_]
    gene: NDArray[np.str_]
    minus: NDArray[np.bool_]
    library: NDArray[np.int64]
    effect: NDArray[np.float64]
    mean: NDArray[np.float64]
    adjusted_p: NDArray[np.float64]
    distance: NDArray[np.float64]
    reference_oligo: list[str]
    alternative_oligo: list[str]

    @property
    def is_snv(self) -> NDArray[np.bool_]:
        """Mark the substitutions of single bases (V,)."""
        alleles = (self.reference, self.alternative)
        snv: NDArray[np.bool_] = np.logical_and(*(np.strings.str_len(allele) == 1 for allele in alleles))
        return snv

    @property
    def is_causal(self) -> NDArray[np.bool_]:
        """Mark the variants that change expression at the authors' false discovery rate (V,)."""
        causal: NDArray[np.bool_] = self.adjusted_p < FDR
        return causal


@cache
def read_variants() -> PromoterVariants:
    """Fetch the authors' results and oligos, and join them by the names of the oligos.

    Takes about three seconds, once in a process.

    Raises:
        IntegrityError: a variant without its two oligos, or oligos that do not differ in it alone.
        MissingExtraError: the package rdata is not installed.
    """
    results, design = _read_table(_RESULTS), _read_table(_DESIGN)
    names = design["oligoBlock"].astype(str) + "_" + design["alleleString"].astype(str)
    oligos = dict(zip(names, design["sequence"].astype(str), strict=True))
    pairs = [
        _pair(oligos, str(name), int(number) - 1)
        for name, number in zip(results["testName"], results["varNumberInOligo"], strict=True)
    ]
    text = {name: results[name].to_numpy(np.str_) for name in ("chr", "ref", "alt", "gene", "library", "strand")}
    if unknown := set(text["library"].tolist()) - set(LIBRARIES):
        raise IntegrityError(f"{_RESULTS}: {min(unknown)!r} is no library; there are {' and '.join(LIBRARIES)}")
    variants = PromoterVariants(
        names=results["testName"].astype(str).tolist(),
        contig=text["chr"],
        position=results["pos"].to_numpy(np.int64) - 1,
        reference=text["ref"],
        alternative=text["alt"],
        gene=text["gene"],
        minus=text["strand"] == "-",
        library=(text["library"] == "UpStream").astype(np.int64),
        effect=results["logFC"].to_numpy(np.float64),
        mean=results["AveExpr"].to_numpy(np.float64),
        adjusted_p=results["adj.P.Val"].to_numpy(np.float64),
        distance=results["distFromGene"].to_numpy(np.float64, na_value=np.nan),
        reference_oligo=[reference for reference, _ in pairs],
        alternative_oligo=[alternative for _, alternative in pairs],
    )
    _check_alleles(variants)
    return variants


def _read_table(name: str) -> pd.DataFrame:
    """Read the one table of an R file."""
    require_extras(["rdata"], "reading R files")
    import rdata

    (file,) = (file for file in files_of("yeast_variants") if file.name == name)
    path = fetch(file)
    with spinner(f"reading {path.name}"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about R classes that are read as plain columns
        objects: dict[str, Any] = rdata.read_rda(path, default_encoding="utf8")
    (table,) = objects.values()
    assert isinstance(table, pd.DataFrame)
    return table


def _pair(oligos: dict[str, str], name: str, number: int) -> tuple[str, str]:
    """Find both oligos of a variant, on the gene's strand.

    Args:
        oligos: name -> oligo as designed: the cloning site, then the other strand than the gene's.
        name: name of the oligo with the other allele, which ends in the alleles of all variants in it.
        number: number of the variant among them, from 0.
    """
    block, _, alleles = name.rpartition("_")
    if alleles[number : number + 1] != _ALTERNATIVE:
        raise IntegrityError(f"{_RESULTS}: {name} does not have the other allele of its variant {number + 1}")
    pair = []
    for one in (f"{block}_{alleles[:number]}{_REFERENCE}{alleles[number + 1 :]}", name):
        oligo = oligos.get(one, "")
        if not oligo.startswith(_SITE):
            raise IntegrityError(f"{_DESIGN} has no oligo {one} that starts with {_SITE}")
        pair.append(decode(reverse_complement(encode(oligo.removeprefix(_SITE)))))
    return pair[0], pair[1]


def _check_alleles(variants: PromoterVariants) -> None:
    """Check that both oligos of each variant are the same but for its alleles."""
    columns = (variants.names, variants.reference, variants.alternative, variants.minus)
    oligos = (variants.reference_oligo, variants.alternative_oligo)
    for name, *alleles, minus, reference, alternative in zip(*columns, *oligos, strict=True):
        before, after = (decode(reverse_complement(encode(one))) if minus else one for one in map(str, alleles))
        start = 0
        while start < min(len(reference), len(alternative)) and reference[start] == alternative[start]:
            start += 1
        # An allele of an indel starts with the base before it: it may begin anywhere in the bases that are equal.
        if not any(
            reference[:first] + after + reference[first + len(before) :] == alternative
            for first in range(start + 1)
            if reference[first : first + len(before)] == before
        ):
            raise IntegrityError(f"{_DESIGN}: the two oligos of {name} do not differ in its alleles alone")
