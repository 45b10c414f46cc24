"""`zoo evaluate`: a model and labelled data in, a table of scores with bootstrap intervals out."""

import argparse
import shutil
import sys
from typing import TYPE_CHECKING, Any

from zoo.commands.parser import Option, Parser, add_options
from zoo.errors import ConfigError

if TYPE_CHECKING:
    from zoo.scoring.result import Evaluation

__all__ = ["add_evaluate"]

_MOST_SHOWN = 40
_FILES = ("genome", "negatives", "inputs", "blacklist")
_OPTIONS = (
    Option(("-o", "--output"), {"metavar": "FILE", "help": "write the scores too: .json, .tsv or .csv"}),
    Option(("--negatives",), {"metavar": "FASTA", "help": "sequences of no class, beside FASTA files of classes"}),
    Option(("--genome",), {"metavar": "FASTA", "help": "genome of peaks, bigWigs and coolers"}),
    Option(
        ("--contigs",),
        {"nargs": "+", "metavar": "CONTIG", "help": "of a genome: these contigs, or BED files of regions, only"},
    ),
    Option(("--blacklist",), {"metavar": "BED", "help": "of a genome: regions that do not count"}),
    Option(("--inputs",), {"metavar": "TABLE", "help": "table of the input tracks, for a model that reads some"}),
    Option(
        ("--match",),
        {
            "nargs": "+",
            "default": [],
            "metavar": "NAME=TARGET",
            "help": "a target of the data is this one of the model",
        },
    ),
    Option(("--targets",), {"nargs": "+", "metavar": "TARGET", "help": "evaluate these targets of the model only"}),
    Option(
        ("--split",),
        {"choices": ("test", "val", "train", "all"), "help": "split of data that have splits (default: test)"},
    ),
    Option(
        ("--strict-split",),
        {"action": "store_true", "help": "refuse data that were seen in training, or of which that is not known"},
    ),
    Option(("--resize",), {"action": "store_true", "help": "cut or pad sequences to the model's length"}),
    Option(
        ("--measurements",),
        {"action": "store_true", "help": "labels of a table are measurements, of a model of classes too: correlations"},
    ),
    Option(
        ("--smooth",), {"type": float, "metavar": "BINS", "help": "Gaussian that smooths measured contact maps first"}
    ),
    Option(("--bootstrap",), {"type": int, "default": 1000, "metavar": "N", "help": "resamples (default 1000)"}),
    Option(("--confidence",), {"type": float, "default": 0.95, "help": "of the intervals (default 0.95)"}),
    Option(("--seed",), {"type": int, "default": 0, "help": "seed of the resamples (default 0)"}),
    Option(("--device",), {"default": "auto", "help": "cpu, cuda, cuda:1, mps; auto takes an accelerator if any"}),
    Option(("--devices",), {"type": int, "default": 1, "metavar": "N", "help": "processes that share the data"}),
    Option(
        ("--batch-size",), {"type": int, "metavar": "N", "help": "at once (default: 256 sequences, 16 windows, 1 map)"}
    ),
    Option(("--precision",), {"choices": ("32", "bf16", "16"), "default": "32", "help": "arithmetic (default 32)"}),
)


def add_evaluate(verbs: Any) -> None:
    """Add the verb `evaluate` and its options."""
    verb: Parser = verbs.add_parser(
        "evaluate",
        help="score a model on labelled data",
        usage="zoo evaluate NAME [DATA ...] [options]",
        description="Score a model on labelled data, with bootstrap intervals. DATA are FASTA files of classes "
        "(NAME=FILE for the target NAME), a table of sequences with labels, peak files or a table of `zoo data peaks`, "
        "bigWigs or their table, coolers, or a configuration of `zoo train`. Without DATA, the model is scored on the "
        "data that it was tested on when it was trained. Columns and files are matched to targets by name.",
    )
    verb.add_argument("name", metavar="NAME", help="architecture.tag, hf-hub:org/repo@revision or local-dir:path")
    verb.add_argument("files", metavar="DATA", nargs="*", help="labelled files, or a configuration")
    verb.add_argument("--data", nargs="+", default=[], metavar="DATA", help="the same as DATA")
    add_options(verb, *_OPTIONS)
    verb.set_defaults(run=evaluate_command, takes_rest=True)


def evaluate_command(options: argparse.Namespace) -> None:
    """Evaluate, print the table, write the file; what can be refused without torch is refused before it is imported."""
    if unknown := [word for word in options.rest if word.startswith("-")]:
        raise ConfigError(f"zoo evaluate does not know {', '.join(unknown)}; `zoo evaluate --help` lists its options")
    data = [*options.files, *options.rest, *options.data]
    _check_extras(options, data)
    _check_paths(options, data)
    match = _pairs(options.match)
    from zoo.evaluation.run import evaluate
    from zoo.utils.text import counted

    evaluation = evaluate(
        options.name,
        data or None,
        split=options.split,
        targets=options.targets,
        match=match,
        batch_size=options.batch_size,
        precision=options.precision,
        device=options.device,
        devices=options.devices,
        resamples=options.bootstrap,
        confidence=options.confidence,
        seed=options.seed,
        strict_split=options.strict_split,
        **{name: getattr(options, name) for name in (*_FILES, "contigs", "resize", "measurements", "smooth")},
    )
    for note in evaluation.notes:
        print(f"zoo: {note}", file=sys.stderr)
    if leaks := [report for report in evaluation.seen if report.is_leak]:
        models = " and ".join(report.model for report in leaks)
        print(f"zoo: WARNING: scores are too high, for {models} has seen part of these data", file=sys.stderr)
    _print(evaluation)
    if options.output:
        evaluation.write(options.output)
        scores, targets = counted(len(evaluation.scores), "score"), counted(len(evaluation.targets), "target")
        print(f"{options.output}: {scores} of {targets}", file=sys.stderr)


def _check_paths(options: argparse.Namespace, data: list[str]) -> None:
    """Refuse files that do not exist, a model that does not, and an output that cannot be written."""
    from pathlib import Path

    from zoo.hub.registry import find
    from zoo.scoring.result import check_ending
    from zoo.utils.paths import check_folder_of, refuse_overwriting
    from zoo.utils.text import check_file

    find(options.name)
    paths = [getattr(options, name) for name in _FILES if getattr(options, name)]
    for path in paths:
        check_file(path)
    if options.output:
        check_ending(options.output)
        refuse_overwriting(options.output, [*data, *paths])
        check_folder_of(Path(options.output))


def _pairs(words: list[str]) -> dict[str, str]:
    """The pairs of --match.

    Raises:
        ConfigError: a word that is no pair.
    """
    pairs = {}
    for word in words:
        name, equals, target = word.partition("=")
        if not (name and equals and target):
            raise ConfigError(f"--match {word}: write NAME=TARGET, a target of the data and one of the model")
        pairs[name] = target
    return pairs


def _check_extras(options: argparse.Namespace, data: list[str]) -> None:
    """Refuse what an installation lacks, before torch is imported and a model loaded."""
    from zoo.commands.predict.options import kind_of
    from zoo.utils.extras import require_extras

    needs_all = options.genome or not data
    if needs_all:
        require_extras(["train"], f"evaluating {kind_of(options.name)} on a genome or on the data of a recipe")


def _print(evaluation: "Evaluation") -> None:
    """Print the scores: on a terminal a table, into a pipe or file TSV."""
    from zoo.commands.tables import Column, fit_table, print_tsv
    from zoo.utils.text import counted

    header = ["target", "values", *evaluation.scores]
    rows = [
        [target, "" if observed is None else f"{observed:,}", *map(str, scores.values())]
        for target, observed, scores in evaluation.rows()
    ]
    unit, _, size = evaluation.unit.partition(" ")
    drawn = f"{counted(evaluation.units, unit)} {size}".strip()
    how = f"{evaluation.confidence:.0%} intervals by {evaluation.resamples:,} resamples of the {drawn}"
    if sys.stdout.isatty():
        left_out = len(rows) - _MOST_SHOWN
        if left_out > 0:
            rows = [*rows[: _MOST_SHOWN - 1], rows[-1]]
        print("\n".join(fit_table([Column(title) for title in header], rows, shutil.get_terminal_size().columns)))
        if left_out > 0:
            print(f"zoo: {left_out:,} targets are not shown: -o FILE writes all", file=sys.stderr)
    else:
        print_tsv(header, rows)
    message = how if evaluation.resamples else f"{drawn}, no intervals"
    part = "all data" if evaluation.split == "all" else f"{evaluation.split} split"
    print(f"zoo: {evaluation.data}, {part}: {message}", file=sys.stderr)
