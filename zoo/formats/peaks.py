"""Peak files: BED, narrowPeak, broadPeak, gappedPeak; plain or gzipped."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from zoo.errors import ConfigError, InputError
from zoo.formats.bed import HEADERS, parse_bounds
from zoo.genome.contigs import find_contigs
from zoo.utils.text import UNREADABLE, open_text, some_of

__all__ = ["name_peak_files", "read_blacklist", "read_peak_file"]

_SUFFIXES = re.compile(r"(\.(bed|narrowPeak|broadPeak|gappedPeak|txt|tsv|gz|bgz))+$", re.IGNORECASE)
# BED has three to twelve columns, narrowPeak ten, gappedPeak fifteen.
_COLUMNS = (*range(3, 13), 15)
_NARROW_PEAK = 10
_SUMMIT = 9
_LONGEST = 2**31 - 1  # bases of a chromosome, in every format of the field


def name_peak_files(files: Iterable[str] | Mapping[str, str]) -> dict[str, str]:
    """Name the target of each peak file: given, or the file's name without its endings.

    Args:
        files: paths, each alone or as `NAME=PATH`; or name -> path.

    Returns:
        Name -> path, in the given order.

    Raises:
        InputError: no such file.
        ConfigError: no file at all, two of one name, or a name that cannot be a column of a table.
    """
    pairs = files.items() if isinstance(files, Mapping) else [_split_name(file) for file in files]
    named: dict[str, str] = {}
    for name, path in pairs:
        if not path:
            raise ConfigError(f"the target {name!r} needs a file: say {name}=FILE")
        if not Path(path).is_file():
            raise InputError(f"{path}: no such file")
        if not name or re.search(r"\s", name):
            raise ConfigError(f"{path}: {name!r} cannot name a target; say NAME={path}")
        if name in named:
            raise ConfigError(f"{named[name]} and {path} would both be the target {name!r}; say NAME={path}")
        if name in ("chrom", "start", "end", "split"):
            raise ConfigError(f"{path}: a table has a column {name!r} of its own; say NAME={path}")
        named[name] = path
    if not named:
        raise ConfigError("name at least one peak file")
    return named


def _split_name(file: str) -> tuple[str, str]:
    if "=" in file and not Path(file).is_file():
        name, _, path = file.partition("=")
        return name, path
    return _SUFFIXES.sub("", Path(file).name), file


def read_peak_file(path: str, summits: bool = True) -> pd.DataFrame:
    """Read the peaks of one file.

    Args:
        path: a file of 3 to 12 or 15 tab-separated columns, the same number in each line; one of ten columns is
            narrowPeak, whose tenth column is the summit. Lines that begin with `#`, `track` or `browser` are skipped.
        summits: use the summit of a narrowPeak peak as its centre, where it has one; else the middle of every peak.

    Returns:
        Columns chrom, start, end, centre, in the order of the file, 0-based and half-open.

    Raises:
        InputError: a file that cannot be read or has no peak, or an invalid line (its number is named).
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file")
    try:
        with open_text(path) as file:
            text = file.read()
    except UNREADABLE as error:
        raise InputError(f"{path}: not a text file that can be read as peaks ({error})") from None
    table = _parse_whole(text)
    if table is None:
        table = _parse_lines(text, path)
    centre = (table["start"] + table["end"]) // 2
    if summits and "summit" in table:
        centre = centre.where(table["summit"] < 0, table["start"] + table["summit"])
    return table[["chrom", "start", "end"]].assign(centre=centre)


def read_blacklist(path: str, names: list[str]) -> pd.DataFrame:
    """Read blacklisted regions, with the contig names of the genome; regions on other contigs are ignored.

    Args:
        path: BED file.
        names: names of the genome's contigs.

    Returns:
        Columns chrom, start, end.

    Raises:
        InputError: a file that cannot be read, or that has none of these contigs.
    """
    regions = read_peak_file(path, summits=False)
    number, chroms = pd.factorize(regions["chrom"])
    matched = find_contigs([str(name) for name in chroms], names)
    if not any(matched.values()):
        raise InputError(f"{path}: no contig of it is in the genome, which has {some_of(names)}")
    known = np.array([name or "" for name in matched.values()])[number]
    regions = regions.assign(chrom=known)[["chrom", "start", "end"]]
    return regions[known != ""].reset_index(drop=True)


def _parse_whole(text: str) -> pd.DataFrame | None:
    """Parse all lines at once; None if any is invalid, so that `_parse_lines` can name it."""
    start = 0
    while text.startswith(HEADERS, start):
        start = text.find("\n", start) + 1
        if not start:
            return None
    body = text[start:]
    columns = body.partition("\n")[0].count("\t") + 1
    wanted = [0, 1, 2, *([_SUMMIT] if columns == _NARROW_PEAK else [])]
    types = {0: "str", **dict.fromkeys(wanted[1:], "int64")}
    try:
        table = pd.read_csv(
            io.StringIO(body),
            sep="\t",
            header=None,
            usecols=wanted,
            dtype=types,
            na_filter=False,
            quoting=csv.QUOTE_NONE,
            skip_blank_lines=False,
        )
    except (ValueError, OverflowError):  # errors of pandas are ValueErrors
        return None
    table.columns = pd.Index(["chrom", "start", "end", "summit"][: len(wanted)])
    return (
        table
        if columns in _COLUMNS and len(table) and _has_equal_columns(body, columns - 1) and _is_valid(table)
        else None
    )


def _has_equal_columns(body: str, tabs: int) -> bool:
    """Return whether each line has so many tabs."""
    letters = np.frombuffer(body.rstrip("\n").encode() + b"\n", dtype=np.uint8)
    before = np.searchsorted(np.flatnonzero(letters == ord("\t")), np.flatnonzero(letters == ord("\n")))
    return bool((np.diff(before, prepend=0) == tabs).all())


def _is_valid(table: pd.DataFrame) -> bool:
    valid = (table["start"] >= 0) & (table["end"] > table["start"]) & (table["end"] <= _LONGEST)
    valid &= ~table["chrom"].str.startswith(HEADERS)
    if "summit" in table:
        valid &= (table["summit"] >= -1) & (table["summit"] < table["end"] - table["start"])
    return bool(valid.all())


def _parse_lines(text: str, path: str) -> pd.DataFrame:
    """Parse line by line, to name the first invalid line."""
    rows: list[tuple[str, int, int, int]] = []
    columns, first = 0, 0
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith(HEADERS):
            continue
        fields, where = line.split("\t"), f"{path}, line {number}"
        if not rows:
            columns, first = len(fields), number
        if len(fields) != columns:
            raise InputError(f"{where}: {len(fields)} tab-separated columns where line {first} has {columns}")
        if columns not in _COLUMNS:
            raise InputError(f"{where}: {columns} tab-separated columns, where BED has 3 to 12 and narrowPeak 10")
        rows.append((fields[0], *_numbers(fields, where)))
    if not rows:
        raise InputError(f"{path}: no peak in it")
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "summit"])


def _numbers(fields: list[str], where: str) -> tuple[int, int, int]:
    """Parse start, end and summit of one line."""
    start, end = parse_bounds(fields, where)
    try:
        summit = int(fields[_SUMMIT]) if len(fields) == _NARROW_PEAK else -1
    except ValueError:
        raise InputError(f"{where}: the summit {fields[_SUMMIT]!r} must be a whole number") from None
    if not -1 <= summit < end - start:
        raise InputError(f"{where}: the summit {summit} lies outside the peak's {end - start} bases")
    if end > _LONGEST:
        raise InputError(f"{where}: the end {end} lies past any chromosome")
    return start, end, summit
