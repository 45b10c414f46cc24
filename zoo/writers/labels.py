"""Predicted labels as a table: a row for each sequence, a column for each target. Shapes: N sequences, T targets."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ConfigError
from zoo.writers.tables import open_table

__all__ = ["COLUMNS", "LabelRows", "check_columns", "write_labels"]

# Columns of names and coordinates.
COLUMNS = ("name", "chrom", "start", "end")


@dataclass(frozen=True)
class LabelRows:
    """Predictions for some sequences.

    Attributes:
        names: names of the sequences (N); of an interval without a name, its coordinates.
        values: float32 (N, T), in natural units.
        columns: columns before those of the targets (N each): `name`, and where there are coordinates `chrom`, `start`
            and `end`; the names alone where it is empty.
    """

    names: list[str]
    values: NDArray[np.float32]
    columns: Mapping[str, Sequence[object]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def leading(self) -> Mapping[str, Sequence[object]]:
        """All columns before those of the targets."""
        return self.columns or {"name": self.names}


def write_labels(
    path: str | Path,
    targets: Sequence[str],
    blocks: Iterable[LabelRows],
    metadata: Mapping[str, str] | None = None,
) -> int:
    """Write a table block by block; the file appears whole or not at all.

    Args:
        path: the table to write, in the format of its ending (`.tsv`, `.csv`, also `.gz`, `.parquet`), or `-` for
            standard output, as TSV.
        targets: the names of the columns after those of the sequences.
        blocks: what is written, as it comes.
        metadata: facts that are stored in a file of Parquet.

    Returns:
        The number of rows.

    Raises:
        ConfigError: another ending, or a target that has the name of another column.
        OutputError: no such folder, or a full disk; nothing is left behind.
    """
    count = 0
    blocks = iter(blocks)
    with open_table(path, metadata) as table:
        # Before the header, so that bad input leaves standard output empty.
        first = list(itertools.islice(blocks, 1)) or [LabelRows([], np.empty((0, len(targets)), np.float32))]
        for block in itertools.chain(first, blocks):
            if not count:
                check_columns(block.leading, targets)
            table.write(block.leading, targets, block.values)
            count += len(block)
    return count


def check_columns(columns: Iterable[str], targets: Iterable[str]) -> None:
    """Refuse targets that have the name of another column, of which one would hide the other.

    Args:
        columns: columns of the table before those of the targets; those that any table may have count too.
        targets: names of the targets.

    Raises:
        ConfigError: the first such target.
    """
    taken = {*COLUMNS, *columns}
    if clash := [target for target in targets if target in taken]:
        raise ConfigError(
            f"the target {clash[0]!r} has the name of another column of the tables of predictions: call it otherwise"
        )
