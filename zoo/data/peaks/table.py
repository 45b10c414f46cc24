"""PeakTable: sites on a genome with their splits and labels, between peak files and a model.

A TSV file with the columns chrom, start, end (0-based, half-open), split, and one column of 0 and 1 per target.
Shapes: S sites, T targets.
"""

import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.errors import ParserWarning

from zoo.data.labelled import LabelledWindows
from zoo.data.splits import SPLITS, split_index
from zoo.data.windows import GenomeWindows
from zoo.errors import InputError, one_line
from zoo.formats.separators import refuse_semicolons
from zoo.genome.contigs import match_contigs
from zoo.genome.fasta import Genome
from zoo.utils.atomic import whole_file
from zoo.utils.streams import UNREADABLE, describe_unreadable
from zoo.utils.text import check_file, open_text, quoted, some_of

__all__ = ["SITE_COLUMNS", "PeakTable", "join_tables", "read_table_header"]

SITE_COLUMNS = ("chrom", "start", "end", "split")
_ROWS_AT_ONCE = 65_536
_log = logging.getLogger("zoo")


@dataclass(frozen=True)
class PeakTable:
    """Sites of one length with their splits and labels.

    Attributes:
        targets: names of the targets (T).
        contigs: names of the contigs.
        contig: index of each site's contig in `contigs` (S,).
        start: first base of each site, 0-based (S,).
        length: bases of every site.
        labels: 0 or 1, uint8 (S, T); a site without any 1 is a negative.
        split: index into `SPLITS` (S,).
    """

    targets: list[str]
    contigs: list[str]
    contig: NDArray[np.int64]
    start: NDArray[np.int64]
    length: int
    labels: NDArray[np.uint8]
    split: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.start)

    def write(self, path: str | Path) -> None:
        """Write the TSV, whole or not at all; `-` is standard output."""
        with whole_file(str(path)) as file:
            file.write("\t".join([*SITE_COLUMNS, *self.targets]) + "\n")
            for block in self._blocks():
                file.write(block)

    def _blocks(self) -> Iterator[str]:
        """Format the rows, many at once.

        The coordinates, whose lengths differ, are formatted row by row; the labels are one array of bytes.
        """
        for first in range(0, len(self), _ROWS_AT_ONCE):
            rows = slice(first, first + _ROWS_AT_ONCE)
            starts = self.start[rows].tolist()
            contigs = [self.contigs[index] for index in self.contig[rows].tolist()]
            splits = [SPLITS[index] for index in self.split[rows].tolist()]
            labels = self.labels[rows]
            cells = np.full((len(labels), 2 * labels.shape[1] + 1), ord("\t"), dtype=np.uint8)
            cells[:, 1::2], cells[:, -1] = labels + ord("0"), ord("\n")
            text, width = cells.tobytes().decode("ascii"), cells.shape[1]
            yield "".join(
                f"{contig}\t{start}\t{start + self.length}\t{split}{text[i * width : (i + 1) * width]}"
                for i, (contig, start, split) in enumerate(zip(contigs, starts, splits, strict=True))
            )

    @classmethod
    def read(cls, path: str | Path) -> "PeakTable":
        """Read a table that `write` or another program wrote, plain or gzipped.

        Raises:
            InputError: no such file, a missing column, or an invalid cell (its line is named).
        """
        table = _read_cells(path)
        targets = list(table.columns[len(SITE_COLUMNS) :])
        lengths = (table["end"] - table["start"]).unique()
        if len(lengths) != 1 or lengths[0] < 1:
            raise InputError(
                f"{path}: sites of {', '.join(str(n) for n in sorted(lengths)[:5])} bases; all need one length"
            )
        splits = {word: split_index(word) for word in table["split"].unique()}
        unknown = [word for word, index in splits.items() if index is None]
        if unknown:
            raise InputError(f"{path}: the split {quoted(min(unknown))} is none of {', '.join(SPLITS)}")
        contig, contigs = pd.factorize(table["chrom"])
        return cls(
            targets,
            [str(name) for name in contigs],
            contig.astype(np.int64),
            table["start"].to_numpy(np.int64),
            int(lengths[0]),
            table[targets].to_numpy(np.uint8),
            table["split"].map(splits).to_numpy(np.int64),
        )

    @classmethod
    def read_all(cls, files: Sequence[tuple[str, int]]) -> "PeakTable":
        """Read tables of the same targets as one.

        Args:
            files: path, and index into `SPLITS` of all its sites; -1 for the splits in the table.

        Raises:
            InputError: as `read`, or tables of other targets or lengths.
        """
        tables = [cls.read(path) for path, _ in files]
        first = tables[0]
        for (path, _), table in zip(files, tables, strict=True):
            if (table.targets, table.length) != (first.targets, first.length):
                raise InputError(f"{path} has other targets, or sites of another length, than {files[0][0]}")
        for (path, index), table in zip(files, tables, strict=True):
            if index >= 0 and (table.split != index).any():
                _log.warning(f"{path}: the splits in it do not count: all its sites are for {SPLITS[index]}")
        given = [
            table if index < 0 else replace(table, split=np.full(len(table), index))
            for (_, index), table in zip(files, tables, strict=True)
        ]
        return join_tables(given)

    def on(self, genome: Genome) -> LabelledWindows:
        """Place the sites on a genome, as windows.

        Raises:
            InputError: a contig that the genome does not have, or a site that reaches past the end of its contig.
        """
        names = list(genome.contigs)
        matched = match_contigs(self.contigs, names)
        renamed = [f"{name} is {other}" for name, other in matched.items() if name != other]
        if renamed:
            _log.warning(f"contigs of the table have other names in {genome.path}: {some_of(renamed)}")
        order = {name: index for index, name in enumerate(names)}
        number = np.array([order[matched[name]] for name in self.contigs])
        lengths = np.array(list(genome.contigs.values()))
        contig = number[self.contig]
        past = np.flatnonzero((self.start < 0) | (self.start + self.length > lengths[contig]))
        if len(past):
            name, start = self.contigs[self.contig[past[0]]], self.start[past[0]]
            raise InputError(
                f"the site {name}:{start}-{start + self.length} reaches past the end of its contig in {genome.path}, "
                f"and so do {len(past) - 1} others: was the table made on another genome?"
            )
        return LabelledWindows(GenomeWindows(genome, contig, self.start, self.length), self.labels, self.split)


def join_tables(tables: Sequence[PeakTable]) -> PeakTable:
    """Join tables of the same targets and length into one; their contigs may be others."""
    contigs = list(dict.fromkeys(name for table in tables for name in table.contigs))
    number = {name: index for index, name in enumerate(contigs)}
    contig = [np.array([number[name] for name in table.contigs])[table.contig] for table in tables]
    start, labels, split = (
        np.concatenate([getattr(table, name) for table in tables]) for name in ("start", "labels", "split")
    )
    return replace(tables[0], contigs=contigs, contig=np.concatenate(contig), start=start, labels=labels, split=split)


def read_table_header(path: str | Path) -> tuple[list[str], int]:
    """Read the names of the targets and the length of the first site, without the rest of the table.

    Raises:
        InputError: no such file, other columns, or a first row without whole numbers.
    """
    columns, row = _first_lines(path)
    if len(row) < len(SITE_COLUMNS) or not (row[1].isdecimal() and row[2].isdecimal()):
        raise InputError(_find_invalid_line(path, columns) or f"{path}: no site in it")
    return columns[len(SITE_COLUMNS) :], int(row[2]) - int(row[1])


def _first_lines(path: str | Path) -> tuple[list[str], list[str]]:
    """Read and check the names of the columns; also the cells of the first row."""
    check_file(path)
    try:
        with open_text(path) as file:
            columns, row = (file.readline().rstrip("\r\n").split("\t") for _ in range(2))
    except UNREADABLE as error:
        raise InputError(f"{path} cannot be read as a table of peaks ({describe_unreadable(error, path)})") from None
    refuse_semicolons("\t".join(columns), path)
    targets = columns[len(SITE_COLUMNS) :]
    if columns[: len(SITE_COLUMNS)] != list(SITE_COLUMNS) or not targets:
        raise InputError(
            f"{path} is no table of peaks: its columns are {some_of(columns)} where "
            f"{', '.join(SITE_COLUMNS)} and at least one target should be"
        )
    if len(set(targets)) < len(targets):
        raise InputError(f"{path}: two columns are called {quoted(max(targets, key=targets.count))}")
    return columns, row


def _read_cells(path: str | Path) -> pd.DataFrame:
    columns, _ = _first_lines(path)
    targets = columns[len(SITE_COLUMNS) :]
    types = {"chrom": str, "start": np.int64, "end": np.int64, "split": str, **dict.fromkeys(targets, np.uint8)}
    try:
        with open_text(path) as file, warnings.catch_warnings():
            warnings.simplefilter("error", ParserWarning)  # of a line with too many cells
            table = pd.read_csv(file, sep="\t", dtype=types, na_filter=False, index_col=False)
        if (table[targets].to_numpy() > 1).any():
            raise ValueError("a label is not 0 or 1")
    except (ValueError, OverflowError, OSError, ParserWarning, *UNREADABLE) as error:
        raise InputError(_find_invalid_line(path, columns) or f"{path} cannot be read ({one_line(error)})") from None
    if not len(table):
        raise InputError(f"{path}: no site in it")
    return table


def _find_invalid_line(path: str | Path, columns: list[str]) -> str | None:
    """Describe the first invalid line; None where all are valid."""
    try:
        with open_text(path) as file:
            for number, line in enumerate(file, 1):
                cells = line.rstrip("\r\n").split("\t")
                if number == 1 or cells == [""]:
                    continue
                if len(cells) != len(columns):
                    return f"{path}, line {number}: {len(cells)} cells under {len(columns)} columns"
                for index in (1, 2):
                    if not cells[index].isdecimal():
                        return (
                            f"{path}, line {number}: the {columns[index]} {quoted(cells[index])} is not a whole number"
                        )
                for column, cell in list(zip(columns, cells, strict=True))[len(SITE_COLUMNS) :]:
                    if cell not in ("0", "1"):
                        where = f"{path}, line {number}: the target {quoted(column)}"
                        return f"{where} has the label {quoted(cell)}, not 0 or 1"
    except (OSError, *UNREADABLE) as error:
        return f"{path} cannot be read as a table of peaks ({describe_unreadable(error, path)})"
    return None
