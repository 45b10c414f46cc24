"""Pictures of the test scores of many targets: how they are spread."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from zoo.hub.markdown import quantile
from zoo.site.pictures import Picture
from zoo.site.text import one_text

__all__ = ["draw_scores"]

_FEWEST = 5  # targets; fewer are read from the table at a glance
_MOST_METRICS = 4
_BARS, _WIDTH, _HEIGHT = 20, 320, 120
_MARGIN, _BELOW = 10, 22
_STYLE = (
    "text{font:11px system-ui,sans-serif;fill:#5b6470}rect{fill:#3178c6}line{stroke:#9aa3ad}"
    "@media(prefers-color-scheme:dark){text{fill:#a9b3be}}"
)


def draw_scores(scores: Mapping[str, Sequence[float | None]], folder: Path) -> list[Picture]:
    """Draw a histogram of the test scores of all targets for each metric; none for few targets.

    Args:
        scores: metric -> the score of each target, None where it is not defined.
        folder: folder for the pictures.
    """
    pictures = []
    for number, (metric, values) in enumerate(list(scores.items())[:_MOST_METRICS], 1):
        known = sorted(value for value in values if value is not None)
        if len(known) < _FEWEST:
            continue
        name = f"scores-{number}.svg"
        _draw(folder / name, known)
        unknown = f"; {len(values) - len(known):,} have none" if len(known) < len(values) else ""
        caption = (
            f"Test {one_text(metric, 40)} of {len(known):,} targets: median {quantile(known, 0.5):.3f}, "
            f"from {known[0]:.3f} to {known[-1]:.3f}{unknown}."
        )
        pictures.append(Picture(name, f"Histogram. {caption}", caption, (_WIDTH, _HEIGHT)))
    return pictures


def _draw(path: Path, values: Sequence[float]) -> None:
    """Write a histogram of sorted values."""
    low, high = values[0], values[-1]
    counts = [0] * _BARS
    for value in values:
        counts[min(int((value - low) / ((high - low) or 1) * _BARS), _BARS - 1)] += 1
    bottom, width = _HEIGHT - _BELOW, (_WIDTH - 2 * _MARGIN) / _BARS
    scale = (bottom - _MARGIN) / max(counts)
    bars = "".join(
        f'<rect x="{_MARGIN + index * width + 0.5:g}" y="{bottom - count * scale:.1f}" width="{width - 1:g}" '
        f'height="{count * scale:.1f}"/>'
        for index, count in enumerate(counts)
        if count
    )
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}"><style>{_STYLE}</style>{bars}'
        f'<line x1="{_MARGIN}" y1="{bottom}" x2="{_WIDTH - _MARGIN}" y2="{bottom}"/>'
        f'<text x="{_MARGIN}" y="{_HEIGHT - 6}">{low:.3f}</text>'
        f'<text x="{_WIDTH - _MARGIN}" y="{_HEIGHT - 6}" text-anchor="end">{high:.3f}</text></svg>\n',
        encoding="utf-8",
    )
