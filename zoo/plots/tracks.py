"""Pictures of tracks."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.plots.positions import label_positions

__all__ = ["draw_tracks", "label_lines"]

_LONGEST_LINE = 26  # letters of a name or unit next to a track
_MARGIN = 1.06  # so that the highest value does not touch the frame
Values = NDArray[np.float32]


def draw_tracks(
    picture: Path,
    contig: str,
    edges: NDArray[np.int64],
    predicted: Mapping[str, Values],
    measured: Mapping[str, Values],
    title: str,
    units: Mapping[str, str] | None = None,
    same_scale: bool = False,
) -> None:
    """Draw tracks of a region below each other: predicted values as lines, measured ones as areas.

    Args:
        picture: the file to write; its ending says the format (png, svg, pdf).
        contig: contig of the region.
        edges: edges of the bins, in bases (P + 1,).
        predicted: target -> values of the bins (P,).
        measured: the same, for targets that were measured.
        title: title of the picture.
        units: target -> unit of its values.
        same_scale: draw targets of one unit on one scale.
    """
    from matplotlib.figure import Figure

    units = units or {}
    figure = Figure(figsize=(12, 1.1 + 1.1 * len(predicted)), layout="constrained")
    rows = figure.subplots(len(predicted), 1, sharex=True, squeeze=False)[:, 0]
    shared: dict[str, list[Values]] = {}
    for target in predicted:
        shared.setdefault(units.get(target, ""), []).extend(_values(target, predicted, measured))
    for axes, (target, values) in zip(rows, predicted.items(), strict=True):
        if target in measured:
            axes.stairs(measured[target], edges, fill=True, color="0.75", label="measured")
        axes.stairs(values, edges, baseline=None, color="C0", linewidth=1.2, label="predicted")
        label = label_lines([target, *([f"({units[target]})"] if units.get(target) else [])])
        axes.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(axis="y", labelsize=7)
        axes.locator_params(axis="y", nbins=3)
        scale = shared[units.get(target, "")] if same_scale else _values(target, predicted, measured)
        axes.set_ylim(*_limits(scale))
    handles = {label: handle for axes in rows for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles, frameon=False, ncols=2, loc="upper right", fontsize=8)
    rows[-1].set_xlim(edges[0], edges[-1])
    unit = label_positions(rows[-1].xaxis, (int(edges[0]), int(edges[-1])))
    rows[-1].set_xlabel(f"{contig} ({unit})")
    figure.suptitle(title, fontsize=10)
    figure.savefig(picture, dpi=120)


def _values(target: str, predicted: Mapping[str, Values], measured: Mapping[str, Values]) -> list[Values]:
    return [values[target] for values in (predicted, measured) if target in values]


def _limits(arrays: Iterable[Values]) -> tuple[float, float]:
    """Ends of an axis: 0 is one of them where no value lies beyond it."""
    known = np.concatenate([array[np.isfinite(array)] for array in arrays])
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    low, high = (min(low, 0.0) * _MARGIN, max(high, 0.0) * _MARGIN)
    return (low, high) if high > low else (low, low + 1)


def label_lines(parts: list[str]) -> str:
    """A label of several lines, none of them long."""
    import textwrap

    return "\n".join(
        line for part in parts for line in textwrap.wrap(part, _LONGEST_LINE, break_on_hyphens=False) or [part]
    )
