"""What a model of labels predicts: sequences of a file or in memory, and sites of a genome; read in blocks.

Shapes: N sequences, L bases, I input tracks, P values of each.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.errors import InputError
from zoo.formats._sequence_tables import NAME_COLUMNS, SEQUENCE_COLUMNS
from zoo.formats.sequences import Records, SequenceFile, ambiguity_notes
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import Codes
from zoo.inference.cut import Lengths, cut_windows
from zoo.inference.site_codes import SiteCodes
from zoo.inference.windowing import Windowing, WindowPlan
from zoo.inference.windows import WindowReader
from zoo.models._base import SequenceModel
from zoo.utils.text import some_of
from zoo.writers.labels import COLUMNS

__all__ = ["Block", "FileSource", "MemorySource", "SiteSource", "Source"]

# Sites whose sequences are read at once; of models that read input tracks too, at most so many bases of them.
_SITES_AT_ONCE, _BASES_AT_ONCE = 8192, 1 << 22


class Block(NamedTuple):
    """Sequences of the model's length, or of lengths that it takes.

    Attributes:
        names: names of the sequences (N).
        codes: uint8 (L,) of each.
        columns: columns of the table before the targets (N each); the names alone where it is empty.
        record: number of the record or site that each is a window of (N,); None for whole ones.
        inputs: float32 (I, P) of each, for a model that reads input tracks.
    """

    names: list[str]
    codes: Sequence[Codes]
    columns: Mapping[str, Sequence[object]]
    record: NDArray[np.int64] | None = None
    inputs: Sequence[NDArray[np.float32]] | None = None


class Source:
    """Sequences to predict; `blocks` reads them once."""

    # Number of sequences, where it is known before they are read.
    count: int | None = None

    def blocks(self, model: SequenceModel, windowing: Windowing, notes: list[str]) -> Iterator[Block]:
        """Read blocks of what a model predicts; at the end, notes say what was changed."""
        raise NotImplementedError


class MemorySource(Source):
    """Sequences in memory.

    Args:
        names: names of the sequences.
        codes: uint8 (L,) of each.
        where: what a message calls them.
        ambiguous: number of IUPAC letters other than N that were read as N.
    """

    def __init__(self, names: list[str], codes: Sequence[Codes], where: str = "the input", ambiguous: int = 0) -> None:
        self.names, self.codes, self.where, self.count = names, codes, where, len(names)
        self.ambiguous = ambiguous

    def blocks(self, model: SequenceModel, windowing: Windowing, notes: list[str]) -> Iterator[Block]:
        """Give the sequences as one block, or the blocks of their windows."""
        yield from _fitted([Block(self.names, self.codes, {})], model, windowing, self.where, notes)
        notes += ambiguity_notes(self.where, self.ambiguous)


class FileSource(Source):
    """Sequences of a file.

    Args:
        file: the file.
        keep: columns of a table that become columns of the result; `all` for all but the sequence and its name.
    """

    def __init__(self, file: SequenceFile, keep: Sequence[str] = ()) -> None:
        self.file, self.keep = file, tuple(keep)

    def blocks(self, model: SequenceModel, windowing: Windowing, notes: list[str]) -> Iterator[Block]:
        """Read blocks of sequences, or of their windows."""
        yield from _fitted(self._read(model.output.targets), model, windowing, self.file.shown, notes)
        notes += ambiguity_notes(self.file.shown, self.file.ambiguous)

    def _read(self, targets: Sequence[str]) -> Iterator[Block]:
        for records in self.file:
            kept = self._kept(records, targets) if self.keep and records.names else {}
            yield Block(records.names, self.file.codes(records), {"name": records.names, **kept} if kept else {})

    def _kept(self, records: Records, targets: Sequence[str]) -> dict[str, list[str]]:
        if not records.rows:
            raise InputError(f"{self.file.shown} is no table, so it has no columns to --keep")
        known = list(records.rows[0])
        if self.keep == ("all",) and "all" not in known:
            wanted = [name for name in known if name.lower() not in (*SEQUENCE_COLUMNS, *NAME_COLUMNS)]
            wanted = [name for name in wanted if name != self.file.sequence_column]
        else:
            wanted = list(self.keep)
        if unknown := [name for name in wanted if name not in known]:
            raise InputError(f"{self.file.shown} has no column {unknown[0]!r} to --keep; it has {some_of(known, 12)}")
        if clash := [name for name in wanted if name in (*COLUMNS, *targets)]:
            raise InputError(
                f"{self.file.shown}: the column {clash[0]!r} cannot be kept, because a column of the predictions has "
                "that name: rename it, or name others with --keep"
            )
        return {name: [row[name] for row in records.rows] for name in wanted}


class SiteSource(Source):
    """Sites of a genome; they are read as they are predicted.

    Args:
        genome: genome that has the sites; past a contig's ends it is read as N.
        sites: in any number.
        inputs: table of the input tracks; sites are then read into memory first.
        where: name of the file, to check that the genome has each site; None to check nothing.
        notes: what is to be said of the sites when they have been read.
    """

    def __init__(
        self,
        genome: Genome,
        sites: Iterable[Interval],
        inputs: str | None = None,
        where: str | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        self.genome, self.inputs, self.where, self.notes = genome, inputs, where, notes
        self.sites = list(sites) if inputs is not None else sites  # their contigs are read from the bigWigs
        self.count = len(self.sites) if isinstance(self.sites, Sequence) else None

    def blocks(self, model: SequenceModel, windowing: Windowing, notes: list[str]) -> Iterator[Block]:
        """Read blocks of sites, or of their windows: of `resize` the site is shown, of `tile` the window in it."""
        at_once, contigs = _SITES_AT_ONCE, set()
        if self.inputs is not None:
            contigs = {self.genome.contig(site.chrom) for site in self.sites}
            at_once = max(1, min(at_once, _BASES_AT_ONCE // max(model.length, *map(len, self.sites), 1)))
        reader = WindowReader(model, self.genome, contigs, self.inputs) if contigs else None
        stream = _site_windows(self, model, windowing, notes)
        while block := list(itertools.islice(stream, at_once)):
            numbers, shown, windows = zip(*block, strict=True)
            columns: dict[str, list[Any]] = {
                "chrom": [site.chrom for site in shown],
                "start": [site.start for site in shown],
                "end": [site.end for site in shown],
                "name": [site.label for site in shown],
            }
            codes = SiteCodes(self.genome, windows)
            inputs = reader.input_values(windows) if reader else None
            yield Block(columns["name"], codes, columns, np.array(numbers), inputs)


def _site_windows(
    source: SiteSource, model: SequenceModel, windowing: Windowing, notes: list[str]
) -> Iterator[tuple[int, Interval, Interval]]:
    """Number of each site, the interval that its row shows, and the window that is predicted."""
    genome, where = source.genome, source.where or "the intervals"
    lengths, renamed, past_end = (
        Lengths(model, where, windowing, "interval", "extended along the genome"),
        set[str](),
        0,
    )
    for number, site in enumerate(source.sites):
        if source.where is not None:
            genome.check(site)
            contig = genome.contig(site.chrom)
            if contig != site.chrom and site.chrom not in renamed:
                renamed.add(site.chrom)
                notes.append(f"the contig {site.chrom} is {contig} in {genome.path}")
        if lengths.least <= len(site) <= lengths.most:
            lengths.total += 1
        else:
            lengths.add([site.label], [len(site)])
        if lengths.names and not windowing.changes:
            continue  # the others are counted
        windows = [site.resized(model.length)] if windowing.resize else [site]
        if windowing.tile is not None:
            windows = _tiles(site, model.length, windowing)
        past_end += sum(not genome.holds(window) for window in windows) if windowing.changes else 0
        for window in windows:
            yield number, _on_contig(window, genome) if windowing.tile is not None else site, window
    if lengths.names and not windowing.changes:
        raise lengths.error()
    if past_end:
        reach = "1 window reaches" if past_end == 1 else f"{past_end:,} windows reach"
        notes.append(f"{reach} past the end of the contig; what lies outside is read as N")
    notes += [*source.notes, *lengths.notes()]


def _tiles(site: Interval, length: int, windowing: Windowing) -> list[Interval]:
    """The windows along a site, in the direction of its strand."""
    plan = WindowPlan(np.array([len(site)]), length, windowing)
    _, starts = plan.windows(0, len(plan))
    left = site.end - length - starts if site.strand == "-" else site.start + starts
    return [Interval(site.chrom, start, start + length, site.label, site.strand) for start in left.tolist()]


def _on_contig(window: Interval, genome: Genome) -> Interval:
    """The part of a window that lies on its contig, so that tables hold positions that exist."""
    end = min(window.end, genome.contigs[genome.contig(window.chrom)])
    return replace(window, start=max(window.start, 0), end=end)


def _fitted(
    blocks: Iterable[Block], model: SequenceModel, windowing: Windowing, where: str, notes: list[str]
) -> Iterator[Block]:
    """Blocks whose sequences have a length that the model takes, or windows of them.

    Raises:
        InputError: sequences of other lengths, all counted, where nothing says what to do with them.
    """
    lengths, records = Lengths(model, where, windowing), 0
    for block in blocks:
        other = lengths.add(block.names, map(len, block.codes))
        if windowing.changes:
            yield from _cut(block, records, model.length, windowing)
        elif not other:
            yield block
        records += len(block.names)
    if lengths.names and not windowing.changes:
        raise lengths.error()
    notes += lengths.notes()


def _cut(block: Block, records: int, length: int, windowing: Windowing) -> Iterator[Block]:
    """Cut the windows of a block whose first sequence is the number `records`."""
    columns = dict(block.columns) or {"name": block.names}
    for sequence, start, codes in cut_windows(block.codes, length, windowing):
        index = sequence.tolist()
        chosen: dict[str, Sequence[object]] = {name: [cells[i] for i in index] for name, cells in columns.items()}
        if windowing.tile is not None:
            names = {"name": chosen.pop("name"), "start": start.tolist(), "end": (start + length).tolist()}
            chosen = names | chosen
        yield Block([block.names[i] for i in index], list(codes), chosen, sequence + records)
