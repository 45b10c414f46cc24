"""Print tables: fitted to a terminal, a row on each line; as TSV into a pipe or file."""

import shutil
import sys
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Column", "fit_table", "print_table", "print_tsv"]

_BOLD, _PLAIN = "\033[1m", "\033[0m"


class Column(NamedTuple):
    """A column of a table on a terminal.

    Attributes:
        title: its name.
        least: fewest characters that its cells may be cut to; None for cells that are never cut.
        rank: columns of the highest rank leave the table first where cutting cells is not enough; 0 stays.
        spare: the column is shown only where all columns fit without being cut.
        plural: what a list of several, such as "K562, HepG2", is counted as where it does not fit: "2 cells".
    """

    title: str
    least: int | None = None
    rank: int = 0
    spare: bool = False
    plural: str | None = None


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on a terminal, whose last column may be cut, or TSV into a pipe or file.

    Args:
        header: names of the columns.
        rows: one text per column each.
    """
    if not sys.stdout.isatty():
        print_tsv(header, rows)
    else:
        columns = [*(Column(title) for title in header[:-1]), Column(header[-1], 10)]
        print("\n".join(fit_table(columns, rows, shutil.get_terminal_size().columns)))


def print_tsv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table as TSV."""
    print("\n".join("\t".join(row) for row in [header, *rows]))


def fit_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Lay out a table on lines of a width; empty columns are left out.

    Cells are cut with an ellipsis, the widest column first; where that is not enough, columns leave the table. Lines
    are longer than the width only where the columns that are never cut are.

    Args:
        columns: the columns.
        rows: one text per column each.
        width: characters of a line.

    Returns:
        The title line, in bold, and a line for each row.
    """
    cells = {
        column: [row[index] for row in rows] for index, column in enumerate(columns) if any(row[index] for row in rows)
    }
    if sum(_widths(cells).values()) + 2 * len(cells) - 2 > width:
        cells = {column: texts for column, texts in cells.items() if not column.spare}
    while True:
        widths = _widths(cells)
        gap = "  " if sum(widths.values()) + 2 * len(widths) - 2 <= width else " "
        _shrink(widths, width - len(gap) * (len(widths) - 1))
        if sum(widths.values()) + len(gap) * (len(widths) - 1) <= width or not any(column.rank for column in cells):
            break
        del cells[max(cells, key=lambda column: column.rank)]
    lines = [
        gap.join(_cut(text, column, widths[column]) for column, text in zip(cells, texts, strict=True))
        for texts in zip(*([column.title, *texts] for column, texts in cells.items()), strict=True)
    ]
    first, *others = [line.rstrip() for line in lines]
    return [f"{_BOLD}{first}{_PLAIN}", *others]


def _widths(cells: dict[Column, list[str]]) -> dict[Column, int]:
    return {column: max(map(len, [column.title, *texts])) for column, texts in cells.items()}


def _shrink(widths: dict[Column, int], total: int) -> None:
    """Narrow the widest columns, one character at a time, until the sum of all is `total` or none can be narrowed."""
    while sum(widths.values()) > total:
        soft = [column for column in widths if column.least is not None and widths[column] > column.least]
        if not soft:
            return
        widths[max(soft, key=lambda column: widths[column])] -= 1


def _cut(text: str, column: Column, width: int) -> str:
    """A cell of `width` characters; a text that does not fit is counted where it lists several, else cut."""
    if len(text) > width:
        several = f"{text.count(', ') + 1} {column.plural}"
        text = several if column.plural and ", " in text and len(several) <= width else text[: width - 1] + "…"
    return text.ljust(width)
