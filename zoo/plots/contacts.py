"""Pictures of contact maps."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoo.genome.intervals import Interval
from zoo.plots.positions import label_positions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

__all__ = ["draw_contact_maps"]

_SIDE = 4.0  # inches of a map
_TRACK = 0.35  # inches of a line of features
_PERCENTILE = 99.0  # of the absolute values, at which the colours end
_BETWEEN, _MARGIN, _COLOURS = 0.25, 1.3, 0.15  # inches between maps, of the labels, and of the scale of colours
Map = NDArray[np.float32]


def draw_contact_maps(
    picture: Path,
    contig: str,
    start: int,
    bin_size: int,
    predicted: Mapping[str, Map],
    measured: Map | None,
    features: Mapping[str, Sequence[Interval]],
    title: str,
    notes: tuple[str, str] = ("", ""),
) -> None:
    """Draw contact maps of a region side by side, all on one scale: the measured one first, then each prediction.

    Args:
        picture: the file to write; its ending says the format (png, svg, pdf).
        contig: contig of the region.
        start: the first bin's first base.
        bin_size: bases of a bin.
        predicted: target -> symmetric map of log(observed/expected) (R, R), NaN where nothing is predicted.
        measured: the same for measured contacts; None for none.
        features: name, such as a BED file -> intervals, drawn below each map.
        title: title of the picture.
        notes: on the measured and on the predicted values, such as their smoothing; written once where they agree.
    """
    from matplotlib.figure import Figure

    same = measured is None or notes[0] == notes[1]
    first, other = ("", "") if same else (f", {note}" if note else "" for note in notes)
    maps = {} if measured is None else {f"measured{first}": measured}
    maps |= {f"{name}, predicted{other}": values for name, values in predicted.items()}
    bounds = start, start + bin_size * len(next(iter(maps.values())))
    heights = [_SIDE, *[_TRACK] * len(features)]
    size = (_SIDE + _BETWEEN) * len(maps) + _MARGIN, sum(heights) + 1.3
    figure = Figure(figsize=size, layout="constrained")
    # A column of its own for the colours, so that all maps have one size and the features lie exactly below them.
    ratios = {"height_ratios": heights, "width_ratios": [*[_SIDE] * len(maps), _COLOURS]}
    grid = figure.subplots(len(heights), len(maps) + 1, squeeze=False, gridspec_kw=ratios)
    limit = _colour_limit(maps.values())
    for axes in grid[:, :-1].flat:
        axes.sharex(grid[0, 0]) if axes is not grid[0, 0] else None
    images = [
        _draw_map(axes, name, values, bounds, limit)
        for axes, (name, values) in zip(grid[0, :-1], maps.items(), strict=True)
    ]
    for row, (name, intervals) in zip(grid[1:, :-1], features.items(), strict=True):
        _draw_features(row, name, intervals)
    for axes in grid[1:, -1]:
        axes.set_axis_off()
    unit = _label_axes(grid[:, :-1], bounds)
    for axes in grid[-1, :-1]:
        axes.set_xlabel(f"{contig} ({unit})", fontsize=8)
    grid[0, 0].set_ylabel(f"{contig} ({unit})", fontsize=8)
    label = "log(observed/expected)" + (f", {notes[1]}" if same and notes[1] else "")
    bar = figure.colorbar(images[-1], cax=grid[0, -1], extend="both")
    bar.set_label(label, fontsize=8)
    bar.ax.tick_params(labelsize=7)
    figure.suptitle(f"{title}, {contig}:{bounds[0]:,}-{bounds[1]:,}", fontsize=10)
    figure.savefig(picture, dpi=120)


def _label_axes(grid: Any, bounds: tuple[int, int]) -> str:
    """Mark positions below the lowest row and left of the first map; returns their unit."""
    unit = label_positions(grid[0, 0].yaxis, bounds)
    for axes in grid.flat:
        axes.set_xlim(*bounds)
        axes.tick_params(labelsize=7, labelbottom=axes in grid[-1])
    label_positions(grid[-1, 0].xaxis, bounds)
    for axes in grid[0, 1:]:
        axes.sharey(grid[0, 0])
        axes.tick_params(labelleft=False)
    return unit


def _colour_limit(maps: Iterable[Map]) -> float:
    """The absolute value at which the colours end: the largest percentile of a map."""
    known = [np.abs(values[~np.isnan(values)]) for values in maps]
    return max([float(np.percentile(values, _PERCENTILE)) for values in known if len(values)], default=1.0) or 1.0


def _draw_map(axes: "Axes", name: str, values: Map, bounds: tuple[int, int], limit: float) -> "AxesImage":
    start, end = bounds
    image = axes.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit, extent=(start, end, end, start), aspect="equal")
    axes.set_facecolor("0.85")
    axes.set_title(name, fontsize=9)
    return image


def _draw_features(row: "Sequence[Axes]", name: str, intervals: Sequence[Interval]) -> None:
    for axes in row:
        axes.broken_barh([(interval.start, len(interval)) for interval in intervals], (0.2, 0.6), color="0.3")
        axes.set_ylim(0, 1)
        axes.set_yticks([])
        axes.spines[["top", "right", "left"]].set_visible(False)
    row[0].set_ylabel(Path(name).stem, rotation=0, ha="right", va="center", fontsize=7)
