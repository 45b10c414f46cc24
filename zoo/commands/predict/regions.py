"""What `zoo predict` for tracks and for contacts share: options, regions, and pictures of a region."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.commands.parser import PICTURES, Option
from zoo.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zoo.genome.fasta import Genome
    from zoo.genome.intervals import Interval

__all__ = ["check_region_options", "read_regions"]

REGION_INPUT = "FASTA of the genome, whose contigs are predicted; or BED with --genome"
REGION_OPTIONS = (
    Option(("--contigs",), {"nargs": "+", "metavar": "CONTIG", "help": "predict these contigs of a FASTA only"}),
    Option(
        ("--plot",),
        {"metavar": "REGION", "help": "draw this region (chrIX:100,000-110,000) or contig; -o is the picture"},
    ),
    Option(
        ("--measured",),
        {
            "metavar": "FILE",
            "help": "with --plot: measured values to draw too, a table of bigWigs, one bigWig, or a .cool",
        },
    ),
)


def check_region_options(options: argparse.Namespace, kind: str, writes: str, endings: "Sequence[str]") -> None:
    """Refuse options that do not fit each other, before a model is loaded.

    Raises:
        ConfigError: standard input or output, the ending of a format that is not written, --contigs for BED or a
            picture, --measured without --plot, or a picture that is none, or that is one of the files to be read.
        OutputError: the folder of a picture does not exist.
    """
    from zoo.writers.paths import refuse_other_ending

    if options.output == "-":
        raise ConfigError(f"{kind} are not written to standard output: name {writes}, or with --plot a picture")
    if options.input == "-":
        raise ConfigError(f"for {kind} INPUT is a file, not standard input: {REGION_INPUT}")
    if options.contigs and (options.genome or options.plot):
        raise ConfigError("--contigs is for a FASTA as INPUT, not for BED or --plot")
    if options.plot:
        if options.genome:
            raise ConfigError("with --plot, INPUT is the FASTA of the genome: leave out --genome")
        _check_picture(options)
        return
    if options.measured:
        raise ConfigError("--measured is for --plot REGION")
    path = Path(options.output)
    if path.suffix.lower() not in [ending.lower() for ending in endings]:
        refuse_other_ending(path, endings)


def read_regions(options: argparse.Namespace) -> "tuple[Genome, list[Interval]]":
    """The genome, and the region to draw, the regions of the BED file, or the chosen contigs of the FASTA."""
    from zoo.formats.bed import iterate_bed
    from zoo.genome.fasta import Genome
    from zoo.genome.intervals import Interval
    from zoo.inference.regions import check_regions, find_region

    genome = Genome(options.genome or options.input)
    if options.plot:
        return genome, [find_region(options.plot, genome)]
    if options.genome:
        return genome, check_regions(iterate_bed(options.input), genome, options.input)
    names = map(genome.contig, options.contigs or genome.contigs)
    return genome, [Interval(name, 0, genome.contigs[name]) for name in names]


def _check_picture(options: argparse.Namespace) -> None:
    from zoo.utils.paths import check_folder_of, refuse_overwriting

    picture = Path(options.output)
    if picture.suffix not in PICTURES:
        raise ConfigError(f"with --plot, -o names the picture: {picture} does not end in {', '.join(PICTURES)}")
    refuse_overwriting(options.output, [path for path in (options.input, options.measured) if path])
    check_folder_of(picture)
