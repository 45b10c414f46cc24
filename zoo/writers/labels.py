"""Predicted labels as a table: a row for each sequence, a column for each target. Shapes: N sequences, T targets."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.errors import OutputError
from zoo.utils.atomic import whole_file

__all__ = ["LabelRows", "write_labels"]

_BLANK = str.maketrans("\t\r\n", "   ")  # in a name they would make columns and lines


@dataclass(frozen=True)
class LabelRows:
    """Predictions for some sequences.

    Attributes:
        names: names of the sequences (N); of an interval without a name, its coordinates.
        values: float32 (N, T), in natural units.
    """

    names: list[str]
    values: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.names)


def write_labels(path: str | Path, targets: Sequence[str], blocks: Iterable[LabelRows]) -> int:
    """Write a TSV block by block; the file appears whole or not at all.

    Args:
        path: the TSV to write, or `-` for standard output.
        targets: the names of the columns after `name`.
        blocks: what is written, as it comes.

    Returns:
        The number of rows.

    Raises:
        OutputError: no such folder, or a full disk; nothing is left behind.
    """
    count = 0
    blocks = iter(blocks)
    with whole_file(str(path)) as file:
        first = list(itertools.islice(blocks, 1))  # before the header, so that bad input leaves standard output empty
        try:
            file.write("\t".join(["name", *targets]) + "\n")
            row = "%s" + "\t%.7g" * len(targets) + "\n"
            for block in itertools.chain(first, blocks):
                # (N, T) -> T lists of N values, interleaved row by row into one format
                columns = [[name.translate(_BLANK) for name in block.names], *block.values.T.tolist()]
                cells = tuple(itertools.chain.from_iterable(zip(*columns, strict=True)))
                file.write(row * len(block) % cells)
                count += len(block)
            file.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f"{path} could not be written and was left out: {error.strerror or error}") from None
    return count
