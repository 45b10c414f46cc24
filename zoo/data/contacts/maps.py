"""From counts of contacts to what a model learns: log(observed/expected), coarse-grained, clipped, filled, smoothed.

As Akita's authors prepared their maps (Fudenberg 2020, doi:10.1038/s41592-020-0958-x): adaptive coarse-graining,
division by what distance alone makes, natural logarithm, clipping, interpolation of missing bins, a Gaussian.
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

# Times that 2 x 2 pixels are pooled at most in coarse-graining: squares of 64 bins.
LEVELS = 6
# Standard deviations at which a Gaussian is cut off.
_TRUNCATE = 4.0


@dataclass(frozen=True, kw_only=True)
class MapRules:
    """How a map of contacts is prepared.

    Args:
        least_count: contacts that a pixel needs to stand for itself; squares of poorer ones share their mean. 0 for no
            coarse-graining.
        clip: the logarithm lies between this and its negative.
        fill: runs of up to so many bins without a weight, between two with one, are interpolated; not blacklisted ones.
        smooth: standard deviation, in bins, of the Gaussian that smooths the logarithm; 0 for none.
    """

    least_count: float = 2.0
    clip: float = 2.0
    fill: int = 1
    smooth: float = 0.0

    def __post_init__(self) -> None:
        if not (self.least_count >= 0 and self.clip > 0 and self.fill >= 0 and self.smooth >= 0):
            raise ConfigError("least_count, fill and smooth are numbers from 0 up, clip is one above 0")

    @property
    def margin(self) -> int:
        """Bins around a pixel that may have a part in its value."""
        return int(2**LEVELS) + self.fill + 1 + int(np.ceil(_TRUNCATE * self.smooth))


def log_map(count: Map, weight: Map, expected: Map, diagonal: int, rules: MapRules, masked: Mask | None = None) -> Map:
    """Prepare a square of a map.

    Args:
        count: contacts (N, N), symmetric.
        weight: what makes them comparable (N,), NaN for bins that are left out.
        expected: the mean of balanced contacts at each distance (D,), NaN where there is none; pixels further apart are
            left out.
        diagonal: the first that counts.
        rules: see there.
        masked: bins without a weight that must not be filled (N,).

    Returns:
        log(observed/expected) (N, N), symmetric, NaN where it is not known.
    """
    place = np.arange(len(count))
    distance = np.abs(place[:, None] - place)
    far = np.append(np.where(np.arange(len(expected)) < diagonal, np.nan, expected), np.nan)
    by_distance = far[np.minimum(distance, len(expected))]
    observed = np.where(np.isnan(by_distance), np.nan, count * weight[:, None] * weight)
    if rules.least_count:
        observed = coarse_grain(observed, count, rules.least_count)
    with np.errstate(divide="ignore"):
        found = np.clip(np.log(observed / by_distance), -rules.clip, rules.clip)
    good = ~np.isnan(weight)
    if rules.fill:
        found, good = fill_gaps(found, good, rules.fill, masked)
        found[np.isnan(by_distance)] = np.nan
    return smooth(found, rules.smooth) if rules.smooth else found


def coarse_grain(values: Map, count: Map, least: float, levels: int = LEVELS) -> Map:
    """Let pixels with few contacts share the mean of the smallest square around them that has enough.

    Squares are of 2, 4, 8, ... pixels a side, counted from the first pixel. Wherever one of the four parts of a square
    has fewer contacts than `least`, all four take the mean of the square; begun at the largest, so that smaller squares
    with enough contacts have the last word. A part that is left out has none. As does
    `cooltools.lib.numutils.adaptive_coarsegrain`, by which published maps were made.

    Args:
        values: balanced contacts (N, N), NaN for those that do not count.
        count: contacts (N, N).
        least: contacts that are enough.
        levels: times that squares double.
    """
    size = len(values)
    short = -size % 2**levels
    values = np.pad(values, (0, short), constant_values=np.nan)
    there = ~np.isnan(values)
    parts = [np.where(there, values, 0.0), np.where(there, np.pad(count, (0, short)), 0.0), there.astype(float)]
    pyramid = [parts]
    for _ in range(levels):
        parts = [_pooled(part) for part in parts]
        pyramid.append(parts)
    found = _mean(*pyramid.pop())
    while pyramid:
        total, counted, pixels = pyramid.pop()
        poor = _pooled(counted, np.minimum) < least
        found = np.where(_spread(poor), _spread(found), _mean(total, counted, pixels))
    return np.where(there, found, np.nan)[:size, :size]


def _pooled(values: Map, pool: np.ufunc = np.add) -> Map:
    """2 x 2 pixels into one."""
    rows = pool(values[::2], values[1::2])
    found: Map = pool(rows[:, ::2], rows[:, 1::2])
    return found


def _spread(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """One pixel into 2 x 2."""
    return values.repeat(2, 0).repeat(2, 1)


def _mean(total: Map, counted: Map, pixels: Map) -> Map:
    return np.divide(total, pixels, out=np.full_like(total, np.nan), where=pixels > 0)


def gaps(good: Mask, longest: int, masked: Mask | None = None) -> list[tuple[int, int]]:
    """Start and end of runs of up to `longest` bins that are left out, none of them masked, between two that count."""
    return [
        (start, end)
        for start, end in runs(~good)
        if start > 0
        and end < len(good)
        and end - start <= longest
        and not (masked is not None and masked[start:end].any())
    ]


def fill_gaps(values: Map, good: Mask, longest: int, masked: Mask | None = None) -> tuple[Map, Mask]:
    """Interpolate rows and columns of the bins in `gaps`.

    Returns:
        The map, and which of its bins have values now.
    """
    values, good = values.copy(), good.copy()
    for start, end in gaps(good, longest, masked):
        for index in range(start, end):
            share = (index - start + 1) / (end - start + 1)
            _between(values[index], values[start - 1], values[end], share)
            good[index] = True
        for index in range(start, end):
            share = (index - start + 1) / (end - start + 1)
            _between(values[:, index], values[:, start - 1], values[:, end], share)
    return values, good


def _between(target: Map, before: Map, after: Map, share: float) -> None:
    """Set a line to what lies between two others; where one of them is not known, the other alone counts."""
    known = np.array([~np.isnan(before), ~np.isnan(after)]) * np.array([[1 - share], [share]])
    total = known.sum(0)
    mixed = (np.nan_to_num(np.array([before, after])) * known).sum(0)
    target[:] = np.divide(mixed, total, out=np.full_like(mixed, np.nan), where=total > 0)


def smooth(values: Map, sigma: float) -> Map:
    """Smooth a map by a Gaussian over the pixels that are known; those that are not stay so."""
    there = ~np.isnan(values)
    weight = gaussian_filter(there.astype(float), sigma, mode="constant", truncate=_TRUNCATE)
    total = gaussian_filter(np.where(there, values, 0.0), sigma, mode="constant", truncate=_TRUNCATE)
    found: Map = np.divide(total, weight, out=np.full_like(values, np.nan), where=there)
    return found


def runs(flags: Mask) -> list[tuple[int, int]]:
    """Start and end of each stretch of bins for which a flag holds."""
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def valid_pairs(good: Mask, diagonals: int) -> NDArray[np.int64]:
    """How many pairs of bins that count lie at each distance (D,)."""
    counts = [np.count_nonzero(good[: max(len(good) - d, 0)] & good[d:]) for d in range(diagonals)]
    return np.array(counts, np.int64)
