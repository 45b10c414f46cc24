"""`zoo card`: state facts that a card lacks, and render cards."""

import argparse
from pathlib import Path
from typing import Any

from zoo.errors import ConfigError, OutputError
from zoo.utils.text import counted

__all__ = ["add_card"]

_FACTS = {
    "summary": "one line: what the model predicts",
    "species": "Latin name",
    "assay": "what the training data measured",
    "cell_type": "cell types or tissue of the training data",
    "licence": "licence of the weights, by its SPDX name such as MIT or CC-BY-4.0",
    "source": "who made them",
    "use": "what the model is meant for",
    "limits": "where it fails, and what it must not be used for",
    "data": "where the training data comes from, with its reference and licence",
    "citation": "how to cite the model, as BibTeX",
}


def add_card(verbs: Any) -> None:
    """Add the verb `card` and its options."""
    verb = verbs.add_parser(
        "card",
        help="state facts of a model's card, and render cards",
        description="With NAME: write the facts that are given into the checkpoint's config.json and render its card; "
        "text at the end of a card that a person wrote is kept. Without: render the cards of all shipped checkpoints "
        "and MODEL_CARDS.md.",
    )
    verb.add_argument("name", metavar="NAME", nargs="?", help="architecture.tag or local-dir:PATH")
    for fact, text in _FACTS.items():
        verb.add_argument(f"--{fact.replace('_', '-')}", metavar="TEXT", help=text)
    verb.add_argument(
        "--datasets", metavar="ORG/NAME", nargs="*", help="ids of the training data on the Hugging Face Hub"
    )
    verb.add_argument("-o", "--output", metavar="FILE", help="the page of all cards (default: MODEL_CARDS.md)")
    verb.add_argument("--check", action="store_true", help="write nothing, and fail if a card is not up to date")
    verb.set_defaults(run=card_command)


def card_command(options: argparse.Namespace) -> None:
    """Render cards, or check that they are up to date."""
    stated = {fact: value for fact in (*_FACTS, "datasets") if (value := getattr(options, fact)) is not None}
    if options.name is None:
        if stated:
            raise ConfigError(f"{' '.join(f'--{fact}' for fact in stated)}: name the model whose card that is")
        _render_all(Path(options.output or "MODEL_CARDS.md"), options.check)
    elif options.output:
        raise ConfigError("--output is the page of all cards: leave NAME out to render it")
    else:
        _render_one(options.name, stated, options.check)


def _render_one(name: str, stated: dict[str, Any], check: bool) -> None:
    from zoo.hub.card_edit import state_facts
    from zoo.hub.cards import is_rendered
    from zoo.hub.folder import CARD
    from zoo.hub.own import find_here

    folder = find_here(name).folder or Path()
    if not check:
        state_facts(folder, stated)
        print(f"{folder / CARD}: {counted(len(stated), 'fact')} stated, and rendered")
    elif stated:
        raise ConfigError("--check writes nothing: leave it out to state facts")
    elif not is_rendered(folder):
        raise ConfigError(f"{folder / CARD} differs from what config.json says: run `zoo card {name}`")


def _render_all(page: Path, check: bool) -> None:
    from zoo.hub.cards import render_cards
    from zoo.utils.atomic import whole_file

    if not page.parent.is_dir():
        raise OutputError(f"{page} cannot be written: the folder {page.parent} does not exist")
    for path, text in render_cards(page).items():
        if not check:
            with whole_file(path) as file:
                file.write(text)
        elif not path.is_file() or path.read_bytes() != text.encode():
            raise ConfigError(f"{path} differs from what config.json of its checkpoint says: run `zoo card`")
