"""Pictures of contact maps."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zoo.genome.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

__all__ = ["draw_contact_maps"]

_SIDE = 4.0  # inches of a map
_TRACK = 0.35  # inches of a line of features
_PERCENTILE = 99.0  # of the absolute values, at which the colours end
_TICKS = 4  # so that positions of nine digits do not overlap
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
    """
    from matplotlib.figure import Figure

    maps = {} if measured is None else {"measured": measured}
    maps |= {f"{name}, predicted": values for name, values in predicted.items()}
    end = start + bin_size * len(next(iter(maps.values())))
    heights = [_SIDE, *[_TRACK] * len(features)]
    figure = Figure(figsize=(_SIDE * len(maps) + 1.2, sum(heights) + 0.9), layout="constrained")
    grid = figure.subplots(len(heights), len(maps), squeeze=False, sharex=True, gridspec_kw={"height_ratios": heights})
    limit = _colour_limit(maps.values())
    images = [
        _draw_map(axes, name, values, (start, end), limit)
        for axes, (name, values) in zip(grid[0], maps.items(), strict=True)
    ]
    for row, (name, intervals) in zip(grid[1:], features.items(), strict=True):
        _draw_features(row, name, intervals)
    for axes in grid[-1]:
        axes.set_xlim(start, end)
        axes.locator_params(axis="x", nbins=_TICKS)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.tick_params(labelsize=7)
        axes.set_xlabel(f"{contig} (bp)", fontsize=8)
    figure.colorbar(images[-1], ax=grid[0].tolist(), shrink=0.8, label="log(observed/expected)")
    figure.suptitle(f"{title}, {contig}:{start:,}-{end:,}", fontsize=10)
    figure.savefig(picture, dpi=120)


def _colour_limit(maps: Iterable[Map]) -> float:
    """The absolute value at which the colours end: the largest percentile of a map."""
    known = [np.abs(values[~np.isnan(values)]) for values in maps]
    return max([float(np.percentile(values, _PERCENTILE)) for values in known if len(values)], default=1.0) or 1.0


def _draw_map(axes: "Axes", name: str, values: Map, bounds: tuple[int, int], limit: float) -> "AxesImage":
    start, end = bounds
    image = axes.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit, extent=(start, end, end, start), aspect="auto")
    axes.set_facecolor("0.85")
    axes.set_title(name, fontsize=9)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.tick_params(labelsize=7)
    return image


def _draw_features(row: "Sequence[Axes]", name: str, intervals: Sequence[Interval]) -> None:
    for axes in row:
        axes.broken_barh([(interval.start, len(interval)) for interval in intervals], (0.2, 0.6), color="0.3")
        axes.set_ylim(0, 1)
        axes.set_yticks([])
        axes.spines[["top", "right", "left"]].set_visible(False)
    row[0].set_ylabel(Path(name).stem, rotation=0, ha="right", va="center", fontsize=7)
