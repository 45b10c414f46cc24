"""A cooler's maps prepared once, as bands along the diagonal in the cache.

Shapes: P bins of all contigs, one contig after the other; W diagonals of the band; D diagonals that are read.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.contacts.expected_regions import Region
from zoo.data.contacts.maps import LEVELS, MapRules, gaps, log_map, valid_pairs
from zoo.errors import InputError
from zoo.formats.cooler import CoolerFile
from zoo.utils.blocks import CheckedMap
from zoo.utils.cache import cached_folder, cached_path, fingerprint
from zoo.utils.progress import bar
from zoo.utils.records import discard, recorded_sums

__all__ = ["ContactBand"]

# Version of how bands are made: another one gives other folders.
_VERSION = 3
# Files of the folder: values (P, W), which bins are observed (P,), and expected contacts (D,).
_VALUES, _OBSERVED, _EXPECTED = "band.f32", "good.u8", "expected.f64"
# Bins on a side of the squares that are prepared at once, if the band is no wider.
_SIDE = 2048

Mask = NDArray[np.bool_]


class ContactBand:
    """log(observed/expected) of pairs of bins of one cooler; built at first use, opened after that.

    The object holds paths and numbers, so it can be sent to worker processes: each opens the map for itself.

    Args:
        file: the cooler.
        contigs: contig -> length, of the genome; all must be in the cooler.
        width: number of diagonals from the main one, W.
        diagonal: first diagonal that is used.
        expected_from: regions in which expected contacts are counted: the training split.
        masked: bins that are masked whatever the cooler holds (P,).
        rules: how maps are prepared.
        balance: balance the cooler in memory if it has no weights; see `CoolerFile.weights`.
    """

    def __init__(
        self,
        file: CoolerFile,
        contigs: Mapping[str, int],
        width: int,
        diagonal: int,
        expected_from: Sequence[Region],
        masked: Mask,
        rules: MapRules,
        balance: bool,
    ) -> None:
        self.file, self.contigs, self.width, self.diagonal = file, dict(contigs), width, diagonal
        self.expected_from, self.masked, self.rules, self.balance = list(expected_from), masked, rules, balance
        self._names = file.match(contigs)
        bins = np.array([-(-length // file.bin_size) for length in self.contigs.values()])
        self.first = bins.cumsum() - bins
        self.shape = (int(bins.sum()), width)
        self._map: CheckedMap | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_map": None}

    @cached_property
    def folder(self) -> Path:
        """Folder in the cache, named by a hash of everything that decides the values."""
        content = [
            [fingerprint(self.file.path), self.file.group, list(self._names.items()), list(self.contigs.items())],
            [_VERSION, self.width, self.diagonal, self.balance, asdict(self.rules), LEVELS],
            [list(region) for region in self.expected_from],
            hashlib.sha256(np.packbits(self.masked).tobytes()).hexdigest(),
        ]
        return cached_path("contacts", content)

    @property
    def values(self) -> NDArray[np.float32]:
        """Memory map (P, W): pixel (i, i + d) at [i, d], NaN where unknown; all of it is checked."""
        self._open().check_all()
        return self._open().values.reshape(self.shape)

    def pixels(self, rows: NDArray[np.int64], distance: NDArray[np.int64]) -> NDArray[np.float32]:
        """Read pixels.

        Args:
            rows: index of the first bin of each (B, N).
            distance: number of bins from it to the second (N,).

        Returns:
            float32 (B, N), NaN where unknown.

        Raises:
            IntegrityError: they are not as they were written.
        """
        band = self._open()
        band.check(rows.min(1) * self.width, (rows.max(1) + 1) * self.width)
        return band.values.reshape(self.shape)[rows, distance]

    def _open(self) -> CheckedMap:
        if self._map is None:
            folder = self.build()
            sums = recorded_sums(folder, _VALUES)[None]  # one row of all values
            columns = self.shape[0] * self.width
            self._map = CheckedMap(folder / _VALUES, sums, columns, lambda _: discard(folder))
        return self._map

    @property
    def observed(self) -> Mask:
        """Bins with a weight, or interpolated (P,)."""
        flags: NDArray[np.uint8] = np.fromfile(self.build() / _OBSERVED, np.uint8)
        return flags.astype(bool)

    def plan_observed(self) -> Mask:
        """Find which bins will be `observed` (P,), from the table of bins alone; nothing is prepared.

        Raises:
            InputError: a cooler that is not balanced, or cannot be.
        """
        return self._observed(self._weights())

    def _observed(self, weight: NDArray[np.float64]) -> Mask:
        """Bins with a weight (P,), or interpolated between two of their contig."""
        observed = ~np.isnan(weight)
        for first, length in zip(self.first.tolist(), self.contigs.values(), strict=True):
            own = slice(first, first - (-length // self.file.bin_size))
            for low, high in gaps(~np.isnan(weight[own]), self.rules.fill, self.masked[own]):
                observed[first + low : first + high] = True
        return observed

    @property
    def expected(self) -> NDArray[np.float64]:
        """Mean of balanced contacts at each distance in bins (D,), NaN without any."""
        expected: NDArray[np.float64] = np.fromfile(self.build() / _EXPECTED, np.float64)
        return expected

    @property
    def invalid_weights(self) -> int:
        """Number of bins that are masked because the cooler's weight is infinite, 0 or negative."""
        return sum(int(self.file.invalid_weights(name).sum()) for name in self._names.values() if name is not None)

    def build(self) -> Path:
        """Prepare the band if that is not done.

        Returns:
            The folder.

        Raises:
            InputError: a cooler that cannot be read, is not balanced, or has no contacts in the training split.
            OutputError: the cache cannot be written, or the disk is full.
        """
        return cached_folder(self.folder, self._fill, _VALUES, 4 * self.shape[0] * self.width)

    def _fill(self, folder: Path) -> None:
        """Prepare the band of each contig, square by square."""
        weight = self._weights()
        expected = self._expected(weight)
        with (folder / _VALUES).open("wb") as file:
            contigs = bar(list(self.contigs.items()), "preparing maps")
            for first, (contig, length) in zip(self.first.tolist(), contigs, strict=True):
                bins = -(-length // self.file.bin_size)
                own = slice(first, first + bins)
                step = max(_SIDE - self.width, self.width)
                for start in range(0, bins, step):
                    end = min(start + step, bins)
                    file.write(self._block(contig, weight[own], self.masked[own], expected, start, end).data)
        (folder / _OBSERVED).write_bytes(self._observed(weight).astype(np.uint8).tobytes())
        (folder / _EXPECTED).write_bytes(expected.tobytes())

    def _weights(self) -> NDArray[np.float64]:
        """Balancing weights of the genome's bins (P,), NaN for bins that are masked or that the cooler lacks."""
        stored = self.file.weights(self.balance)
        weights = np.full(self.shape[0], np.nan)
        for first, (contig, length) in zip(self.first, self.contigs.items(), strict=True):
            name = str(self._names[contig])
            bins = min(-(-length // self.file.bin_size), self.file.bins[name])
            weights[first : first + bins] = stored[self.file.first[name] : self.file.first[name] + bins]
        return np.where(self.masked, np.nan, weights)

    def _expected(self, weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean balanced contacts at each distance within the regions (D,), as `cooltools expected-cis` counts them."""
        # Coarse-graining pools squares that reach beyond the band, by up to their own side in both directions.
        reach = self.width + self.rules.margin + 2**LEVELS
        total, pairs = np.zeros(reach), np.zeros(reach, np.int64)
        first = dict(zip(self.contigs, self.first.tolist(), strict=True))
        for contig, start, end in bar(self.expected_from, "counting contacts by distance"):
            region = weight[first[contig] + start : first[contig] + end]
            pairs += valid_pairs(~np.isnan(region), reach)
            for row, distance, count in self.file.pixels(str(self._names[contig]), start, end, reach):
                inside = row + distance < end
                row, distance = row[inside] - start, distance[inside]
                balanced = count[inside] * region[row] * region[row + distance]
                total += np.bincount(distance, np.nan_to_num(balanced), reach)
        if not total[self.diagonal : self.width].any():
            raise InputError(f"{self.file.uri}: {self._why_none(weight)}, so nothing can be expected")
        return np.where((pairs > 0) & (total > 0), total / np.maximum(pairs, 1), np.nan)

    def _why_none(self, weight: NDArray[np.float64]) -> str:
        """Why no contact of the training split counts: its bins have no valid weight, or there is none."""
        first = dict(zip(self.contigs, self.first.tolist(), strict=True))
        counts = np.zeros(3, np.int64)  # NaN, invalid, blacklisted
        for contig, start, end in self.expected_from:
            part = slice(first[contig] + start, first[contig] + end)
            if not np.isnan(weight[part]).all():
                return "no contact in the training split"
            masked = self.masked[part]
            invalid = np.flatnonzero(self.file.invalid_weights(str(self._names[contig]))[start:end])
            counts += [(~masked).sum(), (~masked[invalid]).sum(), masked.sum()]
        also = f", {counts[2]:,} blacklisted" if counts[2] else ""
        return (
            f"no bin of the training split has a valid weight ({counts[0] - counts[1]:,} NaN, {counts[1]:,} infinite, "
            f"0 or negative{also})"
        )

    def _block(
        self,
        contig: str,
        weight: NDArray[np.float64],
        masked: Mask,
        expected: NDArray[np.float64],
        start: int,
        end: int,
    ) -> NDArray[np.float32]:
        """Prepare rows `start` to `end` of a contig's band (rows, W), from a square of the map around them."""
        # Margin and beginning are multiples of the largest square of coarse-graining, so that its grid does not depend
        # on where a block begins.
        margin = -(-self.rules.margin // 2**LEVELS) * 2**LEVELS
        low = max(start // 2**LEVELS * 2**LEVELS - margin, 0)
        high = min(end + self.width + margin, len(weight))
        count = np.zeros((high - low, high - low))
        for row, distance, contacts in self.file.pixels(str(self._names[contig]), low, high, len(expected)):
            inside = row + distance < high
            row, distance = row[inside] - low, distance[inside]
            count[row, row + distance] = count[row + distance, row] = contacts[inside]
        prepared = log_map(count, weight[low:high], expected, self.diagonal, self.rules, masked[low:high])
        rows = np.arange(start, end)[:, None]
        columns = rows + np.arange(self.width)  # (rows, W): the square's diagonals become columns of the band
        band: NDArray[np.float32] = prepared[rows - low, np.minimum(columns, high - 1) - low].astype(np.float32)
        band[columns >= high] = np.nan
        return band
