"""Pictures."""

import csv
from pathlib import Path

__all__ = ["draw_learning_curve"]


def draw_learning_curve(metrics: Path, picture: Path, title: str) -> None:
    """Draw every metric of a run against its epoch, losses left and scores right.

    Args:
        metrics: the CSV that Lightning's CSVLogger wrote.
        picture: the PNG to write.
        title: what stands above it.
    """
    from matplotlib.figure import Figure

    curves = _read_curves(metrics)
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    losses, scores = figure.subplots(1, 2)
    for name, points in curves.items():
        axes = losses if name.endswith("loss") else scores
        axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=name.replace("_", " "))
    for axes in (losses, scores):
        axes.set_xlabel("epoch")
        axes.spines[["top", "right"]].set_visible(False)
        if axes.lines:
            axes.legend(frameon=False)
    figure.suptitle(title)
    figure.savefig(picture, dpi=120)


def _read_curves(metrics: Path) -> dict[str, list[tuple[int, float]]]:
    curves: dict[str, list[tuple[int, float]]] = {}
    with metrics.open(newline="") as file:
        for row in csv.DictReader(file):
            for name, value in row.items():
                if name.startswith(("train_", "valid_")) and value:
                    curves.setdefault(name, []).append((int(row["epoch"]), float(value)))
    return curves
