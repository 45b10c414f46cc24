"""The options of `zoo predict`: those of every model, and those that each kind of model declares in its own file.

A model's kind is known from its name, without its weights, so the parser of that kind alone reads the command.
"""

import argparse
from importlib import import_module
from typing import Any

from zoo.commands.parser import DEVICES, PRECISION, Option, Parser, add_options
from zoo.errors import ConfigError

__all__ = ["KINDS", "add_all_options", "kind_module", "kind_of", "kind_parser", "refuse_foreign"]

KINDS = ("labels", "tracks", "contacts")

NAME = Option(("name",), {"metavar": "NAME", "help": "architecture.tag, hf-hub:org/repo@revision or local-dir:path"})
INPUT = Option(("input",), {"metavar": "INPUT", "help": "what to predict for: a file"})
COMMON = (
    Option(("-o", "--output"), {"default": "-", "help": "what to write; - is standard output (default)"}),
    Option(("--genome",), {"help": "FASTA of the genome; INPUT is then BED"}),
    Option(("--targets",), {"nargs": "+", "metavar": "TARGET", "help": "predict these targets only"}),
    Option(("--inputs",), {"metavar": "TABLE", "help": "table of the input tracks, for a model that reads some"}),
    *DEVICES,
    Option(
        ("--batch-size",),
        {"type": int, "metavar": "N", "help": "predicted at once (default: 256 sequences, 16 tracks, 1 map)"},
    ),
    PRECISION,
)


def kind_module(kind: str) -> Any:
    """The module of a kind: INPUT_HELP, OPTIONS, check, settings, plan and write."""
    return import_module(f"zoo.commands.predict.{kind}")


def kind_of(name: str) -> str:
    """The kind of output of a model, by its facts alone. See `zoo.hub.registry.find`."""
    from zoo.hub.registry import find

    return find(name).facts.output


def kind_parser(kind: str, name: str = "NAME") -> Parser:
    """The parser of `zoo predict` for models of a kind."""
    module = kind_module(kind)
    parser = Parser(prog="zoo predict", description=f"{name} predicts {kind}. {module.DESCRIPTION}")
    add_options(parser, NAME)
    add_options(parser, INPUT, help=module.INPUT_HELP)
    add_options(parser, *COMMON)
    add_options(parser.add_argument_group(f"models of {kind}"), *module.OPTIONS)
    return parser


def add_all_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of all kinds, without defaults: what is left over are the model's name and the input.

    These are no arguments of this parser, because argparse takes optional ones only where they follow one another.
    """
    unset: dict[str, Any] = {"default": argparse.SUPPRESS}
    parser.add_argument("-h", "--help", action="store_true", help="after NAME: the options of its kind", **unset)
    add_options(parser, *COMMON, **unset)
    kinds_of: dict[str, list[str]] = {}
    options = {option.flags[-1]: option for kind in KINDS for option in kind_module(kind).OPTIONS}
    for kind in KINDS:
        for option in kind_module(kind).OPTIONS:
            kinds_of.setdefault(option.flags[-1], []).append(kind)
    groups: dict[str, Any] = {}
    for flag, kinds in kinds_of.items():
        title = f"models of {' and '.join(kinds)}"
        group = groups.get(title) or groups.setdefault(title, parser.add_argument_group(title))
        add_options(group, options[flag], **unset)


def refuse_foreign(given: argparse.Namespace, name: str, kind: str) -> None:
    """Refuse an option of another kind of model.

    Raises:
        ConfigError: the first such option, the kinds that have it, and the model's kind.
    """
    own = {_destination(option) for option in kind_module(kind).OPTIONS}
    for other in KINDS:
        for option in kind_module(other).OPTIONS:
            if _destination(option) in vars(given) and _destination(option) not in own:
                kinds = [one for one in KINDS if option in kind_module(one).OPTIONS]
                raise ConfigError(
                    f"{option.flags[-1]} is for models of {' or '.join(kinds)}, and {name} predicts {kind}; "
                    f"`zoo predict {name} --help` lists its options"
                )


def _destination(option: Option) -> str:
    """The attribute that argparse stores an option in."""
    return option.flags[-1].lstrip("-").replace("-", "_")
