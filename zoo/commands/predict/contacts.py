"""`zoo predict` for models of contacts: a FASTA or BED in, a cooler for each target, arrays or a picture out."""

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.commands.parser import Option
from zoo.commands.predict.regions import REGION_INPUT, REGION_OPTIONS, check_region_options, read_regions
from zoo.errors import ConfigError
from zoo.utils.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zoo.hub.targets import TargetRow
    from zoo.inference.contacts import ContactPlan, ContactPredictor
    from zoo.writers.contacts import ContactRows

__all__ = ["check", "plan", "settings", "write"]

DESCRIPTION = (
    "The output is a folder with a .cool for each target, one .cool for one target, arrays (.npz), or with --plot a "
    "picture of a region."
)
INPUT_HELP = REGION_INPUT
OPTIONS = (
    *REGION_OPTIONS,
    Option(
        ("--expected",),
        {"metavar": "TABLE", "help": "of cooltools expected-cis: write contacts, not log(observed/expected)"},
    ),
    Option(
        ("--step",),
        {
            "type": int,
            "metavar": "BINS",
            "help": "from one window to the next (default: half of one); pairs further apart than a window less a step "
            "are predicted in part only",
        },
    ),
    Option(("--bed",), {"nargs": "+", "metavar": "BED", "help": "with --plot: intervals to draw below"}),
    Option(
        ("--smooth",),
        {
            "type": float,
            "metavar": "BINS",
            "help": "Gaussian filter of the --measured map (default: as of the maps that the model learnt)",
        },
    ),
)
_SMOOTHED = re.compile(r"Gaussian of ([\d.]+) bins")
_MOST_BINS = 2000
_MOST_DRAWN = 12


def check(options: argparse.Namespace) -> None:
    """Refuse options that do not fit each other, before a model is loaded."""
    check_region_options(options, "contacts", "a folder with -o, a file that ends in .cool or .npz", [".cool", ".npz"])
    if options.plot and options.expected:
        raise ConfigError("--expected is for coolers; a picture shows log(observed/expected)")
    if options.expected and options.output.endswith(".npz"):
        raise ConfigError("--expected is for coolers")
    if options.bed and not options.plot:
        raise ConfigError("--bed is for --plot REGION")
    if options.smooth is not None and not options.measured:
        raise ConfigError("--smooth is for the map that is --measured")


def settings(options: argparse.Namespace) -> dict[str, Any]:
    """Further arguments of the predictor."""
    return {"step": options.step}


def plan(options: argparse.Namespace, predictor: "ContactPredictor") -> "ContactPlan":
    """Plan the regions."""
    genome, regions = read_regions(options)
    targets, bin_size = predictor.targets, predictor.output.bin_size
    if options.plot and (len(regions[0]) > _MOST_BINS * bin_size or len(targets) > _MOST_DRAWN):
        raise ConfigError(
            f"{regions[0]} and {counted(len(targets), 'target')} are too much for a picture, which shows up to "
            f"{_MOST_BINS:,} bins of {bin_size:,} bases and {_MOST_DRAWN} targets: choose with --targets"
        )
    return predictor.plan(genome, regions)


def write(
    options: argparse.Namespace,
    predictor: "ContactPredictor",
    plan: "ContactPlan",
    pieces: "Iterator[ContactRows]",
    rows: "list[TargetRow]",
) -> str:
    """Write the coolers or arrays, or draw the picture; returns what was written."""
    from zoo.formats.expected import read_expected
    from zoo.writers.contacts import COUNT_UNIT, write_coolers, write_npz

    if options.plot:
        return _draw(options, predictor, plan, pieces, rows)
    targets = predictor.targets
    if options.output.endswith(".npz"):
        paths = [write_npz(Path(options.output), targets, pieces)]
    else:
        expected = read_expected(options.expected) if options.expected else None
        if expected:
            expected.at(plan.distances)  # a table that is too short is refused before a window is predicted
        facts = {"model": options.name, "genome": plan.genome.path.name, "diagonal": predictor.output.diagonal}
        texts = {
            row.name: {"description": row.description, "unit": COUNT_UNIT if expected else row.unit} for row in rows
        }
        paths = write_coolers(options.output, targets, plan.genome.contigs, pieces, expected, facts, texts)
    return f"{counted(len(paths), 'file')}, {counted(len(targets), 'target')}, {counted(plan.regions, 'region')}"


def _smoothing(rows: "list[TargetRow]") -> float:
    """The Gaussian filter of the maps that the model learnt, in bins, as the unit of its targets has it; 0 for none."""
    filters = {float(match[1]) for row in rows if (match := _SMOOTHED.search(row.unit))}
    return filters.pop() if len(filters) == 1 else 0.0


def _filtered(smooth: float) -> str:
    return f"Gaussian of {smooth:g} bins" if smooth else ""


def _draw(
    options: argparse.Namespace,
    predictor: "ContactPredictor",
    plan: "ContactPlan",
    pieces: "Iterator[ContactRows]",
    rows: "list[TargetRow]",
) -> str:
    from zoo.inference.measured import features_in, measured_contacts
    from zoo.inference.regions import find_region
    from zoo.plots.contacts import draw_contact_maps
    from zoo.utils.atomic import whole_path

    region, targets, bin_size = find_region(options.plot, plan.genome), predictor.targets, predictor.output.bin_size
    predictions = predictor.collect(plan, pieces)
    (maps,) = predictions.maps().values()
    first = predictions.rows[0].first
    measured, learnt = None, _smoothing(rows)
    smooth = learnt if options.smooth is None else options.smooth
    if options.measured:
        contig = plan.genome.contig(region.chrom)
        measured = measured_contacts(options.measured, smooth, plan.genome, contig, bin_size, first, maps.shape[1])
    features = {path: features_in(path, plan.genome, region) for path in options.bed or []}
    predicted = dict(zip(targets, maps, strict=True))
    with whole_path(Path(options.output)) as draft:
        notes = _filtered(smooth), _filtered(learnt)
        where = region.chrom, first * bin_size, bin_size
        draw_contact_maps(draft, *where, predicted, measured, features, options.name, notes)
    return f"{region}, {counted(len(targets), 'target')}"
