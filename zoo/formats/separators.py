"""Tables whose columns are separated by something else than a reader expects; each is refused in one sentence."""

import re
from pathlib import Path

from zoo.errors import InputError

__all__ = ["refuse_semicolons", "refuse_separator"]

_QUOTED = re.compile(r'"[^"]*"')


def refuse_semicolons(line: str, path: str | Path, separators: str = "tabs") -> None:
    """Check that the first line of a table has no columns separated by semicolons.

    Spreadsheets write these where the decimal mark is a comma, so that numbers may hold commas too.

    Args:
        line: the line.
        path: file that a message names.
        separators: what the reader takes.

    Raises:
        InputError: it has.
    """
    bare = _QUOTED.sub("", line)
    if "\t" not in bare and not line.startswith(";") and bare.count(";") > bare.count(","):
        raise InputError(f"{path}: its columns are separated by ';': save it with {separators} between them")


def refuse_separator(line: str, where: str, columns: int) -> None:
    """Check that a line of too few columns between tabs does not have other separators.

    Args:
        line: the line.
        where: file and line that a message names.
        columns: columns that are needed.

    Raises:
        InputError: its columns are separated by spaces or commas.
    """
    for name, cells, command in (("spaces", line.split(), "tr -s ' '"), ("commas", line.split(","), "tr ','")):
        if "\t" not in line.strip() and len(cells) >= columns:
            raise InputError(
                f"{where}: its columns are separated by {name}, and must be by tabs ({command} '\\t' < FILE replaces "
                "them)"
            )
