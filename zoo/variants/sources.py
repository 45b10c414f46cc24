"""Where alleles and their bases come from: variants of a genome, or a table with the sequence of both alleles."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from zoo.errors import InputError
from zoo.formats.alleles import Variant
from zoo.formats.cells import read_header, read_rows
from zoo.formats.variants import PAIR_COLUMNS, is_call_file, read_variants
from zoo.genome.contigs import find_contigs
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import UNKNOWN, Codes, decode, encode
from zoo.utils.text import quoted
from zoo.variants.assembly import NO_HEADER, Assembly, match_assembly
from zoo.variants.changes import Bases, Change, Unscored, change_between, read_change

__all__ = ["Block", "GenomeSource", "PairSource", "Source", "are_pairs"]

_BLOCK = 4_096  # alleles that are read at once
_MOST_BASES = 1 << 24  # of the windows of a block
_NAMES = ("name", "id", "variant")


class Block(NamedTuple):
    """Some alleles.

    Attributes:
        variants: the alleles (N).
        changes: what each changes, or why it has no scores (N).
        bases: where their windows are read from.
        sequences: sha256 of the sequences that came with the alleles; empty where these are of a genome.
    """

    variants: list[Variant]
    changes: list[Change | Unscored]
    bases: Bases
    sequences: str = ""


class Source(Protocol):
    """Gives alleles block by block."""

    def blocks(self, length: int) -> Iterator[Block]:
        """Give the alleles, in their order, for windows of so many bases."""


class GenomeSource:
    """Variants of a genome.

    Args:
        variants: the alleles; read once.
        genome: the genome.
        assembly: what the header of their file says of contigs.
    """

    def __init__(self, variants: Iterable[Variant], genome: Genome, assembly: Assembly = NO_HEADER) -> None:
        self.variants, self.genome, self.assembly = variants, genome, assembly

    @classmethod
    def of_file(cls, path: str, genome: Genome) -> "GenomeSource":
        """The variants of a VCF, BCF or table.

        Raises:
            InputError: no such file, one that is none of these, or a header of another assembly than the genome.
            MissingExtraError: VCF or BCF, and pysam is not installed.
        """
        if not is_call_file(path):
            return cls(read_variants(path), genome)
        from zoo.formats.vcf import read_call_header

        return cls(read_variants(path), genome, match_assembly(read_call_header(path).contigs, genome))

    def blocks(self, length: int) -> Iterator[Block]:
        """Give the alleles, in their order.

        Raises:
            InputError: what reading the variants or the genome raises.
        """
        contigs = dict(self.assembly.contigs)
        source = iter(self.variants)
        while variants := list(islice(source, _rows_at_once(length))):
            contigs |= find_contigs({one.chrom for one in variants} - contigs.keys(), self.genome.contigs)
            changes = [self._change(one, contigs, length) for one in variants]
            yield Block(variants, changes, self.genome)

    def _change(self, variant: Variant, contigs: dict[str, str | None], length: int) -> Change | Unscored:
        """What an allele changes, or why it has no scores."""
        if lengths := self.assembly.differing.get(variant.chrom):
            return Unscored("the contig has another length in the genome", lengths)
        return read_change(variant, self.genome, contigs, length)


class PairSource:
    """A table with the sequences of both alleles, each with its flanks: `ref_sequence` and `alt_sequence`.

    Where both have the length of the window they are read as they are. Of others the window has the change in its
    middle, and N past the ends of the sequence.

    Args:
        path: TSV or CSV with a header; a column `name` or `id` is kept.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def blocks(self, length: int) -> Iterator[Block]:
        """Give the pairs, in their order.

        Raises:
            InputError: a file that is no such table, or a letter that is not an IUPAC nucleotide code.
        """
        rows = self._rows()
        while some := list(islice(rows, _rows_at_once(length))):
            bases = _Sequences([ref for _, ref, _ in some])
            changes = [
                change_between(contig, ref, alt, length, bases)
                for contig, (_, ref, alt) in zip(bases.contigs, some, strict=True)
            ]
            variants = [_variant(name, one) for (name, _, _), one in zip(some, changes, strict=True)]
            yield Block(variants, changes, bases, _digest(codes for _, *pair in some for codes in pair))

    def _rows(self) -> Iterator[tuple[str, Codes, Codes]]:
        """Name and codes of both sequences of each row."""
        rows = read_rows(self.path)
        names = next(rows).cells
        columns = [names.index(name) for name in PAIR_COLUMNS]
        label = next((names.index(name) for name in _NAMES if name in names), None)
        count = 0
        for where, cells in rows:
            ref, alt = (_codes(cells[column], where) for column in columns)
            count += 1
            yield "" if label is None else cells[label], ref, alt
        if not count:
            raise InputError(f"{self.path}: no pair of sequences in it")


class _Sequences:
    """The reference sequences of a block, as contigs."""

    def __init__(self, sequences: Sequence[Codes]) -> None:
        self.contigs: Mapping[str, int] = {str(number): len(one) for number, one in enumerate(sequences)}
        self._lengths = np.array([len(one) for one in sequences], np.int64)
        self._first = np.cumsum(self._lengths) - self._lengths
        self._bases = np.concatenate(sequences)

    def codes(self, interval: Interval) -> Codes:
        """Codes of an interval, N past the ends."""
        codes: Codes = self.windows(np.array([int(interval.chrom)]), np.array([interval.start]), len(interval))[0]
        return codes

    def windows(self, contig: NDArray[np.int64], start: NDArray[np.int64], length: int) -> Codes:
        """Codes of windows (N, L), N past the ends."""
        position = start[:, None] + np.arange(length)  # (N, L)
        last = self._lengths[contig][:, None] - 1
        codes: Codes = self._bases[self._first[contig][:, None] + np.clip(position, 0, last)]
        codes[(position < 0) | (position > last)] = UNKNOWN
        return codes


def are_pairs(path: str) -> bool:
    """Whether a file is a table with the sequences of both alleles."""
    return path != "-" and set(PAIR_COLUMNS) <= set(read_header(path))


def _digest(sequences: Iterable[Codes]) -> str:
    """Sha256 of sequences and their lengths."""
    digest = hashlib.sha256()
    for codes in sequences:
        digest.update(len(codes).to_bytes(8, "big"))
        digest.update(codes.tobytes())
    return digest.hexdigest()


def _rows_at_once(length: int) -> int:
    return max(1, min(_BLOCK, _MOST_BASES // length))


def _codes(text: str, where: str) -> Codes:
    if not text:
        raise InputError(f"{where}: a cell without a sequence")
    try:
        return encode(text)
    except InputError as error:
        raise InputError(f"{where}: {quoted(text)}: {error}") from None


def _variant(name: str, change: Change | Unscored) -> Variant:
    """What is written of a pair: the bases that differ, and where they are in the reference sequence."""
    if isinstance(change, Unscored):
        return Variant(0, ".", 0, name, ".", ".")
    return Variant(0, ".", change.start + 1, name, decode(change.ref) or "-", decode(change.alt) or "-")
