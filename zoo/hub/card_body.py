"""The sections of a card, as lines of Markdown."""

import json
import re
from collections.abc import Sequence

from zoo.hub.config import CheckpointConfig
from zoo.hub.facts import NOT_STATED, ModelFacts, RunFacts, input_names
from zoo.hub.markdown import in_cell, in_line, markdown_table, score_table, target_lines

__all__ = ["OURS", "card_body", "usage"]

OURS = "this project"
_THRESHOLD = (
    "`threshold`: call a sequence positive where the predicted probability is at least this. It gives the best "
    "Matthews correlation in the validation split, and holds for its share of positives; predictions do not depend on "
    "it."
)
_FROM_ELSEWHERE = (
    "The name is known in the folder that holds `checkpoints/`; elsewhere, `local-dir:FOLDER` names the model."
)
_USAGE = {
    "labels": "zoo predict {name} sequences.fa -o predictions.tsv",
    "tracks": "zoo predict {name} genome.fa -o tracks/",
    "contacts": "zoo predict {name} genome.fa -o maps/",
}
_INTERVALS = " In brackets: 95 % intervals from 1,000 bootstrap resamples of the test split."
_CORES = re.compile(r"(\d+) of \d+ .*CPU cores")
_WEB = ("http://", "https://")


def card_body(config: CheckpointConfig, targets_text: str, address: str = "") -> list[str]:
    """The lines of a card below its title.

    Args:
        config: configuration of the checkpoint.
        targets_text: its `targets.tsv`.
        address: the name by which the model was asked for, for its commands; empty for its own.
    """
    facts, name = config.facts, address or config.facts.name
    lines = [in_line(facts.summary) + ".", ""]
    lines += [f"**Use.** {in_line(facts.use)}", ""] if facts.use else []
    lines += [f"**Limits.** {in_line(facts.limits)}", ""] if facts.limits else []
    lines += ["## Facts", "", *_fact_rows(config, name), "", "## Targets", "", *markdown_table(targets_text), ""]
    lines += _threshold_note(targets_text)
    if facts.run:
        lines += _run_lines(facts.run, facts.targets)
    lines += ["## How to use", "", "```", usage(config, name), "```", ""]
    lines += ["```python", "import zoo", "", f'model = zoo.load("{name}")', "```", ""]
    if facts.run and facts.source != OURS and name == facts.name:
        lines += [_FROM_ELSEWHERE, ""]
    lines += _verify_lines(config, name)
    lines += _citation_lines(facts)
    stored = json.dumps({key: value for key, value in config.arguments.items() if key != "targets"})
    lines += ["## Arguments", "", "```json", stored, "```"]
    return lines


def usage(config: CheckpointConfig, name: str) -> str:
    """A command that predicts with a checkpoint, which is loaded by `name`."""
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
        f"| input | {in_cell(facts.input)} |",
        f"| output | {facts.output}, {count} {'target' if count == 1 else 'targets'} |",
        f"| species | {in_cell(facts.species)} |",
        f"| assay | {in_cell(facts.assay)} |",
        *([f"| cell type | {in_cell(facts.cell_type)} |"] if facts.cell_type else []),
        f"| licence | {in_cell(facts.licence)} |",
        f"| source | {in_cell(facts.source)} |",
        f"| data | {in_cell(facts.data)} |",
        f"| weights | {in_cell(_weights(config, name))} |",
    ]


def _weights(config: CheckpointConfig, name: str) -> str:
    """Where the weights come from: random numbers, another model, or a delta on those of one."""
    base = config.facts.run.base if config.facts.run else None
    if config.facts.run is None:
        return f"published by {config.facts.source}"
    if base is None:
        return "trained from random numbers"
    if config.delta_base:
        return (
            f"a delta of {100 * (base.delta or 0):.1f} % on those of `{base.name}`, which loading needs "
            f"(sha256 {base.sha256[:12]}...); `zoo merge {name} -o FOLDER` writes them whole"
        )
    return f"fine-tuned ({base.mode}) from those of `{base.name}` (sha256 {base.sha256[:12]}...)"


def _run_lines(run: RunFacts, targets: Sequence[str]) -> list[str]:
    return [
        "## Results",
        "",
        *score_table("split", run.metrics, {"test": {name: pairs[-1] for name, pairs in run.intervals.items()}}),
        "",
        "The checkpoint was chosen on the validation split, and then scored once on the test split."
        + (_INTERVALS if run.intervals else "")
        + "".join(f" {note[:1].upper()}{note[1:]}." for note in map(in_line, run.interval_notes)),
        "",
        *target_lines(run, targets),
        "## Training",
        "",
        *(f"- {in_line(line)}" for line in run.data),
        in_line(
            f"- seed {run.seed}, precision {run.precision}, {run.seconds:.0f} s on {run.hardware}{_core_hours(run)}"
        ),
        in_line(f"- {run.versions}; {run.commit if run.commit.startswith('version') else f'commit {run.commit}'}"),
        "",
        "```",
        " ".join(run.command.split()).replace("```", ""),
        "```",
        "",
        *_file_lines(run),
    ]


def _core_hours(run: RunFacts) -> str:
    """Core-hours of a run on CPUs; empty where the hardware was another, or changed."""
    cores = _CORES.fullmatch(run.hardware)
    return f" ({int(cores[1]) * run.seconds / 3600:.2g} core-hours)" if cores else ""


def _file_lines(run: RunFacts) -> list[str]:
    """The files of the data, each with its sha256."""
    if not run.files:
        return []
    names = {in_cell(name): digest for name, digest in run.files.items()}
    rows = [f"| {name if name.startswith(_WEB) else f'`{name}`'} | `{digest}` |" for name, digest in names.items()]
    return ["Files of the data:", "", "| file | sha256 |", "|---|---|", *rows, ""]


def _verify_lines(config: CheckpointConfig, name: str) -> list[str]:
    return [
        "## How to verify",
        "",
        "```",
        f"zoo verify {name}",
        "```",
        "",
        "It compares every file with its sha256, loads the weights strictly and predicts the stored example again; "
        f"`{config.weights_file}` has the sha256 `{config.sha256[config.weights_file]}`.",
        "",
    ]


def _citation_lines(facts: ModelFacts) -> list[str]:
    """How to cite a model: as its makers say, or by its name and source; nothing where neither is known."""
    citation = facts.citation.strip() or _bibtex(facts)
    lines = [line for line in citation.replace("```", "").splitlines() if not line.startswith("<!--")]
    return ["## How to cite", "", "```bibtex", *lines, "```", ""] if lines else []


def _bibtex(facts: ModelFacts) -> str:
    """An entry made from the facts; empty where nobody is said to have made the model."""
    if facts.source in ("", NOT_STATED):
        return ""
    key = re.sub(r"[^A-Za-z0-9]+", "_", facts.name)
    author = "{The regzoo authors}" if facts.source == OURS else f"{{{facts.source}}}"
    software = "regzoo: the model zoo of regulatory genomics"
    title, note = (f"{facts.name}: {facts.summary}", f"A model of {software}")
    return f"@misc{{{key},\n  title = {{{title}}},\n  author = {{{author}}},\n  note = {{{note}}}\n}}"
