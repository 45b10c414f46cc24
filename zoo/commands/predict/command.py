"""`zoo predict`: one flow for every kind of model. Parse, resolve the name, plan, predict, write."""

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import Any

from zoo.commands.predict.options import add_all_options, kind_module, kind_of, kind_parser, refuse_foreign
from zoo.errors import ConfigError, UnknownNameError

__all__ = ["add_predict"]

# Options that name files to be read, beside --genome.
_FILES = ("inputs", "measured", "inverse_transform", "expected", "bed")


def add_predict(verbs: Any) -> None:
    """Add the verb `predict`; `zoo predict NAME --help` lists the options of the model's kind."""
    verb = verbs.add_parser(
        "predict",
        help="predict for sequences or intervals",
        usage="zoo predict NAME INPUT [-o OUTPUT] [options]",
        description="Predict labels for sequences or BED sites; tracks or contacts along a FASTA, or for BED regions. "
        "`zoo predict NAME --help` lists the options of a model's kind.",
        add_help=False,
    )
    add_all_options(verb)
    verb.set_defaults(run=partial(predict_command, verb), takes_rest=True)


def predict_command(verb: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    """Predict for sequences or regions."""
    unknown = [word for word in given.rest if word.startswith("-") and word != "-"]
    if unknown:
        verb.error(f"zoo predict does not know {', '.join(unknown)}")
    if not given.rest:
        if not hasattr(given, "help"):
            verb.error("the following arguments are required: NAME, INPUT")
        verb.print_help()
        return
    name = given.rest[0]
    try:
        kind = kind_of(name)
    except UnknownNameError:
        _refuse_swapped(given.rest)
        raise
    refuse_foreign(given, name, kind)
    options = kind_parser(kind, name).parse_args(given.arguments)
    module = kind_module(kind)
    _check_files(options)
    module.check(options)
    _check_options(options)
    _check_extras(kind, options)
    _predict(options, module)


def _refuse_swapped(words: list[str]) -> None:
    """Refuse a file before the name of a model.

    Raises:
        ConfigError: the second word is the name of a model; with the command in its right order.
    """
    from zoo.hub.registry import is_model

    if swapped := [word for word in words[1:] if is_model(word)]:
        raise ConfigError(f"the model comes before the input: zoo predict {swapped[0]} {words[0]}")


def _predict(options: argparse.Namespace, module: Any) -> None:
    from zoo.hub.load import load, resolve
    from zoo.hub.targets import read_targets
    from zoo.inference.choose import predictor_for
    from zoo.inference.processes import count_processes, predict_together
    from zoo.utils.progress import stream_bar

    if count_processes(options.devices) > 1:
        _check_shared(options)
    with predict_together(options.device, options.devices) as processes:
        model = load(options.name, processes.device)
        known = {row.name: row for row in read_targets(resolve(options.name))}
        common = options.targets, options.batch_size, options.precision, options.inputs
        predictor = predictor_for(model.output)(model, *common, **module.settings(options))
        predictor.processes = processes
        plan = module.plan(options, predictor)
        pieces = processes.whole(predictor.stream(plan))
        if not processes.writes:
            for _ in pieces:
                pass  # what this process computes is sent to the first one
            return
        pieces = stream_bar(pieces, "predicting", plan.rows, len)
        summary = module.write(options, predictor, plan, pieces, [known[name] for name in predictor.targets])
    for note in plan.notes:
        print(f"zoo: {note}", file=sys.stderr)
    if options.output != "-":
        print(f"{options.output}: {summary}", file=sys.stderr)


def _check_shared(options: argparse.Namespace) -> None:
    """Refuse input that several processes cannot read: standard input and pipes."""
    from zoo.utils.text import check_file

    if options.input == "-":
        raise ConfigError("--devices is for a file as INPUT, which each process reads, not for standard input")
    check_file(options.input)


def _check_files(options: argparse.Namespace) -> None:
    """Refuse files that do not exist or would be written over, before torch is imported and a model loaded."""
    from zoo.utils.paths import refuse_overwriting
    from zoo.utils.text import check_file

    if options.input != "-":
        check_file(options.input, regular=False)
    if options.genome:
        check_file(options.genome)
    refuse_overwriting(options.output, [path for path in (options.input, options.genome, options.inputs) if path])
    if options.input.removesuffix(".gz").endswith((".bed", "Peak")) and not options.genome:
        raise ConfigError(f"{options.input} holds intervals: name the genome with --genome")


def _check_options(options: argparse.Namespace) -> None:
    """Refuse files of options that do not exist, and an output that cannot be made, before torch is imported."""
    from zoo.utils.paths import check_creatable
    from zoo.utils.text import check_file

    for name in _FILES:
        value = getattr(options, name, None) or []
        for path in value if isinstance(value, list) else [value]:
            check_file(path.partition("::")[0])  # of a cooler inside an .mcool, its file
    if options.output != "-":
        check_creatable(Path(options.output))


def _check_extras(kind: str, options: argparse.Namespace) -> None:
    """Refuse what an installation lacks, before torch is imported and a model loaded."""
    from zoo.utils.extras import EXTRAS, require_extras

    extras = [kind] if kind in EXTRAS else ["tracks"] if options.inputs else []
    extras += ["plots"] if getattr(options, "plot", None) else []
    require_extras(extras, f"predicting {kind}")
