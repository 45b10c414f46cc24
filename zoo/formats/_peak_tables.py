"""Tables of a peak file: all lines parsed at once, or one by one where some are headers or invalid."""

import csv
import io
import re
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zoo.errors import InputError
from zoo.formats.bed import STRANDS, bed_lines, is_header, parse_bounds
from zoo.genome.intervals import LONGEST_CONTIG
from zoo.utils.text import quoted

__all__ = ["NARROW_PEAK", "count_columns", "parse_bed", "parse_narrow_peak"]

NARROW_PEAK = 10  # columns
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
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|[+-]?inf(inity)?", re.IGNORECASE)
_SUMMIT = re.compile(r"-1|[0-9]{1,10}")


def count_columns(text: str) -> int:
    """Count the columns of the first line that is no header."""
    return _body(text).partition("\n")[0].count("\t") + 1


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


def parse_narrow_peak(text: str, path: str) -> tuple[pd.DataFrame | None, str | None]:
    """Parse lines of ten columns as narrowPeak.

    Returns:
        Columns chrom, start, end, strand, signal, p, q, summit, or None if some line is no narrowPeak; and why the file
        is another kind of BED, or may be.

    Raises:
        InputError: a line that is no BED either (its number is named), or no peak.
    """
    table = _parse_whole(text, _NARROW)
    if table is None or not _is_narrow(table):
        rows = []
        for number, fields in bed_lines(text.split("\n"), path):
            start, end = parse_bounds(fields, f"{path}, line {number}")
            if message := _describe_invalid(fields, end - start):
                return None, f"line {number}: {message}"
            rows.append((fields[0], start, end, fields[5], *map(float, fields[6:9]), int(fields[9])))
        if not rows:
            raise InputError(f"{path}: no peak in it")
        table = pd.DataFrame(rows, columns=[name for name, _ in _NARROW.values()])
    return table, _describe_other(table)


def _is_narrow(table: pd.DataFrame) -> bool:
    inside = (table["summit"] >= -1) & (table["summit"] < table["end"] - table["start"])
    return bool((inside & table["strand"].isin(STRANDS)).all())


def _describe_invalid(fields: list[str], length: int) -> str | None:
    """Describe why a line of ten columns is no narrowPeak; None if it is."""
    if fields[5] not in STRANDS:
        return f"the strand {quoted(fields[5])} is none of +, - and ."
    for cell in fields[6:9]:
        if not _NUMBER.fullmatch(cell):
            return f"{quoted(cell)} is no signal, p or q value"
    if not _SUMMIT.fullmatch(fields[9]):
        return f"the summit {quoted(fields[9])} must be a whole number, or -1 for none"
    if int(fields[9]) >= length:
        return f"the summit {fields[9]} lies outside the peak's {length} bases"
    return None


def _describe_other(table: pd.DataFrame) -> str | None:
    """Describe why lines that could be narrowPeak are probably of another BED of ten columns; None if they are not."""
    thick = (table["start"] <= table["signal"]) & (table["signal"] <= table["p"]) & (table["p"] <= table["end"])
    if thick.all():
        return "columns 7 and 8 lie between start and end in all lines, as thickStart and thickEnd of BED do"
    if not table[["signal", "p", "q"]].to_numpy().any():
        return "columns 7 to 9 are 0 in all lines"
    return None


def _body(text: str) -> str:
    """The text without the header lines at its beginning."""
    start = 0
    while text.startswith(("#", "track", "browser", "\n"), start):
        end = text.find("\n", start) + 1 or len(text)
        if text[start] != "\n" and not is_header(text[start:end]):
            break
        start = end
    return text[start:]


def _parse_whole(text: str, wanted: Mapping[int, tuple[str, str]]) -> pd.DataFrame | None:
    """Parse some columns of all lines at once; None if any line is a header, differs in columns, or is no interval."""
    body = _body(text)
    columns = body.partition("\n")[0].count("\t") + 1
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
