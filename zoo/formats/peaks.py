"""Peak files: BED, narrowPeak, broadPeak, gappedPeak; plain or gzipped."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from zoo.errors import ConfigError, InputError
from zoo.formats._peak_tables import count_columns, parse_bed, parse_narrow_peak
from zoo.formats.narrow_peak import decide, has_summits
from zoo.genome.contigs import find_contigs
from zoo.utils.streams import UNREADABLE, WHOLE, describe_unreadable
from zoo.utils.text import check_file, open_text, some_of

__all__ = ["name_peak_files", "read_blacklist", "read_peak_file"]

_SUFFIXES = re.compile(r"(\.(bed|narrowPeak|broadPeak|gappedPeak|txt|tsv|gz|bgz))+$", re.IGNORECASE)


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
        check_file(path)
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


def read_peak_file(path: str, summits: bool = True, notes: list[str] | None = None) -> pd.DataFrame:
    """Read the peaks of a file.

    Args:
        path: BED file of any kind; the first three columns are the peak. One of ten columns is narrowPeak if it is
            called so (`.narrowPeak`), or if its lines are nothing else; its tenth column is the summit then.
        summits: centre narrowPeak peaks on their summits, where they have one; else all peaks on their middles.
        notes: a sentence is added here if a file of ten columns that is not called narrowPeak is taken for it, or not.

    Returns:
        Columns chrom, start, end (0-based, half-open) and centre, in the order of the file.

    Raises:
        InputError: a file that cannot be read or has no peak, or an invalid line (its number is named).
    """
    check_file(path)
    try:
        with open_text(path, WHOLE) as file:
            text = file.read()
    except UNREADABLE as error:
        reason = describe_unreadable(error, path)
        raise InputError(f"{path}: not a text file that can be read as peaks ({reason})") from None
    narrow = _read_summits(text, path, notes) if summits else None
    table = parse_bed(text, path) if narrow is None else narrow
    centre = (table["start"] + table["end"]) // 2
    if narrow is not None:
        centre = centre.where(narrow["summit"] < 0, narrow["start"] + narrow["summit"])
    return table[["chrom", "start", "end"]].assign(centre=centre)


def _read_summits(text: str, path: str, notes: list[str] | None) -> pd.DataFrame | None:
    """Parse narrowPeak; None for another kind of BED.

    Raises:
        InputError: a line that is no BED, or no narrowPeak in a file that is called so.
    """
    try:
        if not has_summits(path, count_columns(text, path)):
            return None
    except InputError:
        parse_bed(text, path)  # names a line that is no BED either
        raise
    table, invalid, other = parse_narrow_peak(text, path)
    return table if decide(path, invalid, other, notes) else None


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
