"""bigWig files, read as bins of a contig. Coordinates are 0-based and half-open.

Format: Kent 2010, doi:10.1093/bioinformatics/btq351.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from zoo.errors import InputError
from zoo.formats._bigwig_blocks import BlockReader
from zoo.formats._bigwig_check import DamageError, read_tables
from zoo.formats.binning import Missing, Statistic, bin_and_count
from zoo.genome.contigs import match_both_ways
from zoo.utils.text import some_of

__all__ = ["BigWig", "match_bigwig"]

# Bases read at once: few enough that their 4 bytes each stay in the processor's cache.
_BASES_AT_ONCE = 524_288


class BigWig:
    """A bigWig file, opened for reading.

    Args:
        path: path of the file.

    Attributes:
        path: path of the file.
        contigs: contig -> length in bases, in the order of the file.

    Raises:
        InputError: a file that is missing, truncated, damaged or no bigWig.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        tables = read_tables(self.path)
        self.contigs: dict[str, int] = tables.contigs
        self._file = self.path.open("rb")
        self._blocks = BlockReader(self._file, tables)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self._file.close()

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
            InputError: a damaged block, or bases that the file does not have.
        """
        if not 0 <= start <= end <= self.contigs.get(contig, -1):
            raise InputError(f"{self.path} has no bases {contig}:{start}-{end}; it has {some_of(self.contigs)}")
        for first, last in self._steps(start, end, bin_size):
            try:
                yield self._blocks.values(contig, first, last)
            except DamageError as error:
                raise InputError(
                    f"{self.path}: the values of {contig}:{first}-{last} are damaged ({error}); fetch it again"
                ) from None
            except OSError as error:
                raise InputError(f"{self.path} cannot be read: {error.strerror or error}") from None

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
