"""Windows along contigs: where they start, and reading their sequence and input tracks.

Shapes: B windows, L bases, I input tracks, P values of each.
"""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.errors import InputError
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.inference.regions import Span
from zoo.models._base import SequenceModel
from zoo.outputs import Contacts, Tracks
from zoo.utils.text import quoted

if TYPE_CHECKING:
    from zoo.data.tracks.inputs import InputTracks

__all__ = ["WindowReader", "contact_bounds", "contact_starts", "track_starts"]

Index = NDArray[np.int64]
Values = NDArray[np.float32]


class WindowReader:
    """Reads what a model takes for windows of a genome: codes, and the values of its input tracks.

    Args:
        model: for the names and the resolution of its input tracks.
        genome: past a contig's ends it is read as N, and input tracks as 0.
        contigs: those that windows lie on, as the genome names them.
        table: table of the input tracks; None for a model that reads the sequence alone.
        grid: bases of which the first base of every window is a multiple; 1 for windows anywhere.

    Raises:
        ConfigError: other input tracks than the model reads.
        InputError: a table or a bigWig that cannot be read, or that lacks one of the contigs.
    """

    def __init__(
        self, model: SequenceModel, genome: Genome, contigs: Iterable[str], table: str | None, grid: int = 1
    ) -> None:
        self.genome, self.length, self.size = genome, model.length, model.inputs.size
        self._number = {name: number for number, name in enumerate(genome.contigs)}
        self._inputs: InputTracks | None = None
        if table is not None:
            wanted = set(contigs)
            lengths = {name: length for name, length in genome.contigs.items() if name in wanted}
            self._input_number = {name: number for number, name in enumerate(lengths)}
            self._inputs = _open_inputs(model, genome, lengths, table, grid)

    def read(self, contig: str, starts: Index) -> tuple[Tensor, Tensor | None]:
        """Codes (B, L), and input values (B, I, P) or None, of windows given by their first bases (B,)."""
        codes = self.genome.windows(np.full(len(starts), self._number[contig]), starts, self.length)
        if self._inputs is None:
            return torch.from_numpy(codes), None
        number = np.full(len(starts), self._input_number[contig])
        return torch.from_numpy(codes), torch.from_numpy(self._inputs.windows(number, starts, self.length))

    def names(self, contig: str, starts: Index) -> list[str]:
        """What messages call windows given by their first bases (B,)."""
        return [f"{contig}:{start}-{start + self.length}" for start in starts.tolist()]

    def input_values(self, sites: Sequence[Interval]) -> list[Values] | None:
        """Input values (I, P) of each site, on its strand; None for a model that reads the sequence alone.

        Raises:
            InputError: a site whose length is no multiple of the bases per value.
        """
        if self._inputs is None:
            return None
        for site in sites:
            if len(site) % self.size:
                raise InputError(
                    f"{quoted(site.label)}: its {len(site)} bases are no multiple of the {self.size} of a value"
                )
        values: dict[int, Values] = {}
        lengths = np.array([len(site) for site in sites])
        minus = np.array([site.strand == "-" for site in sites])
        for length, strand in itertools.product(np.unique(lengths), (False, True)):
            index = np.flatnonzero((lengths == length) & (minus == strand)).tolist()
            numbers = np.array([self._input_number[self.genome.contig(sites[i].chrom)] for i in index], np.int64)
            starts = np.array([sites[i].start for i in index], np.int64)
            if index:
                windows = self._inputs.windows(numbers, starts, int(length))  # (B, I, P)
                values |= zip(index, self._inputs.reverse_complement(windows) if strand else windows, strict=True)
        return [values[i] for i in range(len(sites))]


def _open_inputs(
    model: SequenceModel, genome: Genome, lengths: Mapping[str, int], table: str, grid: int
) -> "InputTracks":
    from zoo.data.tracks.inputs import InputTracks  # only for models with input tracks

    inputs = InputTracks(table, genome, lengths, model.inputs.size, resolution=math.gcd(model.inputs.size, grid))
    inputs.check(model.inputs.names, model.inputs.size)
    return inputs


def track_starts(output: Tracks, span: Span, trim: int, phase: int) -> Index:
    """The first kept bins of the windows that cover a span: each keeps its bins without `trim` on each side.

    With a `phase` the windows begin that many bins earlier.
    """
    return np.arange(span.first - phase, span.last, output.bins - 2 * trim)


def contact_bounds(output: Contacts, length: int) -> tuple[int, int]:
    """The first and last bin at which the map that a window predicts may begin, on a contig of a length in bases.

    The window lies on the contig as a whole, but for a part of the contig's last bin; the second is smaller than the
    first where the contig is shorter than a window.
    """
    crop = output.crop // output.bin_size
    return crop, -(-length // output.bin_size) - crop - output.bins


def contact_starts(output: Contacts, length: int, span: Span, step: int) -> Index:
    """The first predicted bins of the windows, `step` bins apart, that cover a span of a contig of a length."""
    lowest, highest = contact_bounds(output, length)
    middle = (span.first + span.last - output.bins) // 2  # a span smaller than a window lies in the middle of one
    begin = np.clip(min(span.first, middle), lowest, highest)
    end = np.clip(max(span.last - output.bins, begin), lowest, highest)
    return np.unique(np.append(np.arange(begin, end, step), end)).astype(np.int64)
