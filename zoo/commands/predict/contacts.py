"""`zoo predict` for models of contacts: a FASTA or BED in, a cooler for each target, arrays or a picture out."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.commands.predict.regions import check_picture, regions_of
from zoo.errors import ConfigError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from zoo.genome.fasta import Genome
    from zoo.genome.intervals import Interval
    from zoo.models._base import SequenceModel
    from zoo.writers.contacts import ContactRows

__all__ = ["predict_contacts_command"]

_BATCH = 1
_MOST_BINS = 2000
_MOST_DRAWN = 12


def predict_contacts_command(options: argparse.Namespace, model: "SequenceModel") -> None:
    """Predict maps of whole contigs, of the regions of a BED file, or of one region for a picture."""
    from zoo.formats.expected import read_expected
    from zoo.genome.fasta import Genome
    from zoo.inference.contacts import predict_contacts
    from zoo.inference.tracks import choose_targets
    from zoo.inference.windows import predicted_distances, window_count
    from zoo.writers.contacts import write_coolers, write_npz

    if options.output == "-":
        raise ConfigError(
            "maps are not written to standard output: name a folder with -o, a file that ends in .cool or .npz, or "
            "with --plot a picture"
        )
    if options.input == "-" or options.resize or options.sequence_column or options.undo:
        raise ConfigError("for maps INPUT is a FASTA whose contigs are predicted, or BED with --genome")
    genome = Genome(options.genome or options.input)
    targets = choose_targets(model, options.targets)
    if options.contigs and (options.genome or options.plot):
        raise ConfigError("--contigs are for a FASTA as INPUT, not for BED or --plot")
    if options.plot and options.expected:
        raise ConfigError("--expected is for coolers; a picture shows log(observed/expected)")
    if options.plot:
        _draw(options, model, genome, targets)
        return
    if options.measured or options.bed:
        raise ConfigError("--measured and --bed are for --plot REGION")
    expected = read_expected(options.expected) if options.expected else None
    regions = regions_of(options, genome)
    if expected:
        expected.at(predicted_distances(model, genome, regions))  # a table that is too short is said before, not after
    rows = _with_progress(
        predict_contacts(
            model, genome, regions, targets, _batch_size(options), options.precision, options.step, options.inputs
        ),
        window_count(model, genome, regions, options.step),
    )
    if options.output.endswith(".npz"):
        if expected:
            raise ConfigError("--expected is for coolers")
        paths = [write_npz(Path(options.output), targets, rows)]
    else:
        facts = {"model": options.name, "genome": genome.path.name, "diagonal": _diagonal(model)}
        paths = write_coolers(options.output, targets, genome.contigs, rows, expected, facts)
    predicted = _say_left_out(model, genome, regions)
    print(
        f"{options.output}: {len(paths)} file(s), {len(targets)} target(s), {predicted:,} region(s)",
        file=sys.stderr,
    )


def _say_left_out(model: "SequenceModel", genome: "Genome", regions: "list[Interval]") -> int:
    """Say what is not predicted; gives how many regions are."""
    from zoo.inference.windows import contacts_of, left_out
    from zoo.utils.text import some_of

    contigs, outside, ends = left_out(model, genome, regions)
    said = []
    if contigs:
        said.append(
            f"left out, shorter than the {model.length:,} bases that the model reads: {len(contigs)} contig(s), "
            f"{some_of(contigs)}"
        )
    if outside:
        said.append(
            f"left out, too near the ends of their contigs or of too few bins: {len(outside):,} region(s), "
            f"{some_of(map(str, outside))}"
        )
    if ends:
        said.append(
            f"not predicted: {contacts_of(model).crop:,} bases at each end of a contig, which windows read as context"
        )
    for line in said:
        print(line, file=sys.stderr)
    short = set(contigs)
    return sum(genome.contig(region.chrom) not in short for region in regions) - len(outside)


def _diagonal(model: "SequenceModel") -> int:
    from zoo.outputs import Contacts

    assert isinstance(model.output, Contacts)
    return model.output.diagonal


def _batch_size(options: argparse.Namespace) -> int:
    return _BATCH if options.batch_size is None else int(options.batch_size)


def _draw(options: argparse.Namespace, model: "SequenceModel", genome: "Genome", targets: list[str]) -> None:
    from zoo.genome.intervals import parse_region
    from zoo.inference.contacts import map_regions
    from zoo.inference.windows import left_out
    from zoo.outputs import Contacts
    from zoo.plots.contacts import draw_maps
    from zoo.utils.atomic import whole_path

    picture = check_picture(options)
    region = parse_region(options.plot)
    assert isinstance(model.output, Contacts)
    size = model.output.bin_size
    if len(region) > _MOST_BINS * size or len(targets) > _MOST_DRAWN:
        raise ConfigError(
            f"{region} and {len(targets)} target(s) are too much for a picture, which shows up to {_MOST_BINS:,} bins "
            f"of {size:,} bases and {_MOST_DRAWN} targets: choose with --targets"
        )
    genome.check(region)
    if left_out(model, genome, [region]).regions:  # before a window is predicted
        raise InputError(
            f"nothing is predicted for {region}: it lies too near the end of its contig, or has too few bins of "
            f"{size:,} bases"
        )
    found = map_regions(
        model, genome, [region], targets, _batch_size(options), options.precision, options.step, options.inputs
    )
    (maps,) = found.maps().values()
    start = found.rows[0].first * size
    measured = None
    if options.measured:
        measured = _measured(options.measured, options.smooth, genome, region, start, maps.shape[1], size)
    features = {path: _features(path, genome, region) for path in options.bed or []}
    with whole_path(picture) as draft:
        draw_maps(
            draft, region.chrom, start, size, dict(zip(targets, maps, strict=True)), measured, features, options.name
        )
    print(f"{picture}: {region}, {len(targets)} target(s)", file=sys.stderr)


def _measured(
    uri: str, smooth: float, genome: "Genome", region: "Interval", start: int, bins: int, bin_size: int
) -> "NDArray[np.float32]":
    """What a cooler says of a stretch, as log(observed/expected) within its contig: (bins, bins)."""
    import numpy as np

    from zoo.data.contacts.bands import ContactBand
    from zoo.data.contacts.expected_regions import Region
    from zoo.data.contacts.maps import MapRules
    from zoo.formats.cooler import CoolerFile
    from zoo.utils.text import some_of
    from zoo.writers.contacts import ContactRows, dense_maps

    file = CoolerFile(uri)
    if file.bin_size != bin_size:
        raise InputError(
            f"{uri} has bins of {file.bin_size:,} bases, the model's have {bin_size:,}; there are "
            f"{', '.join(file.resolutions)}"
        )
    contig = genome.contig(region.chrom)
    name = file.match(genome.contigs)[contig]
    if name is None:
        raise InputError(f"{uri} has no contig {contig!r}; it has {some_of(file.contigs)}")
    contigs = {name: genome.contigs[contig]}
    whole = Region(name, 0, -(-genome.contigs[contig] // bin_size))
    band = ContactBand(file, contigs, bins, 2, [whole], np.zeros(whole.end, bool), MapRules(smooth=smooth), False)
    first = start // bin_size
    values = band.values[first : first + bins]
    ((_, found),) = dense_maps([ContactRows(contig, first, bin_size, values[None])]).items()
    only: NDArray[np.float32] = found[0]
    return only


def _features(path: str, genome: "Genome", region: "Interval") -> "list[Interval]":
    """The intervals of a BED file that touch a region."""
    from zoo.formats.bed import iterate_bed
    from zoo.genome.contigs import find_contigs

    inside = [each for each in iterate_bed(path) if each.start < region.end and region.start < each.end]
    mapped = find_contigs({each.chrom for each in inside}, genome.contigs)
    return [each for each in inside if mapped[each.chrom] == genome.contig(region.chrom)]


def _with_progress(rows: "Iterable[ContactRows]", windows: int) -> "Iterator[ContactRows]":
    """A bar over all windows, on a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("predicting", total=windows)
        for each in rows:
            yield each
            progress.advance(task)
