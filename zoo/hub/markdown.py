"""Tables in Markdown, as lines."""

from collections.abc import Mapping, Sequence

__all__ = ["markdown_table", "quantile", "score_table"]


def quantile(values: Sequence[float | None], fraction: float) -> float | None:
    """The value below which a fraction of the known values lies; None where none is known."""
    known = sorted(value for value in values if value is not None)
    return known[round(fraction * (len(known) - 1))] if known else None


def score_table(title: str, rows: Mapping[str, Mapping[str, float | None]]) -> list[str]:
    """A table with a column for each score that any row has."""
    columns = list(dict.fromkeys(name for scores in rows.values() for name in scores))
    return [
        f"| {title} | " + " | ".join(columns) + " |",
        "|---|" + "---|" * len(columns),
        *(
            f"| {row} | " + " | ".join(_digits(scores.get(name)) for name in columns) + " |"
            for row, scores in rows.items()
        ),
    ]


def _digits(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def markdown_table(tsv: str) -> list[str]:
    """A table with the rows of a TSV."""
    rows = [line.split("\t") for line in tsv.splitlines()]
    return [
        "| " + " | ".join(rows[0]) + " |",
        "|" + "---|" * len(rows[0]),
        *("| " + " | ".join(row) + " |" for row in rows[1:]),
    ]
