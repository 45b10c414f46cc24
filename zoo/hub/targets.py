"""Read and write `targets.tsv` of a checkpoint: description, unit and classification threshold of each target."""

import csv
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import IntegrityError
from zoo.hub.config import TARGETS

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
        IntegrityError: a file that is missing or not such a table.
    """
    path = folder / TARGETS
    try:
        with path.open(newline="") as file:
            return [
                TargetRow(row["name"], row["description"], row["unit"], _threshold(row["threshold"]))
                for row in csv.DictReader(file, delimiter="\t")
            ]
    except (OSError, UnicodeDecodeError, KeyError, ValueError) as error:
        raise IntegrityError(f"{path} is not a table with the columns {', '.join(_COLUMNS)} ({error!r})") from None


def write_targets(path: Path, targets: list[TargetRow]) -> None:
    """Write a `targets.tsv`.

    Args:
        path: path of the file.
        targets: its rows.
    """
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(_COLUMNS)
        for row in targets:
            threshold = "" if row.threshold is None else f"{row.threshold:.4f}"
            writer.writerow([row.name, row.description, row.unit, threshold])


def _threshold(text: str) -> float | None:
    return float(text) if text else None
