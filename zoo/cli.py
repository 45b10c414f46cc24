"""The command line: one function a verb. Each resolves names and calls the library; nothing heavy is imported
before it is needed, so that `zoo list` answers at once.
"""

import argparse
import os
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from zoo.errors import ConfigError, InputError, OutputError, UnknownNameError, ZooError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from zoo.genome import Genome
    from zoo.intervals import Interval
    from zoo.model import SequenceModel
    from zoo.prediction import Predictions

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0, or 2 after saying on standard error in one sentence what was wrong.
    """
    try:
        options, rest = _parser().parse_known_args(arguments)
        if rest and not getattr(options, "takes_rest", False):
            raise ConfigError(
                f"zoo {options.verb} does not know {' '.join(rest)}; `zoo {options.verb} --help` lists its options"
            )
        options.rest = rest
        options.run(options)
        sys.stdout.flush()
    except ZooError as error:
        print(f"zoo: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output has gone: nothing is left to say
        _drop_output()
        return 0
    except OSError as error:
        _drop_output()
        print(f"zoo: {error.filename or 'standard output'}: {error.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("zoo: stopped", file=sys.stderr)
        return 130
    return 0


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence, like all others."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and leaving."""
        raise ConfigError(f"{message}; `{self.prog} --help` lists what there is")


def _drop_output() -> None:
    """Point standard output nowhere, so that the interpreter does not try to flush it again on leaving."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def list_command(options: argparse.Namespace) -> None:
    """Show the models by name."""
    from zoo.registry import list_models

    entries = list_models(options.pattern, options.search, options.species)
    if not entries:
        raise UnknownNameError("no model fits; `zoo list` shows all of them")
    rows = [[e.name, e.output, ", ".join(e.targets), e.species, e.assay, e.metric, e.source] for e in entries]
    _print_table(["name", "output", "targets", "species", "assay", "metric", "source"], rows)


def info_command(options: argparse.Namespace) -> None:
    """Show a model's card."""
    from zoo.cards import describe

    text = describe(options.name)
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(text))
    else:
        print(text)


def predict_command(options: argparse.Namespace) -> None:
    """Predict for sequences or intervals."""
    import zoo.hub
    from zoo.prediction import write_predictions

    _check_input(options)
    model = zoo.hub.load(options.name, _device(options.device))
    if model.output.kind != "labels":
        raise ConfigError(f"{options.name} predicts {model.output.kind}, which are not written as a table yet")
    blocks = _interval_blocks(options, model) if options.genome else _sequence_blocks(options, model)
    count = write_predictions(options.output, model.output.targets, _with_progress(blocks))
    if options.output != "-":
        print(f"{options.output}: {count:,} sequences, {len(model.output.targets)} target(s)", file=sys.stderr)


def train_command(options: argparse.Namespace) -> None:
    """Train what a configuration describes."""
    from zoo.train import show_options, train

    if options.help:
        show_options(options.config)
        return
    print(train([*([options.config] if options.config else []), *options.rest]))


def verify_command(options: argparse.Namespace) -> None:
    """Recompute the stored example of models."""
    from zoo.hub import verify

    for name in options.names:
        found = verify(name)
        print(
            f"{name}: {found.sequences} stored predictions reproduced, largest difference "
            f"{found.difference:.2g} (allowed {found.tolerance:g})"
        )


def data_list_command(options: argparse.Namespace) -> None:
    """Show the named public data sets."""
    from zoo.datasets.sources import data_sets, files_of

    rows = [
        [name, str(len(files_of(name))), f"{sum(f.size for f in files_of(name)) / 1e6:.1f}"] for name in data_sets()
    ]
    _print_table(["data set", "files", "megabytes"], rows)


def data_get_command(options: argparse.Namespace) -> None:
    """Fetch a named public data set."""
    from zoo.datasets.sources import data_sets, files_of

    if not options.name:
        raise ConfigError(f"name a data set: zoo data get {' | '.join(data_sets())}")
    from rich.console import Console
    from rich.progress import track

    from zoo.download import fetch

    files = files_of(options.name)
    for file in track(files, description=options.name, console=Console(stderr=True)):
        print(fetch(file, progress=False))


def data_peaks_command(options: argparse.Namespace) -> None:
    """Make one table of many peak files."""
    from zoo.data.peak_build import build_peak_table
    from zoo.data.peak_files import name_peak_files
    from zoo.data.peak_rules import PeakRules
    from zoo.genome import Genome
    from zoo.intervals import read_contig_lengths

    rules = PeakRules(**{key: getattr(options, key) for key in PeakRules.__dataclass_fields__})
    files = name_peak_files(options.files)
    genome = Genome(options.genome) if options.genome else read_contig_lengths(options.contig_lengths)
    table, report = build_peak_table(files, genome, rules)
    table.write(options.output)
    print("\n".join(report.lines), file=sys.stderr)
    if options.output != "-":
        print(f"{options.output}: {len(table):,} sites, {len(table.targets)} target(s)", file=sys.stderr)


def benchmark_command(options: argparse.Namespace) -> None:
    """Recompute a table."""
    from zoo.registry import shipped_folder

    scripts = {path.stem: path for path in shipped_folder("benchmarks").glob("bench_*.py")}
    script = scripts.get(f"bench_{options.name}")
    if script is None:
        names = ", ".join(sorted(name.removeprefix("bench_") for name in scripts))
        raise UnknownNameError(f"there is no benchmark {options.name!r}; there are {names}")
    runpy.run_path(str(script))["main"](options.rest)


def card_command(options: argparse.Namespace) -> None:
    """Render the model cards, or say which is not up to date."""
    from zoo.cards import checkpoint_folders, render_all, render_folder

    texts = {folder / "README.md": render_folder(folder) for folder in checkpoint_folders()}
    texts[Path(options.output)] = render_all()
    if not Path(options.output).parent.is_dir():
        raise OutputError(f"{options.output} cannot be written: there is no such folder")
    for path, text in texts.items():
        if not options.check:
            path.write_text(text)
        elif not path.is_file() or path.read_text() != text:
            raise ConfigError(f"{path} is not what the checkpoints say: run `zoo card`")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="zoo", description="The model zoo of regulatory genomics.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_list(verbs)
    _add_info(verbs)
    _add_predict(verbs)
    _add_train(verbs)
    _add_verify(verbs)
    _add_data(verbs)
    _add_benchmark(verbs)
    _add_card(verbs)
    return parser


def _add_list(verbs: Any) -> None:
    verb = verbs.add_parser("list", help="the models by name; offline", description="List the models by name; offline.")
    verb.add_argument("pattern", nargs="?", default="*", help="a shell pattern, such as 'deepbind.*'")
    verb.add_argument("--search", help="text that the name or a fact must contain, such as CTCF")
    verb.add_argument("--species", help="a Latin or common name, such as human")
    verb.set_defaults(run=list_command)


def _add_info(verbs: Any) -> None:
    verb = verbs.add_parser(
        "info", help="a model's card", description="Show a model's card: targets, input, licence, source."
    )
    verb.add_argument("name", metavar="NAME")
    verb.set_defaults(run=info_command)


def _add_predict(verbs: Any) -> None:
    verb = verbs.add_parser(
        "predict",
        help="predict for sequences or intervals",
        description="Predict for FASTA, plain lines, TSV or CSV (plain or gzipped), or for BED with --genome.",
    )
    verb.add_argument("name", metavar="NAME", help="architecture.tag, hf-hub:org/repo@revision or local-dir:path")
    verb.add_argument("input", metavar="INPUT", help="a file, or - for standard input")
    verb.add_argument("-o", "--output", default="-", help="the TSV to write; - is standard output (default)")
    verb.add_argument("--genome", help="FASTA of the genome; INPUT is then BED")
    verb.add_argument("--resize", action="store_true", help="with --genome: take the model's length around each centre")
    verb.add_argument("--sequence-column", help="in a table: the column with the sequence (default: sequence or seq)")
    verb.add_argument("--device", default="auto", help="cpu, cuda, cuda:1, mps; auto takes what is there")
    verb.add_argument("--batch-size", type=int, default=256, help="sequences predicted at once (default 256)")
    verb.add_argument("--precision", choices=("32", "bf16", "16"), default="32", help="arithmetic (default 32)")
    verb.set_defaults(run=predict_command)


def _add_train(verbs: Any) -> None:
    verb = verbs.add_parser(
        "train",
        help="train what a configuration describes",
        description="Train what a YAML file describes, and save a checkpoint folder. Every key is an option "
        "too: --data.batch_size 64, --trainer.devices 8, --seed_everything 2, --resume true.",
        add_help=False,
    )
    verb.add_argument("config", metavar="CONFIG", nargs="?")
    verb.add_argument("-h", "--help", action="store_true", help="every option; those of CONFIG's classes first")
    verb.set_defaults(run=train_command, takes_rest=True)


def _add_verify(verbs: Any) -> None:
    verb = verbs.add_parser(
        "verify", help="recompute a model's stored example", description="Recompute stored examples."
    )
    verb.add_argument("names", metavar="NAME", nargs="+")
    verb.set_defaults(run=verify_command)


def _add_data(verbs: Any) -> None:
    verb = verbs.add_parser(
        "data",
        help="fetch a public data set, or make a table of your peaks",
        description="List or fetch named public data sets, or make one table of your own peak files.",
    )
    actions = verb.add_subparsers(dest="action", required=True, metavar="ACTION")
    action = actions.add_parser("list", help="the public data sets", description="List the public data sets.")
    action.set_defaults(run=data_list_command)
    action = actions.add_parser("get", help="fetch one", description="Fetch a public data set.")
    action.add_argument("name", metavar="NAME", nargs="?")
    action.set_defaults(run=data_get_command)
    _add_data_peaks(actions)


def _add_data_peaks(actions: Any) -> None:
    verb = actions.add_parser(
        "peaks",
        help="one table of many peak files",
        description="Make one table of many BED or narrowPeak files (plain or gzipped): peaks are extended to one "
        "length, overlapping ones merged into sites, and each site is labelled with the files that have a peak there.",
    )
    add = verb.add_argument
    add("files", metavar="FILE", nargs="+", help="a peak file, or NAME=FILE; the name becomes the target")
    add("-o", "--output", required=True, help="the TSV to write; - is standard output")
    source = verb.add_mutually_exclusive_group(required=True)
    source.add_argument("--genome", help="FASTA of the genome")
    source.add_argument("--contig-lengths", help="instead: a file of contig names and lengths (chrom.sizes or .fai)")
    add("--length", type=int, default=600, help="bases of every site (default 600)")
    add("--merge-overlap", type=int, help="bases by which windows overlap that become one site (default a third)")
    add("--middles", dest="summits", action="store_false", help="centre on the peaks' middles, not on summits")
    add("--blacklist", help="BED file of what no site may touch")
    add("--min-unmasked", type=float, default=0.5, help="share of bases that must not be N (default 0.5)")
    add("--soft-masked", action="store_true", help="count lower-case letters as masked too")
    add("--valid", nargs="+", metavar="CONTIG", help="contigs for validation; with --test, instead of random blocks")
    add("--test", nargs="+", metavar="CONTIG", help="contigs for the test")
    add("--block-size", type=int, default=100_000, help="bases of the blocks dealt to the parts (default 100000)")
    add("--valid-fraction", type=float, default=0.1, help="share of the blocks for validation (default 0.1)")
    add("--test-fraction", type=float, default=0.1, help="share of the blocks for the test (default 0.1)")
    add(
        "--negatives",
        type=float,
        default=0.0,
        help="windows without a peak for each site, of its GC content (default 0)",
    )
    add("--split-seed", type=int, default=0, help="of the blocks and negatives (default 0)")
    verb.set_defaults(run=data_peaks_command)


def _add_benchmark(verbs: Any) -> None:
    verb = verbs.add_parser(
        "benchmark", help="recompute a table", description="Recompute a table; what follows NAME goes to its script."
    )
    verb.add_argument("name", metavar="NAME")
    verb.set_defaults(run=benchmark_command, takes_rest=True)


def _add_card(verbs: Any) -> None:
    verb = verbs.add_parser(
        "card", help="render the model cards", description="Render every checkpoint's card and MODEL_CARDS.md."
    )
    verb.add_argument("-o", "--output", default="MODEL_CARDS.md")
    verb.add_argument("--check", action="store_true", help="only say whether they are up to date")
    verb.set_defaults(run=card_command)


def _check_input(options: argparse.Namespace) -> None:
    """Refuse what cannot work before a model is loaded."""
    if options.input != "-" and not Path(options.input).is_file():
        raise InputError(f"{options.input}: no such file")
    bare = options.input.removesuffix(".gz")
    if bare.endswith((".bed", "Peak")) and not options.genome:
        raise ConfigError(f"{options.input} holds intervals: name the genome with --genome")
    if options.resize and not options.genome:
        raise ConfigError("--resize is for intervals: name the genome with --genome")


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
    from zoo.data.readers import SequenceFile
    from zoo.prediction import predict_file

    file = SequenceFile(options.input, options.sequence_column)
    yield from predict_file(model, file, options.batch_size, options.precision)
    if note := file.ambiguity_note():
        print(f"zoo: {note}", file=sys.stderr)


def _interval_blocks(options: argparse.Namespace, model: "SequenceModel") -> "Iterator[Predictions]":
    from zoo.genome import Genome
    from zoo.intervals import iterate_bed
    from zoo.prediction import predict_intervals

    genome = Genome(options.genome)
    intervals = _checked(iterate_bed(options.input), genome, model, options.resize)
    return predict_intervals(model, genome, intervals, options.batch_size, options.precision)


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


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on a terminal, TSV into a pipe or file."""
    if not sys.stdout.isatty():
        print("\n".join("\t".join(row) for row in [header, *rows]))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*header, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
