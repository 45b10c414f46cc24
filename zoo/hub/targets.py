"""`targets.tsv` of a checkpoint: what each target is, its unit, and where classes are best told apart."""

import csv
from dataclasses import dataclass
from pathlib import Path

__all__ = ["TARGETS_FILE", "TargetRow", "read_targets", "write_targets"]

TARGETS_FILE = "targets.tsv"


@dataclass(frozen=True)
class TargetRow:
    """One line of `targets.tsv`.

    Attributes:
        name: of the target.
        description: what was measured.
        unit: of the prediction.
        threshold: the probability that best separates the classes of the validation data, where there are classes.
    """

    name: str
    description: str
    unit: str
    threshold: float | None = None


def read_targets(folder: Path) -> list[TargetRow]:
    """The lines of a checkpoint's `targets.tsv`."""
    with (folder / TARGETS_FILE).open(newline="") as file:
        return [
            TargetRow(
                row["name"],
                row["description"],
                row["unit"],
                float(row["threshold"]) if row["threshold"] else None,
            )
            for row in csv.DictReader(file, delimiter="\t")
        ]


def write_targets(path: Path, targets: list[TargetRow]) -> None:
    """Write the lines of a `targets.tsv`."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["name", "description", "unit", "threshold"])
        for row in targets:
            threshold = "" if row.threshold is None else f"{row.threshold:.4f}"
            writer.writerow([row.name, row.description, row.unit, threshold])
