"""Contact counts to what a model learns: log(observed/expected), coarse-grained, clipped, interpolated, smoothed.

The steps of Akita's authors (Fudenberg 2020, doi:10.1038/s41592-020-0958-x): adaptive coarse-graining, division by the
expected contacts at each distance, natural logarithm, clipping, interpolation of missing bins, a Gaussian.
Shapes: N bins on a side of a map, D diagonals.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from zoo.errors import ConfigError

__all__ = ["LEVELS", "MapRules", "coarse_grain", "fill_gaps", "gaps", "log_map", "runs", "smooth", "valid_pairs"]

Map = NDArray[np.float64]
Mask = NDArray[np.bool_]

# How often coarse-graining doubles the side of its squares: up to 64 bins.
LEVELS = 6
# Standard deviations at which the Gaussian is truncated.
_TRUNCATE = 4.0


@dataclass(frozen=True, kw_only=True)
class MapRules:
    """Options of the preparation of contact maps.

    Args:
        least_count: contacts that each quarter of a square needs in adaptive coarse-graining; pixels of poorer squares
            share their mean. 0 for no coarse-graining.
        clip: the logarithm is clipped to [-clip, clip].
        fill: runs of up to so many bins without a weight, between two bins with one, are interpolated; blacklisted bins
            are not.
        smooth: standard deviation of the Gaussian that smooths the logarithm, in bins; 0 for no smoothing.

    Raises:
        ConfigError: a negative number, NaN, or a clip of 0.
    """

    least_count: float = 2.0
    clip: float = 2.0
    fill: int = 1
    smooth: float = 0.0

    def __post_init__(self) -> None:
        # Written so that NaN is refused.
        if not (self.least_count >= 0 and self.clip > 0 and self.fill >= 0 and self.smooth >= 0):
            raise ConfigError("least_count, fill and smooth are numbers from 0 up, clip is one above 0")

    @property
    def margin(self) -> int:
        """Bins around a pixel that may influence its value."""
        return int(2**LEVELS) + self.fill + 1 + int(np.ceil(_TRUNCATE * self.smooth))


def log_map(count: Map, weight: Map, expected: Map, diagonal: int, rules: MapRules, masked: Mask | None = None) -> Map:
    """Prepare a square of a contact map.

    Args:
        count: contacts (N, N), symmetric.
        weight: balancing weights (N,), NaN for masked bins.
        expected: mean of balanced contacts at each distance (D,), NaN where unknown; pixels further apart are NaN.
        diagonal: first diagonal that is used; those before it are NaN.
        rules: how maps are prepared.
        masked: bins without a weight that must not be interpolated (N,); None for none.

    Returns:
        log(observed/expected) (N, N), symmetric, NaN where unknown.
    """
    index = np.arange(len(count))
    distance = np.abs(index[:, None] - index)  # (N, N)
    # One more value stands for all distances from D up.
    padded = np.append(np.where(np.arange(len(expected)) < diagonal, np.nan, expected), np.nan)
    by_distance = padded[np.minimum(distance, len(expected))]  # (N, N)
    observed = np.where(np.isnan(by_distance), np.nan, count * weight[:, None] * weight)
    if rules.least_count:
        observed = coarse_grain(observed, count, rules.least_count)
    with np.errstate(divide="ignore"):  # log(0) = -inf is clipped
        values = np.clip(np.log(observed / by_distance), -rules.clip, rules.clip)
    if rules.fill:
        values, _ = fill_gaps(values, ~np.isnan(weight), rules.fill, masked)
        values[np.isnan(by_distance)] = np.nan
    return smooth(values, rules.smooth) if rules.smooth else values


def coarse_grain(values: Map, count: Map, least: float, levels: int = LEVELS) -> Map:
    """Adaptive coarse-graining: give pixels with few contacts the mean of the smallest square with enough of them.

    Squares have 2, 4, 8, ... pixels on a side, counted from the first pixel. Wherever one of the four quarters of a
    square has fewer contacts than `least`, all four take the mean of the square. Larger squares are treated first, so
    that smaller ones with enough contacts overwrite them. Masked pixels have no contacts and take no part in means.
    Same result as `cooltools.lib.numutils.adaptive_coarsegrain` (Open2C, doi:10.1371/journal.pcbi.1012067) with
    min_shape=1, which prepared the published maps.

    Args:
        values: balanced contacts (N, N), NaN where masked.
        count: contacts (N, N).
        least: contacts that are enough.
        levels: how often the side of squares doubles.

    Returns:
        Coarse-grained values (N, N), NaN where `values` is.
    """
    size = len(values)
    short = -size % 2**levels  # the side must be a multiple of the largest square
    values = np.pad(values, (0, short), constant_values=np.nan)
    known = ~np.isnan(values)
    # Sums over squares of: balanced contacts, contacts, number of known pixels.
    sums = [np.where(known, values, 0.0), np.where(known, np.pad(count, (0, short)), 0.0), known.astype(float)]
    pyramid = [sums]
    for _ in range(levels):
        sums = [_pooled(part) for part in sums]  # (N / 2, N / 2), (N / 4, N / 4), ...
        pyramid.append(sums)
    total, _, pixels = pyramid.pop()
    result = _mean(total, pixels)
    while pyramid:
        total, contacts, pixels = pyramid.pop()
        poor = _pooled(contacts, np.minimum) < least  # the poorest quarter decides
        result = np.where(_spread(poor), _spread(result), _mean(total, pixels))
    return np.where(known, result, np.nan)[:size, :size]


def _pooled(values: Map, pool: np.ufunc = np.add) -> Map:
    """Pool 2 x 2 pixels into one: (N, N) -> (N / 2, N / 2)."""
    rows = pool(values[::2], values[1::2])
    pooled: Map = pool(rows[:, ::2], rows[:, 1::2])
    return pooled


def _spread(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Repeat each pixel 2 x 2 times: (N, N) -> (2 N, 2 N)."""
    return values.repeat(2, 0).repeat(2, 1)


def _mean(total: Map, pixels: Map) -> Map:
    """Mean of known pixels, NaN without any."""
    return np.divide(total, pixels, out=np.full_like(total, np.nan), where=pixels > 0)


def gaps(observed: Mask, longest: int, masked: Mask | None = None) -> list[tuple[int, int]]:
    """Find the gaps to interpolate: runs of up to `longest` unobserved bins, none masked, between two observed ones.

    Args:
        observed: bins with a value (N,).
        longest: bins of the longest gap.
        masked: bins that must not be interpolated (N,); None for none.

    Returns:
        Start and end of each gap.
    """
    return [
        (start, end)
        for start, end in runs(~observed)
        if start > 0
        and end < len(observed)
        and end - start <= longest
        and not (masked is not None and masked[start:end].any())
    ]


def fill_gaps(values: Map, observed: Mask, longest: int, masked: Mask | None = None) -> tuple[Map, Mask]:
    """Interpolate linearly the rows and columns of the bins in `gaps`.

    Args:
        values: map (N, N), NaN where unknown.
        observed: bins with a value (N,).
        longest: bins of the longest gap.
        masked: bins that must not be interpolated (N,); None for none.

    Returns:
        The map (N, N), and the bins that have values now (N,); both are copies.
    """
    values, observed = values.copy(), observed.copy()
    for start, end in gaps(observed, longest, masked):
        # Rows first; the columns then also fill the pixels where the gap meets itself.
        for index in range(start, end):
            fraction = (index - start + 1) / (end - start + 1)
            _interpolate(values[index], values[start - 1], values[end], fraction)
            observed[index] = True
        for index in range(start, end):
            fraction = (index - start + 1) / (end - start + 1)
            _interpolate(values[:, index], values[:, start - 1], values[:, end], fraction)
    return values, observed


def _interpolate(target: Map, before: Map, after: Map, fraction: float) -> None:
    """Set a line (N,) to (1 - fraction) * before + fraction * after; where one of them is NaN, to the other."""
    known = np.array([~np.isnan(before), ~np.isnan(after)]) * np.array([[1 - fraction], [fraction]])  # (2, N)
    total = known.sum(0)
    mixed = (np.nan_to_num(np.array([before, after])) * known).sum(0)
    target[:] = np.divide(mixed, total, out=np.full_like(mixed, np.nan), where=total > 0)


def smooth(values: Map, sigma: float) -> Map:
    """Smooth a map by a Gaussian over its known pixels (normalized convolution); NaN stays NaN.

    Args:
        values: map (N, N), NaN where unknown.
        sigma: standard deviation in bins.
    """
    known = ~np.isnan(values)
    # A pixel is the weighted mean of the known ones: the filtered values over the filtered mask.
    weight = gaussian_filter(known.astype(float), sigma, mode="constant", truncate=_TRUNCATE)
    total = gaussian_filter(np.where(known, values, 0.0), sigma, mode="constant", truncate=_TRUNCATE)
    smoothed: Map = np.divide(total, weight, out=np.full_like(values, np.nan), where=known)
    return smoothed


def runs(flags: Mask) -> list[tuple[int, int]]:
    """Start and end of each run of True in flags (N,)."""
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]  # (runs, 2)


def valid_pairs(observed: Mask, diagonals: int) -> NDArray[np.int64]:
    """Number of pairs of observed bins (N,) at each distance (D,)."""
    counts = [np.count_nonzero(observed[: max(len(observed) - d, 0)] & observed[d:]) for d in range(diagonals)]
    return np.array(counts, np.int64)
