"""Readers of users' files, called in a child process: what they read, as one number."""

import zlib
from collections.abc import Callable
from itertools import islice
from pathlib import Path

__all__ = ["KINDS", "read_users_file"]


def read_users_file(kind: str, path: str) -> int:
    """Read a file as one of `KINDS`, and give a checksum or a count of what it holds."""
    return KINDS[kind](path)


def _sequences(path: str) -> int:
    from zoo.formats.sequences import SequenceFile

    return sum(len(records.names) for records in SequenceFile(path))


def _genome(path: str) -> int:
    from zoo.genome.fasta import Genome
    from zoo.genome.intervals import Interval

    genome = Genome(path)
    return sum(int(genome.codes(Interval(name, 0, 1_000)).sum()) for name in genome.contigs)


def _bed(path: str) -> int:
    from zoo.formats.bed import iterate_bed

    return sum(1 for _ in iterate_bed(path))


def _peaks(path: str) -> int:
    from zoo.formats.peaks import read_peak_file

    return len(read_peak_file(path))


def _contigs(path: str) -> int:
    from zoo.genome.contigs import read_contig_lengths

    return len(read_contig_lengths(path))


def _index(path: str) -> int:
    from zoo.errors import InputError
    from zoo.genome.fai import parse_fai

    try:
        return len(parse_fai(Path(path)).names)
    except ValueError as error:  # its callers build another index
        raise InputError(str(error)) from None


def _motifs(path: str) -> int:
    from zoo.formats.meme import read_meme

    return len(read_meme(path))


def _expected(path: str) -> int:
    from zoo.formats.expected import read_expected

    return len(read_expected(path).values)


def _tracks(path: str) -> int:
    from zoo.data.tracks.table import read_track_table

    return len(read_track_table(path))


def _sites(path: str) -> int:
    from zoo.data.peaks.table import PeakTable, read_table_header

    return len(read_table_header(path)[0]) * len(PeakTable.read(path))


def _bigwig(path: str) -> int:
    from zoo.formats.bigwig import BigWig

    with BigWig(path) as file:
        checksum = zlib.crc32(repr(file.contigs).encode())
        for contig, length in islice(file.contigs.items(), 5):
            for values in file.blocks(contig, 0, min(length, 200_000), 10):
                checksum = zlib.crc32(values.tobytes(), checksum)
    return checksum


def _cooler(path: str) -> int:
    from zoo.formats.cooler import CoolerFile

    file = CoolerFile(path)
    checksum = zlib.crc32(repr([file.contigs, file.bin_size, file.first, file.bins, file.columns]).encode())
    checksum = zlib.crc32(file.weights(balance=False).tobytes(), checksum)
    for name in islice(file.contigs, 3):
        checksum = zlib.crc32(file.invalid_weights(name).tobytes(), checksum)
        for pixels in file.pixels(name, 0, file.bins[name], 50):
            for column in pixels:
                checksum = zlib.crc32(column.tobytes(), checksum)
    return checksum


KINDS: dict[str, Callable[[str], int]] = {
    "sequences": _sequences,
    "genome": _genome,
    "BED": _bed,
    "peaks": _peaks,
    "contigs": _contigs,
    "fai": _index,
    "MEME": _motifs,
    "expected": _expected,
    "tracks": _tracks,
    "peak table": _sites,
    "bigWig": _bigwig,
    "cooler": _cooler,
}
