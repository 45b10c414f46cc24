"""The values of many bigWigs in bins of a genome, read once into one memory map.

Shapes: T targets, P bins of all contigs, one contig after the other.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from zoo.bigwig import BigWig, bin_values, match_bigwig
from zoo.data.track_table import Track
from zoo.download import cache_folder
from zoo.errors import InputError
from zoo.genome import Genome
from zoo.intervals import Interval, some_of
from zoo.progress import bar
from zoo.sequence import UNKNOWN

__all__ = ["Coverage", "TrackFacts", "pool_bins"]

_BASES_AT_ONCE = 4_000_000
# What is said of a bin.
_KNOWN, _MEASURED = 1, 2
# A change of a bigWig changes its header, its index (at the end) or one of these samples between.
_SAMPLES, _SAMPLE_BYTES = 16, 65_536
_READERS = 4


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
    ) -> None:
        self.tracks, self.genome, self.bin_size = list(tracks), genome, bin_size
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
            [_fingerprint(Path(track.path)), track.statistic, track.missing, [names[c] for c in self.contigs]]
            for track, names in zip(self.tracks, self._names, strict=True)
        ]
        text = json.dumps([self.bin_size, _fingerprint(self.genome.path), self.contigs, said])
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
        """
        folder = self.folder
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "lock"):
            done = _done(folder) if self._is_whole(folder) else []
            if len(done) < len(self.tracks):
                mode: Literal["r+", "w+"] = "r+" if done else "w+"
                values = np.memmap(folder / "values.f32", np.float32, mode, shape=self.shape)
                usable = np.memmap(folder / "usable.u8", np.uint8, mode, shape=self.shape[1:])
                if not done:
                    usable[:] = self._known()
                left = range(len(done), len(self.tracks))
                # Threads: while one reads, the others bin what they have read, which numpy does side by side.
                with ThreadPoolExecutor(_READERS) as readers:
                    found = readers.map(lambda index: self._read(index, values[index]), left)
                    for index, facts in zip(bar(left, "reading bigWigs"), found, strict=True):
                        usable |= np.where(np.isnan(values[index]), 0, _MEASURED).astype(np.uint8)
                        values.flush()
                        usable.flush()
                        done.append(facts)
                        _write_done(folder, done)
        return folder

    def _is_whole(self, folder: Path) -> bool:
        """Whether both files are there, and of the size that they were made with."""
        sizes = {"values.f32": 4 * self.shape[0] * self.shape[1], "usable.u8": self.shape[1]}
        paths = {folder / name: size for name, size in sizes.items()}
        return all(path.is_file() and path.stat().st_size == size for path, size in paths.items())

    def facts(self) -> list[TrackFacts]:
        """What was found in each bigWig."""
        return _done(self.build())

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

    def _read(self, index: int, row: NDArray[np.float32]) -> TrackFacts:
        """Fill the bins of one track."""
        track, names = self.tracks[index], self._names[index]
        missing = 0
        with BigWig(track.path) as file:
            for (contig, length), place in zip(self.contigs.items(), self.first, strict=True):
                for block in file.blocks(str(names[contig]), 0, length, self.bin_size):
                    missing += int(np.isnan(block).sum())
                    found = bin_values(block, self.bin_size, track.statistic, track.missing)
                    row[place : place + len(found)] = found
                    place += len(found)
        if missing == sum(self.contigs.values()):
            raise InputError(f"{track.path}: no value on the contigs {some_of(self.contigs)}")
        return TrackFacts(missing, float(np.nanmin(row)), float(np.nanmax(row)))


def pool_bins(values: NDArray[np.float32], width: int, tracks: Sequence[Track]) -> NDArray[np.float32]:
    """Bins (T, B, N * width), NaN where masked, to bins of `width` of them (T, B, N).

    A bin is NaN where half of it or more is; what is missing of others counts as the mean of the rest.
    """
    parts = values.reshape(*values.shape[:2], -1, width)
    total = (parts.reshape(-1, width) @ np.ones(width, np.float32)).reshape(parts.shape[:3])  # NaN where any is
    odd = np.isnan(total)
    if odd.any():
        some = parts[odd]
        count = (~np.isnan(some)).sum(-1)
        total[odd] = np.nansum(some, -1) * np.where(2 * count > width, width / np.maximum(count, 1), np.nan)
    share = np.array([1 / width if track.statistic == "mean" else 1 for track in tracks], np.float32)
    found: NDArray[np.float32] = total * share[:, None, None]
    return found


def _done(folder: Path) -> list[TrackFacts]:
    path = folder / "done.json"
    return [TrackFacts(*each) for each in json.loads(path.read_text())] if path.is_file() else []


def _write_done(folder: Path, done: list[TrackFacts]) -> None:
    draft = folder / "done.draft"
    draft.write_text(json.dumps(done))
    draft.replace(folder / "done.json")


def _fingerprint(path: Path) -> str:
    """A hash of a file's size, head, tail and evenly spaced samples: whole files would take minutes to read."""
    size = path.stat().st_size
    found = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for start in np.linspace(0, max(0, size - _SAMPLE_BYTES), _SAMPLES).astype(int).tolist():
            file.seek(start)
            found.update(file.read(_SAMPLE_BYTES))
    return found.hexdigest()
