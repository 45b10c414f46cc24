"""Pictures."""

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["draw_learning_curve", "draw_tracks"]


def draw_learning_curve(run: Path, picture: Path, title: str) -> None:
    """Draw every metric of a run against its epoch, losses left and scores right.

    Args:
        run: the run's folder, with a `log_<n>/metrics.csv` of Lightning's CSVLogger for each time it was begun.
        picture: the PNG to write.
        title: what stands above it.
    """
    from matplotlib.figure import Figure

    curves = _read_curves(run)
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    losses, scores = figure.subplots(1, 2)
    for name, points in curves.items():
        axes = losses if name.endswith("loss") else scores
        axes.plot(list(points), list(points.values()), marker="o", markersize=3, label=name.replace("_", " "))
    for axes in (losses, scores):
        axes.set_xlabel("epoch")
        axes.spines[["top", "right"]].set_visible(False)
        if axes.lines:
            axes.legend(frameon=False)
    figure.suptitle(title)
    figure.savefig(picture, dpi=120)


def draw_tracks(
    picture: Path,
    contig: str,
    edges: NDArray[np.int64],
    predicted: Mapping[str, NDArray[np.float32]],
    measured: Mapping[str, NDArray[np.float32]],
    title: str,
) -> None:
    """Draw tracks of a region below each other: what is predicted as a line, what was measured as an area.

    Args:
        picture: the file to write; its ending says the format (png, svg, pdf).
        contig: where the region lies.
        edges: of the bins, in bases (P + 1,).
        predicted: target -> values of the bins (P,).
        measured: likewise, for targets that were measured.
        title: what stands above it.
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


def _read_curves(run: Path) -> dict[str, dict[int, float]]:
    """Metric -> epoch -> value; what a resumed run did again replaces what it did before."""
    curves: dict[str, dict[int, float]] = {}
    for log in sorted(run.glob("log_*/metrics.csv"), key=lambda path: int(path.parent.name.removeprefix("log_"))):
        with log.open(newline="") as file:
            for row in csv.DictReader(file):
                for name, value in row.items():
                    if name.startswith(("train_", "val_")) and value:
                        curves.setdefault(name, {})[int(row["epoch"])] = float(value)
    return curves
