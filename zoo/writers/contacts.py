"""Predicted maps as cooler files, one for each target, or as arrays. Shapes: T targets, R rows, D diagonals."""

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zoo.errors import ConfigError, InputError, OutputError, one_line
from zoo.formats.expected import Expected
from zoo.utils.atomic import check_folder_of, names_a_file, whole_path

__all__ = ["ContactRows", "dense_maps", "write_coolers", "write_npz"]

LOG_SCALE = "natural logarithm of observed/expected contacts"
COUNT_SCALE = "contacts: the predicted observed/expected, times the given expected"
# Of a region with more bins the dense map is too large for an array.
_MOST_BINS = 4096
Values = NDArray[np.float32]


@dataclass(frozen=True)
class ContactRows:
    """Predictions for rows of a map that follow one another, along the diagonal.

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


def write_coolers(
    path: str | Path,
    targets: Sequence[str],
    contigs: Mapping[str, int],
    rows: Iterable[ContactRows],
    expected: Expected | None = None,
    facts: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Write a cooler for each target as the predictions come; each file appears whole or not at all.

    A cooler has all bins of the genome, and a pixel for each pair that is predicted. Its values are the column `count`;
    the column `weight` of the bins is 1, so that balanced and unbalanced readings are the same. Which scale the values
    have is in the metadata.

    Args:
        path: a folder, which is made, for `<target>.cool`; or for one target a file that ends in .cool.
        targets: their names (T).
        contigs: of the genome, with their lengths.
        rows: in the order of the contigs.
        expected: contacts at each distance: write contacts, not logarithms.
        facts: what else the metadata say.

    Returns:
        The files.

    Raises:
        ConfigError: several targets for one file, or a target that no file can be called after.
        InputError: there is no prediction.
        OutputError: a folder that cannot be made, a file that is there already, or a full disk.
    """
    paths = _paths(Path(path), targets)
    coming = iter(rows)
    begun = list(islice(coming, 1))  # before a folder is made, so that bad input leaves nothing
    _check_some(begun)
    _make_folder(paths[0].parent)
    scale = COUNT_SCALE if expected else LOG_SCALE
    with tempfile.TemporaryDirectory(prefix=".zoo.", dir=paths[0].parent) as spool:
        try:
            pieces = _spooled(Path(spool), len(targets), chain(begun, coming))
        except OSError as error:
            raise OutputError(f"{path} could not be written and was left out: {error.strerror or error}") from None
        for index, (target, place) in enumerate(zip(targets, paths, strict=True)):
            said = {"scale": scale, "target": target, "written_by": "regzoo", **(facts or {})}
            with whole_path(place) as draft:
                _write_cooler(draft, Path(spool) / str(index), pieces, contigs, expected, said)
    return paths


def write_npz(path: Path, targets: Sequence[str], rows: Iterable[ContactRows]) -> Path:
    """Write `targets` and a symmetric map (T, R, R) for each region, called `contig:start-end`, NaN where none is."""
    check_folder_of(path)
    if path.exists():
        raise OutputError(f"{path} is there already: name another, or take it away")
    maps = dense_maps(rows)
    _check_some(maps)
    with whole_path(path) as draft, draft.open("wb") as file:
        np.savez_compressed(file, targets=np.array(targets), **maps)  # type: ignore[arg-type]
    return path


def dense_maps(rows: Iterable[ContactRows]) -> dict[str, Values]:
    """`contig:start-end` -> symmetric map (T, R, R) of rows that follow one another, NaN where nothing is predicted.

    Raises:
        ConfigError: a region of too many bins for one array.
    """
    found = {}
    for first, group in _joined(rows):
        values = np.concatenate([each.values for each in group], 1)
        size, diagonals = values.shape[1:]
        if size > _MOST_BINS:
            raise ConfigError(
                f"{first.contig} has {size:,} bins: too many for one array; write .cool, or a region of it"
            )
        dense = np.full((len(values), size, size), np.nan, np.float32)
        for distance in range(min(diagonals, size)):
            place = np.arange(size - distance)
            dense[:, place, place + distance] = values[:, : size - distance, distance]
            dense[:, place + distance, place] = values[:, : size - distance, distance]
        start = first.first * first.bin_size
        found[f"{first.contig}:{start}-{start + size * first.bin_size}"] = dense
    return found


def _joined(rows: Iterable[ContactRows]) -> Iterator[tuple[ContactRows, list[ContactRows]]]:
    """Pieces that follow one another, with the first of them."""
    place = -1
    ends: dict[str, int] = {}

    def region(each: ContactRows) -> int:
        """The same number for pieces that follow one another."""
        nonlocal place
        place += ends.get(each.contig) != each.first
        ends[each.contig] = each.first + each.values.shape[1]
        return place

    for _, group in groupby(rows, region):
        pieces = list(group)
        yield pieces[0], pieces


def _paths(path: Path, targets: Sequence[str]) -> list[Path]:
    """Where each target goes. See `write_coolers`."""
    if path.suffix == ".cool":
        if len(targets) != 1:
            raise ConfigError(f"{path} can hold one target, there are {len(targets)}: name a folder, or choose one")
        paths = [path]
        check_folder_of(path)
    else:
        for target in targets:
            if not names_a_file(target):
                raise ConfigError(f"no file can be called after the target {target!r}: choose others with --targets")
        paths = [path / f"{target}.cool" for target in targets]
    if len({place.name.casefold() for place in paths}) < len(paths):
        raise ConfigError(
            "two targets differ in capital letters alone, and so would their files: choose with --targets"
        )
    for place in paths:
        if place.exists():
            raise OutputError(f"{place} is there already: name another, or take it away")
    return paths


def _check_some(found: Sized) -> None:
    if not len(found):
        raise InputError("nothing is predicted: the regions lie too near the ends of their contigs")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error.strerror}") from None


def _spooled(folder: Path, targets: int, rows: Iterable[ContactRows]) -> list[tuple[ContactRows, tuple[int, int]]]:
    """Put the values of each target into a file of its own, for a cooler is written in one go; what lies where."""
    pieces = []
    files: list[BinaryIO] = [(folder / str(index)).open("wb") for index in range(targets)]
    try:
        for each in rows:
            for file, values in zip(files, each.values, strict=True):
                file.write(np.ascontiguousarray(values).data)
            pieces.append((ContactRows(each.contig, each.first, each.bin_size, each.values[:0]), each.values.shape[1:]))
    finally:
        for file in files:
            file.close()
    return pieces


def _write_cooler(
    path: Path,
    spool: Path,
    pieces: list[tuple[ContactRows, tuple[int, int]]],
    contigs: Mapping[str, int],
    expected: Expected | None,
    said: Mapping[str, Any],
) -> None:
    import cooler

    bin_size = pieces[0][0].bin_size
    bins = _bins(contigs, bin_size)
    first = dict(zip(contigs, np.append(0, np.cumsum(_counts(contigs, bin_size)))[:-1].tolist(), strict=True))

    def pixels() -> Iterator[pd.DataFrame]:
        """The pixels of each piece, in the order of the bins."""
        with spool.open("rb") as file:
            for piece, (rows, diagonals) in pieces:
                values = np.frombuffer(file.read(4 * rows * diagonals), np.float32).reshape(rows, diagonals)
                row, distance = np.nonzero(~np.isnan(values))
                value = values[row, distance]
                if expected:
                    value = (np.exp(value.astype(np.float64)) * expected.at(distance)).astype(np.float32)
                start = first[piece.contig] + piece.first + row
                yield pd.DataFrame({"bin1_id": start, "bin2_id": start + distance, "count": value})

    try:
        cooler.create_cooler(
            str(path),
            bins,
            pixels(),
            dtypes={"count": np.float32},
            ordered=True,
            metadata=json.loads(json.dumps(said)),
            symmetric_upper=True,
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise OutputError(f"{path.name} could not be written and was left out: {one_line(error)}") from None


def _counts(contigs: Mapping[str, int], bin_size: int) -> list[int]:
    return [-(-length // bin_size) for length in contigs.values()]


def _bins(contigs: Mapping[str, int], bin_size: int) -> pd.DataFrame:
    """All bins of a genome; the last of each contig ends with it."""
    counts = _counts(contigs, bin_size)
    start = np.concatenate([np.arange(count) * bin_size for count in counts])
    length = np.repeat(list(contigs.values()), counts)
    chrom = pd.Categorical.from_codes(np.repeat(np.arange(len(counts)), counts), list(contigs))
    return pd.DataFrame(
        {"chrom": chrom, "start": start, "end": np.minimum(start + bin_size, length), "weight": np.ones(len(start))}
    )
