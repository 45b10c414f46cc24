"""Pictures of the effects of variants."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.plots.positions import label_positions
from zoo.plots.tracks import label_lines
from zoo.utils.text import shorten

__all__ = ["draw_allele_maps", "draw_allele_tracks", "draw_effects"]

_MOST_NAMES = 30  # of variants in a picture
_PERCENTILE = 99.5  # of the absolute values, at which the colours end
Values = NDArray[np.float64]


def draw_effects(
    picture: Path,
    region: tuple[str, int, int],
    positions: Sequence[int],
    names: Sequence[str],
    effects: Mapping[str, Values],
    score: str,
    title: str,
) -> None:
    """Draw variants along a region: a stem for each, as high as its score, one row for each target.

    Args:
        picture: the file to write; its ending says the format (png, svg, pdf).
        region: contig, first base and the one after the last.
        positions: position of each variant, 0-based (N,).
        names: what each is called (N,); written where they are few.
        effects: target -> score of each variant (N,), NaN for none.
        score: what the scores are.
        title: title of the picture.
    """
    from matplotlib.figure import Figure

    contig, start, end = region
    figure = Figure(figsize=(12, 1.6 + 1.7 * len(effects)), layout="constrained")
    rows = figure.subplots(len(effects), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (target, values) in zip(rows, effects.items(), strict=True):
        known = ~np.isnan(values)
        places, heights = np.asarray(positions)[known] + 0.5, values[known]
        colours = np.where(heights < 0, "C0", "C3")
        axes.vlines(places, 0, heights, colors=colours, linewidth=1.2)
        axes.scatter(places, heights, c=colours, s=22, zorder=3)
        axes.axhline(0, color="0.4", linewidth=0.8)
        axes.margins(y=0.2)
        axes.set_ylabel(shorten(target, 26), rotation=0, ha="right", va="center", fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(axis="y", labelsize=7)
    if len(names) <= _MOST_NAMES:
        _write_names(rows[0], positions, names, next(iter(effects.values())))
    rows[-1].set_xlim(start, end)
    unit = label_positions(rows[-1].xaxis, (start, end))
    rows[-1].set_xlabel(f"{contig} ({unit})")
    figure.suptitle(f"{title}: {score}", fontsize=10)
    figure.savefig(picture, dpi=120)


def _write_names(axes: object, positions: Sequence[int], names: Sequence[str], values: Values) -> None:
    """Write the name of each variant beyond the end of its stem."""
    for position, name, value in zip(positions, names, values, strict=True):
        if not np.isnan(value):
            away = 5 if value >= 0 else -5
            axes.annotate(  # type: ignore[attr-defined]
                shorten(name, 24),
                (position + 0.5, value),
                (0, away),
                textcoords="offset points",
                ha="center",
                va="bottom" if value >= 0 else "top",
                fontsize=6,
            )


def draw_allele_tracks(
    picture: Path,
    contig: str,
    edges: NDArray[np.int64],
    alleles: Mapping[str, tuple[Values, Values]],
    position: int,
    title: str,
    units: Mapping[str, str],
) -> None:
    """Draw tracks of both alleles on each other, and their difference below, for each target.

    Args:
        picture: the file to write.
        contig: contig of the window.
        edges: edges of the bins, in bases of the reference (P + 1,).
        alleles: target -> values of the bins for the reference and for the alternative (P,) each.
        position: first base of the change.
        title: title of the picture.
        units: target -> unit of its values.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 1.3 + 1.9 * len(alleles)), layout="constrained")
    ratios = {"height_ratios": [2, 1] * len(alleles)}
    rows = figure.subplots(2 * len(alleles), 1, sharex=True, squeeze=False, gridspec_kw=ratios)[:, 0]
    for upper, lower, (target, (reference, alternative)) in zip(rows[::2], rows[1::2], alleles.items(), strict=True):
        upper.stairs(reference, edges, baseline=None, color="0.35", linewidth=1.4, label="reference")
        upper.stairs(alternative, edges, baseline=None, color="C3", linewidth=1.0, label="alternative")
        lower.stairs(alternative - reference, edges, fill=True, color="C0")
        name = label_lines([target, *([f"({units[target]})"] if units.get(target) else [])])
        upper.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
        lower.set_ylabel("difference", rotation=0, ha="right", va="center", fontsize=7)
        for axes in (upper, lower):
            axes.axvline(position + 0.5, color="C1", linewidth=0.8, linestyle=":")
            axes.spines[["top", "right"]].set_visible(False)
            axes.tick_params(axis="y", labelsize=7)
            axes.locator_params(axis="y", nbins=3)
    handles, labels = rows[0].get_legend_handles_labels()
    figure.legend(handles, labels, frameon=False, ncols=2, loc="upper right", fontsize=8)
    rows[-1].set_xlim(edges[0], edges[-1])
    unit = label_positions(rows[-1].xaxis, (int(edges[0]), int(edges[-1])))
    rows[-1].set_xlabel(f"{contig} ({unit})")
    figure.suptitle(title, fontsize=10)
    figure.savefig(picture, dpi=120)


def draw_allele_maps(
    picture: Path,
    contig: str,
    bounds: tuple[int, int],
    alleles: Mapping[str, tuple[Values, Values]],
    position: int,
    title: str,
) -> None:
    """Draw contact maps of both alleles and their difference, one row for each target.

    Args:
        picture: the file to write.
        contig: contig of the window.
        bounds: first base of the map, and the one after its last, of the reference.
        alleles: target -> maps of the reference and of the alternative (R, R), NaN where nothing is predicted.
        position: first base of the change.
        title: title of the picture.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13.5, 0.9 + 4.1 * len(alleles)), layout="constrained")
    grid = figure.subplots(len(alleles), 3, squeeze=False, sharex=True, sharey=True)
    extent = (bounds[0], bounds[1], bounds[1], bounds[0])
    for row, (target, (reference, alternative)) in zip(grid, alleles.items(), strict=True):
        difference = alternative - reference
        scales = [_scale(reference, alternative)] * 2 + [_scale(difference)]
        names = [f"{shorten(target, 26)}, reference", "alternative", "difference"]
        for axes, values, scale, name in zip(row, (reference, alternative, difference), scales, names, strict=True):
            image = axes.imshow(values, cmap="RdBu_r", vmin=-scale, vmax=scale, extent=extent, aspect="equal")
            axes.plot([position], [position], marker="x", color="k", markersize=7)
            axes.set_facecolor("0.85")
            axes.set_title(name, fontsize=9)
            axes.tick_params(labelsize=7)
            figure.colorbar(image, ax=axes, shrink=0.8, extend="both").ax.tick_params(labelsize=7)
    label_positions(grid[0, 0].yaxis, bounds)
    unit = label_positions(grid[-1, 0].xaxis, bounds)
    for axes in grid[-1]:
        axes.set_xlabel(f"{contig} ({unit})", fontsize=8)
    figure.suptitle(title, fontsize=10)
    figure.savefig(picture, dpi=120)


def _scale(*maps: Values) -> float:
    """The absolute value at which the colours end."""
    known = np.abs(np.concatenate([values[~np.isnan(values)] for values in maps]))
    return float(np.percentile(known, _PERCENTILE)) or 1.0
