"""Sequences as a caller has them (text, codes, one-hot, a file) as a source of what is predicted.

Shapes: B sequences, L bases.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.errors import ConfigError, InputError
from zoo.formats.bed import iterate_bed
from zoo.formats.narrow_peak import iterate_peaks
from zoo.formats.sequences import SequenceFile
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import Codes, count_ambiguous, encode, find_invalid
from zoo.inference.regions import check_regions, find_region
from zoo.inference.sources import FileSource, MemorySource, SiteSource, Source
from zoo.utils.text import quoted

__all__ = ["Intervals", "as_intervals", "as_source", "is_file", "source_of"]

Intervals = Iterable[Interval | str] | Interval | str | Path | None
_UNKNOWN = 4  # code of N
_BED = (".bed", "Peak")


def is_file(x: object) -> bool:
    """Whether a caller names a file: a path, or text that is the name of a file or no sequence."""
    if isinstance(x, Path):
        return True
    if not isinstance(x, str):
        return False
    letters = x.encode("utf-8", "replace")
    if letters and find_invalid(letters) == len(letters):
        return len(x) < 256 and Path(x).is_file()
    return True


def as_source(x: Any) -> MemorySource | FileSource:
    """Convert what a caller gives to a source of sequences.

    Args:
        x: one sequence or several as text (a list, array or column of a data frame); codes uint8 (L,), (B, L) or
            several of any lengths; one-hot (4, L) or (B, 4, L), as an array or tensor; or the path of a FASTA, a
            table, or lines (plain or gzipped).

    Raises:
        InputError: none of these, a letter that is no IUPAC code, codes above 4, or channels that are not one-hot.
    """
    if isinstance(x, str | bytes) and not x:
        raise InputError("the sequence is empty")
    if is_file(x):
        if str(x).removesuffix(".gz").endswith(_BED):
            raise InputError(f"{x} holds intervals, of a genome: zoo.predict(model, Genome(path), {str(x)!r})")
        if isinstance(x, str) and not {".", "/", "\\", "-", ":"} & set(x) and not Path(x).exists():
            encode(x)  # a sequence with a wrong letter, rather than a file that does not exist
        return FileSource(SequenceFile(str(x)))
    if isinstance(x, Interval) or (isinstance(x, Sequence) and x and isinstance(x[0], Interval)):
        raise InputError("intervals need their genome: zoo.predict(model, Genome(path), intervals)")
    if isinstance(x, str | bytes):
        x = [x]
    if isinstance(x, np.ndarray) and x.dtype.kind in "OSU" and x.ndim <= 1:
        x = np.atleast_1d(x).tolist()  # text
    ambiguous = 0
    if isinstance(x, np.ndarray | Tensor):
        codes = list(_array_codes(_as_array(x)))
    elif hasattr(x, "columns"):
        raise InputError("a data frame cannot be predicted: give its column of sequences, such as df['sequence']")
    elif isinstance(x, Iterable) and not isinstance(x, dict):
        given = list(x)
        codes = [_codes_of(one, number) for number, one in enumerate(given, 1)]
        ambiguous = sum(count_ambiguous(_letters(one)) for one in given if isinstance(one, str | bytes))
    else:
        raise InputError(
            f"an object of type {type(x).__name__} cannot be predicted: give sequences as text, codes (uint8) or "
            "one-hot (B, 4, L), a path, or a Genome with intervals"
        )
    return MemorySource([f"sequence_{number}" for number in range(1, len(codes) + 1)], codes, ambiguous=ambiguous)


def as_intervals(
    genome: Genome,
    intervals: Intervals,
    summit_notes: list[str] | None = None,
) -> list[Interval]:
    """Convert what a caller gives to intervals of a genome.

    Args:
        genome: the genome.
        intervals: several (or regions), one, the path of a BED file, a region such as `chrIX:100-900`, or None for all
            contigs.
        summit_notes: the centres of narrowPeak intervals are their summits, and what is said of that is added here;
            None for the middles of all.
    """
    if intervals is None:
        return [Interval(name, 0, length) for name, length in genome.contigs.items()]
    if isinstance(intervals, Interval):
        return [intervals]
    if isinstance(intervals, str | Path):
        if Path(intervals).is_file() or str(intervals).removesuffix(".gz").endswith(_BED):
            sites = iterate_bed(intervals) if summit_notes is None else iterate_peaks(intervals, summit_notes)
            return check_regions(sites, genome, str(intervals))
        return [find_region(str(intervals), genome)]
    return [_as_interval(one, genome) for one in intervals]


def source_of(x: Any, intervals: Intervals, inputs: str | None, resize: bool = False) -> Source:
    """Sequences, or sites of a genome, for a model that reads one window of each.

    Args:
        x: a genome, or what `as_source` takes.
        intervals: of the genome, as of `as_intervals`.
        inputs: table of the input tracks of a model that reads some.
        resize: whether the centres of intervals count.

    Raises:
        InputError: intervals without a genome, or a genome without intervals.
        ConfigError: input tracks without coordinates.
    """
    if not isinstance(x, Genome):
        if intervals is not None:
            raise InputError("intervals are of a genome: give zoo.Genome(path) before them")
        if inputs is not None:
            raise ConfigError("input tracks need coordinates: give a zoo.Genome and intervals")
        return as_source(x)
    if intervals is None:
        raise InputError("of a genome, name the intervals or a BED file: zoo.predict(model, genome, intervals)")
    notes: list[str] = []
    sites = as_intervals(x, intervals, notes if resize else None)
    return SiteSource(x, sites, inputs, "the intervals", notes)


def _as_interval(one: Any, genome: Genome) -> Interval:
    if isinstance(one, Interval):
        return one
    if isinstance(one, str):
        return find_region(one, genome)
    raise InputError(
        f"{quoted(str(one))} is not an interval: give zoo.Interval(chrom, start, end), or 'chrom:start-end'"
    )


def _letters(text: str | bytes) -> bytes:
    return text.encode("latin-1", "replace") if isinstance(text, str) else text


def _codes_of(one: Any, number: int) -> Codes:
    """Codes (L,) of one sequence, given as text or codes."""
    try:
        if isinstance(one, str | bytes):
            return encode(one)
        codes = _array_codes(_as_array(one))
        if len(codes) != 1:
            raise InputError(f"an array of the shape {tuple(_as_array(one).shape)} is not one sequence")
    except InputError as error:
        raise InputError(f"{quoted(f'sequence_{number}')}: {error}") from None
    only: Codes = codes[0]
    return only


def _as_array(x: Any) -> NDArray[Any]:
    if isinstance(x, Tensor):
        x = x.detach().cpu()
        x = x.float() if x.is_floating_point() else x  # numpy has no bfloat16
    array = np.asarray(x)
    if array.dtype.kind not in "uifb":
        raise InputError(f"an array of {array.dtype} is neither codes nor one-hot")
    return array


def _array_codes(array: NDArray[Any]) -> Codes:
    """Codes (B, L) of codes (L,) or (B, L), or of one-hot (4, L) or (B, 4, L).

    An array of two axes is one-hot if it holds floating-point numbers or truth values, or four rows of 0 and 1 of which
    each column has one 1; codes if it holds other whole numbers.
    """
    if array.ndim == 3 or (array.ndim == 2 and (array.dtype.kind in "fb" or _is_whole_one_hot(array))):
        return _from_one_hot(array if array.ndim == 3 else array[None])
    if array.ndim not in (1, 2) or array.dtype.kind == "f":
        shape = f"{array.dtype} {tuple(array.shape)}"
        raise InputError(f"an array of {shape} is neither codes (B, L) nor one-hot (B, 4, L)")
    if array.size and not (array.min() >= 0 and array.max() <= _UNKNOWN):
        raise InputError("codes are 0 to 4, for A, C, G, T and N")
    codes: Codes = np.atleast_2d(array).astype(np.uint8)
    return codes


def _is_whole_one_hot(array: NDArray[Any]) -> bool:
    """Whether whole numbers (4, L) are one-hot.

    Raises:
        InputError: they could be one-hot with N as well as codes of four sequences.
    """
    if len(array) != 4 or not array.size or array.min() < 0 or array.max() > 1:
        return False
    sums = array.sum(0)
    if (sums == 1).all():
        return True
    if (sums <= 1).all():
        raise InputError(
            "whole numbers (4, L) of 0 and 1 may be one-hot or the codes of four sequences: give one-hot as (1, 4, L), "
            "codes as a list of sequences"
        )
    return False


def _from_one_hot(onehot: NDArray[Any]) -> Codes:
    """Codes (B, L) of one-hot (B, 4, L); four equal channels, such as 0 or 0.25, are N."""
    if onehot.shape[1] != 4:
        last = "; its channels come last: swap the axes" if onehot.shape[2] == 4 else ""
        raise InputError(f"one-hot has the shape (B, 4, L), not {tuple(onehot.shape)}{last}")
    values = torch.from_numpy(np.ascontiguousarray(onehot)).float()
    highest, codes = values.max(1)
    unknown = highest == values.amin(1)
    exact = (highest == 1) & (values.sum(1) == 1) & (values.amin(1) == 0)
    if not (exact | unknown).all():
        raise InputError("a position of the one-hot input is neither one base nor N: its four channels are not 0 and 1")
    return np.asarray(codes.masked_fill(unknown, _UNKNOWN).numpy(), np.uint8)
