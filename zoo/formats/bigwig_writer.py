"""bigWig files, written contig by contig. Coordinates are 0-based and half-open.

They are not written by pyBigWig: where the disk is full, it crashes, or says nothing.
Format: Kent 2010, doi:10.1093/bioinformatics/btq351, supplementary tables; little-endian.
Shapes: P bins, N items of a block.
"""

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from zoo.errors import OutputError
from zoo.formats.bigwig_tables import (
    BLOCK,
    BLOCKS,
    FIXED_STEP,
    LARGEST,
    MOST_ZOOMS,
    POSITIONS,
    SUMMARY_BLOCK_BYTES,
    VARIABLE_STEP,
    summary_levels,
    total_of,
    write_contigs,
    write_index,
    write_summaries,
)
from zoo.utils.atomic import whole_path

__all__ = ["BigWigWriter", "open_bigwig", "writing_bigwig"]

_MAGIC = 0x888FFC26
_HEADER, _ZOOM_HEADER, _TOTALS = struct.Struct("<I2H3Q2H2QIQ"), struct.Struct("<2I2Q"), struct.Struct("<Q4d")
# Values of a block: as few as a browser likes to read, as many as compress well.
_ITEMS = 4096
# Shorter runs of bins without a gap are written with a position for each bin.
_SHORT_RUN = 64


@contextmanager
def open_bigwig(path: str | Path, contigs: Mapping[str, int]) -> Iterator["BigWigWriter"]:
    """Open a bigWig file for writing; it appears whole or not at all.

    Args:
        path: path of the file.
        contigs: contig -> length, in the order in which they will be written.

    Raises:
        OutputError: the file cannot be written; a full disk is named.
    """
    with whole_path(Path(path)) as draft, writing_bigwig(draft, Path(path), contigs) as writer:
        yield writer


@contextmanager
def writing_bigwig(draft: Path, path: Path, contigs: Mapping[str, int]) -> Iterator["BigWigWriter"]:
    """Write the draft of a bigWig file; see `open_bigwig`."""
    with draft.open("w+b") as file:
        writer = BigWigWriter(file, path, contigs)
        yield writer
        writer.finish()


class BigWigWriter:
    """Writes values of contigs, in their order; see `open_bigwig`.

    Args:
        file: where they are written, open for reading too.
        path: path of the file, for messages.
        contigs: contig -> length.
    """

    def __init__(self, file: BinaryIO, path: Path, contigs: Mapping[str, int]) -> None:
        self._file, self.path, self._contigs = file, path, dict(contigs)
        self._number = {name: number for number, name in enumerate(contigs)}
        self._end = (0, 0)  # number of the contig, and base, up to which there are values
        self._run: _Run | None = None  # bins that may go on
        self._blocks: list[tuple[int, ...]] = []
        self._count = 0  # of values in the blocks
        file.write(bytes(_HEADER.size + MOST_ZOOMS * _ZOOM_HEADER.size + _TOTALS.size))
        self._contigs_at = file.tell()
        write_contigs(file, contigs)
        self._data_at = file.tell()
        file.write(bytes(8))  # for the number of blocks

    def add_bins(self, contig: str, start: int, values: NDArray[np.float32], bin_size: int) -> None:
        """Add consecutive bins; those that are NaN or past the contig's end are left out.

        Args:
            contig: name in the header.
            start: first base of the first bin.
            values: values of the bins (P,).
            bin_size: bases per bin; the contig's last bin may have fewer.

        Raises:
            OutputError: bins out of order, a value that is infinite or too large to be summed, or a full disk.
        """
        length = self._contigs[contig]
        room = max(0, length - start)
        values = np.asarray(values, np.float32)[: -(-room // bin_size)]
        whole = min(len(values), room // bin_size)
        known = np.flatnonzero(~np.isnan(values[:whole]))
        # A run of bins without a gap needs no positions; many short ones together are shorter with them.
        starts = np.flatnonzero(np.diff(known, prepend=-2) != 1)
        sizes = np.diff(starts, append=len(known))
        for short, runs in groupby(zip(starts.tolist(), sizes.tolist(), strict=True), lambda run: run[1] < _SHORT_RUN):
            bounds = [(first, first + size) for first, size in runs]
            if short and len(bounds) > 1:
                chosen = known[bounds[0][0] : bounds[-1][1]]
                self._add_positions(contig, start + chosen * bin_size, values[chosen], bin_size)
            else:
                for first, last in bounds:
                    self._add_run(contig, start + int(known[first]) * bin_size, values[known[first:last]], bin_size)
        if whole < len(values) and not np.isnan(values[whole]):  # the contig's last, incomplete bin
            base = start + whole * bin_size
            self._add_positions(contig, np.array([base]), values[whole:], length - base)

    def add_bases(self, contig: str, position: NDArray[np.int64], values: NDArray[np.float32]) -> None:
        """Add single bases of a contig: sorted 0-based positions (P,), and their values (P,).

        Raises:
            OutputError: bases out of order, a value that is infinite, NaN or too large to be summed, or a full disk.
        """
        self._add_positions(contig, position, values, 1)

    def _add_run(self, contig: str, start: int, values: NDArray[np.float32], step: int) -> None:
        """Add bins without a gap; they are written with those that follow."""
        self._check_values(contig, values, lambda index: start + step * index)
        self._go_on(contig, start, start + len(values) * step)
        run = self._run
        if run is None or (run.contig, run.end, run.step) != (self._number[contig], start, step):
            self._flush()
            run = self._run = _Run(self._number[contig], start, step, np.empty(0, np.float32))
        run.values = np.concatenate([run.values, values])
        while len(run.values) >= _ITEMS:
            self._write_run(run, _ITEMS)

    def _flush(self) -> None:
        if self._run is not None and len(self._run.values):
            self._write_run(self._run, _ITEMS)
        self._run = None

    def _write_run(self, run: "_Run", size: int) -> None:
        """Write the first values of a run."""
        values, run.values = run.values[:size], run.values[size:]
        end = run.start + len(values) * run.step
        self._write_block(run.contig, run.start, end, run.step, run.step, FIXED_STEP, values)
        run.start = end

    def _add_positions(self, contig: str, position: NDArray[np.int64], values: NDArray[np.float32], span: int) -> None:
        """Add values of `span` bases each."""
        if not len(position):
            return
        self._flush()
        if (np.diff(position) < span).any():
            raise OutputError(f"{self.path} could not be written: positions of {contig} are not sorted")
        self._check_values(contig, values, lambda index: int(position[index]))
        self._go_on(contig, int(position[0]), int(position[-1]) + span)
        items = np.empty(len(position), POSITIONS)
        items["start"], items["value"] = position, values
        for first in range(0, len(items), _ITEMS):
            block = items[first : first + _ITEMS]
            start, end = int(block["start"][0]), int(block["start"][-1]) + span
            self._write_block(self._number[contig], start, end, 0, span, VARIABLE_STEP, block)

    def _check_values(self, contig: str, values: NDArray[np.float32], position: Callable[[int], int]) -> None:
        """Check that values are numbers whose sums in summaries, of a whole contig at most, are within float32.

        Raises:
            OutputError: the first that is not.
        """
        most = LARGEST / max(1, self._contigs[contig])
        fits = np.abs(values) <= np.float32(most)
        if not fits.all():
            first = int(fits.argmin())
            large = f"; at most {most:.1e} can be summed over its bases" if np.isfinite(values[first]) else ""
            raise OutputError(
                f"{self.path} could not be written: the value of {contig}:{position(first)} is {values[first]}{large}"
            )

    def _go_on(self, contig: str, start: int, end: int) -> None:
        """Check that values follow those before.

        Raises:
            OutputError: they do not.
        """
        number = self._number[contig]
        if (number, start) < self._end or end > self._contigs[contig]:
            raise OutputError(f"{self.path} could not be written: {contig}:{start}-{end} comes out of order")
        self._end = number, end

    def _write_block(
        self, contig: int, start: int, end: int, step: int, span: int, kind: int, items: NDArray[Any]
    ) -> None:
        data = zlib.compress(BLOCK.pack(contig, start, end, step, span, kind, 0, len(items)) + items.tobytes())
        self._blocks.append((contig, start, contig, end, self._file.tell(), len(data)))
        self._count += len(items)
        self._file.write(data)

    def finish(self) -> None:
        """Write the index, the summaries at lower resolution, and the header."""
        self._flush()
        file, blocks = self._file, np.array(self._blocks, BLOCKS)
        index_at = file.tell()
        write_index(file, blocks, _ITEMS)
        levels = summary_levels(file, blocks, self._count, np.array(list(self._contigs.values())))
        zooms = b"".join(_ZOOM_HEADER.pack(step, 0, *write_summaries(file, items)) for step, items in levels)
        file.write(struct.pack("<I", _MAGIC))
        totals = total_of(levels[0][1]) if levels else (0, 0.0, 0.0, 0.0, 0.0)
        totals_at = self._contigs_at - _TOTALS.size
        places = self._contigs_at, self._data_at, index_at
        buffer = max(BLOCK.size + _ITEMS * POSITIONS.itemsize, SUMMARY_BLOCK_BYTES)
        file.seek(0)
        file.write(_HEADER.pack(_MAGIC, 4, len(levels), *places, 0, 0, 0, totals_at, buffer, 0) + zooms)
        file.seek(totals_at)
        file.write(_TOTALS.pack(*totals))
        file.seek(self._data_at)
        file.write(struct.pack("<Q", len(blocks)))


@dataclass
class _Run:
    """Bins that follow one another without a gap, not yet written."""

    contig: int
    start: int
    step: int
    values: NDArray[np.float32]

    @property
    def end(self) -> int:
        """The base after the last bin."""
        return self.start + len(self.values) * self.step
