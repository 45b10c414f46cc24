"""What an allele changes in a genome: bases that are replaced, and where the same change could be written.

Positions are 0-based.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from zoo.formats.alleles import EMPTY, NO_ALLELE, Variant
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import UNKNOWN, Codes, decode, encode
from zoo.utils.text import shorten

__all__ = ["Bases", "Change", "Unscored", "change_between", "read_change"]

_LETTERS = frozenset("ACGTacgt")
# Bases on either side that are first looked at for a repeat in which a change could be moved.
_FIRST_LOOK = 256


class Bases(Protocol):
    """What bases are read from: a `Genome`, or sequences."""

    @property
    def contigs(self) -> Mapping[str, int]:
        """Contig -> its length."""

    def codes(self, interval: Interval) -> Codes:
        """Codes of an interval, N past the ends."""

    def windows(self, contig: NDArray[np.int64], start: NDArray[np.int64], length: int) -> Codes:
        """Codes of windows (N, L), N past the ends; see `Genome.windows`."""


@dataclass(frozen=True, slots=True)
class Change:
    """Bases of a contig that are replaced by others, without those that both alleles begin or end with.

    A deletion or insertion in a repeat can be written at several places, and is the same sequence afterwards. The
    interval [first, last) holds all of them, so that what depends on the place takes its middle.

    Attributes:
        contig: as the genome names it.
        start: the first base that is replaced.
        ref: codes of the reference (R,); none for an insertion before `start`.
        alt: codes of the alternative (A,); none for a deletion.
        first: start of the first place.
        last: end of the last place.
        strand: strand on which the model reads it.
        window: first base of the window; None where it follows from the change.
    """

    contig: str
    start: int
    ref: Codes
    alt: Codes
    first: int
    last: int
    strand: str = "+"
    window: int | None = None

    @property
    def is_equal_length(self) -> bool:
        """Whether all bases outside the change stay where they are."""
        return len(self.ref) == len(self.alt)


class Unscored(NamedTuple):
    """Why an allele has no scores.

    Attributes:
        reason: the same for all alleles of its kind.
        detail: of this allele; empty for none.
    """

    reason: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason


def read_change(variant: Variant, genome: Genome, contigs: dict[str, str | None], length: int) -> Change | Unscored:
    """Find what an allele changes, and check its reference.

    Args:
        variant: the allele.
        genome: the genome.
        contigs: name in the file -> name in the genome, None for one that it does not have.
        length: bases of a window; no allele that is longer than half of it is scored.

    Returns:
        The change, or why there are no scores.
    """
    if unscored := _no_sequence(variant):
        return unscored
    contig = contigs.get(variant.chrom)
    if contig is None:
        return Unscored("the genome does not have the contig", shorten(variant.chrom, 40))
    position = variant.position - 1
    if position < 0 or position + len(variant.ref) > genome.contigs[contig]:
        return Unscored("position outside of the contig", f"it has {genome.contigs[contig]:,} bases")
    ref, alt = encode(variant.ref), encode("" if variant.alt == EMPTY else variant.alt)
    genomic = genome.codes(Interval(contig, position, position + len(ref)))
    if not np.array_equal(ref, genomic):
        letters = f"{shorten(variant.ref.upper(), 20)}, the genome has {shorten(decode(genomic), 20)}"
        return Unscored("REF differs from the genome", letters)
    start, ref, alt = _trim(position, ref, alt)
    if not len(ref) and not len(alt):
        return Unscored("REF and ALT are the same")
    return _placed(contig, start, ref, alt, variant.strand, length, genome)


def change_between(contig: str, ref: Codes, alt: Codes, length: int, bases: Bases) -> Change | Unscored:
    """Find what differs between the sequences of two alleles.

    Args:
        contig: name of the reference sequence in `bases`.
        ref: codes of the reference (R,).
        alt: codes of the alternative (A,).
        length: bases of a window.
        bases: the reference sequences.
    """
    is_whole = len(ref) == len(alt) == length
    start, ref, alt = _trim(0, ref, alt)
    if not len(ref) and not len(alt):
        return Unscored("both sequences are the same")
    if is_whole:
        return Change(contig, start, ref, alt, start, start + len(ref), window=0)
    return _placed(contig, start, ref, alt, "+", length, bases)


def _placed(
    contig: str, start: int, ref: Codes, alt: Codes, strand: str, length: int, bases: Bases
) -> Change | Unscored:
    """A change with all places where it could be written.

    A window in the middle of a repeat that is longer than it holds the same bases wherever the change is written.
    """
    if max(len(ref), len(alt)) > length // 2:
        return Unscored("longer than half of what the model reads", f"{length // 2:,} bases")
    if len(ref) and len(alt):
        return Change(contig, start, ref, alt, start, start + len(ref), strand)
    before, after = _other_places(bases, contig, start, ref, alt)
    first, last = start - before, start + len(ref) + after
    return Change(contig, start, ref, alt, first, last, strand)


def _no_sequence(variant: Variant) -> Unscored | None:
    """Why an allele has no sequence; None where it has one."""
    alt = variant.alt
    if alt in (NO_ALLELE, ""):
        return Unscored("no alternative allele")
    if alt == "*":
        return Unscored("spanning deletion (*), which another record describes")
    if "[" in alt or "]" in alt or alt.startswith(".") or alt.endswith("."):
        return Unscored("breakend")
    if alt.startswith("<"):
        return Unscored("symbolic allele", shorten(alt, 20))
    if variant.ref in (EMPTY, ""):
        return Unscored("REF is empty, which does not say where ALT is inserted: write the base before it in both")
    if not (_LETTERS.issuperset(variant.ref) and (_LETTERS.issuperset(alt) or alt == EMPTY)):
        return Unscored("letters other than A, C, G and T")
    return None


def _trim(start: int, ref: Codes, alt: Codes) -> tuple[int, Codes, Codes]:
    """Leave out the bases that both alleles end with, then those that both begin with."""
    shorter = min(len(ref), len(alt))
    if len(ref) == len(alt) == 1 and ref[0] != alt[0]:
        return start, ref, alt
    same = ref[::-1][:shorter] == alt[::-1][:shorter]
    tail = shorter if same.all() else int(same.argmin())
    ref, alt, shorter = ref[: len(ref) - tail], alt[: len(alt) - tail], shorter - tail
    same = ref[:shorter] == alt[:shorter]
    head = shorter if same.all() else int(same.argmin())
    return start + head, ref[head:], alt[head:]


def _other_places(bases: Bases, contig: str, start: int, ref: Codes, alt: Codes) -> tuple[int, int]:
    """By how many bases an insertion or deletion can be moved to the left and to the right without another result."""
    unit = ref if len(ref) else alt
    end = start + len(ref)
    # Moved by k to the right, what is deleted or inserted begins with base k of the unit, in a circle.
    return (
        _repeated(unit[::-1], lambda reach: bases.codes(Interval(contig, start - reach, start))[::-1]),
        _repeated(unit, lambda reach: bases.codes(Interval(contig, end, end + reach))),
    )


def _repeated(unit: Codes, read: Callable[[int], Codes]) -> int:
    """How many bases go on with a unit, in a circle; `read` gives some of them, with N past the end of the contig."""
    reach = _FIRST_LOOK
    while (same := _equal_bases(read(reach), np.resize(unit, reach))) == reach:
        reach *= 4
    return same


def _equal_bases(one: Codes, other: Codes) -> int:
    """How many bases two sequences begin with that are the same, and known."""
    same = (one == other) & (one != UNKNOWN)
    return len(one) if same.all() else int(same.argmin())
