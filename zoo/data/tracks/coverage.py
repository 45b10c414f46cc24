"""The values of many bigWigs in bins of a genome, read once into one memory map.

Shapes: T tracks, P bins of all contigs, one contig after the other.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from zoo.data.tracks.coverage_folder import CoverageFolder, DoneTrack, TrackFacts
from zoo.data.tracks.table import Track
from zoo.errors import InputError
from zoo.formats.bigwig import BigWig, match_bigwig
from zoo.formats.binning import bin_values
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import UNKNOWN
from zoo.utils.blocks import CheckedMap
from zoo.utils.cache import cached_path, fingerprint
from zoo.utils.download import writing_to_cache
from zoo.utils.locks import locked
from zoo.utils.parallel import mapped
from zoo.utils.progress import bar
from zoo.utils.text import some_of

__all__ = ["Coverage", "fractions_unknown"]

_BASES_AT_ONCE = 4_000_000
# Flags: the bases of a bin are known in the genome, and some track has a value in it.
_KNOWN, _MEASURED = np.uint8(1), np.uint8(2)

Index = NDArray[np.int64]
Values = NDArray[np.float32]


class Coverage:
    """Binned values of tracks in the cache; built at first use, opened after that.

    The object holds paths and numbers, so it can be sent to worker processes: each opens the map for itself. It is
    built under a lock, track by track, so that two processes do not build it twice and an interrupted build is resumed.
    The folder is named by a hash of the contents of bigWigs and FASTA, the contigs and the bin size; `scale` and clips
    of the table are applied when values are read, so they are not part of it.

    Args:
        tracks: tracks whose bigWigs are read (T).
        genome: genome on which they were measured.
        contigs: contig -> length, of the genome; those that some bigWig does not have are left out (`absent`).
        bin_size: bases per bin.
        required: contigs that no bigWig may lack.
        workers: processes that read bigWigs, one file each at a time; 0 for this one.

    Raises:
        InputError: a bigWig of another assembly, a damaged one, or no contig that all of them have.
    """

    def __init__(
        self,
        tracks: Sequence[Track],
        genome: Genome,
        contigs: Mapping[str, int],
        bin_size: int,
        required: Collection[str] = (),
        workers: int = 0,
    ) -> None:
        self.tracks, self.genome, self.bin_size, self.workers = list(tracks), genome, bin_size, workers
        self._names = [match_bigwig(track.path, contigs, required) for track in self.tracks]
        absent = {contig for names in self._names for contig, name in names.items() if name is None}
        self.absent = [contig for contig in contigs if contig in absent]
        self.contigs = {contig: length for contig, length in contigs.items() if contig not in absent}
        if not self.contigs:
            raise InputError(f"no contig is in every bigWig; the genome has {some_of(contigs)}")
        bins = np.array([-(-length // bin_size) for length in self.contigs.values()])
        self.first = bins.cumsum() - bins
        self.shape = (len(self.tracks), int(bins.sum()))
        self._map: CheckedMap | None = None
        self._windows: Values | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_map": None, "_windows": None}

    @property
    def observed(self) -> NDArray[np.bool_]:
        """Bins with a value in some track and a known base in at least half of their positions (P,)."""
        self.build()
        flags = self._files.flags()
        assert flags is not None  # as `build` has checked
        observed: NDArray[np.bool_] = flags == _KNOWN | _MEASURED
        return observed

    @cached_property
    def folder(self) -> Path:
        """Folder in the cache, named by a hash of everything that decides the values."""
        files = [
            [fingerprint(Path(track.path)), track.statistic, track.missing, [names[c] for c in self.contigs]]
            for track, names in zip(self.tracks, self._names, strict=True)
        ]
        return cached_path("coverage", [self.bin_size, fingerprint(self.genome.path), self.contigs, files])

    @cached_property
    def _files(self) -> CoverageFolder:
        return CoverageFolder(self.folder, *self.shape)

    @property
    def values(self) -> Values:
        """Memory map of the values (T, P), NaN in masked bins; all of it is checked."""
        self._open().check_all()
        return self._open().values

    def windows(self, first: Index, size: int) -> Values:
        """Read windows: their first bins (B,) and number of bins -> float32 (T, B, size), NaN in masked bins.

        Raises:
            IntegrityError: they are not as they were written.
        """
        self._open().check(first, first + size)
        if self._windows is None or self._windows.shape[2] != size:
            self._windows = sliding_window_view(self._open().values, size, axis=1)  # to make it costs more than a read
        copied: Values = self._windows[:, first]
        return copied

    def columns(self, bins: Index) -> Values:
        """Read bins (B, N), all near each other in each row, as `windows` does: float32 (T, B, N)."""
        self._open().check(bins.min(1), bins.max(1) + 1)
        return self._open().values[:, bins]

    def _open(self) -> CheckedMap:
        if self._map is None:
            self.build()
            self._map = self._files.open_map()
        return self._map

    def build(self) -> Path:
        """Bin the tracks that are not in the cache yet, or damaged there.

        Returns:
            The folder.

        Raises:
            InputError: a bigWig that cannot be read to its end, or without any value.
            OutputError: the folder cannot be written, or the disk is full.
        """
        if len(self._files.done()) < len(self.tracks):
            with self._writing("damaged or not complete" if self._files.values.exists() else ""):
                self.folder.mkdir(parents=True, exist_ok=True)
                with locked(self._files.values):
                    self._fill()
        return self.folder

    @property
    def bytes_needed(self) -> int:
        """Size of the values that are still to be binned."""
        return self._files.bytes * (len(self.tracks) - len(self._files.done())) // len(self.tracks)

    def facts(self) -> list[TrackFacts]:
        """Facts of each bigWig (T); binned first if that is not done."""
        self.build()
        return [track.facts for track in self._files.done()]

    def _writing(self, state: str = "") -> AbstractContextManager[None]:
        return writing_to_cache(self.folder, self._files.bytes, state)

    def _fill(self) -> None:
        """Bin the tracks that are not done; an earlier process may have done some."""
        done = self._files.done()
        flags = self._files.flags() if done else None
        if flags is None:
            flags = self._known()
            self._files.begin()
        remaining = range(len(done), len(self.tracks))
        with mapped(self._read, remaining, min(self.workers, len(remaining))) as results:
            for _, (track, measured) in zip(bar(remaining, "reading bigWigs"), results, strict=True):
                done.append(track)
                complete = (flags & _MEASURED).all()
                flags |= _MEASURED if measured is None else _MEASURED * np.unpackbits(measured, count=len(flags))
                # Flags are written before the track counts as done: an interruption between leaves no track that is
                # done without its flags.
                if not complete:
                    self._files.write_flags(flags)
                self._files.mark_done(done)

    def _known(self) -> NDArray[np.uint8]:
        """`_KNOWN` for bins with a known base in at least half of their positions, else 0 (P,)."""
        flags = np.full(self.shape[1], _KNOWN, np.uint8)
        for index, fraction in fractions_unknown(self.genome, self.contigs, self.bin_size):
            flags[index : index + len(fraction)] = np.where(fraction > 0.5, 0, _KNOWN)
        return flags

    def _read(self, index: int) -> tuple[DoneTrack, NDArray[np.uint8] | None]:
        """Write the bins of one track, block by block, while they are in the processor's cache.

        Returns:
            The track, and which of its bins have a value, packed to bits (P / 8,); None for all of them.
        """
        track, names = self.tracks[index], self._names[index]
        measured = np.ones(self.shape[1], np.bool_) if track.missing == "mask" else None
        missing, written, lowest, highest = 0, 0, np.inf, -np.inf
        with BigWig(track.path) as bigwig, self._writing(), self._files.open_row(index) as file:
            for contig, length in self.contigs.items():
                span = str(names[contig]), 0, length, self.bin_size
                for values, gaps in bigwig.bins(*span, track.statistic, track.missing):
                    file.write(values.data)
                    if gaps and measured is not None:
                        measured[written : written + len(values)] = ~np.isnan(values)
                    missing += gaps
                    written += len(values)
                    lowest = np.fmin(lowest, np.fmin.reduce(values))  # fmin and fmax pass over NaN
                    highest = np.fmax(highest, np.fmax.reduce(values))
            checksum = self._files.finish_row(index, file)
        if missing == sum(self.contigs.values()):
            raise InputError(f"{track.path}: no value on the contigs {some_of(self.contigs)}")
        done = DoneTrack(TrackFacts(missing, float(lowest), float(highest)), checksum)
        return done, None if measured is None else np.packbits(measured)


def fractions_unknown(genome: Genome, contigs: Mapping[str, int], bin_size: int) -> Iterator[tuple[int, Values]]:
    """Read a genome and find how many of the bases of each bin are N, with a progress bar.

    Args:
        genome: genome that is read.
        contigs: contig -> length, of those that are read.
        bin_size: bases per bin.

    Yields:
        Index of a bin, counted over all contigs, and the fraction of N in it and the bins after it, float32 (bins,);
        blocks without any N are passed over.
    """
    step, first = max(1, _BASES_AT_ONCE // bin_size) * bin_size, 0  # whole bins
    for name, length in bar(list(contigs.items()), "reading the genome"):
        for start in range(0, length, step):
            codes = genome.codes(Interval(name, start, min(start + step, length)))
            unknown = (codes == UNKNOWN).astype(np.float32)
            if unknown.any():
                yield first + start // bin_size, bin_values(unknown, bin_size, "mean", "zero")
        first += -(-length // bin_size)
