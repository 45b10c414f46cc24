"""The values of many bigWigs in bins of a genome, read once into one memory map.

Shapes: T targets, P bins of all contigs, one contig after the other.
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
from zoo.utils.download import cache_folder
from zoo.utils.parallel import mapped
from zoo.utils.progress import bar
from zoo.utils.text import some_of

__all__ = ["Coverage", "TrackFacts", "fingerprint"]

_BASES_AT_ONCE = 4_000_000
# What is said of a bin.
_KNOWN, _MEASURED = np.uint8(1), np.uint8(2)
# A change of a bigWig changes its header, its index (at the end) or one of these samples between.
_SAMPLES, _SAMPLE_BYTES = 16, 65_536


class TrackFacts(NamedTuple):
    """What was found in one bigWig.

    Attributes:
        missing: bases without a value.
        lowest: value of a bin.
        highest: value of a bin.
    """

    missing: int
    lowest: float
    highest: float


class Coverage:
    """Binned values of tracks, on disk; made when it is first asked for, and found again after that.

    The object holds paths and numbers, so it is safe to send to worker processes: each opens the map for itself. It is
    made under a lock, a track at a time, so that processes do not do it twice and an interrupted one is gone on with.
    It is known by the contents of bigWigs and FASTA, the contigs and the bin size: what scale and clips make of the
    values is not in it.

    Args:
        tracks: whose bigWigs are read (T).
        genome: they were measured on.
        contigs: of it, with their lengths; those that some bigWig does not have are left out.
        bin_size: bases in a bin.
        needed: contigs that no bigWig may lack.
        workers: processes that read the bigWigs, a file each; 0 for this one.

    Raises:
        InputError: a bigWig of another assembly, one that is damaged, or none with any of the contigs.
    """

    def __init__(
        self,
        tracks: Sequence[Track],
        genome: Genome,
        contigs: Mapping[str, int],
        bin_size: int,
        needed: Collection[str] = (),
        workers: int = 0,
    ) -> None:
        self.tracks, self.genome, self.bin_size, self.workers = list(tracks), genome, bin_size, workers
        self._names = [match_bigwig(track.path, contigs, needed) for track in self.tracks]
        absent = {contig for found in self._names for contig, name in found.items() if name is None}
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
    def usable(self) -> NDArray[np.bool_]:
        """Which bins have a value in some target and a known base in at least half of their places (P,)."""
        found: NDArray[np.uint8] = np.fromfile(self.build() / "usable.u8", dtype=np.uint8)
        usable: NDArray[np.bool_] = found == _KNOWN | _MEASURED
        return usable

    @cached_property
    def folder(self) -> Path:
        """Where it lies: a folder named by a hash of what went into it."""
        said = [
            [fingerprint(Path(track.path)), track.statistic, track.missing, [names[c] for c in self.contigs]]
            for track, names in zip(self.tracks, self._names, strict=True)
        ]
        text = json.dumps([self.bin_size, fingerprint(self.genome.path), self.contigs, said])
        return cache_folder() / "coverage" / hashlib.sha256(text.encode()).hexdigest()[:24]

    @property
    def values(self) -> NDArray[np.float32]:
        """The memory map (T, P), NaN in masked bins."""
        if self._map is None:
            self._map = np.asarray(np.memmap(self.build() / "values.f32", np.float32, "r", shape=self.shape))
        return self._map

    def build(self) -> Path:
        """Read what was not read yet.

        Returns:
            The folder.

        Raises:
            InputError: a bigWig that cannot be read to its end, or without any value.
            OutputError: the folder cannot be written, or the disk is full.
        """
        folder = self.folder
        if len(self._done()) < len(self.tracks):
            with ExitStack() as stack:
                with self._written():
                    folder.mkdir(parents=True, exist_ok=True)
                    stack.enter_context(FileLock(folder / "lock"))
                self._fill()
        return folder

    @contextmanager
    def _written(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(
                f"{self.folder} could not be written ({error.strerror or error}); it takes {self._bytes() / 1e9:.2f} "
                "GB: make room, or let the environment variable ZOO_CACHE name another folder"
            ) from None

    def _fill(self) -> None:
        """Read the tracks that are not done, as some may be by an earlier process."""
        folder, done = self.folder, self._done()
        if done:
            usable = np.fromfile(folder / "usable.u8", np.uint8)
        else:
            usable = self._known()
            with self._written(), (folder / "values.f32").open("wb") as file:
                (folder / "done.json").unlink(missing_ok=True)  # of another size
                file.truncate(self._bytes())
        left = range(len(done), len(self.tracks))
        with mapped(self._read, left, min(self.workers, len(left))) as found:
            for _, (facts, measured) in zip(bar(left, "reading bigWigs"), found, strict=True):
                done.append(facts)
                complete = (usable & _MEASURED).all()
                usable |= _MEASURED if measured is None else _MEASURED * np.unpackbits(measured, count=len(usable))
                with self._written():
                    # Marked before it is called done: wherever this is stopped, no track that is done lacks its marks.
                    if not complete:
                        replace_bytes(folder / "usable.u8", usable.tobytes())
                    replace_bytes(folder / "done.json", json.dumps(done).encode())

    def _bytes(self) -> int:
        """Of the map."""
        return 4 * self.shape[0] * self.shape[1]

    def _done(self) -> list[TrackFacts]:
        """What was found in the tracks that are in the map; none where a file is not there or was cut."""
        sizes = {"values.f32": self._bytes(), "usable.u8": self.shape[1]}
        paths = {self.folder / name: size for name, size in sizes.items()}
        path = self.folder / "done.json"
        if not path.is_file() or any(not p.is_file() or p.stat().st_size != size for p, size in paths.items()):
            return []
        return [TrackFacts(*each) for each in json.loads(path.read_text())]

    def facts(self) -> list[TrackFacts]:
        """What was found in each bigWig."""
        self.build()
        return self._done()

    def _known(self) -> NDArray[np.uint8]:
        """`_KNOWN` for bins with a known base in at least half of their places, else 0 (P,)."""
        found = np.full(self.shape[1], _KNOWN, np.uint8)
        step = max(1, _BASES_AT_ONCE // self.bin_size) * self.bin_size
        for (name, length), place in zip(
            bar(list(self.contigs.items()), "reading the genome"), self.first, strict=True
        ):
            for start in range(0, length, step):
                codes = self.genome.codes(Interval(name, start, min(start + step, length)))
                unknown = (codes == UNKNOWN).astype(np.float32)
                if unknown.any():
                    share = bin_values(unknown, self.bin_size, "mean", "zero")
                    here = int(place) + start // self.bin_size
                    found[here : here + len(share)] = np.where(share > 0.5, 0, _KNOWN)
        return found

    def _read(self, index: int) -> tuple[TrackFacts, NDArray[np.uint8] | None]:
        """Write the bins of one track, block by block while they are in the processor's cache.

        Returns:
            What was found, and in which bins (P bits); None for all.
        """
        track, names = self.tracks[index], self._names[index]
        measured = np.ones(self.shape[1], np.bool_) if track.missing == "mask" else None
        missing, place, lowest, highest = 0, 0, np.inf, -np.inf
        with BigWig(track.path) as bigwig, self._written(), (self.folder / "values.f32").open("r+b") as file:
            file.seek(4 * index * self.shape[1])
            for contig, length in self.contigs.items():
                span = str(names[contig]), 0, length, self.bin_size
                for found, gaps in bigwig.bins(*span, track.statistic, track.missing):
                    file.write(found.data)
                    if gaps and measured is not None:
                        measured[place : place + len(found)] = ~np.isnan(found)
                    missing += gaps
                    place += len(found)
                    lowest = np.fmin(lowest, np.fmin.reduce(found))
                    highest = np.fmax(highest, np.fmax.reduce(found))
            sync(file)
        if missing == sum(self.contigs.values()):
            raise InputError(f"{track.path}: no value on the contigs {some_of(self.contigs)}")
        facts = TrackFacts(missing, float(lowest), float(highest))
        return facts, None if measured is None else np.packbits(measured)


def fingerprint(path: Path) -> str:
    """A hash of a file's size, head, tail and evenly spaced samples: whole files would take minutes to read."""
    size = path.stat().st_size
    found = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for start in np.linspace(0, max(0, size - _SAMPLE_BYTES), _SAMPLES).astype(int).tolist():
            file.seek(start)
            found.update(file.read(_SAMPLE_BYTES))
    return found.hexdigest()
