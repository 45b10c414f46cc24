"""Pictures of tracks."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["draw_tracks"]


def draw_tracks(
    picture: Path,
    contig: str,
    edges: NDArray[np.int64],
    predicted: Mapping[str, NDArray[np.float32]],
    measured: Mapping[str, NDArray[np.float32]],
    title: str,
) -> None:
    """Draw tracks of a region below each other: predicted values as lines, measured ones as areas.

    Args:
        picture: the file to write; its ending says the format (png, svg, pdf).
        contig: contig of the region.
        edges: edges of the bins, in bases (P + 1,).
        predicted: target -> values of the bins (P,).
        measured: the same, for targets that were measured.
        title: title of the picture.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 0.9 + 1.1 * len(predicted)), layout="constrained")
    rows = figure.subplots(len(predicted), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (target, values) in zip(rows, predicted.items(), strict=True):
        if target in measured:
            axes.stairs(measured[target], edges, fill=True, color="0.75", label="measured")
        axes.stairs(values, edges, baseline=None, color="C0", linewidth=1.2, label="predicted")
        axes.set_ylabel(target, rotation=0, ha="right", va="center", fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        if np.fmin.reduce(np.append(values, measured.get(target, values))) >= 0:
            axes.set_ylim(bottom=0)
    rows[0].legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1), fontsize=8)
    rows[-1].set_xlim(edges[0], edges[-1])
    rows[-1].xaxis.set_major_formatter("{x:,.0f}")
    rows[-1].set_xlabel(f"{contig} (bp)")
    figure.suptitle(title, fontsize=10)
    figure.savefig(picture, dpi=120)
