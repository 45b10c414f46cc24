"""Axes of genomic positions, in megabases, kilobases or bases."""

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axis import Axis

__all__ = ["label_positions", "position_unit"]

_TICKS = 5


def position_unit(start: int, end: int) -> tuple[str, int]:
    """Unit of an axis from `start` to `end`, and its bases: Mb from 100 kb on, kb from 5 kb on."""
    span = end - start
    return ("Mb", 1_000_000) if span >= 100_000 else ("kb", 1_000) if span >= 5_000 else ("bp", 1)


def label_positions(axis: "Axis", bounds: tuple[int, int]) -> str:
    """Mark positions along an axis that is drawn in bases.

    Args:
        axis: the x or y axis.
        bounds: first base, and the one after the last.

    Returns:
        The unit of the numbers.
    """
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    unit, bases = position_unit(*bounds)
    axis.set_major_locator(MaxNLocator(nbins=_TICKS, steps=[1, 2, 2.5, 5, 10], integer=bases == 1))
    ticks = [tick for tick in axis.get_majorticklocs() if bounds[0] <= tick <= bounds[1]]
    step = min((b - a for a, b in pairwise(ticks)), default=bases)
    digits = next((n for n in range(7) if abs(round(step / bases, n) * bases - step) < 1e-6 * step), 6)
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / bases:,.{digits}f}"))
    return unit
