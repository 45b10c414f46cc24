"""Whether variants are of the assembly that a genome is, by the lengths of contigs in the header of their file."""

from collections.abc import Mapping
from typing import NamedTuple

from zoo.errors import InputError
from zoo.genome.contigs import find_by_length
from zoo.genome.fasta import Genome
from zoo.utils.text import counted

__all__ = ["NO_HEADER", "Assembly", "match_assembly"]


class Assembly(NamedTuple):
    """How the contigs of a file match those of a genome.

    Attributes:
        contigs: name in the file -> name in the genome, None for one that it does not have.
        differing: name in the file -> its length there and in the genome, in words, where the two differ.
    """

    contigs: Mapping[str, str | None]
    differing: Mapping[str, str]


NO_HEADER = Assembly({}, {})  # of a file that says nothing of contigs


def match_assembly(contigs: Mapping[str, int | None], genome: Genome) -> Assembly:
    """Match the contigs of a header with those of a genome.

    Some contigs may differ: the mitochondrion of hg19 is another sequence at UCSC than in GRCh37.

    Args:
        contigs: contig -> its length in the header; None where it is not said.
        genome: the genome.

    Raises:
        InputError: more than half of the contigs that both have are of other lengths: it is another assembly.
    """
    matched = find_by_length(contigs, genome.contigs)
    lengths = {
        name: (length, genome.contigs[match])
        for name, length in contigs.items()
        if length is not None and (match := matched.get(name)) is not None
    }
    differing = {
        name: f"by their header, {name} has {length:,} bases, in the genome {here:,}"
        for name, (length, here) in lengths.items()
        if length != here
    }
    if 2 * len(differing) > len(lengths):
        more = f", and {counted(len(differing) - 1, 'other contig')}" if len(differing) > 1 else ""
        first = next(iter(differing.values()))
        raise InputError(f"the variants are of another assembly than {genome.path}: {first}{more}")
    return Assembly(matched, differing)
