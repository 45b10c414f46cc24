"""SiteInputs: tracks that a model reads in addition to the sequence of each site, from bigWigs.

Shapes: N sites, B of them in a batch, I tracks, L bases of a site, W = L + 2 * margin bases kept of it, P values of a
site, each of `size` bases.
"""

import hashlib
from copy import copy
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from zoo.batch import InputSpec
from zoo.data.tracks.table import Transform, read_track_table, strand_pairs
from zoo.data.windows import GenomeWindows
from zoo.errors import ConfigError, InputError
from zoo.formats.bigwig import BigWig, match_bigwig
from zoo.formats.binning import Missing, pool_bins
from zoo.utils.blocks import CheckedMap, reserve
from zoo.utils.cache import cached_folder, cached_path, fingerprint
from zoo.utils.progress import bar
from zoo.utils.records import discard, recorded_sums

__all__ = ["SiteInputs", "input_spec"]

Index = NDArray[np.int64]
_VERSION = 1
_BASES_AT_ONCE = 4_000_000
_VALUES = "values.f32"


def input_spec(table: str | None, size: int, length: int) -> InputSpec:
    """Specify the tracks of a table that are read along sites.

    Args:
        table: TSV with a line per bigWig (see `zoo.data.tracks.table.Track`); None for no tracks.
        size: bases per value.
        length: bases of a site.

    Raises:
        InputError: a table that cannot be read.
        ConfigError: a size that does not divide the length.
    """
    if table is None:
        return InputSpec()
    if size < 1 or length % size:
        raise ConfigError(f"an input_size of {size} bases does not divide sites of {length}")
    tracks = read_track_table(table)
    return InputSpec(tuple(track.name for track in tracks), size, tuple(strand_pairs(tracks)))


class SiteInputs:
    """Values of tracks along sites, kept in the cache as one memory map of the bases around each site.

    A value is the mean or sum of `size` bases, counted from the site's first base: it is shifted with the sequence.
    Values are those of `zoo.data.tracks.inputs.InputTracks` with a resolution of 1, which prediction reads; here only
    the bases around sites are stored, not those of the whole genome.

    Args:
        table: TSV with a line per bigWig (see `zoo.data.tracks.table.Track`).
        sites: the sites (N).
        size: bases per value.
        margin: bases to either side of a site that a shift may reach.
    """

    def __init__(self, table: str, sites: GenomeWindows, size: int, margin: int = 0) -> None:
        self.tracks = read_track_table(table)
        self.pairs = strand_pairs(self.tracks)
        self.sites, self.size, self.margin = sites, size, margin
        self.rows = np.arange(len(sites))
        self.shape = (len(sites), len(self.tracks), sites.length + 2 * margin)  # (N, I, W)
        self._transform = Transform(self.tracks)
        self._map: CheckedMap | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_map": None}

    def build(self) -> Path:
        """Read the bigWigs along the sites, unless the cache holds the result.

        Returns:
            A folder whose file is float32 (N, I, W), NaN past the ends of contigs and where bases without a value are
            masked.

        Raises:
            InputError: a bigWig that is damaged, of another assembly, or without a contig that has a site.
            OutputError: the cache cannot be written, or the disk is full.
        """
        sites = self.sites
        coordinates = hashlib.sha256(sites.contig.tobytes() + sites.start.tobytes()).hexdigest()
        tracks = [[fingerprint(Path(track.path)), track.missing] for track in self.tracks]
        key = [_VERSION, tracks, list(sites.genome.contigs.items()), coordinates, sites.length, self.margin]
        return cached_folder(cached_path("site_inputs", key), self._fill, _VALUES, 4 * int(np.prod(self.shape)))

    def select(self, keep: NDArray[np.bool_]) -> Self:
        """Select the sites for which `keep` (N,) is true; the memory map stays that of all."""
        chosen = copy(self)
        chosen.rows = self.rows[keep]
        return chosen

    def read(self, rows: Index, offset: Index) -> NDArray[np.float32]:
        """Read the values (B, I, P) of sites `rows` (B,), each shifted `offset` bases to the right (B,)."""
        stored, length = self._open(), self.sites.length
        sites, size = self.rows[rows], int(np.prod(self.shape[1:]))
        stored.check(sites * size, (sites + 1) * size)
        column = (self.margin + offset)[:, None, None] + np.arange(length)  # (B, 1, L)
        bases = np.take_along_axis(stored.values.reshape(self.shape)[sites], column, 2)  # (B, I, W) -> (B, I, L)
        bases = np.ascontiguousarray(bases.transpose(1, 0, 2))  # (I, B, L)
        values = pool_bins(bases, self.size, [track.statistic for track in self.tracks])  # (I, B, P)
        return np.ascontiguousarray(np.nan_to_num(self._transform(values)).transpose(1, 0, 2))  # (B, I, P)

    def reverse_complement(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map values (B, I, P) to the other strand: positions reversed, strand partners swapped."""
        return values[:, self.pairs, ::-1]

    def _open(self) -> CheckedMap:
        if self._map is None:
            folder = self.build()
            sums = recorded_sums(folder, _VALUES)[None]  # one row of all values
            self._map = CheckedMap(folder / _VALUES, sums, int(np.prod(self.shape)), lambda _: discard(folder))
        return self._map

    def _fill(self, folder: Path) -> None:
        """Write the memory map, track by track and contig by contig."""
        path = folder / _VALUES
        reserve(path, 4 * int(np.prod(self.shape)))
        values = np.memmap(path, np.float32, "r+", shape=self.shape)
        contigs = self.sites.genome.contigs
        names = list(contigs)
        used = np.unique(self.sites.contig).tolist()
        for index, track in enumerate(bar(self.tracks, "reading bigWigs")):
            matched = match_bigwig(track.path, contigs, [names[contig] for contig in used])
            with BigWig(track.path) as bigwig:
                for contig in used:
                    name = str(matched[names[contig]])
                    self._fill_contig(values[:, index], bigwig, name, contig, track.missing)
        values.flush()

    def _fill_contig(
        self, values: NDArray[np.float32], bigwig: BigWig, name: str, contig: int, missing: Missing
    ) -> None:
        """Fill the rows of one contig's sites in the values (N, W) of one track."""
        length, width = list(self.sites.genome.contigs.values())[contig], self.shape[2]
        rows = np.flatnonzero(self.sites.contig == contig)
        rows = rows[np.argsort(self.sites.start[rows], kind="stable")]
        block = self.sites.start[rows] // _BASES_AT_ONCE
        for chunk in np.split(rows, np.flatnonzero(np.diff(block)) + 1):
            first = self.sites.start[chunk] - self.margin  # (rows of this chunk,)
            low, high = int(first[0]), int(first[-1]) + width
            bases = np.full(high - low, np.nan, np.float32)
            start, end = max(low, 0), min(high, length)
            if start < end:
                inside = np.concatenate(list(bigwig.blocks(name, start, end, 1)))
                bases[start - low : end - low] = (
                    np.nan_to_num(inside, posinf=np.inf, neginf=-np.inf) if missing == "zero" else inside
                )
            if np.isinf(bases).any():
                raise InputError(f"{bigwig.path}: infinite values between {name}:{start} and {end}")
            values[chunk] = np.lib.stride_tricks.sliding_window_view(bases, width)[first - low]
