"""bigWig files: read as bins of a contig, written contig by contig. Coordinates are 0-based and half-open.

Format: Kent 2010, doi:10.1093/bioinformatics/btq351.
"""

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
from zoo.utils.text import check_file, some_of

__all__ = ["BigWig", "BigWigWriter", "match_bigwig"]

# First bytes of the file, of its table of contigs and of its index.
_MAGIC, _CONTIGS_MAGIC, _INDEX_MAGIC = 0x888FFC26, 0x78CA8C91, 0x2468ACE0
_HEADER = 32  # bytes of the header up to the offset of the index
_MOST_ZOOMS = 100  # zoom levels; files have about ten
# Bases read at once: few enough that their 4 bytes each stay in the processor's cache.
_BASES_AT_ONCE = 524_288


class BigWig:
    """A bigWig file, opened for reading.

    Args:
        path: path of the file.

    Raises:
        InputError: a file that is missing, truncated or no bigWig.
    """

    def __init__(self, path: str | Path) -> None:
        import pyBigWig

        self.path = Path(path)
        _check_complete(self.path)
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
        """Contig -> length in bases."""
        return dict(self._file.chroms())

    def blocks(self, contig: str, start: int, end: int, bin_size: int) -> Iterator[NDArray[np.float32]]:
        """Read the values of bases in blocks of whole bins.

        Args:
            contig: name in the file.
            start: first base.
            end: base after the last.
            bin_size: bases per bin.

        Yields:
            float32 (bases,), NaN where there is no value.

        Raises:
            InputError: a damaged block.
        """
        for first, last in self._steps(start, end, bin_size):
            try:
                values: NDArray[np.float32] = self._file.values(contig, first, last, numpy=True)
            except RuntimeError:
                raise InputError(f"{self.path}: the values of {contig}:{first}-{last} are damaged") from None
            # A file without any value returns an empty array.
            yield values if len(values) else np.full(last - first, np.nan, np.float32)

    def bins(
        self, contig: str, start: int, end: int, bin_size: int, statistic: Statistic, missing: Missing
    ) -> Iterator[tuple[NDArray[np.float32], int]]:
        """Read the values of bins, in blocks.

        Args:
            contig: name in the file.
            start: first base.
            end: base after the last.
            bin_size: bases per bin.
            statistic: see `bin_values`.
            missing: see `bin_values`.

        Yields:
            float32 (bins,), and the number of bases of the block without a value.

        Raises:
            InputError: a block that is damaged or holds infinite values.
        """
        blocks = self.blocks(contig, start, end, bin_size)
        for (first, last), values in zip(self._steps(start, end, bin_size), blocks, strict=True):
            try:
                yield bin_and_count(values, bin_size, statistic, missing)
            except InputError as error:
                raise InputError(f"{self.path}: {error} between {contig}:{first} and {last}") from None

    @staticmethod
    def _steps(start: int, end: int, bin_size: int) -> Iterator[tuple[int, int]]:
        """First base and end of each block."""
        step = max(1, _BASES_AT_ONCE // bin_size) * bin_size
        return ((first, min(first + step, end)) for first in range(start, end, step))


class BigWigWriter:
    """A bigWig file that is written contig by contig to a draft, which replaces the file when all went well.

    Args:
        path: path of the file.
        contigs: contig -> length, in the order in which they will be written.

    Raises:
        OutputError: the file cannot be written.
    """

    def __init__(self, path: str | Path, contigs: Mapping[str, int]) -> None:
        import pyBigWig

        self.path = Path(path)
        self._contigs = dict(contigs)
        self._draft = self.path.with_name(f".{self.path.name}.{os.getpid()}.draft")
        check_folder_of(self.path)
        try:
            self._draft.open("wb").close()  # pyBigWig ends the process on a path that it cannot open
        except OSError as error:
            raise OutputError(f"{self.path} cannot be written: {error.strerror}") from None
        self._file = pyBigWig.open(str(self._draft), "w")
        self._file.addHeader(list(self._contigs.items()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *details: Any) -> None:
        try:
            self._file.close()
            if kind is None:
                self._draft.replace(self.path)
        except (OSError, RuntimeError) as error:
            raise OutputError(f"{self.path} could not be written and was left out: {one_line(error)}") from None
        finally:
            self._draft.unlink(missing_ok=True)

    def add_bins(self, contig: str, start: int, values: NDArray[np.float32], bin_size: int) -> None:
        """Add consecutive bins; those that are NaN or past the contig's end are left out.

        Args:
            contig: name in the header.
            start: first base of the first bin.
            values: values of the bins (P,).
            bin_size: bases per bin; the contig's last bin may have fewer.

        Raises:
            OutputError: bins out of order, or a full disk.
        """
        values = values[: -(-(self._contigs[contig] - start) // bin_size)]
        known = ~np.isnan(values)
        edges = np.flatnonzero(np.diff(known, prepend=False, append=False))
        for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):  # each run of known bins
            whole = min(last, (self._contigs[contig] - start) // bin_size)
            if first < whole:
                position = start + first * bin_size
                self._add(contig, position, values=values[first:whole], span=bin_size, step=bin_size)
            if whole < last:  # the contig's last, incomplete bin
                position = start + whole * bin_size
                self._add([contig], [position], ends=[self._contigs[contig]], values=values[whole:last].tolist())

    def add_bases(self, contig: str, position: NDArray[np.int64], values: NDArray[np.float32]) -> None:
        """Add single bases of a contig: sorted 0-based positions (P,), and their values (P,).

        Raises:
            OutputError: bases out of order, or a full disk.
        """
        if len(position):
            self._add(contig, position.tolist(), values=values.tolist(), span=1)

    def _add(self, *entries: Any, **options: Any) -> None:
        try:
            self._file.addEntries(*entries, **options)
        except RuntimeError as error:
            raise OutputError(f"{self.path} could not be written and was left out: {one_line(error)}") from None


def match_bigwig(path: str, contigs: Mapping[str, int], required: Collection[str]) -> dict[str, str | None]:
    """Match the contigs of a genome to those of a bigWig, from its header.

    Args:
        path: path of the bigWig.
        contigs: contig -> length, of the genome.
        required: contigs that it may not lack.

    Returns:
        For each contig of the genome its name in the bigWig, None where it is missing.

    Raises:
        InputError: a bigWig of another assembly, without any of the contigs, or without a required one.
    """
    with BigWig(path) as file:
        lengths = file.contigs
    names = match_both_ways(contigs, lengths)
    if not any(names.values()):
        raise InputError(f"{path} has none of the genome's contigs {some_of(contigs)}; it has {some_of(lengths)}")
    for contig in required:
        if names[contig] is None:
            raise InputError(f"{path} has no contig {contig!r}, which is wanted; it has {some_of(lengths)}")
    for contig, name in names.items():
        if name is not None and lengths[name] != contigs[contig]:
            raise InputError(
                f"{path} is of another assembly than the genome: {name} has {lengths[name]:,} bases there and "
                f"{contigs[contig]:,} in the FASTA"
            )
    return names


def _check_complete(path: Path) -> None:
    """Refuse truncated and damaged files, on which pyBigWig may crash: magic numbers must be where the header says."""
    check_file(path)
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
            raise InputError(f"{path} is damaged: its header lists {zooms:,} zoom levels; fetch it again")
        for offset, magic in ((contigs, _CONTIGS_MAGIC), (index, _INDEX_MAGIC)):
            file.seek(min(offset, path.stat().st_size))
            no_index = offset == 0 and magic == _INDEX_MAGIC  # of a file without values
            if not no_index and file.read(4) != struct.pack(f"{orders[0]}I", magic):
                raise InputError(f"{path} is damaged: its tables are not where its header says; fetch it again")
