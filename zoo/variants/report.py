"""What became of the alleles, in sentences."""

from zoo.errors import InputError
from zoo.utils.text import counted, some_of
from zoo.variants.scored import Counts

__all__ = ["check_counts", "count_sentences"]

_MISMATCH = "REF differs from the genome"


def check_counts(counts: Counts, source: str, genome: str) -> None:
    """Refuse a result without any score.

    Raises:
        InputError: none of the alleles has scores; with the reasons.
    """
    if counts.scored:
        return
    hint = f": is {genome} the assembly that they are of?" if counts.reasons[_MISMATCH] else ""
    raise InputError(f"{source}: none of {counted(counts.alleles, 'allele')} can be scored ({_reasons(counts)}){hint}")


def count_sentences(counts: Counts) -> list[str]:
    """Sentences on what has no scores, and on what was padded."""
    sentences = []
    if without := counts.alleles - counts.scored:
        sentences.append(f"{without:,} of {counted(counts.alleles, 'allele')} have no scores: {_reasons(counts)}")
    share = counts.reasons[_MISMATCH] / max(1, counts.alleles)
    if share > 0.05:
        sentences.append(f"{share:.0%} of the alleles have a REF that the genome does not: is it another assembly?")
    if counts.padded:
        sentences.append(f"the windows of {counted(counts.padded, 'allele')} reach past the end of a contig, as N")
    return sentences


def _reasons(counts: Counts) -> str:
    return some_of([f"{number:,} {reason}" for reason, number in counts.reasons.most_common()], 10)
