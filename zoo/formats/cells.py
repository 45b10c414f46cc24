"""Cells of a table of variants, TSV or CSV, line by line: a quote never joins a row with those after it."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from zoo.errors import InputError
from zoo.formats.separators import refuse_semicolons
from zoo.utils.streams import TABLE, UNREADABLE, describe_unreadable
from zoo.utils.text import check_file, open_text, shown_path

__all__ = ["Row", "read_header", "read_rows"]


class Row(NamedTuple):
    """A line of a table.

    Attributes:
        where: file and line, for messages.
        cells: its cells, without blanks and quotes around them.
    """

    where: str
    cells: list[str]


def read_header(path: str | Path) -> list[str]:
    """The names of a table's columns, in lower case.

    Raises:
        InputError: no such file, or one that is no text.
    """
    check_file(path)
    shown = shown_path(path)
    try:
        with open_text(path, TABLE) as file:
            return _header(file.readline(), shown)[0]
    except UNREADABLE as error:
        raise InputError(f"{shown}: not a table ({describe_unreadable(error, path)})") from None


def read_rows(path: str | Path) -> Iterator[Row]:
    """Read a table: first its header, with names in lower case, then each row that is not empty.

    Between tabs a quote is a letter, except around a whole cell; in CSV it is what a spreadsheet writes.

    Args:
        path: TSV or CSV, gzipped or not; `-` is standard input.

    Raises:
        InputError: no such file, one that is no text, a row of another number of cells than the header, or in CSV a
            quote that is not closed on its line.
    """
    if str(path) != "-":
        check_file(path, regular=False)
    shown = shown_path(path)
    try:
        with open_text(path, TABLE) as file:
            names, delimiter = _header(file.readline(), shown)
            yield Row(shown, names)
            for number, line in enumerate(file, 2):
                where = f"{shown}, line {number}"
                cells = _cells(line, delimiter, len(names), where)
                if not any(cells):
                    continue
                if len(cells) != len(names):
                    raise InputError(f"{where}: {len(cells)} cells where the header has {len(names)}")
                yield Row(where, cells)
    except UNREADABLE as error:
        raise InputError(f"{shown}: not a table ({describe_unreadable(error, path)})") from None


def _header(line: str, shown: str) -> tuple[list[str], str]:
    """The names of the columns, and what separates cells.

    Raises:
        InputError: a VCF, columns between semicolons, or a quote that is not closed.
    """
    refuse_semicolons(line, shown)
    if line.lower().startswith("##fileformat=vcf"):
        cure = "save it as a file whose name ends" if shown == shown_path("-") else "let its name end"
        raise InputError(f"{shown} begins like a VCF, which is read by its name: {cure} in .vcf or .vcf.gz")
    delimiter = "\t" if "\t" in line else ","
    cells = _cells(line, delimiter, None, f"{shown}, line 1")
    return [cell.lower().removeprefix("#") for cell in cells], delimiter


def _cells(line: str, delimiter: str, width: int | None, where: str) -> list[str]:
    """The cells of a line.

    Args:
        line: the line.
        delimiter: what separates them.
        width: how many are expected; None for any number.
        where: file and line, for messages.

    Raises:
        InputError: a quote in CSV that is not closed.
    """
    line = line.rstrip("\n")
    if '"' not in line:
        return [cell.strip() for cell in line.split(delimiter)]
    csv.field_size_limit(TABLE.line)
    try:
        cells = next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        cells = []
    if delimiter == "\t" and (not cells or width not in (None, len(cells))):
        return [_unquoted(cell) for cell in line.split(delimiter)]
    if not cells:
        raise InputError(f"{where}: a quote that is not closed at the end of its cell and line")
    return [cell.strip() for cell in cells]


def _unquoted(cell: str) -> str:
    """A cell between tabs, without quotes around the whole of it."""
    is_quoted = len(cell) > 1 and cell[0] == cell[-1] == '"'
    return (cell[1:-1].replace('""', '"') if is_quoted else cell).strip()
