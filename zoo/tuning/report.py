"""What a search leaves: a line for each trial, a table, a picture, and the best configuration."""

import sys
from collections.abc import Sequence
from pathlib import Path

from zoo.errors import ConfigError
from zoo.plots.search import SearchPoint, draw_search
from zoo.training.parse import parse
from zoo.training.recipe import training_command
from zoo.tuning.rows import Row
from zoo.tuning.space import Parameter, Range
from zoo.tuning.study import Study
from zoo.utils.atomic import whole_file, whole_path
from zoo.utils.text import counted

__all__ = [
    "BEST",
    "PICTURE",
    "TABLE",
    "best_row",
    "epoch_line",
    "row_line",
    "write_best",
    "write_picture",
    "write_table",
]

# In the folder of a search.
TABLE = "trials.tsv"
PICTURE = "trials.png"
BEST = "best.yaml"


def epoch_line(index: int, epoch: int, monitor: str, value: float) -> None:
    """Print the value of an epoch, if standard error is a terminal."""
    if sys.stderr.isatty():
        print(f"  trial {index}, epoch {epoch}: {monitor} {value:.4g}", file=sys.stderr, flush=True)


def row_line(row: Row, monitor: str, best: Row | None) -> str:
    """A line on a trial that has ended, with the best so far."""
    values = ", ".join(f"{key} {value}" for key, value in row.values.items())
    if row.value is None:
        return f"trial {row.number}: {values}: {row.state}: {row.message}"
    state = "" if row.state == "complete" else f", {row.state}"
    so_far = f"; best {best.value:.4g}, trial {best.number}" if best and best.value is not None else ""
    return (
        f"trial {row.number}: {values}: {monitor} {row.value:.4g} in {counted(row.epochs, 'epoch')}, "
        f"{row.seconds:.0f} s{state}{so_far}"
    )


def write_table(rows: Sequence[Row], monitor: str, folder: Path) -> None:
    """Write the trials as a table, `trials.tsv`: number, state, value, epochs, seconds, the options, and a message."""
    keys = list(rows[0].values) if rows else []
    with whole_file(folder / TABLE) as file:
        print("trial", "state", monitor, "epochs", "seconds", *keys, "message", sep="\t", file=file)
        for row in rows:
            value = "" if row.value is None else f"{row.value:.6g}"
            values = [_cell(row.values.get(key, "")) for key in keys]
            numbers = [str(row.epochs), f"{row.seconds:.1f}"]
            print(row.number, row.state, value, *numbers, *values, _cell(row.message), sep="\t", file=file)


def write_picture(study: Study, space: Sequence[Parameter], monitor: str, folder: Path, title: str) -> None:
    """Draw the trials, `trials.png`: the search over time, and each option against the metric."""
    points = [
        SearchPoint(row.number, row.state, row.value, {key: str(value) for key, value in row.values.items()})
        for row in study.trained
    ]
    choices = {one.key: None if isinstance(one, Range) else list(one.values) for one in space}
    log = {one.key for one in space if isinstance(one, Range) and one.log}
    with whole_path(folder / PICTURE) as draft:
        draw_search(draft, points, choices, log, study.importances(), monitor, study.mode, title)


def best_row(study: Study) -> Row:
    """The best trial of a search.

    Raises:
        ConfigError: no trial was completed.
    """
    if study.best is not None:
        return study.best
    failed = [row for row in study.trained if row.state == "failed"]
    if not failed:
        raise ConfigError("no trial was completed: give more time, and add --resume true")
    messages = len({row.message for row in failed})
    raise ConfigError(
        f"no trial was completed: {counted(len(failed), 'trial')} failed"
        f"{', each for the same reason' if messages == 1 < len(failed) else ''}; trial {failed[0].number}: "
        f"{failed[0].message}"
    )


def write_best(arguments: Sequence[str], best: Row, study: Study, monitor: str, folder: Path) -> Path:
    """Write the configuration of the best trial, `best.yaml`: `zoo train` of it trains the model.

    Args:
        arguments: arguments of `zoo train` that all trials have.
        best: the best trial.
        study: the search.
        monitor: metric that trials are compared by.
        folder: folder of the search.
    """
    options = [word for key, value in best.values.items() for word in (f"--{key}", str(value))]
    words = [*arguments, *options]
    text = parse(words).config_text
    head = f"# The best of {counted(len(study.trained), 'trial')} of a search, {monitor} {best.value:.6g}: "
    with whole_file(folder / BEST) as file:
        file.write(f"{head}{training_command(words)}\n{text}\n")
    return folder / BEST


def _cell(value: object) -> str:
    """A value without what would end a cell or a line."""
    return " ".join(str(value).split())
