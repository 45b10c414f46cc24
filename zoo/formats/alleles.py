"""One allele of a file of variants."""

from typing import NamedTuple

__all__ = ["EMPTY", "NO_ALLELE", "Variant"]

EMPTY = "-"  # how tables write an allele without bases
NO_ALLELE = "."  # ALT of a record without an alternative


class Variant(NamedTuple):
    """One alternative allele, as its file writes it.

    Attributes:
        record: number of the record in the file, from 1; the alleles of one record follow one another.
        chrom: contig.
        position: first base of `ref`, from 1.
        name: its identifier; empty for none.
        ref: letters of the reference; `-` for none.
        alt: letters of the alternative; `-` for no bases, `.` for no alternative, or a symbol such as `<DEL>`.
        strand: strand on which the model reads it, `+` or `-`.
    """

    record: int
    chrom: str
    position: int
    name: str
    ref: str
    alt: str
    strand: str = "+"
