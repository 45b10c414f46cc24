"""Pictures of contact maps."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.genome.intervals import Interval

__all__ = ["draw_maps"]

_SIDE = 4.0  # inches of a map
_TRACK = 0.35  # inches of a line of features
_PERCENTILE = 99.0
_TICKS = 4  # so that positions of nine figures do not run into each other


def draw_maps(
    picture: Path,
    contig: str,
    start: int,
    bin_size: int,
    predicted: Mapping[str, NDArray[np.float32]],
    measured: NDArray[np.float32] | None,
    features: Mapping[str, Sequence[Interval]],
    title: str,
) -> None:
    """Draw maps of a region side by side, all on one scale: what was measured first, then each prediction.

    Args:
        picture: the file to write; its ending says the format (png, svg, pdf).
        contig: where the region lies.
        start: the first bin's first base.
        bin_size: bases of a bin.
        predicted: target -> symmetric map of log(observed/expected) (R, R), NaN where nothing is predicted.
        measured: likewise; None for none.
        features: name, such as a BED file -> intervals, drawn below each map.
        title: what stands above.
    """
    from matplotlib.figure import Figure

    maps = ({} if measured is None else {"measured": measured}) | {
        f"{name}, predicted": m for name, m in predicted.items()
    }
    known = [np.abs(each[~np.isnan(each)]) for each in maps.values()]
    reach = max([float(np.percentile(each, _PERCENTILE)) for each in known if len(each)], default=1.0) or 1.0
    heights = [_SIDE, *[_TRACK] * len(features)]
    figure = Figure(figsize=(_SIDE * len(maps) + 1.2, sum(heights) + 0.9), layout="constrained")
    grid = figure.subplots(len(heights), len(maps), squeeze=False, sharex=True, gridspec_kw={"height_ratios": heights})
    end = start + bin_size * len(next(iter(maps.values())))
    image: Any = None
    for axes, (name, values) in zip(grid[0], maps.items(), strict=True):
        image = axes.imshow(
            values, cmap="RdBu_r", vmin=-reach, vmax=reach, extent=(start, end, end, start), aspect="auto"
        )
        axes.set_facecolor("0.85")
        axes.set_title(name, fontsize=9)
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.tick_params(labelsize=7)
    for row, (name, intervals) in zip(grid[1:], features.items(), strict=True):
        for axes in row:
            axes.broken_barh([(each.start, len(each)) for each in intervals], (0.2, 0.6), color="0.3")
            axes.set_ylim(0, 1)
            axes.set_yticks([])
            axes.spines[["top", "right", "left"]].set_visible(False)
        row[0].set_ylabel(Path(name).stem, rotation=0, ha="right", va="center", fontsize=7)
    for axes in grid[-1]:
        axes.set_xlim(start, end)
        axes.locator_params(axis="x", nbins=_TICKS)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.tick_params(labelsize=7)
        axes.set_xlabel(f"{contig} (bp)", fontsize=8)
    figure.colorbar(image, ax=grid[0].tolist(), shrink=0.8, label="log(observed/expected)")
    figure.suptitle(f"{title}, {contig}:{start:,}-{end:,}", fontsize=10)
    figure.savefig(picture, dpi=120)
