"""Read and write `targets.tsv` of a checkpoint: description, unit and classification threshold of each target."""

import csv
import io
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from zoo.errors import IntegrityError
from zoo.hub.config import read_config
from zoo.hub.folder import CONFIG, TARGETS, checkpoint_text
from zoo.utils.text import counted, parse_number, quoted

__all__ = ["TargetRow", "read_targets", "write_targets"]

_COLUMNS = ["name", "description", "unit", "threshold"]


@dataclass(frozen=True)
class TargetRow:
    """One row of `targets.tsv`.

    Attributes:
        name: name of the target.
        description: what was measured.
        unit: unit of the prediction.
        threshold: the probability that best separates the two classes in the validation split; None for values.
    """

    name: str
    description: str
    unit: str
    threshold: float | None = None


def read_targets(folder: Path) -> list[TargetRow]:
    """Read the rows of a checkpoint's `targets.tsv`.

    Args:
        folder: folder of the checkpoint.

    Raises:
        IntegrityError: a file that is missing or not such a table, or has other targets than `config.json`.
    """
    path = folder / TARGETS
    lines = csv.reader(io.StringIO(checkpoint_text(folder, TARGETS), newline=""), delimiter="\t", strict=True)
    names = read_config(folder).facts.targets
    try:
        header, *rows = islice(lines, len(names) + 2)
    except csv.Error as error:
        raise IntegrityError(f"{path} is not a table: line {lines.line_num}: {error}") from None
    if header != _COLUMNS:
        raise IntegrityError(
            f"{path} must have the columns {', '.join(_COLUMNS)}, separated by tabs, not {quoted(' '.join(header))}"
        )
    targets = [_row(f"{path}: row {number}", row) for number, row in enumerate(rows, 1)]
    if tuple(row.name for row in targets) != names:
        raise IntegrityError(f"{path}: the names are not the {counted(len(names), 'target')} that {CONFIG} has")
    return targets


def _row(where: str, row: list[str]) -> TargetRow:
    if len(row) != len(_COLUMNS):
        raise IntegrityError(f"{where} has {len(row)} columns, not {len(_COLUMNS)}")
    name, description, unit, text = row
    threshold = parse_number(text) if text else None
    if text and (threshold is None or not 0 <= threshold <= 1):
        raise IntegrityError(f"{where}: the threshold must be a number from 0 to 1, or empty, not {quoted(text)}")
    return TargetRow(name, description, unit, threshold)


def write_targets(path: Path, targets: list[TargetRow]) -> None:
    """Write a `targets.tsv`.

    Args:
        path: path of the file.
        targets: its rows.
    """
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(_COLUMNS)
        for row in targets:
            threshold = "" if row.threshold is None else f"{row.threshold:.4f}"
            writer.writerow([row.name, row.description, row.unit, threshold])
