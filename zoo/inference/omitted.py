"""What a model of contacts does not predict of regions, and why: short contigs, the ends of contigs, few bins."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from zoo.errors import InputError
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.inference.regions import Span, bins_of, merge_regions
from zoo.inference.windows import contact_bounds
from zoo.outputs import Contacts
from zoo.utils.text import counted, some_of

__all__ = ["Omitted", "covered_spans", "nothing_predicted", "omitted_regions"]


class Omitted(NamedTuple):
    """Bases that are not predicted, by reason.

    Attributes:
        contigs: contigs of the regions that are shorter than a window.
        regions: regions on other contigs of which no pair is predicted: too near the end, or of too few bins.
        ends: whether a region reaches into the outermost bins of a contig, which windows read as context alone.
    """

    contigs: list[str]
    regions: list[Interval]
    ends: bool

    def notes(self, output: Contacts, length: int) -> list[str]:
        """The same in sentences, for a model that reads `length` bases."""
        notes = []
        if self.contigs:
            notes.append(
                f"not predicted, shorter than the {length:,} bases that the model reads: "
                f"{counted(len(self.contigs), 'contig')}, {some_of(self.contigs)}"
            )
        if self.regions:
            notes.append(
                f"not predicted, too near the ends of their contigs or of too few bins: "
                f"{counted(len(self.regions), 'region')}, {some_of(map(str, self.regions))}"
            )
        if self.ends:
            notes.append(f"not predicted: {output.crop:,} bases at each end of a contig, which windows read as context")
        return notes


def covered_spans(output: Contacts, genome: Genome, regions: Sequence[Interval]) -> list[Span]:
    """Merge regions into spans of bins, and keep the spans of which a window predicts a pair of bins."""
    spans = []
    for span in merge_regions(genome, regions, output.bin_size):
        lowest, highest = contact_bounds(output, genome.contigs[span.contig])
        inside = min(span.last, highest + output.bins) - max(span.first, lowest)
        if highest >= lowest and inside > output.diagonal:
            spans.append(span)
    return spans


def omitted_regions(output: Contacts, genome: Genome, regions: Sequence[Interval], spans: Sequence[Span]) -> Omitted:
    """List what of the regions is not predicted, given the spans that are."""
    wanted = {genome.contig(region.chrom) for region in regions}
    bounds = {name: contact_bounds(output, length) for name, length in genome.contigs.items() if name in wanted}
    short = [name for name, (lowest, highest) in bounds.items() if highest < lowest]
    covered: dict[str, list[tuple[int, int]]] = {}
    for contig, first, last in spans:
        covered.setdefault(contig, []).append((first, last))
    outside, ends, too_short = [], False, set(short)
    for region in regions:
        contig = genome.contig(region.chrom)
        if contig in too_short:
            continue
        first, last = bins_of(region, output.bin_size)
        lowest, highest = bounds[contig]
        ends |= first < lowest or last > highest + output.bins
        inside = covered.get(contig, [])
        index = bisect_right(inside, first, key=lambda span: span[0]) - 1
        if index < 0 or inside[index][1] < last:
            outside.append(region)
    return Omitted(short, outside, ends)


def nothing_predicted(output: Contacts, length: int, genome: Genome, omitted: Omitted) -> InputError:
    """The error where no pair of bins of any region is predicted."""
    if len(omitted.regions) == 1:
        return InputError(
            f"nothing is predicted for {omitted.regions[0]}: it lies too near the end of its contig, or has too few "
            f"bins of {output.bin_size:,} bases"
        )
    if omitted.regions:
        return InputError(
            "nothing is predicted: the regions lie too near the ends of their contigs, or have too few bins of "
            f"{output.bin_size:,} bases"
        )
    return InputError(
        f"windows of {length:,} bases are longer than every contig that is to be predicted: the longest of the genome "
        f"has {max(genome.contigs.values()):,}"
    )
