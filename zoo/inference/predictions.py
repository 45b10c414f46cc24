"""Predictions of sequences, held in memory: as a table, an array or a data frame.

Shapes: N sequences, T targets.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoo.outputs import Contacts, Output, Tracks
from zoo.utils.extras import missing_extra
from zoo.utils.text import counted, some_of
from zoo.writers.labels import LabelRows, check_columns, write_labels

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Predictions", "join_rows"]


@dataclass(frozen=True, repr=False)
class Predictions:
    """Predictions of sequences.

    Attributes:
        names: names of the sequences, in their order (N).
        targets: their names (T).
        values: float32 (N, T), in natural units; of a model of tracks or contacts (N, *output.shape).
        columns: columns of the table before those of the targets (N each), such as the coordinates of sites.
        output: output of a model of tracks or contacts; None for labels.
        notes: sentences on what was changed or padded, and why.
    """

    names: list[str]
    targets: tuple[str, ...]
    values: NDArray[np.float32]
    columns: Mapping[str, Sequence[object]] = field(default_factory=dict)
    output: Output | None = None
    notes: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        shape = " x ".join(f"{size:,}" for size in self.values.shape)
        names = f"{some_of(self.names, 3)}" if self.names else "none"
        return (
            f"Predictions({shape}: {counted(len(self), 'sequence')}, {names}; {counted(len(self.targets), 'target')}, "
            f"{some_of(self.targets, 3)})"
        )

    def to_numpy(self) -> NDArray[np.float32]:
        """The values, float32 (N, T); of a model of tracks or contacts (N, *output.shape)."""
        return self.values

    def to_dataframe(self) -> "pd.DataFrame":
        """A pandas.DataFrame with the columns that `write` writes.

        Raises:
            MissingExtraError: pandas is not installed.
            ConfigError: a target that has the name of another column.
        """
        try:
            import pandas as pd
        except ModuleNotFoundError as error:
            raise missing_extra(error) or error from None

        rows = self._rows()
        check_columns(rows.leading, self.targets)
        frame = {name: list(cells) for name, cells in rows.leading.items()}
        return pd.DataFrame(frame | dict(zip(self.targets, rows.values.T, strict=True)))

    def write(self, path: str | Path) -> None:
        """Write a table: a header, `name` or the coordinates, a column for each target. `-` is standard output.

        Of a model of tracks there is a row for each bin, of contacts for each pair of bins, with their first and last
        base in the sequence.

        Args:
            path: ends in .tsv or .csv (also .gz), or .parquet.

        Raises:
            ConfigError: another ending.
            OutputError: no such folder, or a full disk.
        """
        write_labels(path, self.targets, [self._rows()])

    def _rows(self) -> LabelRows:
        leading = self.columns or {"name": self.names}
        if self.output is None or self.values.ndim == 2:
            return LabelRows(self.names, self.values, leading)
        bins = self.values.shape[2]
        index = np.repeat(np.arange(len(self)), bins)
        columns: dict[str, Sequence[object]] = {
            name: [cells[i] for i in index.tolist()] for name, cells in leading.items()
        }
        columns |= {name: np.tile(cells, len(self)).tolist() for name, cells in _bins(self.output)}
        values = self.values.transpose(0, 2, 1).reshape(-1, len(self.targets))  # (N, T, P) -> (N * P, T)
        return LabelRows([self.names[i] for i in index.tolist()], values, columns)


def _bins(output: Output) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Columns of the bases of each bin, or of each pair of bins, counted from the beginning of a sequence."""
    assert isinstance(output, Tracks | Contacts)
    if isinstance(output, Tracks):
        ends = {"": np.arange(output.bins)}
    else:
        rows, columns = output.pixels()
        ends = {"1": rows.numpy(), "2": columns.numpy()}
    for side, bins in ends.items():
        start = output.crop + bins * output.bin_size
        yield f"bin_start{side}", start
        yield f"bin_end{side}", start + output.bin_size


def join_rows(blocks: Sequence[LabelRows], targets: tuple[str, ...], notes: Sequence[str]) -> Predictions:
    """Concatenate blocks of a table."""
    values = np.concatenate([np.empty((0, len(targets)), np.float32), *(block.values for block in blocks)])
    names = [name for block in blocks for name in block.names]
    known: dict[str, Any] = {}
    if blocks and blocks[0].columns:
        known = {name: [cell for block in blocks for cell in block.columns[name]] for name in blocks[0].columns}
    return Predictions(names, targets, values, known, None, tuple(notes))
