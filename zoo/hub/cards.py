"""Model cards: `README.md` of a checkpoint and its section of `MODEL_CARDS.md`, rendered from facts."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path

from zoo.errors import IntegrityError
from zoo.hub.config import CheckpointConfig
from zoo.hub.facts import NOT_STATED, ModelFacts, RunFacts, input_names
from zoo.hub.folder import CARD, TARGETS, checkpoint_file, checkpoint_text
from zoo.hub.markdown import markdown_table, score_table, target_lines
from zoo.hub.registry import find, read_checkpoints, shipped_folder
from zoo.hub.targets import read_targets
from zoo.utils.text import some_of

__all__ = ["checkpoint_folders", "describe", "render_all", "render_card", "render_cards", "usage"]

_log = logging.getLogger(__name__)
_THRESHOLD = (
    "`threshold`: call a sequence positive where the predicted probability is at least this. It gives the best "
    "Matthews correlation in the validation split, and holds for its share of positives; predictions do not depend on "
    "it."
)
_FROM_ELSEWHERE = (
    "The name is known in the folder that holds `checkpoints/`; elsewhere, `local-dir:FOLDER` names the model."
)
# Licence -> the word for it in the front matter of the Hugging Face Hub.
_HUB_LICENCES = {"Apache-2.0": "apache-2.0", "BSD-3-Clause": "bsd-3-clause", "MIT": "mit", NOT_STATED: "unknown"}
_USAGE = {
    "labels": "zoo predict {name} sequences.fa -o predictions.tsv",
    "tracks": "zoo predict {name} genome.fa -o tracks/",
    "contacts": "zoo predict {name} genome.fa -o maps/",
}


def render_card(config: CheckpointConfig, targets_text: str) -> str:
    """Render the card of one checkpoint as Markdown with the front matter of the Hugging Face Hub.

    Args:
        config: configuration of the checkpoint.
        targets_text: its `targets.tsv`.
    """
    facts = config.facts
    front = [
        "---",
        f"license: {_HUB_LICENCES.get(facts.licence, 'other')}",
        "library_name: regzoo",
        "tags: [genomics, dna, regulatory-genomics, pytorch-lightning, " + config.architecture + "]",
        "---",
        "",
    ]
    return "\n".join([*front, f"# {facts.name}", "", *_body(config, targets_text)]) + "\n"


def checkpoint_folders(checkpoints: Path | None = None) -> list[Path]:
    """The shipped checkpoint folders, by name; a broken one is a warning and left out."""
    return [folder for folder, _ in read_checkpoints(checkpoints or shipped_folder("checkpoints"))]


def render_cards(page: Path) -> dict[Path, str]:
    """Render the card of each shipped checkpoint, and the page of all of them.

    Args:
        page: path of the page, such as `MODEL_CARDS.md`.

    Returns:
        Path -> text. A broken checkpoint is a warning and left out.
    """
    configs = {}
    for folder, config in read_checkpoints(shipped_folder("checkpoints")):
        try:
            if (folder / CARD).is_symlink():  # it is written
                checkpoint_file(folder, CARD)
            configs[folder] = (config, _targets_text(folder))
        except IntegrityError as error:
            _log.warning(f"left out: {error}")
    cards = {folder / CARD: render_card(*checkpoint) for folder, checkpoint in configs.items()}
    return {**cards, page: render_all(list(configs.values()))}


def render_all(checkpoints: Sequence[tuple[CheckpointConfig, str]]) -> str:
    """Render `MODEL_CARDS.md`: a table of all checkpoints, then a section for each.

    Args:
        checkpoints: configuration and `targets.tsv` of each.
    """
    table, sections = [], []
    for config, targets_text in checkpoints:
        facts = config.facts
        anchor = facts.name.replace(".", "")
        table.append(f"| [{facts.name}](#{anchor}) | {facts.summary} | {facts.species} | {facts.metric} |")
        body = _body(config, targets_text)
        sections += [f"## {facts.name}", "", *(line.replace("## ", "### ", 1) for line in body), ""]
    head = [
        "# Model cards",
        "",
        "One section for each checkpoint in `checkpoints/`, rendered from its `config.json` by `zoo card`.",
        "`zoo list 'deepbind.D*'` lists the 927 published DeepBind models; `zoo info NAME` describes one.",
        "",
        "| checkpoint | predicts | species | test score |",
        "|---|---|---|---|",
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
        return _short_card(location.facts)
    lines = _body(location.config, _targets_text(location.folder), name)
    return "\n".join([f"# {location.facts.name}", "", *lines])


def _targets_text(folder: Path) -> str:
    """The text of `targets.tsv`, which is such a table."""
    read_targets(folder)
    return checkpoint_text(folder, TARGETS)


def _short_card(facts: ModelFacts) -> str:
    """Render the facts of a model that has no folder yet."""
    lines = [
        f"# {facts.name}",
        "",
        f"{facts.summary}.",
        "",
        f"**Use.** {facts.use}",
        "",
        f"**Limits.** {facts.limits}",
        "",
        f"- architecture: {facts.architecture}",
        f"- output: {facts.output}",
        f"- targets: {len(facts.targets)}: {some_of(facts.targets, 200)}",
        f"- input: {facts.input}",
        f"- species: {facts.species}",
        f"- assay: {facts.assay}",
        *([f"- cell type: {facts.cell_type}"] if facts.cell_type else []),
        f"- licence: {facts.licence}",
        f"- source: {facts.source}; the weights are downloaded on first use",
    ]
    return "\n".join(lines)


def _body(config: CheckpointConfig, targets_text: str, name: str | None = None) -> list[str]:
    """The lines of a card below its title; its command uses the name by which the model was found, or its own."""
    facts = config.facts
    lines = [facts.summary + ".", ""]
    lines += [f"**Use.** {facts.use}", ""] if facts.use else []
    lines += [f"**Limits.** {facts.limits}", ""] if facts.limits else []
    lines += [
        "## Facts",
        "",
        *_fact_rows(config, name or facts.name),
        "",
        "## Targets",
        "",
        *markdown_table(targets_text),
        "",
        *_threshold_note(targets_text),
    ]
    if facts.run:
        lines += _run_lines(facts.run, facts.targets)
    stored = json.dumps({key: value for key, value in config.arguments.items() if key != "targets"})
    lines += ["## How to use", "", "```", usage(config, name or facts.name), "```", ""]
    if facts.run and facts.source != "this project" and name in (None, facts.name):
        lines += [_FROM_ELSEWHERE, ""]
    lines += ["## Arguments", "", "```json", stored, "```"]
    return lines


def usage(config: CheckpointConfig, name: str) -> str:
    """A command that predicts with a checkpoint, which is found by `name`."""
    inputs = " --inputs inputs.tsv" if input_names(config.arguments) else ""
    return _USAGE[config.facts.output].format(name=name) + inputs


def _threshold_note(targets_text: str) -> list[str]:
    """What the column `threshold` means, where some target has one."""
    rows = [line.split("\t") for line in targets_text.splitlines()]
    return [_THRESHOLD, ""] if any(row[-1] for row in rows[1:]) else []


def _fact_rows(config: CheckpointConfig, name: str) -> list[str]:
    facts, count = config.facts, len(config.facts.targets)
    return [
        *("| | |", "|---|---|"),
        f"| architecture | `{config.architecture}` |",
        f"| input | {facts.input} |",
        f"| output | {facts.output}, {count} {'target' if count == 1 else 'targets'} |",
        f"| species | {facts.species} |",
        f"| assay | {facts.assay} |",
        *([f"| cell type | {facts.cell_type} |"] if facts.cell_type else []),
        f"| licence | {facts.licence} |",
        f"| source | {facts.source} |",
        f"| data | {facts.data} |",
        *_delta_row(config, name),
    ]


def _delta_row(config: CheckpointConfig, name: str) -> list[str]:
    """Say on which base the weights are a delta, where they are one."""
    if not (base := config.delta_base):
        return []
    return [
        f"| weights | a delta of {100 * (base.delta or 0):.1f} % on those of `{base.name}`, which loading needs "
        f"(sha256 {base.sha256[:12]}...); `zoo merge {name} -o FOLDER` writes them whole |"
    ]


def _run_lines(run: RunFacts, targets: Sequence[str]) -> list[str]:
    return [
        "## Results",
        "",
        *score_table("split", run.metrics),
        "",
        "The checkpoint was chosen on the validation split, and then scored once on the test split.",
        "",
        *target_lines(run, targets),
        "## Training",
        "",
        *(f"- {line}" for line in run.data),
        f"- seed {run.seed}, precision {run.precision}, {run.seconds:.0f} s on {run.hardware}",
        f"- {run.versions}; {run.commit if run.commit.startswith('version') else f'commit {run.commit}'}",
        "",
        "```",
        run.command,
        "```",
        "",
    ]
