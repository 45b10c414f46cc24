"""Files of `torch.save`: a zip archive, or, before torch 1.6, pickles and storages one after another.

Neither is believed: what a file says of its own sizes is compared with its bytes before anything is read, so that a
small file takes little memory and time whatever it says.
"""

import io
import math
import pickle
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import IntegrityError, one_line
from zoo.importers._pickle_reader import MOST_PICKLE, PickleReader
from zoo.importers._pickle_values import ITEM_BYTES, Storage, StoredTensor

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["SavedFile", "open_saved"]

_MOST_BYTES = 4_000_000_000
_MOST_TABLE = 4_000_000  # bytes of the table of contents of a zip archive, some 60 for each tensor
_ZIP = b"PK\x03\x04"
_LOCAL_HEADER = 30  # bytes of a zip entry's own header, at least
# First number of a file of the old format, and its version.
_OLD_MARK, _OLD_VERSION = 0x1950A86A20F9469CFC6C, 1001
# Tensors may share storages: together they may have this many times the bytes of the file, plus a small constant.
_SHARED, _SMALL = 4, 1_000_000
_MOST_DIMENSIONS = 32
_LARGEST = 2**62
# A broken or hostile file can fail in any step, of the pickle or of the archive.
_BROKEN = (
    *(pickle.UnpicklingError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError),
    *(EOFError, OSError, zipfile.BadZipFile, struct.error),
)


class SavedFile:
    """The content of a file: what its pickle holds, and tensors of its storages.

    Args:
        root: what the pickle holds.
        size: bytes of the file.
        read: gives the bytes of a storage.
    """

    def __init__(self, root: Any, size: int, read: Callable[[Storage], bytes]) -> None:
        self.root = root
        self._read = read
        self._most = _SHARED * size + _SMALL
        self._bytes = 0
        self._cache: dict[str, bytearray] = {}

    def build(self, stored: StoredTensor) -> "Tensor":
        """Build a tensor.

        Raises:
            IntegrityError: one that does not lie within its storage, or tensors far larger than the file.
        """
        import torch

        storage, offset, shape, stride = stored.storage, stored.offset, stored.shape, stored.stride
        self._check(stored)
        if is_first := storage.key not in self._cache:
            self._cache[storage.key] = bytearray(self._read(storage))
        data, dtype = self._cache[storage.key], getattr(torch, storage.dtype)
        flat = torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)
        tensor = torch.as_strided(flat, shape, stride, storage.first + offset)
        # Tensors of one storage are copies, of which each can be changed alone; most storages have one tensor.
        return tensor if is_first and tensor.is_contiguous() and tensor.numel() == len(flat) else tensor.clone()

    def _check(self, stored: StoredTensor) -> None:
        storage, offset, shape, stride = stored.storage, stored.offset, stored.shape, stored.stride
        if type(storage) is not Storage or not type(shape) is type(stride) is tuple or len(shape) != len(stride):
            raise IntegrityError("a tensor without a storage, or without as many strides as sizes")
        numbers = [offset, *shape, *stride]
        if not all(type(number) is int for number in numbers) or len(shape) > _MOST_DIMENSIONS:
            raise IntegrityError("a tensor with sizes that are no numbers, or too many of them")
        self._bytes += math.prod(shape) * ITEM_BYTES[storage.dtype]
        if self._bytes > self._most:
            raise IntegrityError("its tensors are far larger than the file")
        end = offset + sum((size - 1) * step for size, step in zip(shape, stride, strict=True)) + 1
        if min(numbers) < 0 or max(numbers) > _LARGEST or (math.prod(shape) and end > storage.count):
            raise IntegrityError("a tensor reaches outside its storage")


@contextmanager
def open_saved(path: Path, what: str, is_class: Callable[[str], bool]) -> Iterator[SavedFile]:
    """Open a file, and make one sentence of what is wrong with it, while it is open too.

    Args:
        path: the file.
        what: what it should be, such as `pickled module`, for messages.
        is_class: as for `PickleReader`.

    Raises:
        IntegrityError: another file, a damaged one, or one that asks for more than tensors.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, io.SEEK_END)
            if size > _MOST_BYTES:
                raise IntegrityError("it is larger than any model here")
            file.seek(0)
            is_zip = file.read(len(_ZIP)) == _ZIP
            file.seek(0)
            if not is_zip:
                yield _read_old(file, size, is_class)
                return
        with _LimitedFile(path, "rb") as limited, zipfile.ZipFile(limited) as archive:
            limited.is_limited = False
            yield _read_zip(archive, size, is_class)
    except IntegrityError as error:
        raise IntegrityError(f"{path}: {error}") from None
    except _BROKEN as error:
        raise IntegrityError(f"{path}: not a {what} ({one_line(error)[:200]})") from None


class _LimitedFile(io.FileIO):
    """A file of which at most the bytes of a table of contents are read at once, until the limit is taken away."""

    is_limited = True

    def read(self, size: int | None = -1, /) -> bytes:
        """Read bytes, within the limit."""
        if self.is_limited and size is not None and size > _MOST_TABLE:
            raise IntegrityError(f"the table of contents of the archive has {size:,} bytes")
        return super().read(size) or b""


def _read_zip(archive: zipfile.ZipFile, size: int, is_class: Callable[[str], bool]) -> SavedFile:
    _check_entries(archive)
    pickles = [entry for entry in archive.infolist() if entry.filename.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise ValueError(f"it has {len(pickles)} pickles, where torch writes one")
    pickled = pickles[0]
    if pickled.file_size > MOST_PICKLE:
        raise IntegrityError(f"its pickle has {pickled.file_size:,} bytes, where a model has a few hundred thousand")
    folder = pickled.filename.removesuffix("data.pkl")
    if f"{folder}byteorder" in archive.NameToInfo and archive.read(f"{folder}byteorder") != b"little":
        raise IntegrityError("its numbers have another order of bytes than this reader knows")
    root = PickleReader(is_class).read(io.BytesIO(archive.read(pickled)))

    def read(storage: Storage) -> bytes:
        """Read the bytes of one storage."""
        entry = archive.getinfo(f"{folder}data/{storage.key}")
        if entry.file_size != storage.numel * ITEM_BYTES[storage.dtype]:
            raise IntegrityError(f"the storage {entry.filename[:200]!r} has another size than the file says")
        return archive.read(entry)

    return SavedFile(root, size, read)


def _check_entries(archive: zipfile.ZipFile) -> None:
    """Check that no entry is compressed, which torch never does, named twice or within another one.

    Raises:
        IntegrityError: one is; unpacked it could be larger than any memory.
    """
    entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
    if len(archive.NameToInfo) != len(entries):
        raise IntegrityError("two entries of the archive have one name")
    ends = [entry.header_offset for entry in entries[1:]] + [archive.start_dir]
    for entry, end in zip(entries, ends, strict=True):
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
            raise IntegrityError(f"the entry {entry.filename[:200]!r} of the archive is compressed, as torch has none")
        if entry.header_offset < 0 or entry.header_offset + _LOCAL_HEADER + entry.file_size > end:
            raise IntegrityError(f"the entry {entry.filename[:200]!r} of the archive overlaps another one")


def _read_old(file: io.BufferedReader, size: int, is_class: Callable[[str], bool]) -> SavedFile:
    head = io.BytesIO(file.read(MOST_PICKLE))
    if PickleReader(is_class).read(head) != _OLD_MARK or PickleReader(is_class).read(head) != _OLD_VERSION:
        raise ValueError("it does not begin as a file of torch")
    system = PickleReader(is_class).read(head)
    if type(system) is not dict or system.get("little_endian") is not True:
        raise IntegrityError("its numbers have another order of bytes than this reader knows")
    reader = PickleReader(is_class)
    root, keys = reader.read(head), PickleReader(is_class).read(head)
    places = _places(file, head.tell(), size, keys, reader.storages)

    def read(storage: Storage) -> bytes:
        """Read the bytes of one storage."""
        first, length = places[storage.key]
        file.seek(first)
        return file.read(length)

    return SavedFile(root, size, read)


def _places(
    file: io.BufferedReader, first: int, size: int, keys: Any, storages: dict[str, Storage]
) -> dict[str, tuple[int, int]]:
    """Find the storages that follow the pickles: first byte and number of bytes of each, by its name.

    Raises:
        IntegrityError: they are not those that the pickle refers to.
    """
    if type(keys) is not list or not all(type(key) is str and key in storages for key in keys):
        raise IntegrityError("a list of storages that are not those of its tensors")
    places = dict[str, tuple[int, int]]()
    for key in keys:
        file.seek(first)
        numel, storage = int.from_bytes(file.read(8), "little"), storages[key]
        length = numel * ITEM_BYTES[storage.dtype]
        if key in places or numel != storage.numel or first + 8 + length > size:
            raise IntegrityError(f"the storage {key[:200]!r} has another size than the file says, or is cut off")
        places[key] = (first + 8, length)
        first += 8 + length
    return places
