"""`zoo predict` for models of tracks: a FASTA or BED in, a bigWig for each target or a picture out."""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from zoo.commands.predict.regions import check_picture, regions_of
from zoo.errors import ConfigError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from zoo.data.tracks.table import Transform
    from zoo.genome.fasta import Genome
    from zoo.models._base import SequenceModel
    from zoo.writers.tracks import TrackStretch

__all__ = ["predict_tracks_command"]

_BATCH = 16
_MOST_DRAWN = 50
_MOST_BASES = 10_000_000


def predict_tracks_command(options: argparse.Namespace, model: "SequenceModel") -> None:
    """Predict tracks of whole contigs, of the regions of a BED file, or of one region for a picture."""
    from zoo.genome.fasta import Genome
    from zoo.inference.tracks import choose_targets, predict_tracks, touched_bases
    from zoo.utils.text import some_of
    from zoo.writers.tracks import write_tracks

    if options.output == "-":
        raise ConfigError("tracks are not written to standard output: name a folder with -o, or with --plot a picture")
    if options.input == "-" or options.resize or options.sequence_column or options.inputs or options.expected:
        raise ConfigError(
            "for tracks INPUT is a FASTA whose contigs are predicted, or BED with --genome, of any length"
        )
    genome = Genome(options.genome or options.input)
    targets = choose_targets(model, options.targets)
    if options.contigs and (options.genome or options.plot):
        raise ConfigError("--contigs are for a FASTA as INPUT, not for BED or --plot")
    if options.plot and options.undo:
        raise ConfigError("--undo is for bigWigs; a picture shows what the model learned")
    if options.plot:
        _draw(options, model, genome, targets)
        return
    if options.measured:
        raise ConfigError("--measured is for --plot REGION")
    natural = _transform(options.undo, targets).inverse if options.undo else None
    regions = regions_of(options, genome)
    short = [
        name for name in {genome.contig(region.chrom) for region in regions} if genome.contigs[name] < model.length
    ]
    if short:
        print(
            f"shorter than the {model.length:,} bases that the model reads, and padded with N: {len(short)} contig(s), "
            f"{some_of(sorted(short))}",
            file=sys.stderr,
        )
    stretches = predict_tracks(model, genome, regions, targets, _batch_size(options), options.precision)
    if natural:
        stretches = (replace(each, values=natural(each.values[:, None])[:, 0]) for each in stretches)
    bases = touched_bases(model, genome, regions)
    paths = write_tracks(options.output, targets, genome.contigs, _with_progress(stretches, bases))
    print(
        f"{options.output}: {len(paths)} bigWig files, {len(regions):,} regions, {bases:,} bases in whole bins",
        file=sys.stderr,
    )


def _batch_size(options: argparse.Namespace) -> int:
    return _BATCH if options.batch_size is None else int(options.batch_size)


def _draw(options: argparse.Namespace, model: "SequenceModel", genome: "Genome", targets: list[str]) -> None:
    import numpy as np

    from zoo.genome.intervals import parse_region
    from zoo.inference.tracks import predict_region
    from zoo.plots.training import draw_tracks
    from zoo.utils.atomic import whole_path

    picture = check_picture(options)
    if len(targets) > _MOST_DRAWN:
        raise ConfigError(
            f"{len(targets):,} targets are too many for a picture: choose up to {_MOST_DRAWN} with --targets"
        )
    region = parse_region(options.plot)
    if len(region) > _MOST_BASES:
        raise ConfigError(f"{region} has {len(region):,} bases: a picture shows up to {_MOST_BASES:,}")
    found = predict_region(model, genome, region, targets, _batch_size(options), options.precision)
    edges = found.start + found.bin_size * np.arange(found.values.shape[1] + 1)
    measured = _measured(options.measured, found, genome, targets) if options.measured else {}
    predicted = dict(zip(targets, found.values, strict=True))
    with whole_path(picture) as draft:
        draw_tracks(draft, found.contig, edges, predicted, measured, f"{options.name}, {region}")
    print(f"{picture}: {region}, {len(targets)} target(s)", file=sys.stderr)


def _measured(
    table: str, stretch: "TrackStretch", genome: "Genome", targets: list[str]
) -> "dict[str, NDArray[np.float32]]":
    """What bigWigs measure in the bins of a stretch, treated as the table says."""
    import numpy as np

    from zoo.data.tracks.table import Transform, read_track_table
    from zoo.formats.bigwig import BigWig, match_bigwig

    found = {}
    bins = stretch.values.shape[1]
    end = min(stretch.start + bins * stretch.bin_size, genome.contigs[stretch.contig])
    for track in read_track_table(table):
        if track.name in targets:
            name = match_bigwig(track.path, genome.contigs, [stretch.contig])[stretch.contig]
            with BigWig(track.path) as file:
                span = str(name), stretch.start, end, stretch.bin_size
                binned = np.concatenate([values for values, _ in file.bins(*span, track.statistic, track.missing)])
            found[track.name] = Transform([track])(binned[None, None])[0, 0]
    if not found:
        raise InputError(f"{table}: none of its targets is drawn; the model's are {', '.join(targets[:12])}")
    return found


def _transform(table: str, targets: list[str]) -> "Transform":
    """What a table of targets does to the values of these."""
    from zoo.data.tracks.table import Transform, read_track_table

    tracks = {track.name: track for track in read_track_table(table)}
    for target in targets:
        if target not in tracks:
            raise InputError(f"{table} has no target {target!r}, which is predicted: choose others with --targets")
    return Transform([tracks[target] for target in targets])


def _with_progress(stretches: "Iterable[TrackStretch]", bases: int) -> "Iterator[TrackStretch]":
    """A bar over all bases, on a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("predicting", total=bases)
        for stretch in stretches:
            yield stretch
            progress.advance(task, stretch.values.shape[1] * stretch.bin_size)
