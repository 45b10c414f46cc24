"""Checks of a cooler before it is read: sizes that it states are compared with the bytes that it has."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from zoo.errors import InputError, one_line

__all__ = ["check_attributes", "check_sizes", "one_sentence"]

# HDF5 compresses to a thousandth at most; what was never written has no bytes, and is refused unless it is small.
_MOST_RATIO, _SMALL_BYTES = 1_100, 16_000_000
_MOST_CHUNK = 1 << 28  # bytes that are unpacked at once; cooler writes less than a megabyte
_MOST_BINS = 50_000_000  # five billion bases in bins of a hundred; a table of them is in memory
_TABLES = (
    "chroms/name",
    "chroms/length",
    "bins/start",
    "bins/end",
    "bins/weight",
    "indexes/chrom_offset",
    "indexes/bin1_offset",
)
_PIXELS = ("pixels/bin1_id", "pixels/bin2_id", "pixels/count")
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
    except _BROKEN as error:
        raise InputError(f"{uri} is no cooler file that can be read, or is damaged ({one_line(error)[:200]})") from None


def check_attributes(file: Any, path: str) -> None:
    """Check that the attributes of all groups are numbers or texts, as cooler writes; HDF5 crashes on some others.

    Args:
        file: the open file.
        path: its path, for messages.

    Raises:
        InputError: one is something else.
    """
    import h5py

    plain = (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.STRING, h5py.h5t.ENUM)

    def check(name: str, group: Any) -> None:
        """Check the attributes of one group."""
        for attribute in group.attrs if isinstance(group, h5py.Group) else ():
            if h5py.h5a.open(group.id, attribute.encode()).get_type().get_class() not in plain:
                raise InputError(f"{path} is damaged: the attribute {attribute!r} of {name!r} is no number or text")

    check("/", file)
    file.visititems(check)


def check_sizes(group: Any, uri: str) -> None:
    """Check that no table of a map is far larger than the bytes that the file has for it, or has too many bins.

    Args:
        group: open group of the map.
        uri: name of the map, for messages.

    Raises:
        InputError: one is; reading it would exhaust memory.
    """
    for name in (*_TABLES, *_PIXELS):
        if name not in group:
            continue
        table = group[name]
        if table.ndim != 1:
            raise InputError(f"{uri} is damaged: its table {name!r} is no column")
        chunk = table.chunks[0] * table.dtype.itemsize if table.chunks else 0
        most = _MOST_RATIO * table.id.get_storage_size() + _SMALL_BYTES
        if table.nbytes > most or chunk > _MOST_CHUNK:
            raise InputError(f"{uri} is damaged: it says that {name!r} has {table.nbytes:,} bytes, and has not as many")
        if name not in _PIXELS and len(table) > _MOST_BINS + 1:
            raise InputError(f"{uri} has {len(table):,} bins or contigs; at most {_MOST_BINS:,} are read")
