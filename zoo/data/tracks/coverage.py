"""The values of many bigWigs in bins of a genome, read once into one memory map.

Shapes: T tracks, P bins of all contigs, one contig after the other.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from zoo.data.tracks.table import Track
from zoo.errors import InputError, OutputError
from zoo.formats.bigwig import BigWig, match_bigwig
from zoo.formats.binning import bin_values
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import UNKNOWN
from zoo.utils.atomic import replace_bytes, sync
from zoo.utils.cache import fingerprint
from zoo.utils.download import cache_folder
from zoo.utils.parallel import mapped
from zoo.utils.progress import bar
from zoo.utils.text import some_of

__all__ = ["Coverage", "TrackFacts"]

_BASES_AT_ONCE = 4_000_000
# Files of the folder: values (T, P), flags of bins (P,), and the facts of the tracks that are done.
_VALUES, _FLAGS, _DONE = "values.f32", "usable.u8", "done.json"
# Flags: the bases of a bin are known in the genome, and some track has a value in it.
_KNOWN, _MEASURED = np.uint8(1), np.uint8(2)


class TrackFacts(NamedTuple):
    """Facts of one bigWig, collected while it is binned.

    Attributes:
        missing: number of bases without a value.
        lowest: lowest value of a bin.
        highest: highest value of a bin.
    """

    missing: int
    lowest: float
    highest: float


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
        self._map: NDArray[np.float32] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_map": None}

    @property
    def observed(self) -> NDArray[np.bool_]:
        """Bins with a value in some track and a known base in at least half of their positions (P,)."""
        flags: NDArray[np.uint8] = np.fromfile(self.build() / _FLAGS, dtype=np.uint8)
        observed: NDArray[np.bool_] = flags == _KNOWN | _MEASURED
        return observed

    @cached_property
    def folder(self) -> Path:
        """Folder in the cache, named by a hash of everything that decides the values."""
        files = [
            [fingerprint(Path(track.path)), track.statistic, track.missing, [names[c] for c in self.contigs]]
            for track, names in zip(self.tracks, self._names, strict=True)
        ]
        text = json.dumps([self.bin_size, fingerprint(self.genome.path), self.contigs, files])
        return cache_folder() / "coverage" / hashlib.sha256(text.encode()).hexdigest()[:24]

    @property
    def values(self) -> NDArray[np.float32]:
        """Memory map of the values (T, P), NaN in masked bins."""
        if self._map is None:
            self._map = np.asarray(np.memmap(self.build() / _VALUES, np.float32, "r", shape=self.shape))
        return self._map

    def build(self) -> Path:
        """Bin the tracks that are not in the cache yet.

        Returns:
            The folder.

        Raises:
            InputError: a bigWig that cannot be read to its end, or without any value.
            OutputError: the folder cannot be written, or the disk is full.
        """
        folder = self.folder
        if len(self._done()) < len(self.tracks):
            with ExitStack() as stack:
                with self._writing():
                    folder.mkdir(parents=True, exist_ok=True)
                    stack.enter_context(FileLock(folder / "lock"))
                self._fill()
        return folder

    def facts(self) -> list[TrackFacts]:
        """Facts of each bigWig (T); binned first if that is not done."""
        self.build()
        return self._done()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Turn errors of the file system into one sentence."""
        try:
            yield
        except OSError as error:
            raise OutputError(
                f"{self.folder} could not be written ({error.strerror or error}); it takes {self._bytes() / 1e9:.2f} "
                "GB: make room, or set ZOO_CACHE to another folder"
            ) from None

    def _fill(self) -> None:
        """Bin the tracks that are not done; an earlier process may have done some."""
        folder, done = self.folder, self._done()
        if done:
            flags = np.fromfile(folder / _FLAGS, np.uint8)
        else:
            flags = self._known()
            with self._writing(), (folder / _VALUES).open("wb") as file:
                (folder / _DONE).unlink(missing_ok=True)  # it may be of a map of another size
                file.truncate(self._bytes())
        remaining = range(len(done), len(self.tracks))
        with mapped(self._read, remaining, min(self.workers, len(remaining))) as results:
            for _, (facts, measured) in zip(bar(remaining, "reading bigWigs"), results, strict=True):
                done.append(facts)
                complete = (flags & _MEASURED).all()
                flags |= _MEASURED if measured is None else _MEASURED * np.unpackbits(measured, count=len(flags))
                with self._writing():
                    # Flags are written before the track counts as done: an interruption between leaves no track that
                    # is done without its flags.
                    if not complete:
                        replace_bytes(folder / _FLAGS, flags.tobytes())
                    replace_bytes(folder / _DONE, json.dumps(done).encode())

    def _bytes(self) -> int:
        """Size of the map on disk."""
        return 4 * self.shape[0] * self.shape[1]

    def _done(self) -> list[TrackFacts]:
        """Facts of the tracks that are in the map; none where a file is missing or was truncated."""
        sizes = {self.folder / _VALUES: self._bytes(), self.folder / _FLAGS: self.shape[1]}
        path = self.folder / _DONE
        if not path.is_file() or any(not p.is_file() or p.stat().st_size != size for p, size in sizes.items()):
            return []
        return [TrackFacts(*facts) for facts in json.loads(path.read_text())]

    def _known(self) -> NDArray[np.uint8]:
        """`_KNOWN` for bins with a known base in at least half of their positions, else 0 (P,)."""
        flags = np.full(self.shape[1], _KNOWN, np.uint8)
        step = max(1, _BASES_AT_ONCE // self.bin_size) * self.bin_size  # whole bins
        contigs = bar(list(self.contigs.items()), "reading the genome")
        for (name, length), first in zip(contigs, self.first.tolist(), strict=True):
            for start in range(0, length, step):
                codes = self.genome.codes(Interval(name, start, min(start + step, length)))
                unknown = (codes == UNKNOWN).astype(np.float32)
                if unknown.any():
                    fraction = bin_values(unknown, self.bin_size, "mean", "zero")
                    index = first + start // self.bin_size
                    flags[index : index + len(fraction)] = np.where(fraction > 0.5, 0, _KNOWN)
        return flags

    def _read(self, index: int) -> tuple[TrackFacts, NDArray[np.uint8] | None]:
        """Write the bins of one track, block by block, while they are in the processor's cache.

        Returns:
            Facts, and which bins have a value, packed to bits (P / 8,); None for all of them.
        """
        track, names = self.tracks[index], self._names[index]
        measured = np.ones(self.shape[1], np.bool_) if track.missing == "mask" else None
        missing, written, lowest, highest = 0, 0, np.inf, -np.inf
        with BigWig(track.path) as bigwig, self._writing(), (self.folder / _VALUES).open("r+b") as file:
            file.seek(4 * index * self.shape[1])  # row of this track: 4 bytes per value
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
            sync(file)
        if missing == sum(self.contigs.values()):
            raise InputError(f"{track.path}: no value on the contigs {some_of(self.contigs)}")
        facts = TrackFacts(missing, float(lowest), float(highest))
        return facts, None if measured is None else np.packbits(measured)
