"""`zoo predict` for models of tracks: a FASTA or BED in, a bigWig for each target or a picture out."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.commands.parser import Option
from zoo.commands.predict.regions import REGION_INPUT, REGION_OPTIONS, check_region_options, read_regions
from zoo.errors import ConfigError
from zoo.utils.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zoo.hub.targets import TargetRow
    from zoo.inference.tracks import TrackPlan, TrackPredictor
    from zoo.writers.tracks import TrackSegment

__all__ = ["check", "plan", "settings", "write"]

DESCRIPTION = (
    "The output is a folder with a bigWig for each target, one .bw for one target, or with --plot a picture of a "
    "region."
)
INPUT_HELP = REGION_INPUT
OPTIONS = (
    *REGION_OPTIONS,
    Option(
        ("--same-scale",),
        {"action": "store_true", "help": "with --plot: targets of one unit on one scale (default: each on its own)"},
    ),
    Option(
        ("--inverse-transform",),
        {"metavar": "TABLE", "help": "a table of targets: write values before its scale and soft_clip"},
    ),
)
_MOST_DRAWN = 50
_MOST_BASES = 10_000_000


def check(options: argparse.Namespace) -> None:
    """Refuse options that do not fit each other, before a model is loaded."""
    check_region_options(options, "tracks", "a folder with -o, a file that ends in .bw", [".bw", ".bigWig"])
    if options.same_scale and not options.plot:
        raise ConfigError("--same-scale is for --plot REGION")
    if options.plot and options.inverse_transform:
        raise ConfigError("--inverse-transform is for bigWigs; a picture shows the values that the model learned")


def settings(options: argparse.Namespace) -> dict[str, Any]:
    """Further arguments of the predictor: none."""
    return {}


def plan(options: argparse.Namespace, predictor: "TrackPredictor") -> "TrackPlan":
    """Plan the regions."""
    genome, regions = read_regions(options)
    if options.plot:
        if len(predictor.targets) > _MOST_DRAWN:
            raise ConfigError(
                f"{len(predictor.targets):,} targets are too many for a picture: choose up to {_MOST_DRAWN} with "
                "--targets"
            )
        if len(regions[0]) > _MOST_BASES:
            raise ConfigError(f"{regions[0]} has {len(regions[0]):,} bases: a picture shows up to {_MOST_BASES:,}")
    return predictor.plan(genome, regions)


def write(
    options: argparse.Namespace,
    predictor: "TrackPredictor",
    plan: "TrackPlan",
    pieces: "Iterator[TrackSegment]",
    rows: "list[TargetRow]",
) -> str:
    """Write the bigWigs, or draw the picture; returns what was written."""
    if options.plot:
        return _draw(options, predictor, plan, pieces, rows)
    from zoo.inference.measured import transform_of
    from zoo.writers.tracks import write_tracks

    if options.inverse_transform:
        inverse = transform_of(options.inverse_transform, predictor.targets).inverse
        # (T, P) -> (T, 1 window, P), as transforms take values, and back
        pieces = (replace(piece, values=inverse(piece.values[:, None])[:, 0]) for piece in pieces)
    paths = write_tracks(options.output, predictor.targets, plan.genome.contigs, pieces)
    bins = f"{counted(plan.rows or 0, 'bin')} of {predictor.output.bin_size:,} bases"
    return f"{counted(len(paths), 'bigWig file')}, {counted(plan.regions, 'region')}, {bins}"


def _draw(
    options: argparse.Namespace,
    predictor: "TrackPredictor",
    plan: "TrackPlan",
    pieces: "Iterator[TrackSegment]",
    rows: "list[TargetRow]",
) -> str:
    import numpy as np

    from zoo.inference.measured import measured_tracks
    from zoo.inference.regions import find_region
    from zoo.plots.tracks import draw_tracks
    from zoo.utils.atomic import whole_path

    region, targets = find_region(options.plot, plan.genome), predictor.targets
    (segment,) = predictor.collect(plan, pieces).segments
    edges = segment.start + segment.bin_size * np.arange(len(segment) + 1)
    measured = measured_tracks(options.measured, segment, plan.genome, targets) if options.measured else {}
    if options.measured:
        _note_units(options.measured, rows, targets)
    predicted = dict(zip(targets, segment.values, strict=True))
    with whole_path(Path(options.output)) as draft:
        title, units = (
            f"{options.name}, {region.chrom}:{region.start:,}-{region.end:,}",
            {row.name: row.unit for row in rows},
        )
        draw_tracks(draft, segment.contig, edges, predicted, measured, title, units, options.same_scale)
    return f"{region}, {counted(len(targets), 'target')}"


def _note_units(file: str, rows: "list[TargetRow]", targets: list[str]) -> None:
    """Say that a bigWig without a table is drawn as it is, where the model predicts other units."""
    from zoo.data.tracks.table import Track
    from zoo.formats.kinds import file_kind

    units = [row.unit for row in rows if row.name in targets]
    if file_kind(file) == "bigwig" and units != [Track.unit]:
        print(
            f"zoo: {file} is drawn as the mean of its values in each bin; the model predicts {units[0]}: a table of it "
            "(name, path, statistic, scale, soft_clip) draws it in these units",
            file=sys.stderr,
        )
