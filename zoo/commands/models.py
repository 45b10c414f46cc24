"""`zoo list`, `zoo info`, `zoo merge`: find models, describe and merge them."""

import argparse
import json
import re
import shutil
import sys
from typing import TYPE_CHECKING, Any

from zoo.commands.tables import Column, fit_table, print_tsv
from zoo.utils.text import some_of

if TYPE_CHECKING:
    from zoo.hub.facts import ModelFacts
    from zoo.hub.location import Location

__all__ = ["NAME_HELP", "add_info", "add_list", "add_merge"]

_MOST_TARGETS = 4
_SHIPPED, _PUBLISHED = "Shipped with the zoo", "Published by others, downloaded on first use"
_PINNED = "On the Hugging Face Hub, downloaded on first use"
NAME_HELP = "architecture.tag, local-dir:PATH, or hf-hub:ORG/REPO@REVISION"
_HEADER = ("name", "output", "targets", "species", "cell_type", "assay", "bases", "metric", "licence", "source")
# On a terminal; targets leave the table early, because the long names of shipped models say them.
_COLUMNS = (
    Column("name"),
    Column("targets", 8, rank=2),
    Column("cell", 7, plural="cells"),
    Column("assay", 8, plural="assays"),
    Column("species", 7),
    Column("input", 6, rank=1),
    Column("score"),
    Column("output", spare=True),
)


def add_list(verbs: Any) -> None:
    """Add the verb `list` and its options."""
    verb = verbs.add_parser(
        "list",
        help="list the models",
        description="List the models; works offline. On a terminal a table that fits, into a pipe or file TSV.",
    )
    verb.add_argument(
        "words",
        metavar="WORD",
        nargs="*",
        help="a word of any fact, such as CTCF, K562, mouse or Hi-C, or a pattern of names, such as 'deepbind.*'; "
        "several must all match",
    )
    verb.add_argument("--search", metavar="TEXT", help="text that a fact contains, also as a part of a word")
    verb.add_argument("--species", help="a Latin or common name, such as human")
    form = verb.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print all facts as JSON")
    form.add_argument("--tsv", action="store_true", help="print TSV on a terminal too")
    verb.set_defaults(run=list_command)


def list_command(options: argparse.Namespace) -> None:
    """Print the models that match."""
    from zoo.hub.registry import list_locations, no_match

    locations = list_locations(options.words, options.search, options.species)
    if not locations:
        raise no_match([*options.words, *filter(None, (options.search, options.species))])
    if options.json:
        print(json.dumps([_as_json(location) for location in locations], indent=1))
    elif options.tsv or not sys.stdout.isatty():
        print_tsv(_HEADER, [_row(location.facts) for location in locations])
    else:
        _print_groups(locations)


def _print_groups(locations: "list[Location]") -> None:
    """Print a table of each group of models, so that the columns fit the names that they have."""
    groups: dict[str, list[Location]] = {}
    for location in locations:
        groups.setdefault(_group(location), []).append(location)
    for title in sorted(groups, key=lambda title: (title != _SHIPPED, title == _PUBLISHED, title == _PINNED, title)):
        members = groups[title]
        width = shutil.get_terminal_size().columns
        rows = [_cells(location.facts) for location in members]
        print("\n".join([f"{title} ({len(members):,})", *fit_table(_COLUMNS, rows, width), ""]))
    print("`zoo info NAME` describes a model; `zoo list WORD` finds by word, such as CTCF.")


def _group(location: "Location") -> str:
    from zoo.hub.registry import shipped_folder

    if location.pin:
        return _PINNED
    if location.folder is None or location.facts.run is None:
        return _PUBLISHED
    is_shipped = location.folder.parent.resolve() == shipped_folder("checkpoints").resolve()
    return _SHIPPED if is_shipped else f"In {location.folder.parent}"


def _row(facts: "ModelFacts") -> list[str]:
    """A row of the TSV; for models of very many targets, the first few and their number."""
    targets = ", ".join(facts.targets)
    if len(facts.targets) > _MOST_TARGETS:
        targets = f"{some_of(facts.targets, _MOST_TARGETS)} ({len(facts.targets)})"
    bases = str(facts.length) if facts.length else "any"
    last = (facts.assay, bases, facts.metric, facts.licence, facts.source)
    return [facts.name, facts.output, targets, facts.species, facts.cell_type, *last]


def _cells(facts: "ModelFacts") -> list[str]:
    """The cells of a row on a terminal."""
    targets = facts.targets[0] if len(facts.targets) == 1 else f"{len(facts.targets):,} targets"
    species = facts.common_species or re.sub(r"\b([A-Z])[a-z]+ (?=[a-z])", r"\1. ", facts.species)
    score = facts.metric.removeprefix("test ").split(",")[0]
    score = score.replace("Pearson r of log1p", "log r").replace("Pearson r", "r").replace(" 0.", " .")
    return [facts.name, targets, facts.cell_type, facts.assay, species, _bases(facts.length), score, facts.output]


def _bases(length: int) -> str:
    """A number of bases in a few characters."""
    if not length:
        return "any"
    for unit, size in (("Mb", 1_000_000), ("kb", 1_000)):
        if length >= size:
            return f"{length / size:.3g} {unit}"
    return f"{length:,} bp"


def _as_json(location: "Location") -> dict[str, Any]:
    """All facts of a model as JSON values, and the folder of its checkpoint."""
    from dataclasses import asdict

    facts = {**asdict(location.facts), "architecture": location.facts.architecture}
    return {**facts, "folder": str(location.folder) if location.folder else None}


def add_info(verbs: Any) -> None:
    """Add the verb `info` and its options."""
    verb = verbs.add_parser(
        "info", help="show a model's card", description="Show a model's card: targets, input, licence, source, results."
    )
    verb.add_argument("name", metavar="NAME", help=NAME_HELP)
    verb.add_argument("--json", action="store_true", help="print the facts, arguments and targets as JSON")
    verb.set_defaults(run=info_command)


def info_command(options: argparse.Namespace) -> None:
    """Print a model's card."""
    from zoo.hub.cards import describe
    from zoo.hub.registry import find

    if options.json:
        print(json.dumps(_details(find(options.name)), indent=1))
        return
    text = describe(options.name)
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(text))
    else:
        print(text)


def _details(location: "Location") -> dict[str, Any]:
    """What is known of one model: its facts, the arguments of its architecture, and the rows of its targets."""
    from dataclasses import asdict

    from zoo.hub.targets import read_targets

    details = _as_json(location)
    if location.folder and location.config:
        rows = [asdict(row) for row in read_targets(location.folder)]
        details |= {"arguments": location.config.arguments, "sha256": location.config.sha256, "target_rows": rows}
    return details


def add_merge(verbs: Any) -> None:
    """Add the verb `merge` and its options."""
    verb = verbs.add_parser(
        "merge",
        help="make a model whole that is stored as a delta",
        description="Write a model that is stored as what differs from the weights of its base (zoo finetune ... "
        "--delta true) as a checkpoint that needs no base and predicts the same.",
    )
    verb.add_argument("name", metavar="NAME", help=NAME_HELP)
    verb.add_argument("-o", "--output", required=True, metavar="FOLDER", help="the new folder")
    verb.set_defaults(run=merge_command)


def merge_command(options: argparse.Namespace) -> None:
    """Write a whole checkpoint, and print its folder."""
    from zoo.hub.registry import find

    find(options.name)  # before torch is imported
    from zoo.hub.merge import merge

    print(merge(options.name, options.output))
