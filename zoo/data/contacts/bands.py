"""A cooler's maps prepared once, as bands along the diagonal that lie in the cache.

Shapes: P bins of all contigs, one contig after the other; W diagonals of the band; D diagonals that are read.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from zoo.data.contacts.expected_regions import Region
from zoo.data.contacts.maps import LEVELS, MapRules, gaps, log_map, valid_pairs
from zoo.data.tracks.coverage import fingerprint
from zoo.errors import InputError, OutputError
from zoo.formats.cooler import CoolerFile
from zoo.utils.atomic import replace_bytes, sync
from zoo.utils.download import cache_folder
from zoo.utils.progress import bar

__all__ = ["ContactBand"]

# Of how bands are made: those of another one lie in folders of their own.
_VERSION = 2
# Bins on a side of the squares that are prepared at once, if the band is no wider.
_SIDE = 2048


class ContactBand:
    """What one cooler says of pairs of bins, log(observed/expected), made when first asked for and found after that.

    The object holds paths and numbers, so it is safe to send to worker processes: each opens the map for itself.

    Args:
        file: the cooler.
        contigs: of the genome, with their lengths; all are in the cooler.
        width: diagonals W, from the main one.
        diagonal: the first that counts.
        expected_from: where the expected values come from: the training split.
        masked: bins that are left out whatever the cooler says (P,).
        rules: how maps are prepared.
        balance: see `CoolerFile.weights`.
    """

    def __init__(
        self,
        file: CoolerFile,
        contigs: Mapping[str, int],
        width: int,
        diagonal: int,
        expected_from: Sequence[Region],
        masked: NDArray[np.bool_],
        rules: MapRules,
        balance: bool,
    ) -> None:
        self.file, self.contigs, self.width, self.diagonal = file, dict(contigs), width, diagonal
        self.expected_from, self.masked, self.rules, self.balance = list(expected_from), masked, rules, balance
        self._names = file.match(contigs)
        bins = np.array([-(-length // file.bin_size) for length in self.contigs.values()])
        self.first = bins.cumsum() - bins
        self.shape = (int(bins.sum()), width)
        self._map: NDArray[np.float32] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_map": None}

    @cached_property
    def folder(self) -> Path:
        """Where it lies: a folder named by a hash of what went into it."""
        said = [
            [fingerprint(self.file.path), self.file.group, list(self._names.items()), list(self.contigs.items())],
            [_VERSION, self.width, self.diagonal, self.balance, asdict(self.rules), LEVELS],
            [list(region) for region in self.expected_from],
            hashlib.sha256(np.packbits(self.masked).tobytes()).hexdigest(),
        ]
        return cache_folder() / "contacts" / hashlib.sha256(json.dumps(said).encode()).hexdigest()[:24]

    @property
    def values(self) -> NDArray[np.float32]:
        """The memory map (P, W): pixel (i, i + d) at [i, d], NaN where it is not known."""
        if self._map is None:
            self._map = np.asarray(np.memmap(self.build() / "band.f32", np.float32, "r", shape=self.shape))
        return self._map

    @property
    def good(self) -> NDArray[np.bool_]:
        """Which bins have values (P,)."""
        found: NDArray[np.uint8] = np.fromfile(self.build() / "good.u8", np.uint8)
        return found.astype(bool)

    @property
    def expected(self) -> NDArray[np.float64]:
        """The mean of balanced contacts at each distance, in bins (D,), NaN where there is none."""
        found: NDArray[np.float64] = np.fromfile(self.build() / "expected.f64", np.float64)
        return found

    def build(self) -> Path:
        """Prepare the band if that is not done.

        Returns:
            The folder.

        Raises:
            InputError: a cooler that cannot be read, is not balanced, or has no contacts to expect any from.
            OutputError: the folder cannot be written, or the disk is full.
        """
        folder = self.folder
        if not (folder / "done").is_file():
            size = 4 * self.shape[0] * self.shape[1]
            try:
                folder.mkdir(parents=True, exist_ok=True)
                with FileLock(folder / "lock"):
                    if not (folder / "done").is_file():
                        self._fill()
            except OSError as error:
                raise OutputError(
                    f"{folder} could not be written ({error.strerror or error}); it takes {size / 1e9:.2f} GB: make "
                    "room, or let the environment variable ZOO_CACHE name another folder"
                ) from None
        return folder

    def _fill(self) -> None:
        weight = self._weights()
        expected = self._expected(weight)
        good = np.zeros(self.shape[0], np.uint8)
        with (self.folder / "band.f32").open("wb") as file:
            for place, (contig, length) in zip(
                self.first, bar(list(self.contigs.items()), "preparing maps"), strict=True
            ):
                bins = -(-length // self.file.bin_size)
                of_contig = weight[place : place + bins]
                left_out = self.masked[place : place + bins]
                good[place : place + bins] = ~np.isnan(of_contig)
                for low, high in gaps(~np.isnan(of_contig), self.rules.fill, left_out):
                    good[place + low : place + high] = True
                step = max(_SIDE - self.width, self.width)
                for start in range(0, bins, step):
                    end = min(start + step, bins)
                    file.write(self._block(contig, of_contig, left_out, expected, start, end).data)
            sync(file)
        replace_bytes(self.folder / "good.u8", good.tobytes())
        replace_bytes(self.folder / "expected.f64", expected.tobytes())
        replace_bytes(self.folder / "done", b"")

    def _weights(self) -> NDArray[np.float64]:
        """Of the genome's bins (P,), NaN for those that are left out or lack in the cooler."""
        stored = self.file.weights(self.balance)
        found = np.full(self.shape[0], np.nan)
        for place, (contig, length) in zip(self.first, self.contigs.items(), strict=True):
            name = str(self._names[contig])
            bins = min(-(-length // self.file.bin_size), self.file.bins[name])
            found[place : place + bins] = stored[self.file.first[name] : self.file.first[name] + bins]
        return np.where(self.masked, np.nan, found)

    def _expected(self, weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean balanced contacts at each distance within the regions, as `cooltools expected-cis` counts them (D,)."""
        # Squares of pixels that are pooled reach further than the band by their own side, in both directions.
        reach = self.width + self.rules.margin + 2**LEVELS
        total, pairs = np.zeros(reach), np.zeros(reach, np.int64)
        places = dict(zip(self.contigs, self.first.tolist(), strict=True))
        for contig, start, end in bar(self.expected_from, "counting contacts by distance"):
            here = weight[places[contig] + start : places[contig] + end]
            pairs += valid_pairs(~np.isnan(here), reach)
            for row, distance, count in self.file.pixels(str(self._names[contig]), start, end, reach):
                inside = row + distance < end
                row, distance = row[inside] - start, distance[inside]
                balanced = count[inside] * here[row] * here[row + distance]
                total += np.bincount(distance, np.nan_to_num(balanced), reach)
        if not total[self.diagonal : self.width].any():
            raise InputError(f"{self.file.uri}: no contact in the training split, so nothing can be expected")
        return np.where((pairs > 0) & (total > 0), total / np.maximum(pairs, 1), np.nan)

    def _block(
        self,
        contig: str,
        weight: NDArray[np.float64],
        masked: NDArray[np.bool_],
        expected: NDArray[np.float64],
        start: int,
        end: int,
    ) -> NDArray[np.float32]:
        """Rows of the band from bin `start` to `end` of a contig, from a square around them."""
        margin = -(-self.rules.margin // 2**LEVELS) * 2**LEVELS  # so that the squares that are pooled stay the same
        low = max(start // 2**LEVELS * 2**LEVELS - margin, 0)
        high = min(end + self.width + margin, len(weight))
        count = np.zeros((high - low, high - low))
        for row, distance, found in self.file.pixels(str(self._names[contig]), low, high, len(expected)):
            inside = row + distance < high
            row, distance = row[inside] - low, distance[inside]
            count[row, row + distance] = count[row + distance, row] = found[inside]
        prepared = log_map(count, weight[low:high], expected, self.diagonal, self.rules, masked[low:high])
        rows = np.arange(start, end)[:, None]
        columns = rows + np.arange(self.width)
        band: NDArray[np.float32] = prepared[rows - low, np.minimum(columns, high - 1) - low].astype(np.float32)
        band[columns >= high] = np.nan
        return band
