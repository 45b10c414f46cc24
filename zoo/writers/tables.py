"""Formats of a table, chosen by the ending of its file: TSV or CSV, plain or gzipped, and Parquet; written in blocks.

Shapes: N rows, T columns of values.
"""

import gzip
import io
import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol, TextIO, cast

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ConfigError
from zoo.utils.atomic import whole_file, whole_path
from zoo.utils.extras import require_extras

__all__ = ["TableFormat", "TableSink", "open_table", "table_format"]

_SEPARATORS = {"": "\t", ".tsv": "\t", ".txt": "\t", ".csv": ","}
_KNOWN = ".tsv, .txt, .csv (each with .gz too) or .parquet"
_BLANK = str.maketrans("\t\r\n", "   ")  # in a name they would make columns and lines
_GZIP_LEVEL = 6


class TableFormat(NamedTuple):
    """Format of a table.

    Attributes:
        separator: what separates cells; empty for Parquet.
        gzipped: whether the text is compressed.
    """

    separator: str
    gzipped: bool


def table_format(path: str | Path) -> TableFormat:
    """Choose the format by the ending of a file; TSV for standard output (`-`) and a name without an ending.

    Raises:
        ConfigError: an ending that says another format.
        MissingExtraError: Parquet, and no package that writes it is installed.
    """
    name = "" if str(path) == "-" else Path(path).name
    gzipped = name.lower().endswith(".gz")
    ending = Path(name[:-3] if gzipped else name).suffix.lower()
    if ending == ".parquet" and not gzipped:
        require_extras(["parquet"], "writing Parquet")
        return TableFormat("", False)
    if ending not in _SEPARATORS:
        raise ConfigError(f"{path}: tables end in {_KNOWN}, not in {Path(name).suffix}")
    return TableFormat(_SEPARATORS[ending], gzipped)


class TableSink(Protocol):
    """Writes a table block by block; the first block gives the names of the columns."""

    def write(self, columns: Mapping[str, Sequence[object]], targets: Sequence[str], values: NDArray[Any]) -> None:
        """Write rows: columns of names or numbers (N each), then a column for each target (N, T)."""


@contextmanager
def open_table(path: str | Path, metadata: Mapping[str, str] | None = None) -> Iterator[TableSink]:
    """Open a table for writing that appears whole or not at all; `-` is standard output.

    Args:
        path: the file, whose ending says the format.
        metadata: facts that are stored in a file of Parquet.

    Raises:
        ConfigError: an ending that says another format.
        OutputError: no such folder, a folder of that name, or a full disk; nothing is left behind.
    """
    chosen = table_format(path)
    if chosen == TableFormat(chosen.separator, False) and chosen.separator:
        with whole_file(str(path)) as file:
            yield _TextTable(file, chosen.separator)
        return
    with whole_path(Path(path)) as draft:
        if chosen.gzipped:
            with draft.open("wb") as raw, gzip.GzipFile("", "wb", _GZIP_LEVEL, raw, mtime=0) as zipped:
                text = io.TextIOWrapper(cast(BinaryIO, zipped), "utf-8", newline="\n")
                yield _TextTable(text, chosen.separator)
                text.detach()
        else:
            parquet = _ParquetTable(draft, metadata or {})
            try:
                yield parquet
            finally:
                parquet.close()


class _TextTable:
    """TSV or CSV, with seven digits of each value."""

    def __init__(self, file: TextIO, separator: str) -> None:
        self.file, self.separator = file, separator
        self.clean = _csv_cell if separator == "," else _tsv_cell
        self.begun = False

    def write(self, columns: Mapping[str, Sequence[object]], targets: Sequence[str], values: NDArray[Any]) -> None:
        """Append rows; the header before the first."""
        if not self.begun:
            self.begun = True
            self.file.write(self.separator.join(map(self.clean, [*columns, *targets])) + "\n")
        row = self.separator.join(["%s"] * len(columns) + ["%.7g"] * len(targets)) + "\n"
        # (N, T) -> T lists of N values, interleaved row by row into one format
        cells = [list(map(self.clean, column)) for column in columns.values()]
        flat = itertools.chain.from_iterable(zip(*cells, *values.T.tolist(), strict=True))
        self.file.write(row * len(values) % tuple(flat))
        self.file.flush()


def _tsv_cell(cell: object) -> str:
    return str(cell).translate(_BLANK)


def _csv_cell(cell: object) -> str:
    text = str(cell).translate(_BLANK)
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


class _ParquetTable:
    """Parquet: columns of text, int64 and float32."""

    def __init__(self, path: Path, metadata: Mapping[str, str]) -> None:
        self.path, self.metadata = path, metadata
        self.writer: Any = None

    def write(self, columns: Mapping[str, Sequence[object]], targets: Sequence[str], values: NDArray[Any]) -> None:
        """Append rows as one group."""

        import pyarrow
        from pyarrow.parquet import ParquetWriter

        arrays = {name: pyarrow.array(_plain(column)) for name, column in columns.items()}
        arrays |= {name: pyarrow.array(np.ascontiguousarray(values[:, i])) for i, name in enumerate(targets)}
        if self.writer is None:
            schema = pyarrow.schema([(name, array.type) for name, array in arrays.items()], self.metadata)
            self.writer = ParquetWriter(str(self.path), schema)
        self.writer.write_table(pyarrow.table(arrays).cast(self.writer.schema))

    def close(self) -> None:
        """Write the end of the file."""
        if self.writer is not None:
            self.writer.close()


def _plain(column: Sequence[object]) -> Sequence[object]:
    """Text or int64; an empty column is text."""
    numbers = len(column) and all(isinstance(cell, int | np.integer) for cell in (column[0], column[-1]))
    return np.asarray(column, np.int64) if numbers else list(map(str, column))  # type: ignore[return-value]
