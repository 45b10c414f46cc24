"""Checks of a cooler before it is read: that it is one file, as large as it says, and that its tables fit each other.

Schema: https://cooler.readthedocs.io/en/latest/schema.html. Shapes: C contigs, B bins, P pixels.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import InputError, one_line

__all__ = ["check_bins", "check_ends", "check_index", "check_sizes", "list_maps", "one_sentence"]

# HDF5 compresses to a thousandth at most; what was never written has no bytes, and is refused unless it is small.
_MOST_RATIO, _SMALL_BYTES = 1_100, 16_000_000
_MOST_CHUNK = 1 << 28  # bytes that are unpacked at once; cooler writes less than a megabyte
_MOST_BINS = 50_000_000  # five billion bases in bins of a hundred; a table of them is in memory
_ROWS_AT_ONCE = 1_000_000
_TABLES = ("chroms", "bins", "indexes", "pixels")
_WHOLE_NUMBERS = (
    *("chroms/length", "bins/start", "indexes/chrom_offset", "indexes/bin1_offset", "pixels/bin1_id"),
    "pixels/bin2_id",
)
# What h5py, HDF5 and cooler raise for a damaged file.
_BROKEN = (OSError, ValueError, LookupError, AttributeError, RuntimeError, TypeError, ArithmeticError)


@contextmanager
def one_sentence(uri: str) -> Iterator[None]:
    """Make one sentence of what a library raises for a damaged file.

    Raises:
        InputError: instead of it.
    """
    try:
        yield
    except MemoryError:
        raise InputError(f"{uri} is larger than the memory that there is, or is damaged") from None
    except _BROKEN as error:
        raise InputError(f"{uri} is no cooler file that can be read, or is damaged ({one_line(error)[:200]})") from None


def list_maps(path: str) -> list[str]:
    """Groups of the maps in a file.

    Raises:
        InputError: the file is damaged, or reads another file.
    """
    import cooler
    import h5py

    with one_sentence(path), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cooler warns of damage, which is refused
        with h5py.File(path, "r") as file:
            _check_structure(file, path)
        groups: list[str] = cooler.fileops.list_coolers(path)
        return groups


def _check_structure(file: Any, path: str) -> None:
    """Check that a file reads no other file, and has attributes that HDF5 can read without a crash.

    Args:
        file: the open file.
        path: its path, for messages.

    Raises:
        InputError: a link to another file, a table of which the values are in another file, or an attribute that is
            no number or text, as cooler writes them.
    """
    import h5py

    plain = (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.STRING, h5py.h5t.ENUM)

    def check(name: str, member: Any) -> None:
        """Check one group or table."""
        if isinstance(member, h5py.Dataset) and (member.is_virtual or member.external):
            raise InputError(_other_file(path, name))
        for attribute in member.attrs if isinstance(member, h5py.Group) else ():
            if h5py.h5a.open(member.id, attribute.encode()).get_type().get_class() not in plain:
                raise InputError(f"{path} is damaged: the attribute {attribute!r} of {name!r} is no number or text")
        for child in member if isinstance(member, h5py.Group) else ():
            if isinstance(member.get(child, getlink=True), h5py.ExternalLink):
                raise InputError(_other_file(path, f"{name.strip('/')}/{child}".strip("/")))

    check("/", file)
    file.visititems(check)  # all groups and tables; links within the file lead to some of them


def _other_file(path: str, name: str) -> str:
    return f"{path}: {name!r} is a link to another file, which is not followed: copy the map itself (cooler cp)"


def check_sizes(group: Any, uri: str) -> None:
    """Check that no table of a map is far larger than the bytes that the file has for it, or has too many rows.

    Args:
        group: open group of the map.
        uri: name of the map, for messages.

    Raises:
        InputError: one is, and reading it would exhaust memory; or columns of a table have different lengths.
    """
    for name in _TABLES:
        for column in group[name]:
            _check_size(group[name][column], f"{name}/{column}", uri)
            _check_chunks(group[name][column], f"{name}/{column}", uri)
        rows = {len(column) for column in group[name].values()}
        if name != "indexes" and len(rows) > 1:
            raise InputError(f"{uri} is damaged: the columns of {name!r} are not of one length")
    for name in _WHOLE_NUMBERS:
        if group[name].dtype.kind not in "iu":
            raise InputError(f"{uri} is damaged: {name!r} are no whole numbers")


def _check_size(table: Any, name: str, uri: str) -> None:
    if table.ndim != 1:
        raise InputError(f"{uri} is damaged: its table {name!r} is no column")
    chunk = table.chunks[0] * table.dtype.itemsize if table.chunks else 0
    if table.nbytes > _MOST_RATIO * table.id.get_storage_size() + _SMALL_BYTES or chunk > _MOST_CHUNK:
        raise InputError(f"{uri} is damaged: it says that {name!r} has {table.nbytes:,} bytes, and has not as many")
    if not name.startswith("pixels/") and len(table) > _MOST_BINS + 1:
        raise InputError(f"{uri} has {len(table):,} bins or contigs; at most {_MOST_BINS:,} are read")


def _check_chunks(table: Any, name: str, uri: str) -> None:
    """Check that all pieces of a table are in the file and unpacked as they were packed; HDF5 has zeros for others.

    Raises:
        InputError: they are not.
    """
    from h5py import h5z

    if not table.chunks or not len(table):
        if table.nbytes > table.id.get_storage_size():
            raise InputError(f"{uri} is damaged: the values of {name!r} are not in the file")
        return
    chunks: list[Any] = []
    table.id.chunk_iter(chunks.append)
    pieces = np.array([(*one.chunk_offset, one.byte_offset, one.size, one.filter_mask) for one in chunks], np.uint64)
    first, offset, size, skipped = pieces.reshape(-1, 4).T
    options = table.id.get_create_plist()
    filters = {code: numbers for code, _, numbers, _ in map(options.get_filter, range(options.get_nfilters()))}
    shuffle = filters.pop(h5z.FILTER_SHUFFLE, None)
    packed = bool(filters) or (size == table.chunks[0] * table.dtype.itemsize).all()
    outside = (offset > table.file.id.get_filesize()) | (offset + size > table.file.id.get_filesize())
    if (
        not np.array_equal(np.sort(first), np.arange(0, len(table), table.chunks[0]))
        or (outside | (skipped != 0)).any()
        or not packed
        or (shuffle is not None and shuffle[:1] != (table.dtype.itemsize,))
    ):
        raise InputError(f"{uri} is damaged: some values of {name!r} are not in the file, or cannot be unpacked")


def check_bins(group: Any, uri: str, bin_size: int) -> None:
    """Check that the bins of each contig (B) are those of its length, one after another.

    Args:
        group: open group of the map.
        uri: name of the map, for messages.
        bin_size: bases per bin.

    Raises:
        InputError: they are not.
    """
    starts, lengths = group["bins/start"], group["chroms/length"][:].astype(np.int64)
    edges = group["indexes/chrom_offset"][:].astype(np.int64)  # (C + 1,)
    if bin_size < 1 or not np.array_equal(edges, np.append(0, np.cumsum(-(-lengths // max(bin_size, 1))))):
        raise InputError(f"{uri} is damaged: its contigs have not as many bins of {bin_size:,} as their lengths take")
    if len(starts) != edges[-1]:
        raise InputError(f"{uri} is damaged: it has {len(starts):,} bins, and {edges[-1]:,} in its index of contigs")
    for low in range(0, len(starts), _ROWS_AT_ONCE):
        start = starts[low : low + _ROWS_AT_ONCE].astype(np.int64)
        number = np.arange(low, low + len(start))
        wrong = start != (number - edges[np.searchsorted(edges, number, "right") - 1]) * bin_size
        if wrong.any():
            first = int(wrong.argmax())
            raise InputError(
                f"{uri} is damaged, or its bins do not follow one another: bin {low + first:,} begins at base "
                f"{start[first]:,}, which is no place of a bin of {bin_size:,} bases"
            )


def check_index(group: Any, uri: str) -> None:
    """Check that the index of the pixels, the first (B + 1) of each bin, rises from 0 to their number.

    Args:
        group: open group of the map.
        uri: name of the map, for messages.

    Raises:
        InputError: it does not.
    """
    index, last = group["indexes/bin1_offset"], 0
    for low in range(0, len(index), _ROWS_AT_ONCE):
        first = index[low : low + _ROWS_AT_ONCE].astype(np.int64)
        if (np.diff(first, prepend=last) < 0).any() or (low == 0 and first[0] != 0):
            raise InputError(f"{uri} is damaged: its index of pixels does not rise from 0")
        last = int(first[-1])
    if len(index) != len(group["bins/start"]) + 1 or last != len(group["pixels/bin1_id"]):
        raise InputError(
            f"{uri} is damaged: it has {len(group['pixels/bin1_id']):,} pixels, and its index {last:,} in "
            f"{len(index) - 1:,} bins"
        )


def check_ends(table: Any, offset: NDArray[np.int64], rows: tuple[int, int], uri: str) -> None:
    """Check that the pixels before and after those of some bins are not of these bins.

    Args:
        table: first bins of all pixels (P).
        offset: from the index, the first pixel of each of the bins, and the pixel after their last.
        rows: the first of the bins, and the one after their last.
        uri: name of the map, for messages.

    Raises:
        InputError: they are.
    """
    before, after = int(offset[0]) - 1, int(offset[-1])
    if (before >= 0 and table[before] >= rows[0]) or (after < len(table) and table[after] < rows[1]):
        raise InputError(f"{uri} is damaged: its index of pixels does not fit them")
