"""`zoo list`, `zoo info`, `zoo verify`: find models, describe one, and check that they predict what was published."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from zoo.commands.tables import print_table
from zoo.errors import UnknownNameError
from zoo.utils.text import some_of

__all__ = ["add_info", "add_list", "add_verify"]

_MOST_TARGETS = 4
_NAME_HELP = "architecture.tag, local-dir:PATH, or hf-hub:ORG/REPO@REVISION"


def add_list(verbs: Any) -> None:
    """Add the verb `list` and its options."""
    verb = verbs.add_parser("list", help="list the models", description="List the models by name; works offline.")
    verb.add_argument("pattern", nargs="?", default="*", help="a shell pattern, such as 'deepbind.*'")
    verb.add_argument("--search", help="text that the name, a target or another fact contains, such as CTCF")
    verb.add_argument("--species", help="a Latin or common name, such as human")
    verb.set_defaults(run=list_command)


def list_command(options: argparse.Namespace) -> None:
    """Print a table of the models that match."""
    from zoo.hub.registry import list_models

    entries = list_models(options.pattern, options.search, options.species)
    if not entries:
        raise UnknownNameError("no model matches; `zoo list` shows all of them")
    rows = [[e.name, e.output, _shown(e.targets), e.species, e.assay, e.metric, e.source] for e in entries]
    print_table(["name", "output", "targets", "species", "assay", "metric", "source"], rows)


def _shown(targets: Sequence[str]) -> str:
    """All targets, or the first few and their number."""
    if len(targets) <= _MOST_TARGETS:
        return ", ".join(targets)
    return f"{some_of(targets, _MOST_TARGETS)} ({len(targets)})"


def add_info(verbs: Any) -> None:
    """Add the verb `info` and its options."""
    verb = verbs.add_parser(
        "info", help="show a model's card", description="Show a model's card: targets, input, licence, source, results."
    )
    verb.add_argument("name", metavar="NAME", help=_NAME_HELP)
    verb.set_defaults(run=info_command)


def info_command(options: argparse.Namespace) -> None:
    """Print a model's card."""
    from zoo.hub.cards import describe

    text = describe(options.name)
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(text))
    else:
        print(text)


def add_verify(verbs: Any) -> None:
    """Add the verb `verify` and its options."""
    verb = verbs.add_parser(
        "verify",
        help="recompute a model's stored example",
        description="Predict the sequences stored with a model again and compare with the stored predictions.",
    )
    verb.add_argument("names", metavar="NAME", nargs="+", help=_NAME_HELP)
    verb.set_defaults(run=verify_command)


def verify_command(options: argparse.Namespace) -> None:
    """Recompute the stored examples and print how far each prediction is off."""
    from zoo.hub.load import verify

    for name in options.names:
        result = verify(name)
        capped = f", not the stated {result.stated:g}" if result.stated > result.tolerance else ""
        print(
            f"{name}: {result.sequences} stored predictions reproduced, largest difference "
            f"{result.difference:.2g} (allowed {result.tolerance:g}{capped})"
        )
