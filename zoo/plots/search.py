"""Picture of a search: values of the trials in their order, and against each option."""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

__all__ = ["SearchPoint", "draw_search"]

_COLOURS = {"complete": "tab:blue", "pruned": "tab:orange", "failed": "tab:red"}
_MARKERS = {"complete": "o", "pruned": "x", "failed": "|"}
_COLUMNS = 4  # panels in a row
_CLASS = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")  # such as torch.optim.SGD
_MOST_LETTERS = 14  # of a choice, on an axis
_MOST_ON_AXIS = 24  # letters of all choices, side by side


class SearchPoint(NamedTuple):
    """A trial in a picture.

    Attributes:
        number: number of the trial.
        state: complete, pruned or failed.
        value: best value of the metric; None of a trial that failed.
        values: option -> value, as it was written.
    """

    number: int
    state: str
    value: float | None
    values: Mapping[str, str]


def draw_search(
    picture: Path,
    points: Sequence[SearchPoint],
    choices: Mapping[str, Sequence[str] | None],
    log: Collection[str],
    importances: Mapping[str, float],
    metric: str,
    mode: Literal["min", "max"],
    title: str,
) -> None:
    """Draw a search.

    Args:
        picture: the PNG to write.
        points: the trials.
        choices: option -> its choices; None of an option of numbers.
        log: options that are drawn on a logarithmic axis.
        importances: option -> share of the variation that it explains; empty where it is not known.
        metric: name of the metric.
        mode: whether low (`min`) or high values are good.
        title: title of the picture.
    """
    from matplotlib.figure import Figure

    panels = 1 + len(choices) + bool(importances)
    rows = -(-panels // _COLUMNS)
    columns = -(-panels // rows)
    figure = Figure(figsize=(3.6 * columns, 3.2 * rows), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    limits = _limits([point.value for point in points if point.value is not None], mode)
    _draw_history(axes[0], points, mode, limits)
    axes[0].set_ylabel(metric.replace("_", " "))
    for panel, (key, names) in zip(axes[1:], choices.items(), strict=False):
        _draw_option(panel, points, key, names, key in log, limits)
    if importances:
        _draw_importances(axes[1 + len(choices)], importances)
    for panel in axes[panels:]:
        panel.remove()
    for panel in axes[:panels]:
        panel.spines[["top", "right"]].set_visible(False)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    figure.suptitle(title)
    figure.savefig(picture, dpi=120)


def _draw_history(axes: Any, points: Sequence[SearchPoint], mode: str, limits: tuple[float, float]) -> None:
    """Draw the values in the order of the trials, with the best so far."""
    from matplotlib.ticker import MaxNLocator

    for state in _COLOURS:
        _scatter(axes, [(point.number, point) for point in points if point.state == state], state, limits)
    complete = [point for point in points if point.state == "complete" and point.value is not None]
    best = [(min if mode == "min" else max)(p.value or 0.0 for p in complete[: i + 1]) for i in range(len(complete))]
    axes.step([point.number for point in complete], best, where="post", color="black", lw=1, label="best so far")
    axes.set_xlabel("trial")
    axes.set_ylim(*limits)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def _draw_option(
    axes: Any,
    points: Sequence[SearchPoint],
    key: str,
    names: Sequence[str] | None,
    is_log: bool,
    limits: tuple[float, float],
) -> None:
    """Draw the values against one option."""
    for state in _COLOURS:
        shown = [point for point in points if point.state == state]
        places = [names.index(p.values[key]) if names else float(p.values[key]) for p in shown]
        _scatter(axes, list(zip(places, shown, strict=True)), state, limits)
    axes.set_xlabel(key)
    axes.set_ylim(*limits)
    if names:
        words = [name.rpartition(".")[2] if _CLASS.fullmatch(name) else name for name in names]
        labels = [word if len(word) <= _MOST_LETTERS else f"...{word[-_MOST_LETTERS:]}" for word in words]
        axes.set_xticks(range(len(names)), labels, rotation=30 if sum(map(len, labels)) > _MOST_ON_AXIS else 0)
        axes.set_xlim(-0.5, len(names) - 0.5)
    elif is_log:
        axes.set_xscale("log")


def _scatter(axes: Any, shown: Sequence[tuple[float, SearchPoint]], state: str, limits: tuple[float, float]) -> None:
    """Draw trials of one state; values beyond the limits, and those of failed trials, on the edge of the panel."""
    if not shown:
        return
    low, high = limits
    heights = [low if point.value is None else min(max(point.value, low), high) for _, point in shown]
    axes.scatter(
        [position for position, _ in shown],
        heights,
        c=_COLOURS[state],
        marker=_MARKERS[state],
        s=30,
        label=state,
        clip_on=False,
        zorder=3,
    )


def _draw_importances(axes: Any, importances: Mapping[str, float]) -> None:
    keys = sorted(importances, key=lambda key: importances[key])
    axes.barh(keys, [importances[key] for key in keys], color="tab:gray")
    axes.set_xlabel("importance (PED-ANOVA)")
    axes.set_xlim(0, 1)


def _limits(values: Sequence[float], mode: str) -> tuple[float, float]:
    """Lowest and highest height of the panels: very bad values do not squeeze all others together."""
    if not values:
        return 0.0, 1.0
    ordered = sorted(values, reverse=mode == "max")  # the best first
    best, middle, worst = ordered[0], ordered[len(ordered) // 2], ordered[-1]
    if abs(worst - best) > 5 * abs(middle - best) > 0:
        worst = best + 5 * (middle - best)
    margin = 0.05 * (abs(worst - best) or abs(best) or 1.0)
    low, high = min(best, worst), max(best, worst)
    return low - margin, high + margin
