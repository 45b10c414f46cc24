"""Predicted tracks as bigWig files, one for each target. Shapes: T targets, P bins of a stretch."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ConfigError, OutputError
from zoo.formats.bigwig import BigWigWriter
from zoo.utils.atomic import names_a_file

__all__ = ["TrackStretch", "write_tracks"]

# What a process has open besides the bigWigs that it writes.
_OTHER_FILES = 100


@dataclass(frozen=True)
class TrackStretch:
    """Predictions for bins that follow one another.

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


def write_tracks(
    folder: str | Path, targets: Sequence[str], contigs: Mapping[str, int], stretches: Iterable[TrackStretch]
) -> list[Path]:
    """Write a bigWig for each target as the predictions come; each file appears whole or not at all.

    Args:
        folder: it is made; `<target>.bw` is written in it.
        targets: their names (T), rows of the values.
        contigs: of the genome, with their lengths.
        stretches: in the order of the contigs.

    Returns:
        The files.

    Raises:
        ConfigError: a target that no file can be called after.
        OutputError: a folder that cannot be made, a file that is there already, or more than can be open at once.
    """
    paths = [Path(folder) / f"{target}.bw" for target in targets]
    _check_paths(targets, paths)
    coming = iter(stretches)
    begun = list(islice(coming, 1))  # before the folder is made, so that bad input leaves nothing
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error.strerror}") from None
    with ExitStack() as stack:
        writers = [stack.enter_context(BigWigWriter(path, contigs)) for path in paths]
        for each in chain(begun, coming):
            for writer, values in zip(writers, each.values, strict=True):
                writer.add_bins(each.contig, each.start, values, each.bin_size)
    return paths


def _check_paths(targets: Sequence[str], paths: list[Path]) -> None:
    """Refuse what cannot be written before anything is predicted."""
    for target in targets:
        if not names_a_file(target):
            raise ConfigError(f"no file can be called after the target {target!r}: choose others with --targets")
    if len({path.name.casefold() for path in paths}) < len(paths):
        raise ConfigError(
            "two targets differ in capital letters alone, and so would their files: choose with --targets"
        )
    for path in paths:
        if path.exists():
            raise OutputError(f"{path} is there already: name another folder, or take it away")
    try:
        import resource
    except ImportError:  # not on this system
        return
    wanted = len(paths) + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            raise OutputError(
                f"{len(paths):,} files would be open at once, where {hard:,} may be: raise that (ulimit -n {wanted}) "
                "or choose targets with --targets"
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
