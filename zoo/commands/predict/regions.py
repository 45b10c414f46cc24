"""What `zoo predict` for tracks and for contacts share: regions that are predicted, pictures that are drawn."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import ConfigError, InputError

if TYPE_CHECKING:
    from zoo.genome.fasta import Genome
    from zoo.genome.intervals import Interval

__all__ = ["check_picture", "regions_of"]

_PICTURES = (".png", ".svg", ".pdf")


def regions_of(options: argparse.Namespace, genome: "Genome") -> "list[Interval]":
    """The regions of a BED file, or the chosen contigs of a FASTA."""
    from zoo.formats.bed import iterate_bed
    from zoo.genome.intervals import Interval

    if not options.genome:
        names = map(genome.contig, options.contigs or genome.contigs)
        return [Interval(name, 0, genome.contigs[name]) for name in names]
    found = []
    for region in iterate_bed(options.input):
        try:
            genome.check(region)
        except InputError as error:
            raise InputError(f"{options.input}: {error}") from None
        found.append(region)
    return found


def check_picture(options: argparse.Namespace) -> Path:
    """The picture that -o names, before anything is predicted.

    Raises:
        ConfigError: it is no picture, or a file that is read.
        OutputError: its folder is not there.
    """
    from zoo.utils.atomic import check_folder_of, refuse_overwriting

    picture = Path(options.output)
    if picture.suffix not in _PICTURES:
        raise ConfigError(f"with --plot, -o names the picture: {picture} does not end in {', '.join(_PICTURES)}")
    refuse_overwriting(options.output, [str(path) for path in (options.input, options.measured) if path])
    check_folder_of(picture)
    return picture
