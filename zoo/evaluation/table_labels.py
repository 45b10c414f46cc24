"""Whether the labels of a table of sequences are classes or measurements, to evaluate a model on them."""

from collections.abc import Sequence

from zoo.data.sequences.files import is_missing
from zoo.errors import ConfigError
from zoo.formats.sequences import SequenceFile
from zoo.utils.text import parse_number, quoted

__all__ = ["read_as_classes"]


def read_as_classes(table: str, columns: Sequence[str], model_classifies: bool) -> tuple[bool, list[str]]:
    """Decide whether labels are classes: they are where all are 0, 1 or missing.

    Args:
        table: path of the table.
        columns: columns of the labels that are scored.
        model_classifies: whether the model predicts classes.

    Returns:
        Whether they are, and a note where they are not.

    Raises:
        ConfigError: a label that is no class, and the model predicts classes.
    """
    first = _first_measurement(table, columns)
    if first is None:
        return True, []
    line, column, text = first
    where = f"{table}, line {line}: the label {quoted(text)} in {column!r} is not 0 or 1"
    if model_classifies:
        raise ConfigError(
            f"{where}, and the model predicts classes: correct it, or add --measurements for correlations of the "
            "predictions with such labels"
        )
    return False, [f"labels are read as measurements: {where}"]


def _first_measurement(table: str, columns: Sequence[str]) -> tuple[int, str, str] | None:
    """Line, column and text of the first label that is not 0, 1 or missing; None where there is none."""
    for records in SequenceFile(table):
        for line, row in zip(records.lines, records.rows, strict=True):
            for column in columns:
                if not is_missing(row[column]) and parse_number(row[column].strip()) not in (0, 1):
                    return line, column, row[column].strip()
    return None
