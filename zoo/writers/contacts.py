"""Predicted contact maps as cooler files, one for each target, or as arrays. Shapes: T targets, R rows, D diagonals."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ConfigError, InputError, OutputError
from zoo.formats.expected import Expected
from zoo.utils.atomic import whole_files, whole_path
from zoo.utils.drafts import draft_folder
from zoo.utils.paths import check_folder_of
from zoo.writers.cooler_file import Pixels, bin_counts, check_contigs, write_cooler
from zoo.writers.paths import output_paths, refuse_existing

__all__ = ["COUNT_SCALE", "COUNT_UNIT", "LOG_SCALE", "ContactRows", "dense_maps", "write_coolers", "write_npz"]

LOG_SCALE = "natural logarithm of observed/expected contacts"
COUNT_UNIT = "contacts"
COUNT_SCALE = "contacts: the predicted observed/expected, times the given expected"
# Of a region with more bins the dense map is too large for an array.
_MOST_BINS = 4096
Values = NDArray[np.float32]


@dataclass(frozen=True)
class ContactRows:
    """Predictions for rows of a contact map that follow one another, along the diagonal; its length is their number.

    Attributes:
        contig: as the genome names it.
        first: the first row's bin.
        bin_size: bases of each.
        values: float32 (T, R, D): of bins i and i + d at [:, i - first, d], NaN where nothing is predicted.
    """

    contig: str
    first: int
    bin_size: int
    values: Values

    def __len__(self) -> int:
        return len(self.values[0])


class _Spooled(NamedTuple):
    """Where values in a file of a target belong: rows without their values, and the shape (R, D) of these."""

    rows: ContactRows
    shape: tuple[int, int]


def write_coolers(
    path: str | Path,
    targets: Sequence[str],
    contigs: Mapping[str, int],
    rows: Iterable[ContactRows],
    expected: Expected | None = None,
    facts: Mapping[str, Any] | None = None,
    target_facts: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[Path]:
    """Write a cooler for each target as the predictions come; all appear, whole, or none.

    A cooler has all bins of the genome, and a pixel for each pair that is predicted. Its values are the column `count`;
    the column `weight` of the bins is 1, so that balanced and unbalanced readings are the same. Which scale the values
    have is in the metadata.

    Args:
        path: a folder, which is made, for `<target>.cool`; or for one target a file that ends in .cool.
        targets: their names (T).
        contigs: contigs of the genome, with their lengths.
        rows: in the order of the contigs.
        expected: contacts at each distance: write contacts, not logarithms.
        facts: further metadata.
        target_facts: further metadata of each target, such as its description and unit.

    Returns:
        The files.

    Raises:
        ConfigError: several targets for one file, or a target that no file can be named after.
        InputError: there is no prediction.
        OutputError: a folder that cannot be made, a file that exists, contigs that a cooler cannot hold, or a full
            disk.
    """
    paths = output_paths(Path(path), targets, [".cool"])
    check_contigs(paths[0], contigs)
    stream = iter(rows)
    first = list(islice(stream, 1))  # before a folder is made, so that bad input leaves nothing
    _refuse_empty(first)
    scale = COUNT_SCALE if expected else LOG_SCALE
    with whole_files(paths) as drafts, draft_folder(drafts[0]) as spool:
        pieces = _spool(spool, len(targets), chain(first, stream))
        for index, (target, draft) in enumerate(zip(targets, drafts, strict=True)):
            metadata = {"scale": scale, "target": target, "written_by": "regzoo", **(facts or {})}
            metadata |= (target_facts or {}).get(target, {})
            pixels = _pixels(spool / str(index), pieces, contigs, expected)
            write_cooler(draft, contigs, pieces[0].rows.bin_size, pixels, metadata)
    return paths


def write_npz(path: Path, targets: Sequence[str], rows: Iterable[ContactRows]) -> Path:
    """Write `targets`, and for each region its symmetric map (T, R, R), NaN where nothing is predicted.

    Args:
        path: the file, which ends in .npz. Regions are called `contig:start-end` in it.
        targets: their names (T).
        rows: in the order of the contigs.

    Raises:
        InputError: there is no prediction.
        ConfigError: a region of too many bins for one array.
        OutputError: no such folder, a file that exists, or a full disk.
    """
    check_folder_of(path)
    refuse_existing([path])
    maps = dense_maps(rows)
    _refuse_empty(maps)
    with whole_path(path) as draft, draft.open("wb") as file:
        np.savez_compressed(file, targets=np.array(targets), **maps)  # type: ignore[arg-type]
    return path


def dense_maps(rows: Iterable[ContactRows]) -> dict[str, Values]:
    """`contig:start-end` -> symmetric map (T, R, R) of rows that follow one another, NaN where nothing is predicted.

    Raises:
        ConfigError: a region of too many bins for one array.
    """
    maps = {}
    for first, group in _consecutive(rows):
        values = np.concatenate([piece.values for piece in group], 1)
        size, diagonals = values.shape[1:]
        if size > _MOST_BINS:
            raise ConfigError(
                f"{first.contig} has {size:,} bins: too many for one array; write .cool, or a region of it"
            )
        dense = np.full((len(values), size, size), np.nan, np.float32)
        for distance in range(min(diagonals, size)):
            row = np.arange(size - distance)
            dense[:, row, row + distance] = values[:, : size - distance, distance]
            dense[:, row + distance, row] = values[:, : size - distance, distance]
        start = first.first * first.bin_size
        maps[f"{first.contig}:{start}-{start + size * first.bin_size}"] = dense
    return maps


def _consecutive(rows: Iterable[ContactRows]) -> Iterator[tuple[ContactRows, list[ContactRows]]]:
    """Pieces that follow one another, with the first of them."""
    number = -1
    ends: dict[str, int] = {}

    def region(piece: ContactRows) -> int:
        """The same number for pieces that follow one another."""
        nonlocal number
        number += ends.get(piece.contig) != piece.first
        ends[piece.contig] = piece.first + len(piece)
        return number

    for _, group in groupby(rows, region):
        pieces = list(group)
        yield pieces[0], pieces


def _refuse_empty(predictions: Sized) -> None:
    if not len(predictions):
        raise InputError("nothing is predicted: the regions lie too near the ends of their contigs")


def _spool(folder: Path, targets: int, rows: Iterable[ContactRows]) -> list[_Spooled]:
    """Put the values of each target into a file of its own: a cooler is written in one go."""
    pieces = []
    files: list[BinaryIO] = [(folder / str(index)).open("wb") for index in range(targets)]
    try:
        for piece in rows:
            for file, values in zip(files, piece.values, strict=True):
                file.write(np.ascontiguousarray(values).data)
            pieces.append(_Spooled(replace(piece, values=piece.values[:0]), (len(piece), piece.values.shape[2])))
    finally:
        for file in files:
            file.close()
    return pieces


def _pixels(
    spool: Path, pieces: Iterable[_Spooled], contigs: Mapping[str, int], expected: Expected | None
) -> Iterator[Pixels]:
    """The pixels of each piece of a target, in the order of the bins, from its file."""
    pieces = list(pieces)
    counts = bin_counts(contigs, pieces[0].rows.bin_size)
    first_bin = dict(zip(contigs, np.append(0, np.cumsum(counts))[:-1].tolist(), strict=True))
    with spool.open("rb") as file:
        for piece, (rows, diagonals) in pieces:
            values = np.frombuffer(file.read(4 * rows * diagonals), np.float32).reshape(rows, diagonals)
            row, distance = np.nonzero(~np.isnan(values))
            value = values[row, distance]
            if expected:
                with np.errstate(over="ignore"):  # refused below
                    value = (np.exp(value.astype(np.float64)) * expected.at(distance)).astype(np.float32)
                if not np.isfinite(value).all():
                    raise OutputError(
                        f"contacts of {piece.contig} are infinite once they are multiplied with {expected.path}: the "
                        "model predicts logarithms that are too large, so leave out --expected"
                    )
            start = first_bin[piece.contig] + piece.first + row
            yield Pixels(start, start + distance, value)
