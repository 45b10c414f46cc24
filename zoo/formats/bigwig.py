"""bigWig files: read as bins of a contig, written contig by contig. Coordinates are 0-based and half-open."""

import os
import struct
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from zoo.errors import InputError, OutputError, one_line
from zoo.formats.binning import Missing, Statistic, bin_and_count
from zoo.genome.contigs import match_both_ways
from zoo.utils.atomic import check_folder_of
from zoo.utils.text import some_of

__all__ = ["BigWig", "BigWigWriter", "match_bigwig"]

# What the file, its table of contigs and its index begin with; and the bytes of the header that say where they are.
_MAGIC, _CONTIGS_MAGIC, _INDEX_MAGIC = 0x888FFC26, 0x78CA8C91, 0x2468ACE0
_HEADER = 32
_MOST_ZOOMS = 100  # files have ten or so
# Bases read at once: few enough to stay in the processor's cache, four bytes each.
_BASES_AT_ONCE = 524_288


class BigWig:
    """A bigWig file that is open for reading.

    Args:
        path: the file.

    Raises:
        InputError: no such file, no bigWig, or one that was cut off.
    """

    def __init__(self, path: str | Path) -> None:
        import pyBigWig

        self.path = Path(path)
        _check_whole(self.path)
        try:
            self._file = pyBigWig.open(str(self.path))
        except RuntimeError:
            raise InputError(f"{self.path}: not a bigWig file that can be read") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self._file.close()

    @property
    def contigs(self) -> dict[str, int]:
        """Contig name -> length in bases."""
        return dict(self._file.chroms())

    def blocks(self, contig: str, start: int, end: int, bin_size: int) -> Iterator[NDArray[np.float32]]:
        """The values of a contig's bases from `start` to `end`, NaN where there is none, in blocks of whole bins.

        Raises:
            InputError: a block that is damaged.
        """
        for first, last in self._steps(start, end, bin_size):
            try:
                values: NDArray[np.float32] = self._file.values(contig, first, last, numpy=True)
            except RuntimeError:
                raise InputError(f"{self.path}: the values of {contig}:{first}-{last} are damaged") from None
            # A file that holds none at all gives none.
            yield values if len(values) else np.full(last - first, np.nan, np.float32)

    def bins(
        self, contig: str, start: int, end: int, bin_size: int, statistic: Statistic, missing: Missing
    ) -> Iterator[tuple[NDArray[np.float32], int]]:
        """The values of bins from `start` to `end`, in blocks, and of how many bases of each there is no value.

        See `bin_values`.

        Raises:
            InputError: a block that is damaged, or holds infinite values.
        """
        blocks = self.blocks(contig, start, end, bin_size)
        for (first, last), values in zip(self._steps(start, end, bin_size), blocks, strict=True):
            try:
                yield bin_and_count(values, bin_size, statistic, missing)
            except InputError as error:
                raise InputError(f"{self.path}: {error} between {contig}:{first} and {last}") from None

    @staticmethod
    def _steps(start: int, end: int, bin_size: int) -> Iterator[tuple[int, int]]:
        """Where each block begins and ends."""
        step = max(1, _BASES_AT_ONCE // bin_size) * bin_size
        return ((first, min(first + step, end)) for first in range(start, end, step))


class BigWigWriter:
    """A bigWig file that is written from its first contig to its last, and takes its place only when all went well.

    Args:
        path: the file.
        contigs: contig -> length, in the order in which they will be written.

    Raises:
        OutputError: it cannot be written.
    """

    def __init__(self, path: str | Path, contigs: Mapping[str, int]) -> None:
        import pyBigWig

        self.path = Path(path)
        self._contigs = dict(contigs)
        self._draft = self.path.with_name(f".{self.path.name}.{os.getpid()}.draft")
        check_folder_of(self.path)
        try:
            self._draft.open("wb").close()  # what pyBigWig cannot open ends the process
        except OSError as error:
            raise OutputError(f"{self.path} cannot be written: {error.strerror}") from None
        self._file = pyBigWig.open(str(self._draft), "w")
        self._file.addHeader(list(self._contigs.items()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: Any) -> None:
        try:
            self._file.close()
            if kind is None:
                self._draft.replace(self.path)
        except (OSError, RuntimeError) as found:
            raise OutputError(f"{self.path} could not be written and was left out: {one_line(found)}") from None
        finally:
            self._draft.unlink(missing_ok=True)

    def add_bins(self, contig: str, start: int, values: NDArray[np.float32], bin_size: int) -> None:
        """Add bins that follow one another; those that are NaN or past the contig's end are left out.

        Args:
            contig: as the header names it.
            start: the first bin's first base.
            values: of the bins (P,).
            bin_size: bases of each; the contig's last may have fewer.
        """
        values = values[: -(-(self._contigs[contig] - start) // bin_size)]
        known = ~np.isnan(values)
        edges = np.flatnonzero(np.diff(known, prepend=False, append=False))
        for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            whole = min(last, (self._contigs[contig] - start) // bin_size)
            if first < whole:
                here = start + first * bin_size
                self._add(contig, here, values=values[first:whole], span=bin_size, step=bin_size)
            if whole < last:
                here = start + whole * bin_size
                self._add([contig], [here], ends=[self._contigs[contig]], values=values[whole:last].tolist())

    def add_bases(self, contig: str, position: NDArray[np.int64], values: NDArray[np.float32]) -> None:
        """Add single bases of a contig, sorted: their positions (P,) and values (P,)."""
        if len(position):
            self._add(contig, position.tolist(), values=values.tolist(), span=1)

    def _add(self, *entries: Any, **options: Any) -> None:
        try:
            self._file.addEntries(*entries, **options)
        except RuntimeError as error:
            raise OutputError(f"{self.path} could not be written and was left out: {one_line(error)}") from None


def match_bigwig(path: str, contigs: Mapping[str, int], needed: Collection[str]) -> dict[str, str | None]:
    """For each contig of the genome its name in a bigWig, None where it is not there.

    Raises:
        InputError: a bigWig of another assembly, or one without any of the contigs, or without one that is needed.
    """
    with BigWig(path) as file:
        theirs = file.contigs
    found = match_both_ways(contigs, theirs)
    if not any(found.values()):
        raise InputError(f"{path} has none of the genome's contigs {some_of(contigs)}; it has {some_of(theirs)}")
    for contig in needed:
        if found[contig] is None:
            raise InputError(f"{path} has no contig {contig!r}, which is wanted; it has {some_of(theirs)}")
    for contig, name in found.items():
        if name is not None and theirs[name] != contigs[contig]:
            raise InputError(
                f"{path} is of another assembly than the genome: {name} has {theirs[name]:,} bases there and "
                f"{contigs[contig]:,} in the FASTA"
            )
    return found


def _check_whole(path: Path) -> None:
    """A bigWig begins and ends with one number, and its header says where its tables are: else pyBigWig may crash."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    with path.open("rb") as file:
        head = file.read(_HEADER)
        orders = [order for order in "<>" if head[:4] == struct.pack(f"{order}I", _MAGIC)]
        if not orders:
            raise InputError(f"{path} is no bigWig file: it does not begin as one")
        file.seek(-4, os.SEEK_END)
        if file.read(4) != head[:4] or len(head) < _HEADER:
            raise InputError(f"{path} was cut off: it does not end as a bigWig file does; fetch it again")
        zooms, contigs, _, index = struct.unpack(f"{orders[0]}6xH3Q", head)
        if zooms > _MOST_ZOOMS:
            raise InputError(f"{path} is damaged: its header tells of {zooms:,} zoom levels; fetch it again")
        for place, magic in ((contigs, _CONTIGS_MAGIC), (index, _INDEX_MAGIC)):
            file.seek(min(place, path.stat().st_size))
            empty = place == 0 and magic == _INDEX_MAGIC  # without any value there is no index
            if not empty and file.read(4) != struct.pack(f"{orders[0]}I", magic):
                raise InputError(f"{path} is damaged: its tables are not where its header says; fetch it again")
