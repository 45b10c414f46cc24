"""What became of the alleles, in sentences."""

from zoo.errors import InputError
from zoo.genome.fasta import Genome
from zoo.utils.text import counted, some_of
from zoo.variants.scored import Counts

__all__ = ["check_assembly", "check_counts", "count_sentences"]

_MISMATCH = "REF differs from the genome"


def check_assembly(contigs: dict[str, int | None], matched: dict[str, str | None], genome: Genome) -> None:
    """Refuse a VCF whose header gives contigs other lengths than the genome has: it is of another assembly.

    Args:
        contigs: contig -> its length in the header; None where it is not said.
        matched: contig -> the genome's name of it; None where it does not have it.
        genome: the genome.

    Raises:
        InputError: the first contig that differs, and how many do.
    """
    differing = [
        (name, length, genome.contigs[match])
        for name, length in contigs.items()
        if length is not None and (match := matched[name]) is not None and genome.contigs[match] != length
    ]
    if differing:
        name, length, here = differing[0]
        more = f", and {counted(len(differing) - 1, 'other contig')}" if len(differing) > 1 else ""
        raise InputError(
            f"the variants are of another assembly than {genome.path}: by their header, {name} has {length:,} bases, "
            f"in the genome {here:,}{more}"
        )


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
