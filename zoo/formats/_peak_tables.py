"""Tables of a peak file: all lines parsed at once, or one by one where some are headers or invalid."""

import csv
import io
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zoo.errors import InputError
from zoo.formats.bed import STRANDS, bed_lines, is_header, parse_bounds, table_columns
from zoo.formats.narrow_peak import Recognition, describe_invalid
from zoo.genome.intervals import LONGEST_CONTIG

__all__ = ["count_columns", "parse_bed", "parse_narrow_peak"]

# Number of a column -> its name and type. Names and scores of narrowPeak are not read.
_BED = {0: ("chrom", "str"), 1: ("start", "int64"), 2: ("end", "int64")}
_NARROW = {
    **_BED,
    5: ("strand", "str"),
    6: ("signal", "float64"),
    7: ("p", "float64"),
    8: ("q", "float64"),
    9: ("summit", "int64"),
}


def count_columns(text: str, path: str) -> int:
    """Count the columns of the first line that is no header, as `bed_lines` gives them; 0 where there is none.

    Raises:
        InputError: it is no BED.
    """
    return next((len(fields) for _, fields in bed_lines(_lines(text), path)), 0)


def parse_bed(text: str, path: str) -> pd.DataFrame:
    """Parse the first three columns: chrom, start, end.

    Raises:
        InputError: an invalid line (its number is named), or no peak.
    """
    table = _parse_whole(text, _BED)
    if table is not None:
        return table
    rows = [(fields[0], *parse_bounds(fields, f"{path}, line {n}")) for n, fields in bed_lines(text.split("\n"), path)]
    if not rows:
        raise InputError(f"{path}: no peak in it")
    return pd.DataFrame(rows, columns=["chrom", "start", "end"])


def parse_narrow_peak(text: str, path: str) -> tuple[pd.DataFrame, str | None, str | None]:
    """Parse lines of ten columns as narrowPeak.

    Returns:
        Columns chrom, start, end, strand, signal, p, q, summit, of the lines before the first that is no narrowPeak;
        this line and why it is none; and why the lines are another kind of BED, or may be.

    Raises:
        InputError: a line that is no BED either (its number is named), or no peak.
    """
    table, invalid = _parse_whole(text, _NARROW), None
    if table is None or not _is_narrow(table):
        rows = []
        for number, fields in bed_lines(text.split("\n"), path):
            first, last = parse_bounds(fields, f"{path}, line {number}")
            if message := describe_invalid(fields, last - first):
                invalid = f"line {number}: {message}"
                break
            rows.append((fields[0], first, last, fields[5], *map(float, fields[6:9]), int(fields[9])))
        if not rows and invalid is None:
            raise InputError(f"{path}: no peak in it")
        table = pd.DataFrame(rows, columns=[name for name, _ in _NARROW.values()])
    recognition = Recognition()
    start, end = (table[column].to_numpy(np.int64) for column in ("start", "end"))
    recognition.add(start, end, table[["signal", "p", "q"]].to_numpy(np.float64).T)
    return table, invalid, recognition.describe_other()


def _is_narrow(table: pd.DataFrame) -> bool:
    inside = (table["summit"] >= -1) & (table["summit"] < table["end"] - table["start"])
    return bool((inside & table["strand"].isin(STRANDS)).all())


def _body(text: str) -> tuple[str, int]:
    """The text without the header lines at its beginning, and how many columns a table's header has (0 for none)."""
    start = columns = 0
    names = list[str]()
    for line in _lines(text):
        if not names and (names := table_columns(line)):
            columns = 0 if line.startswith("#") else len(names)
        elif line.strip() and not is_header(line):
            break
        start += len(line)
    return text[start:], columns


def _lines(text: str) -> Iterator[str]:
    """Lines of a text, with their ends; a text of a million lines is not copied."""
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def _parse_whole(text: str, wanted: Mapping[int, tuple[str, str]]) -> pd.DataFrame | None:
    """Parse some columns of all lines at once; None if any line is a header, differs in columns, or is no interval."""
    body, named = _body(text)
    columns = body.partition("\n")[0].count("\t") + 1
    if named not in (0, columns):
        return None
    whole = {number: name for number, (name, kind) in wanted.items() if kind == "int64"}
    width = _cell_widths(body, columns, list(whole)) if columns > max(wanted) else None
    if width is None:
        return None
    try:
        with np.errstate(invalid="ignore"):  # of numbers past 64 bits, which are refused
            table = pd.read_csv(
                io.StringIO(body),
                sep="\t",
                header=None,
                usecols=list(wanted),
                dtype={number: kind for number, (_, kind) in wanted.items()},
                na_filter=False,
                quoting=csv.QUOTE_NONE,
                skip_blank_lines=False,
            )
    except (ValueError, OverflowError):  # errors of pandas are ValueErrors
        return None
    table.columns = pd.Index([name for name, _ in wanted.values()])
    valid = (table["start"] >= 0) & (table["end"] > table["start"]) & (table["end"] <= LONGEST_CONTIG)
    valid &= ~table["chrom"].str.startswith("#") & (table["chrom"].str.strip() != "")
    return table if valid.all() and _are_plain(table[list(whole.values())], width) else None


def _cell_widths(body: str, columns: int, chosen: list[int]) -> NDArray[np.int64] | None:
    """Widths of the cells of chosen columns (not the first) in each line; None if a line has more or fewer columns."""
    letters = np.frombuffer(body.rstrip("\n").encode() + b"\n", dtype=np.uint8)
    tab, end = np.flatnonzero(letters == ord("\t")), np.flatnonzero(letters == ord("\n"))
    tabs = columns - 1
    if (np.diff(np.searchsorted(tab, end), prepend=0) != tabs).any():
        return None
    last = [tab[column::tabs] if column < tabs else end for column in chosen]
    return np.stack([end - tab[column - 1 :: tabs] - 1 for column, end in zip(chosen, last, strict=True)], 1)


def _are_plain(numbers: pd.DataFrame, width: NDArray[np.int64]) -> bool:
    """Return whether numbers are as wide as their digits and sign; pandas reads `1e3`, `5.0` and `+5` as whole too."""
    values = numbers.to_numpy()
    digits = np.searchsorted(10 ** np.arange(1, 19), np.abs(values), side="right") + 1
    return bool((digits + (values < 0) == width).all())
