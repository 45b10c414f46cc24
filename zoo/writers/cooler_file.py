"""Cooler files, written pixel by pixel.

Format: schema of cooler, version 3 (Abdennur & Mirny 2020, doi:10.1093/bioinformatics/btz540).

They are not written by cooler: where the disk is full, HDF5 ends the process when it closes a file of its own. Here it
writes into a file that keeps the error, so that it closes in peace.
"""

import json
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ConfigError, OutputError
from zoo.utils.text import quoted
from zoo.utils.version import __version__

__all__ = ["Pixels", "bin_counts", "check_contigs", "write_cooler"]

_OPTIONS: dict[str, Any] = {"compression": "gzip", "compression_opts": 6, "shuffle": True}
_CHUNK = 1 << 16  # pixels
_LONGEST = (1 << 31) - 1  # bases

Index = NDArray[np.int64]


class Pixels(NamedTuple):
    """Some pixels of the upper triangle, sorted by bin (N each).

    Attributes:
        row: number of the first bin in the genome.
        column: number of the second, none before the first.
        value: float32.
    """

    row: Index
    column: Index
    value: NDArray[np.float32]


def bin_counts(contigs: Mapping[str, int], bin_size: int) -> list[int]:
    """Number of bins of each contig (contig -> length)."""
    return [-(-length // bin_size) for length in contigs.values()]


def check_contigs(path: Path, contigs: Mapping[str, int]) -> None:
    """Check that a cooler can hold contigs (contig -> length): before anything is computed for it.

    Raises:
        OutputError: a contig that is too long for the format, or whose name the package cooler could not read.
    """
    if too_long := [name for name, length in contigs.items() if length > _LONGEST]:
        raise OutputError(
            f"{path} could not be written: a cooler holds contigs of {_LONGEST:,} bases at most, not {too_long[0]}"
        )
    if other := [name for name in contigs if not name.isascii()]:
        raise OutputError(
            f"{path} could not be written: names of contigs in a cooler are of ASCII letters, and {quoted(other[0])} "
            "is not: rename it in the FASTA, or write arrays (.npz)"
        )


def write_cooler(
    path: Path,
    contigs: Mapping[str, int],
    bin_size: int,
    pixels: Iterable[Pixels],
    metadata: Mapping[str, Any],
) -> None:
    """Write a cooler of all bins of a genome, with weights of 1.

    Args:
        path: the file.
        contigs: contig -> length.
        bin_size: bases per bin.
        pixels: in the order of their rows.
        metadata: facts, as JSON values.

    Raises:
        OSError: the disk is full, or cannot be written.
        OutputError: pixels out of order, or as `check_contigs`.
        ConfigError: SOURCE_DATE_EPOCH is no time.
    """
    import h5py

    check_contigs(path, contigs)
    dated = _creation_date()
    with path.open("w+b", buffering=0) as raw:  # so that no error comes later than its write
        file = _ErrorKeepingFile(raw)
        with h5py.File(file, "w") as cooler:
            counts = bin_counts(contigs, bin_size)
            _write_bins(cooler, contigs, counts, bin_size)
            offset, total = _write_pixels(cooler, file, sum(counts), pixels)
            indexes = cooler.create_group("indexes")
            indexes.create_dataset("chrom_offset", data=np.append(0, np.cumsum(counts)), **_OPTIONS)
            indexes.create_dataset("bin1_offset", data=offset, **_OPTIONS)
            cooler.attrs.update(
                {
                    "format": "HDF5::Cooler",
                    "format-version": 3,
                    "format-url": "https://github.com/open2c/cooler",
                    "generated-by": f"regzoo-{__version__}",
                    **dated,
                    "genome-assembly": "unknown",
                    "bin-type": "fixed",
                    "bin-size": bin_size,
                    "storage-mode": "symmetric-upper",
                    "nchroms": len(contigs),
                    "nbins": sum(counts),
                    "nnz": int(offset[-1]),
                    "sum": total,
                    "metadata": json.dumps(metadata),
                }
            )
        file.check()


def _creation_date() -> dict[str, str]:
    """The date of a cooler, which is optional: that of SOURCE_DATE_EPOCH (seconds since 1970, UTC), or none.

    So that the same prediction is the same file, byte for byte.
    """
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    if not seconds:
        return {}
    try:
        date = datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        raise ConfigError(f"SOURCE_DATE_EPOCH is a number of seconds since 1970, not {quoted(seconds)}") from None
    return {"creation-date": date.replace(tzinfo=None).isoformat()}


def _write_bins(cooler: Any, contigs: Mapping[str, int], counts: list[int], bin_size: int) -> None:
    """Write the contigs and bins; the last bin of each contig ends with it."""
    import h5py

    lengths = list(contigs.values())
    chroms = cooler.create_group("chroms")
    chroms.create_dataset("name", data=np.array(list(contigs), "S"), **_OPTIONS)
    chroms.create_dataset("length", data=np.array(lengths, np.int32), **_OPTIONS)
    bins = cooler.create_group("bins")
    number = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    try:
        names = h5py.enum_dtype({name: index for index, name in enumerate(contigs)}, np.int32)
        bins.create_dataset("chrom", data=number, dtype=names, **_OPTIONS)
    except ValueError:  # more names than a header of HDF5 can hold
        bins.create_dataset("chrom", data=number, **_OPTIONS).attrs["enum_path"] = "/chroms/name"
    start = np.concatenate([np.arange(count) * bin_size for count in counts])
    bins.create_dataset("start", data=start.astype(np.int32), **_OPTIONS)
    end = np.minimum(start + bin_size, np.repeat(lengths, counts))
    bins.create_dataset("end", data=end.astype(np.int32), **_OPTIONS)
    bins.create_dataset("weight", data=np.ones(len(start)), **_OPTIONS)


def _write_pixels(cooler: Any, file: "_ErrorKeepingFile", bins: int, pixels: Iterable[Pixels]) -> tuple[Index, float]:
    """Write the pixels; returns the number of pixels before each row (P + 1,), and their sum."""
    group = cooler.create_group("pixels")
    most = bins * (bins + 1) // 2
    layout: dict[str, Any] = {"shape": (0,), "maxshape": (most,), "chunks": (min(_CHUNK, most),), **_OPTIONS}
    columns = [
        group.create_dataset(name, dtype=kind, **layout)
        for name, kind in (("bin1_id", np.int64), ("bin2_id", np.int64), ("count", np.float32))
    ]
    written, last, total = 0, -1, 0.0
    per_row = np.zeros(bins, np.int64)
    for piece in pixels:
        size = len(piece.row)
        if size and piece.row[0] <= last:
            raise OutputError(f"pixels of row {piece.row[0]} come after those of row {last}")
        for column, values in zip(columns, piece, strict=True):
            column.resize((written + size,))
            column[written:] = values
        file.check()
        written += size
        total += float(piece.value.sum(dtype=np.float64))
        if size:
            first, last = int(piece.row[0]), int(piece.row[-1])
            per_row[first : last + 1] += np.bincount(piece.row - first)
    return np.append(0, per_row.cumsum()), total


class _ErrorKeepingFile:
    """A file for HDF5 that keeps the first error of writing, and from then on does as if it wrote.

    Args:
        file: the file, open for reading and writing.
    """

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self._error: OSError | None = None

    def check(self) -> None:
        """Raise the error, if there was one.

        Raises:
            OSError: it.
        """
        if self._error is not None:
            raise self._error

    def write(self, data: bytes) -> int:
        """Write, unless there was an error."""
        self._try(self._write_all, memoryview(data).cast("B"))
        return len(data)

    def _write_all(self, rest: memoryview) -> None:
        while rest:  # a file without a buffer may write a part
            rest = rest[self._file.write(rest) :]

    def truncate(self, size: int | None = None) -> int:
        """Set the size, unless there was an error."""
        self._try(self._file.truncate, size)
        return size or 0

    def flush(self) -> None:
        """Flush, unless there was an error."""
        self._try(self._file.flush)

    def _try(self, call: Any, *arguments: Any) -> None:
        if self._error is None:
            try:
                call(*arguments)
            except OSError as error:
                self._error = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
