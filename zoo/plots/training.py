"""Pictures of training: metrics against epochs."""

import csv
from pathlib import Path

__all__ = ["draw_learning_curve"]


def draw_learning_curve(run: Path, picture: Path, title: str) -> None:
    """Draw every metric of a run against its epoch, losses left and scores right.

    Args:
        run: the run's folder, with a `log_<n>/metrics.csv` of Lightning's CSVLogger for each start of the run.
        picture: the PNG to write.
        title: title of the picture.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    curves = _read_curves(run)
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    losses, scores = figure.subplots(1, 2)
    for name, points in curves.items():
        axes = losses if name.endswith("loss") else scores
        axes.plot(list(points), list(points.values()), marker="o", markersize=3, label=name.replace("_", " "))
    for axes in (losses, scores):
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.spines[["top", "right"]].set_visible(False)
        if axes.lines:
            axes.legend(frameon=False)
    figure.suptitle(title)
    figure.savefig(picture, dpi=120)


def _read_curves(run: Path) -> dict[str, dict[int, float]]:
    """Metric -> epoch, counted from 1 -> value; an epoch that a resumed run repeats replaces the earlier one."""
    curves: dict[str, dict[int, float]] = {}
    logs = [path for path in run.glob("log_*/metrics.csv") if path.parent.name[4:].isdecimal()]
    for log in sorted(logs, key=lambda path: int(path.parent.name[4:])):
        whole, _, _ = log.read_text().rpartition("\n")  # a run that was killed may leave half a line
        for row in csv.DictReader(whole.splitlines()):
            for name, value in row.items():
                if name.startswith(("train_", "val_")) and value:
                    curves.setdefault(name, {})[int(row["epoch"]) + 1] = float(value)
    return curves
