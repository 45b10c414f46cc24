"""`zoo predict`: sequences or intervals in, a table out."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.commands.predict.contacts import predict_contacts_command
from zoo.commands.predict.tracks import predict_tracks_command
from zoo.errors import ConfigError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from zoo.genome.fasta import Genome
    from zoo.genome.intervals import Interval
    from zoo.inference.labels import Predictions
    from zoo.models._base import SequenceModel

__all__ = ["add_predict"]

_BATCH = 256
_NOT_OF_LABELS = ("targets", "contigs", "plot", "measured", "undo", "inputs", "expected", "step", "bed")


def add_predict(verbs: Any) -> None:
    """Add the verb `predict` and its options."""
    verb = verbs.add_parser(
        "predict",
        help="predict for sequences or intervals",
        description="Predict for FASTA, plain lines, TSV or CSV (plain or gzipped), or for BED with --genome.",
    )
    verb.add_argument("name", metavar="NAME", help="architecture.tag, hf-hub:org/repo@revision or local-dir:path")
    verb.add_argument("input", metavar="INPUT", help="a file, or - for standard input")
    verb.add_argument(
        "-o", "--output", default="-", help="the TSV to write, - for standard output (default); of tracks, the folder"
    )
    verb.add_argument("--genome", help="FASTA of the genome; INPUT is then BED")
    verb.add_argument("--resize", action="store_true", help="with --genome: take the model's length around each centre")
    verb.add_argument("--sequence-column", help="in a table: the column with the sequence (default: sequence or seq)")
    verb.add_argument("--device", default="auto", help="cpu, cuda, cuda:1, mps; auto takes what is there")
    verb.add_argument("--batch-size", type=int, help="sequences predicted at once (default 256; of tracks, 16)")
    verb.add_argument("--precision", choices=("32", "bf16", "16"), default="32", help="arithmetic (default 32)")
    tracks = verb.add_argument_group(
        "tracks", "Models of tracks write a bigWig for each target, for BED or whole FASTA."
    )
    tracks.add_argument("--targets", nargs="+", metavar="TARGET", help="predict these only")
    tracks.add_argument("--contigs", nargs="+", metavar="CONTIG", help="predict these contigs of a FASTA only")
    tracks.add_argument("--plot", metavar="REGION", help="draw this region (chrIX:100,000-110,000); -o is the picture")
    tracks.add_argument(
        "--undo", metavar="TABLE", help="a table of targets: undo its scale and soft_clip in the bigWigs"
    )
    tracks.add_argument(
        "--measured", metavar="FILE", help="with --plot: a table of targets, or a .cool, to draw beside"
    )
    maps = verb.add_argument_group("maps", "Models of contacts write a .cool for each target, or arrays (.npz).")
    maps.add_argument(
        "--inputs", metavar="TABLE", help="the table of the tracks that a model reads beside the sequence"
    )
    maps.add_argument("--expected", metavar="TABLE", help="of cooltools expected-cis: write contacts, not logarithms")
    maps.add_argument(
        "--step",
        type=int,
        metavar="BINS",
        help="from one window to the next (default: half of one); pairs further apart than a window less a step are "
        "predicted in part only",
    )
    maps.add_argument("--bed", nargs="+", default=[], metavar="BED", help="with --plot: intervals to draw below")
    maps.add_argument(
        "--smooth", type=float, default=0.0, metavar="BINS", help="Gaussian on the map that is --measured"
    )
    verb.set_defaults(run=predict_command)


def predict_command(options: argparse.Namespace) -> None:
    """Predict for sequences or intervals."""
    import zoo.hub.load
    from zoo.inference.labels import write_predictions

    _check_input(options)
    model = zoo.hub.load.load(options.name, _device(options.device))
    if model.output.kind == "tracks":
        predict_tracks_command(options, model)
        return
    if model.output.kind == "contacts":
        predict_contacts_command(options, model)
        return
    odd = next((name for name in _NOT_OF_LABELS if getattr(options, name)), None)
    if odd:
        raise ConfigError(f"{options.name} predicts labels: --{odd} is for tracks or maps")
    blocks = _interval_blocks(options, model) if options.genome else _sequence_blocks(options, model)
    count = write_predictions(options.output, model.output.targets, _with_progress(blocks))
    if options.output != "-":
        print(f"{options.output}: {count:,} sequences, {len(model.output.targets)} target(s)", file=sys.stderr)


def _check_input(options: argparse.Namespace) -> None:
    """Refuse what cannot work before a model is loaded."""
    from zoo.utils.atomic import refuse_overwriting

    if options.input != "-" and not Path(options.input).is_file():
        raise InputError(f"{options.input}: no such file")
    refuse_overwriting(options.output, [options.input, *filter(None, [options.genome])])
    bare = options.input.removesuffix(".gz")
    if bare.endswith((".bed", "Peak")) and not options.genome:
        raise ConfigError(f"{options.input} holds intervals: name the genome with --genome")
    if options.resize and not options.genome:
        raise ConfigError("--resize is for intervals: name the genome with --genome")


def _batch_size(options: argparse.Namespace) -> int:
    return _BATCH if options.batch_size is None else int(options.batch_size)


def _device(name: str) -> str:
    import torch

    if name == "auto":
        found = torch.accelerator.current_accelerator(check_available=True)
        return found.type if found else "cpu"
    try:
        torch.zeros(1, device=name).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ConfigError(f"there is no device {name!r} here ({str(error).splitlines()[0]})") from None
    return name


def _sequence_blocks(options: argparse.Namespace, model: "SequenceModel") -> "Iterator[Predictions]":
    from zoo.formats.sequences import SequenceFile
    from zoo.inference.labels import predict_file

    file = SequenceFile(options.input, options.sequence_column)
    yield from predict_file(model, file, _batch_size(options), options.precision)
    if note := file.ambiguity_note():
        print(f"zoo: {note}", file=sys.stderr)


def _interval_blocks(options: argparse.Namespace, model: "SequenceModel") -> "Iterator[Predictions]":
    from zoo.formats.bed import iterate_bed
    from zoo.genome.fasta import Genome
    from zoo.inference.labels import predict_intervals

    genome = Genome(options.genome)
    intervals = _checked(iterate_bed(options.input), genome, model, options.resize)
    return predict_intervals(model, genome, intervals, _batch_size(options), options.precision)


def _checked(
    intervals: "Iterable[Interval]", genome: "Genome", model: "SequenceModel", resize: bool
) -> "Iterator[Interval]":
    """The intervals, each looked at: its contig (mapped names are said once), its ends, its length."""
    said: set[str] = set()
    past = 0
    for interval in intervals:
        genome.check(interval)
        found = genome.contig(interval.chrom)
        if found != interval.chrom and interval.chrom not in said:
            said.add(interval.chrom)
            print(f"zoo: the contig {interval.chrom} is {found} in {genome.path}", file=sys.stderr)
        if resize:
            interval = interval.resized(model.length)
            past += not genome.holds(interval)
        try:
            model.check_length(len(interval))
        except InputError as error:
            cure = f"--resize takes {model.length} bases around each centre"
            raise InputError(f"{interval.label!r}: {error}; {cure}") from None
        yield interval
    if past:
        print(f"zoo: {past} resized intervals reach past the end of their contig; N stands there", file=sys.stderr)


def _with_progress(blocks: "Iterable[Predictions]") -> "Iterator[Predictions]":
    """Count the sequences on a terminal while they are predicted."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("sequences"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None)
        for block in blocks:
            yield block
            progress.advance(task, len(block))
