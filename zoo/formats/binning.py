"""Values of bases to values of bins, and values of bins to wider bins.

Shapes: L bases, T tracks, B windows, N bins.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zoo.errors import InputError

__all__ = ["Missing", "Statistic", "bin_and_count", "bin_values", "pool_bins"]

Statistic = Literal["mean", "sum"]
Missing = Literal["zero", "mask"]

# Where a larger fraction of bases has no value, as in tracks of transcription starts, only the others are summed.
_SPARSE = 0.9
# Width from which einsum sums faster than repeated addition of neighbours.
_WIDE = 16


def bin_values(
    values: NDArray[np.float32], bin_size: int, statistic: Statistic, missing: Missing
) -> NDArray[np.float32]:
    """Bin the values of bases.

    Args:
        values: values of bases (L,), NaN where there is none.
        bin_size: bases per bin; the last bin may have fewer.
        statistic: `sum` or `mean` of the bases of a bin.
        missing: `zero`: a base without a value counts as 0. `mask`: it does not count: a sum is scaled up to the whole
            bin, and a bin without any value is NaN.

    Returns:
        float32 (ceil(L / bin_size),).

    Raises:
        InputError: infinite values.
    """
    return bin_and_count(values, bin_size, statistic, missing)[0]


def bin_and_count(
    values: NDArray[np.float32], bin_size: int, statistic: Statistic, missing: Missing
) -> tuple[NDArray[np.float32], int]:
    """Bin the values of bases as `bin_values`, and count the bases without a value.

    Raises:
        InputError: infinite values.
    """
    unknown = np.isnan(values)
    gaps = int(np.count_nonzero(unknown))
    if gaps > _SPARSE * len(values):
        known = np.flatnonzero(~unknown)
        # Summed in float64, rounded once.
        total = np.bincount(known // bin_size, values[known], -(-len(values) // bin_size)).astype(np.float32)
    else:
        total = _sums(_without(values, unknown) if gaps else values, bin_size)
    if not np.isfinite(total).all():  # any infinite value, or two that cancel to NaN, shows in its sum
        raise InputError("infinite values")
    if missing == "zero" and statistic == "sum":
        return total, gaps
    bases = np.full(len(total), bin_size, np.float32)
    bases[len(values) // bin_size :] = len(values) % bin_size  # of the last bin, where it is incomplete
    if missing == "mask" and gaps:
        counted = bases - _sums(unknown.astype(np.float32), bin_size)
        with np.errstate(invalid="ignore", divide="ignore"):
            total *= bases / counted  # 0 * inf = NaN where no base has a value
    return total if statistic == "sum" else total / bases, gaps


def _without(values: NDArray[np.float32], unknown: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Copy values (L,) with 0 where unknown: twice as fast as np.where."""
    known = values.copy()
    np.copyto(known, np.float32(0), where=unknown)
    return known


def _sums(values: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Sum each `width` values (L,) -> (ceil(L / width),).

    Neighbours are added pairwise while that is possible: fast, and more exact than one running float32 sum. Not written
    as a product with ones: BLAS would start threads in each of many processes.
    """
    if width == 1:
        return values.copy()
    whole = values[: len(values) // width * width]
    rest = values[len(whole) :]
    with np.errstate(invalid="ignore"):  # inf - inf: refused by whoever reads the sums
        while width % 2 == 0 and width < _WIDE:
            whole, width = whole[::2] + whole[1::2], width // 2  # (n,) -> (n / 2,)
    sums = whole if width == 1 else np.einsum("ij->i", whole.reshape(-1, width))  # (bins, width) -> (bins,)
    return np.append(sums, rest.sum()) if len(rest) else sums


def pool_bins(values: NDArray[np.float32], width: int, statistics: Sequence[Statistic]) -> NDArray[np.float32]:
    """Pool bins into wider ones.

    A wide bin is NaN where half of its bins or more are; otherwise NaN counts as the mean of the others.

    Args:
        values: values of bins (T, B, N * width), NaN where masked.
        width: bins per wide bin.
        statistics: what a bin of each track holds (T): means are averaged, sums are summed.

    Returns:
        float32 (T, B, N).
    """
    bins = values.reshape(*values.shape[:2], -1, width)  # (T, B, N, width)
    total = _sums(values.reshape(-1), width).reshape(bins.shape[:3])  # (T, B, N), NaN where any bin is
    incomplete = np.isnan(total)
    if incomplete.any():
        some = bins[incomplete]  # (incomplete wide bins, width)
        count = (~np.isnan(some)).sum(-1)
        total[incomplete] = np.nansum(some, -1) * np.where(2 * count > width, width / np.maximum(count, 1), np.nan)
    factor = np.array([1 / width if statistic == "mean" else 1 for statistic in statistics], np.float32)
    pooled: NDArray[np.float32] = total * factor[:, None, None]
    return pooled
