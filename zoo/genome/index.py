"""The index of a FASTA file as `Genome` uses it: a `.fai` that is proven to fit the file, or one that is built anew.

A `.fai` next to a large file spares reading all of it at the start. It may be of another file, or of an older one.
"""

import logging
import os
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.errors import InputError, OutputError
from zoo.genome.fai import fits, is_cut_off, lists_true_records, parse_fai, write_fai
from zoo.genome.scan import FastaIndex, scan_fasta
from zoo.utils.cache import cached_file, fingerprint

__all__ = ["check_index", "open_index"]

# A file up to this size is read whole at the start, which takes a tenth of a second; so is one of shorter records on
# average, as comparing each of them with the `.fai` would read as much.
_READ_WHOLE = 1 << 27
_BYTES_PER_RECORD = 1 << 16
_log = logging.getLogger("zoo")


def open_index(path: Path, data: NDArray[np.uint8]) -> FastaIndex:
    """Read or build the index of a FASTA file.

    That of a large file is written next to it, or to the cache where the folder cannot be written. A `.fai` that does
    not fit the file is replaced, or not used, and a warning says so.

    Args:
        path: path of the file.
        data: bytes of the file, not empty.

    Raises:
        InputError: no FASTA that can be read at random, or one that ends before its index does.
    """
    fai = Path(f"{path}.fai")
    if (index := _proven(fai, path, data)) is not None:
        return index
    if len(data) > _READ_WHOLE and not _can_write(path.parent):
        with suppress(OutputError):  # the cache cannot be written either
            return _cached(fai, path, data)
    return _build(fai, path, data)


def check_index(fai: Path) -> None:
    """Check that an index fits the FASTA file next to it, where there is one.

    Raises:
        InputError: it does not, or there is no such FASTA that can be read at random.
    """
    path = fai.with_suffix("")
    data = np.asarray(np.memmap(path, np.uint8, "r")) if path.is_file() and path.stat().st_size else None
    if data is None or data[0] != ord(">") or _proven(fai, path, data) is not None:
        return
    scanned = scan_fasta(path, data)
    try:
        fit = lists_true_records(parse_fai(fai), scanned)
    except ValueError:
        fit = False
    if not fit:
        raise InputError(f"{fai} does not fit {path}: build it anew, e.g. with `samtools faidx {path}`")


def _proven(fai: Path, path: Path, data: NDArray[np.uint8]) -> FastaIndex | None:
    """The `.fai` of a large file, if it is not older and fits."""
    if len(data) <= _READ_WHOLE or not fai.is_file() or fai.stat().st_mtime_ns < path.stat().st_mtime_ns:
        return None
    try:
        index = parse_fai(fai)
    except ValueError:
        return None
    return index if _saves_time(index, data) and fits(index, data) else None


def _saves_time(index: FastaIndex, data: NDArray[np.uint8]) -> bool:
    return len(data) > max(_READ_WHOLE, len(index.names) * _BYTES_PER_RECORD)


def _build(fai: Path, path: Path, data: NDArray[np.uint8]) -> FastaIndex:
    """Scan the file, and bring the `.fai` up to date.

    Raises:
        InputError: as `open_index`.
    """
    index = scan_fasta(path, data)
    saves_time = _saves_time(index, data)
    if not fai.is_file():
        if saves_time:
            with suppress(OutputError):
                write_fai(fai, index)
        return index
    if _is_true(fai, path, index):
        if saves_time:
            with suppress(OSError):
                os.utime(fai)  # it is of this file, whichever of them was written last
        return index
    try:
        write_fai(fai, index)
    except OutputError:
        _log.warning(f"{fai} does not fit {path}: it is not used, and could not be replaced")
    else:
        _log.warning(f"{fai} did not fit {path} and was replaced")
    return index


def _is_true(fai: Path, path: Path, scanned: FastaIndex) -> bool:
    """Return whether all that a `.fai` says is true; a warning says how many records it lacks.

    Raises:
        InputError: the file ends before its index does.
    """
    try:
        index = parse_fai(fai)
    except ValueError:
        return False
    if not lists_true_records(index, scanned):
        if is_cut_off(scanned, index):
            raise InputError(
                f"{path} ends within a record, {int(index.end[-1]) - int(scanned.end[-1]):,} bytes before the end that "
                f"{fai} gives: fetch it again, or delete the index if the file is whole"
            )
        return False
    if len(index.names) < len(scanned.names):
        _log.warning(f"{fai} lists {len(index.names)} of the {len(scanned.names)} records of {path}; all are read")
    return True


def _cached(fai: Path, path: Path, data: NDArray[np.uint8]) -> FastaIndex:
    """Read the index from the cache, or build it there."""
    kept = cached_file(
        "fasta_index", fingerprint(path), lambda draft: write_fai(draft, _build(fai, path, data)), ".fai"
    )
    with suppress(ValueError):
        if fits(index := parse_fai(kept), data):
            return index
    with suppress(OSError):  # damaged after it was written; of a cache that cannot be written it is not used
        kept.unlink()
    return _build(fai, path, data)


def _can_write(folder: Path) -> bool:
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True
