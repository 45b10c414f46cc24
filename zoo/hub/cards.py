"""Model cards: `README.md` of a checkpoint and its section of `MODEL_CARDS.md`, rendered from facts."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from zoo.errors import IntegrityError
from zoo.hub.card_body import card_body
from zoo.hub.card_metadata import front_matter
from zoo.hub.config import CheckpointConfig, read_config
from zoo.hub.facts import ModelFacts
from zoo.hub.folder import CARD, TARGETS, checkpoint_file, checkpoint_text
from zoo.hub.json_reader import holds_control
from zoo.hub.markdown import in_cell, in_line
from zoo.hub.pins import read_pins
from zoo.hub.registry import find, read_checkpoints, shipped_folder
from zoo.hub.targets import read_targets
from zoo.utils.text import some_of

__all__ = [
    "checkpoint_folders",
    "describe",
    "is_rendered",
    "read_notes",
    "render_all",
    "render_card",
    "render_cards",
    "render_folder",
    "short_card",
]

_log = logging.getLogger(__name__)
# What stands below it in a card is a person's text: it is kept when the card is rendered again.
_NOTES = "<!-- Text below this line is kept when the card is rendered again. -->"


def render_card(config: CheckpointConfig, targets_text: str, notes: str = "", address: str = "", base: str = "") -> str:
    """Render the card of one checkpoint as Markdown with the front matter of the Hugging Face Hub.

    Args:
        config: configuration of the checkpoint.
        targets_text: its `targets.tsv`.
        notes: text that a person added to the card.
        address: the name by which its commands load it; empty for its own.
        base: repository of the model that it was fine-tuned from; empty where its facts do not name one.
    """
    body = card_body(config, targets_text, address)
    front = front_matter(config, base)
    return "\n".join([*front, f"# {config.facts.name}", "", *body, "", _NOTES]) + "\n" + notes


def render_folder(folder: Path, address: str = "") -> str:
    """Render the card of a checkpoint folder; a text that a person added to it is kept.

    Args:
        folder: the checkpoint.
        address: the name by which it is loaded from the Hub, for a card that is published there; empty for its own.

    Raises:
        IntegrityError: a broken folder.
    """
    config = read_config(folder)
    base = config.facts.run.base if address and config.facts.run else None
    pin = read_pins().get(base.name) if base else None
    is_base = pin is not None and base is not None and pin.config.sha256[pin.config.weights_file] == base.sha256
    repository = pin.repository if pin and is_base else ""
    return render_card(config, _targets_text(folder), read_notes(folder), address, repository)


def is_rendered(folder: Path) -> bool:
    """Whether the card of a checkpoint is what its configuration says, byte for byte.

    Raises:
        IntegrityError: a broken folder.
    """
    card = folder / CARD
    return card.is_file() and card.read_bytes() == render_folder(folder).encode()


def read_notes(folder: Path) -> str:
    """Read the text that a person added to the card of a checkpoint; empty where there is none.

    Raises:
        IntegrityError: the card is broken, or its text holds control characters.
    """
    if not os.path.lexists(folder / CARD):
        return ""
    text = checkpoint_text(folder, CARD).replace("\r\n", "\n")
    notes = f"{text}\n".partition(f"\n{_NOTES}\n")[2].removesuffix("\n") if not text.endswith(_NOTES) else ""
    if holds_control(notes):
        raise IntegrityError(f"{folder / CARD}: the text below its last comment holds control characters: remove them")
    return notes


def checkpoint_folders(checkpoints: Path | None = None, broken: list[Path] | None = None) -> list[Path]:
    """The shipped checkpoint folders, by name; a broken one is a warning and left out, and `broken` takes it."""
    return [folder for folder, _ in read_checkpoints(checkpoints or shipped_folder("checkpoints"), broken)]


def render_cards(page: Path) -> dict[Path, str]:
    """Render the card of each shipped checkpoint, and the page of all of them.

    Args:
        page: path of the page, such as `MODEL_CARDS.md`.

    Returns:
        Path -> text. A broken checkpoint is a warning and left out.
    """
    checkpoints = {}
    for folder, config in read_checkpoints(shipped_folder("checkpoints")):
        try:
            if (folder / CARD).is_symlink():  # it is written
                checkpoint_file(folder, CARD)
            size = checkpoint_file(folder, config.weights_file).stat().st_size
            checkpoints[folder] = (config, _targets_text(folder), read_notes(folder), size)
        except IntegrityError as error:
            _log.warning(f"left out: {error}")
    cards = {folder / CARD: render_card(*checkpoint[:3]) for folder, checkpoint in checkpoints.items()}
    return {**cards, page: render_all(list(checkpoints.values()))}


def render_all(checkpoints: Sequence[tuple[CheckpointConfig, str, str, int]]) -> str:
    """Render `MODEL_CARDS.md`: a table of all checkpoints, then a section for each.

    Args:
        checkpoints: configuration, `targets.tsv`, a person's notes, and bytes of the weights of each.
    """
    table, sections = [], []
    for config, targets_text, notes, size in checkpoints:
        facts = config.facts
        link = f"[{facts.name}](#{facts.name.replace('.', '')})"
        texts = map(in_cell, (facts.summary, facts.species, facts.input, str(len(facts.targets)), facts.metric))
        cells = [link, *texts, in_cell(facts.licence), f"{size / 1e6:.1f} MB"]
        table.append(f"| {' | '.join(cells)} |")
        body = [*card_body(config, targets_text), *(["", *notes.strip().splitlines()] if notes.strip() else [])]
        sections += [f"## {facts.name}", "", *(line.replace("## ", "### ", 1) for line in body), ""]
    head = [
        "# Model cards",
        "",
        "One section for each checkpoint in `checkpoints/`, rendered from its `config.json` by `zoo card`.",
        "`zoo list 'deepbind.D*'` lists the 927 published DeepBind models; `zoo info NAME` describes one.",
        "",
        "| checkpoint | predicts | species | input | targets | test score | licence | weights |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *table, "", *sections]).rstrip() + "\n"


def describe(name: str) -> str:
    """Describe a model: its card, or what is known of weights that are not downloaded yet.

    Args:
        name: `architecture.tag`, `hf-hub:org/repo@revision`, or `local-dir:path`.

    Raises:
        UnknownNameError: no such model, or two different models of that name.
        IntegrityError: a folder that is broken.
    """
    location = find(name)
    if location.folder is None or location.config is None:
        return short_card(location.facts)
    lines = card_body(location.config, _targets_text(location.folder), name)
    notes = read_notes(location.folder).strip()
    return "\n".join([f"# {location.facts.name}", "", *lines, *(["", notes] if notes else [])])


def _targets_text(folder: Path) -> str:
    """The text of `targets.tsv`, which is such a table."""
    read_targets(folder)
    return checkpoint_text(folder, TARGETS)


def short_card(facts: ModelFacts) -> str:
    """Render the facts of a model that has no folder yet, as Markdown."""
    lines = [
        f"# {facts.name}",
        "",
        f"{in_line(facts.summary)}.",
        "",
        f"**Use.** {in_line(facts.use)}",
        "",
        f"**Limits.** {in_line(facts.limits)}",
        "",
        f"- architecture: {facts.architecture}",
        f"- output: {facts.output}",
        f"- targets: {len(facts.targets)}: {in_line(some_of(facts.targets, 200))}",
        f"- input: {in_line(facts.input)}",
        f"- species: {in_line(facts.species)}",
        f"- assay: {in_line(facts.assay)}",
        *([f"- cell type: {in_line(facts.cell_type)}"] if facts.cell_type else []),
        f"- licence: {in_line(facts.licence)}",
        f"- source: {in_line(facts.source)}; the weights are downloaded on first use",
    ]
    return "\n".join(lines)
