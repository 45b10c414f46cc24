"""Tables in Markdown, as lines."""

import re
from collections.abc import Mapping, Sequence

from zoo.hub.facts import RunFacts

__all__ = ["in_cell", "in_line", "markdown_table", "quantile", "score_table", "target_lines"]

_TAG = re.compile(r"(\\*)<(?=[A-Za-z/!?])")  # as HTML begins; `p < 0.05` does not
# With more targets than this, a card gives quantiles of the test scores instead of those of each target.
_MOST_ROWS = 100
_QUANTILES = {"minimum": 0.0, "lower quartile": 0.25, "median": 0.5, "maximum": 1.0}


def in_line(text: str) -> str:
    """A text in one line, so that it cannot begin a heading, a list or a block of its own, and holds no HTML."""
    # A backslash that is escaped itself would not escape the bracket.
    return _TAG.sub(lambda match: match[1] + "\\" * (1 - len(match[1]) % 2) + "<", " ".join(text.split()))


def in_cell(text: str) -> str:
    """A text in one cell of a table."""
    return in_line(text).replace("|", "\\|")


def quantile(values: Sequence[float | None], fraction: float) -> float | None:
    """The value below which a fraction of the known values lies; None where none is known."""
    known = sorted(value for value in values if value is not None)
    return known[round(fraction * (len(known) - 1))] if known else None


def score_table(
    title: str,
    rows: Mapping[str, Mapping[str, float | None]],
    intervals: Mapping[str, Mapping[str, Sequence[float] | None]] | None = None,
) -> list[str]:
    """A table with a column for each score that any row has.

    Args:
        title: of the first column.
        rows: row -> {score: value}.
        intervals: row -> {score: low and high}, of some rows.
    """
    ends = intervals or {}
    columns = list(dict.fromkeys(name for scores in rows.values() for name in scores))
    return [
        f"| {title} | " + " | ".join(map(in_cell, columns)) + " |",
        "|---|" + "---|" * len(columns),
        *(
            f"| {in_cell(row)} | "
            + " | ".join(_digits(scores.get(name), ends.get(row, {}).get(name)) for name in columns)
            + " |"
            for row, scores in rows.items()
        ),
    ]


def _digits(value: float | None, ends: Sequence[float] | None = None) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if ends is None else f"{value:.4f} ({ends[0]:.3f} to {ends[1]:.3f})"


def markdown_table(tsv: str) -> list[str]:
    """A table with the rows of a TSV."""
    rows = [line.split("\t") for line in tsv.splitlines()]
    return [
        "| " + " | ".join(rows[0]) + " |",
        "|" + "---|" * len(rows[0]),
        *("| " + " | ".join(map(in_cell, row)) + " |" for row in rows[1:]),
    ]


def target_lines(run: RunFacts, targets: Sequence[str]) -> list[str]:
    """The test scores of each target, or quantiles of them where the targets are very many."""
    by_target = {
        target: dict(zip(run.target_metrics, values, strict=True))
        for target, values in zip(targets, zip(*run.target_metrics.values(), strict=True), strict=False)
    }
    if len(by_target) < 2:
        return []
    if len(by_target) <= _MOST_ROWS:
        ends = {
            target: {name: pairs[index] for name, pairs in run.intervals.items()}
            for index, target in enumerate(by_target)
        }
        return ["Test scores of each target:", "", *score_table("target", by_target, ends), ""]
    quantiles = {
        row: {name: quantile(values, fraction) for name, values in run.target_metrics.items()}
        for row, fraction in _QUANTILES.items()
    }
    title = "Test scores over all targets (`config.json` has those of each target):"
    return [title, "", *score_table("", quantiles), ""]
