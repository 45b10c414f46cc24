"""Predicted tracks as bigWig files, one for each target. Shapes: T targets, P bins of a segment."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.errors import OutputError
from zoo.formats.bigwig_writer import writing_bigwig
from zoo.utils.atomic import whole_files
from zoo.writers.paths import output_paths

__all__ = ["TrackSegment", "write_tracks"]

# What a process has open besides the bigWigs that it writes.
_OTHER_FILES = 100


@dataclass(frozen=True)
class TrackSegment:
    """Predictions for bins that follow one another; its length is their number.

    Attributes:
        contig: as the genome names it.
        start: the first bin's first base.
        bin_size: bases of each.
        values: float32 (T, P), in natural units.
    """

    contig: str
    start: int
    bin_size: int
    values: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.values[0])

    @property
    def end(self) -> int:
        """The base after the last bin; beyond the contig's end where that is no multiple of the bin size."""
        return self.start + len(self) * self.bin_size


def write_tracks(
    folder: str | Path, targets: Sequence[str], contigs: Mapping[str, int], segments: Iterable[TrackSegment]
) -> list[Path]:
    """Write a bigWig for each target as the predictions come; all appear, whole, or none.

    Args:
        folder: is made where it does not exist; `<target>.bw` are written in it. For one target also a file that ends
            in .bw or .bigWig.
        targets: their names (T), rows of the values.
        contigs: contigs of the genome, with their lengths.
        segments: in the order of the contigs.

    Returns:
        The files.

    Raises:
        ConfigError: a target that no file can be named after.
        OutputError: a folder that cannot be made, a file that exists, or more than can be open at once.
    """
    paths = output_paths(Path(folder), targets, [".bw", ".bigWig"])
    _allow_open_files(len(paths))
    stream = iter(segments)
    first = list(islice(stream, 1))  # before the folder is made, so that bad input leaves nothing
    with whole_files(paths) as drafts, ExitStack() as stack:
        pairs = zip(drafts, paths, strict=True)
        writers = [stack.enter_context(writing_bigwig(draft, path, contigs)) for draft, path in pairs]
        for segment in chain(first, stream):
            for writer, values in zip(writers, segment.values, strict=True):
                writer.add_bins(segment.contig, segment.start, values, segment.bin_size)
    return paths


def _allow_open_files(count: int) -> None:
    """Raise the limit of open files for `count` more, where the system has one and lets us."""
    try:
        import resource
    except ImportError:  # not on this system
        return
    wanted = count + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            raise OutputError(
                f"{count:,} files would be open at once, where {hard:,} may be: raise that (ulimit -n {wanted}) "
                "or choose targets with --targets"
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
