"""`zoo predict` for models of labels: sequences or BED sites in, a table out."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.commands.parser import Option
from zoo.errors import ConfigError
from zoo.utils.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zoo.hub.targets import TargetRow
    from zoo.inference.labels import LabelPlan, LabelPredictor
    from zoo.writers.labels import LabelRows

__all__ = ["check", "plan", "settings", "write"]

DESCRIPTION = (
    "The output is a table with a row for each sequence and a column for each target: .tsv or .csv (also .gz), or "
    ".parquet. Of BED, each row begins with chrom, start, end and name."
)
INPUT_HELP = "FASTA, plain lines, TSV or CSV (plain or gzipped), or BED with --genome; - is standard input"
OPTIONS = (
    Option(
        ("--resize",),
        {
            "action": "store_true",
            "help": "take the model's length around each centre (of narrowPeak, around the summit); sequences that are "
            "shorter are padded with N at both ends, intervals with the genome's bases",
        },
    ),
    Option(
        ("--tile",),
        {
            "type": int,
            "metavar": "STEP",
            "help": "a row for each window of the model's length, STEP bases apart, with start and end; the last "
            "window ends with the sequence",
        },
    ),
    Option(
        ("--best",),
        {"action": "store_true", "help": "with --tile: for each sequence the highest prediction alone, with its place"},
    ),
    Option(
        ("--keep",),
        {
            "nargs": "+",
            "metavar": "COLUMN",
            "default": [],
            "help": "of a table: write these columns too, next to the name; `all` for all of them",
        },
    ),
    Option(
        ("--sequence-column",),
        {"metavar": "COLUMN", "help": "of a table: the column with the sequence (default: sequence or seq)"},
    ),
)


def check(options: argparse.Namespace) -> None:
    """Refuse options that do not fit each other, before a model is loaded."""
    from zoo.utils.paths import check_folder_of
    from zoo.writers.tables import table_format

    if options.inputs and not options.genome:
        raise ConfigError("--inputs needs coordinates, which sequences lack: give BED, and the genome with --genome")
    if options.sequence_column and options.genome:
        raise ConfigError("--sequence-column is for a table of sequences, not for BED with --genome")
    if options.keep and options.genome:
        raise ConfigError("--keep is for a table of sequences; of BED, chrom, start, end and name are written")
    table_format(options.output)
    if options.output != "-":
        check_folder_of(Path(options.output))
    settings(options)


def settings(options: argparse.Namespace) -> dict[str, Any]:
    """Further arguments of the predictor."""
    from zoo.inference.windowing import Windowing

    return {"windowing": Windowing(options.resize, options.tile, options.best)}


def plan(options: argparse.Namespace, predictor: "LabelPredictor") -> "LabelPlan":
    """Plan the sequences of a file, or the sites of a BED file."""
    if not options.genome:
        from zoo.formats.sequences import SequenceFile

        return predictor.plan_file(SequenceFile(options.input, options.sequence_column), options.keep)
    from zoo.formats.bed import iterate_bed
    from zoo.formats.narrow_peak import iterate_peaks
    from zoo.genome.fasta import Genome
    from zoo.inference.sources import SiteSource

    notes: list[str] = []
    sites = iterate_peaks(options.input, notes) if options.resize else iterate_bed(options.input)
    return predictor.plan_source(SiteSource(Genome(options.genome), sites, predictor.inputs, options.input, notes))


def write(
    options: argparse.Namespace,
    predictor: "LabelPredictor",
    plan: "LabelPlan",
    pieces: "Iterator[LabelRows]",
    rows: "list[TargetRow]",
) -> str:
    """Write the table; returns what was written."""
    import json
    from dataclasses import asdict

    from zoo.writers.labels import write_labels

    metadata = {"model": options.name, "targets": json.dumps([asdict(row) for row in rows])}
    count = write_labels(options.output, predictor.targets, pieces, metadata)
    what = "window" if options.tile and not options.best else "sequence"
    return f"{counted(count, what)}, {counted(len(predictor.targets), 'target')}"
