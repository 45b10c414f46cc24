"""`zoo predict` for models of labels: sequences or BED sites in, a table out."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.commands.parser import Option
from zoo.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zoo.inference.labels import LabelPlan, LabelPredictor
    from zoo.writers.labels import LabelRows

__all__ = ["check", "plan", "settings", "write"]

DESCRIPTION = "The output is a TSV with a row for each sequence and a column for each target."
INPUT_HELP = "FASTA, plain lines, TSV or CSV (plain or gzipped), or BED with --genome; - is standard input"
OPTIONS = (
    Option(
        ("--resize",),
        {"action": "store_true", "help": "with --genome: take the model's length around each centre"},
    ),
    Option(
        ("--sequence-column",),
        {"metavar": "COLUMN", "help": "of a table: the column with the sequence (default: sequence or seq)"},
    ),
)


def check(options: argparse.Namespace) -> None:
    """Refuse options that do not fit each other, before a model is loaded."""
    from zoo.utils.atomic import check_folder_of

    if options.output != "-":
        check_folder_of(Path(options.output))
    if options.resize and not options.genome:
        raise ConfigError("--resize is for intervals: name the genome with --genome")
    if options.inputs and not options.genome:
        raise ConfigError("--inputs needs coordinates, which sequences lack: give BED, and the genome with --genome")
    if options.sequence_column and options.genome:
        raise ConfigError("--sequence-column is for a table of sequences, not for BED with --genome")


def settings(options: argparse.Namespace) -> dict[str, Any]:
    """Further arguments of the predictor: none."""
    return {}


def plan(options: argparse.Namespace, predictor: "LabelPredictor") -> "LabelPlan":
    """Plan the sequences of a file, or the sites of a BED file."""
    if not options.genome:
        from zoo.formats.sequences import SequenceFile

        return predictor.plan_file(SequenceFile(options.input, options.sequence_column))
    from zoo.formats.bed import iterate_bed
    from zoo.genome.fasta import Genome
    from zoo.inference.regions import check_sites

    genome, notes = Genome(options.genome), list[str]()
    sites = check_sites(iterate_bed(options.input), genome, predictor.model, options.resize, notes)
    return replace(predictor.plan(genome, sites), notes=notes)


def write(
    options: argparse.Namespace, predictor: "LabelPredictor", plan: "LabelPlan", pieces: "Iterator[LabelRows]"
) -> str:
    """Write the table; returns what was written."""
    from zoo.writers.labels import write_labels

    count = write_labels(options.output, predictor.targets, pieces)
    return f"{count:,} sequences, {len(predictor.targets)} target(s)"
