"""Model cards: what `README.md` of a checkpoint and its section of `MODEL_CARDS.md` say, rendered from facts."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.errors import UnknownNameError
from zoo.hub.facts import CardFacts, RunFacts, facts_of, read_config
from zoo.hub.registry import find_entry, shipped_folder
from zoo.utils.download import cache_folder
from zoo.utils.text import some_of

__all__ = [
    "checkpoint_folders",
    "describe",
    "render_all",
    "render_card",
    "render_folder",
]


# Of more targets the test scores are summed up.
_MOST_ROWS = 100
_USAGE = {
    "labels": "zoo predict {name} sequences.fa -o predictions.tsv",
    "tracks": "zoo predict {name} genome.fa -o tracks/",
    "contacts": "zoo predict {name} genome.fa -o maps/",
}


def render_card(config: dict[str, Any], targets_text: str) -> str:
    """Render the card of one checkpoint as Markdown with the Hub's front matter.

    Args:
        config: what its `config.json` holds.
        targets_text: its `targets.tsv`.
    """
    facts = facts_of(config)
    front = [
        "---",
        f"license: {facts.licence.lower() if facts.licence == 'Apache-2.0' else 'other'}",
        "library_name: regzoo",
        "tags: [genomics, dna, regulatory-genomics, pytorch-lightning, " + config["architecture"] + "]",
        "---",
        "",
    ]
    return "\n".join([*front, f"# {facts.name}", "", *_body(config, facts, targets_text)]) + "\n"


def render_folder(folder: Path) -> str:
    """Render the card of a checkpoint folder from its facts."""
    return render_card(read_config(folder), (folder / "targets.tsv").read_text())


def checkpoint_folders(checkpoints: Path | None = None) -> list[Path]:
    """The checkpoint folders that are shipped, by name."""
    return sorted(path.parent for path in (checkpoints or shipped_folder("checkpoints")).glob("[a-z]*/config.json"))


def render_all(checkpoints: Path | None = None) -> str:
    """Render `MODEL_CARDS.md`: a table of all checkpoints, then a section for each."""
    table, sections = [], []
    for folder in checkpoint_folders(checkpoints):
        config = read_config(folder)
        facts = facts_of(config)
        anchor = facts.name.replace(".", "")
        table.append(f"| [{facts.name}](#{anchor}) | {facts.summary} | {facts.species} | {facts.metric} |")
        body = _body(config, facts, (folder / "targets.tsv").read_text())
        sections += [f"## {facts.name}", "", *(line.replace("## ", "### ", 1) for line in body), ""]
    head = [
        "# Model cards",
        "",
        "One section for each checkpoint in `checkpoints/`, rendered from its own facts by `zoo card`. The 927",
        "published DeepBind models are listed by `zoo list 'deepbind.D*'` and described by `zoo info NAME`.",
        "",
        "| checkpoint | predicts | species | headline |",
        "|---|---|---|---|",
    ]
    return "\n".join([*head, *table, "", *sections]).rstrip() + "\n"


def _body(config: dict[str, Any], facts: CardFacts, targets_text: str) -> list[str]:
    arguments = config["arguments"]
    lines = [facts.summary + ".", ""]
    lines += [f"**Use.** {facts.use}", ""] if facts.use else []
    lines += [f"**Limits.** {facts.limits}", ""] if facts.limits else []
    lines += [
        "## Facts",
        "",
        "| | |",
        "|---|---|",
        f"| architecture | `{config['architecture']}` |",
        f"| input | {_input(arguments)} |",
        f"| output | {config['output']}, {len(arguments['targets'])} target(s) |",
        f"| species | {facts.species} |",
        f"| assay | {facts.assay} |",
        f"| licence | {facts.licence} |",
        f"| source | {facts.source} |",
        f"| data | {facts.data} |",
        "",
        "## Targets",
        "",
        *_markdown_table(targets_text),
        "",
    ]
    if facts.run:
        lines += _run_lines(facts.run, arguments["targets"])
    lines += [
        "## How to use",
        "",
        "```",
        _USAGE[config["output"]].format(name=facts.name) + (" --inputs inputs.tsv" if arguments.get("inputs") else ""),
        "```",
        "",
        "## Arguments",
        "",
        "```json",
        json.dumps({key: value for key, value in arguments.items() if key != "targets"}),
        "```",
    ]
    return lines


def _input(arguments: dict[str, Any]) -> str:
    if arguments.get("scan"):
        return f"any length; sequences over {arguments['length']} bp are scored in windows, the highest counts"
    beside = arguments.get("inputs")
    tracks = f", and beside it the tracks {', '.join(beside)}" if beside else ""
    return f"{arguments['length']} bp of DNA{tracks}"


def _target_lines(run: RunFacts, targets: Sequence[str]) -> list[str]:
    """The test scores of each target, or how many targets reach what, where they are very many."""
    by_target = {
        target: dict(zip(run.target_metrics, values, strict=True))
        for target, values in zip(targets, zip(*run.target_metrics.values(), strict=True), strict=False)
    }
    if len(by_target) < 2:
        return []
    if len(by_target) <= _MOST_ROWS:
        return ["Test scores of each target:", "", *_scores("target", by_target), ""]
    quantiles = {
        said: {name: _quantile(values, share) for name, values in run.target_metrics.items()}
        for said, share in (("lowest", 0.0), ("a quarter below", 0.25), ("median", 0.5), ("highest", 1.0))
    }
    return ["Test scores over targets (those of each are in `config.json`):", "", *_scores("", quantiles), ""]


def _quantile(values: Sequence[float | None], share: float) -> float | None:
    known = sorted(value for value in values if value is not None)
    return known[round(share * (len(known) - 1))] if known else None


def _scores(what: str, rows: Mapping[str, Mapping[str, float | None]]) -> list[str]:
    """A table with a column for each score that some row has."""
    columns = list(dict.fromkeys(name for scores in rows.values() for name in scores))
    return [
        f"| {what} | " + " | ".join(columns) + " |",
        "|---|" + "---|" * len(columns),
        *(
            f"| {row} | " + " | ".join(_digits(scores.get(name)) for name in columns) + " |"
            for row, scores in rows.items()
        ),
    ]


def _digits(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _markdown_table(tsv: str) -> list[str]:
    rows = [line.split("\t") for line in tsv.splitlines()]
    return [
        "| " + " | ".join(rows[0]) + " |",
        "|" + "---|" * len(rows[0]),
        *("| " + " | ".join(row) + " |" for row in rows[1:]),
    ]


def _run_lines(run: RunFacts, targets: Sequence[str]) -> list[str]:
    return [
        "## Results",
        "",
        *_scores("split", run.metrics),
        "",
        "The checkpoint was chosen on the validation split; this model was scored on the test split once, after that.",
        "",
        *_target_lines(run, targets),
        "## Training",
        "",
        *(f"- {line}" for line in run.data),
        f"- seed {run.seed}, precision {run.precision}, {run.seconds:.0f} s on {run.hardware}",
        f"- {run.versions}; commit {run.commit}",
        "",
        "```",
        run.command,
        "```",
        "",
    ]


def describe(name: str) -> str:
    """The card of a model by name; for weights that were not fetched yet, what is known of them."""
    local = name.startswith("local-dir:")
    folder = Path(name.removeprefix("local-dir:")) if local else shipped_folder("checkpoints") / name
    if not local:
        entry = find_entry(name)
        cached = cache_folder() / "models" / name
        folder = folder if folder.is_dir() else cached
    if (folder / "README.md").is_file():
        text = (folder / "README.md").read_text()
        return text.split("---\n", 2)[2].strip()
    if local:
        raise UnknownNameError(f"{folder} is not a checkpoint: there is no card in it")
    facts = CardFacts.of_import(entry)
    return "\n".join(
        [
            f"# {name}",
            "",
            f"{entry.summary}.",
            "",
            f"**Use.** {facts.use}",
            "",
            f"**Limits.** {facts.limits}",
            "",
            f"- architecture: {entry.architecture}",
            f"- output: {entry.output}",
            f"- targets: {len(entry.targets)}: {some_of(entry.targets, 200)}",
            f"- input: {entry.input}",
            f"- species: {entry.species}",
            f"- assay: {entry.assay}",
            f"- licence: {entry.licence}",
            f"- source: {entry.source}; the weights are fetched on first use",
        ]
    )
