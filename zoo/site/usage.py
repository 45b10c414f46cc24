"""How a model of a site is loaded: commands and Python that can be copied as they are."""

import json
import shlex

from zoo.hub.card_body import usage
from zoo.hub.config import CheckpointConfig
from zoo.hub.facts import input_names
from zoo.site.models import SiteModel

__all__ = ["load_note", "python_lines", "shell_command", "shell_lines"]

_PREDICT = {
    "labels": 'zoo.predict(model, "sequences.fa"{inputs}).write("predictions.tsv")',
    "tracks": 'zoo.predict(model, "genome.fa", "chr1:10,000-30,000"{inputs}).write("tracks")',
    "contacts": 'zoo.predict(model, "genome.fa"{inputs}).write("maps")',
}
_OF_SITES = 'zoo.predict(model, zoo.Genome("genome.fa"), "sites.bed"{inputs}).write("predictions.tsv")'
_NOTES = {
    "shipped": "With regzoo installed, the name is all that is needed; nothing is downloaded.",
    "published": "The weights are downloaded from where their authors published them on first use, and verified.",
    "hub": "The weights are downloaded from the Hugging Face Hub on first use, and verified.",
}
_OWN = "With regzoo installed, in the folder that holds {folder}; elsewhere, local-dir: and its path name the model."


def shell_command(model: SiteModel) -> str:
    """A command that predicts with a model, for a shell."""
    config = model.config or CheckpointConfig(model.facts, model.facts.architecture, {}, 0.0, {})
    return usage(config, shlex.quote(model.call))


def shell_lines(model: SiteModel) -> str:
    """Commands that describe a model, verify it and predict with it."""
    name = shlex.quote(model.call)
    return "\n".join([f"zoo info {name}", f"zoo verify {name}", shell_command(model)])


def python_lines(model: SiteModel) -> str:
    """Python that loads a model and predicts with it."""
    kind = model.facts.output
    names = input_names(model.config.arguments) if model.config else []
    line = (_OF_SITES if names and kind == "labels" else _PREDICT[kind]).format(
        inputs=', inputs="inputs.tsv"' if names else ""
    )
    name = json.dumps(model.call, ensure_ascii=False)  # as Python writes it too
    return "\n".join(["import zoo", "", f"model = zoo.load({name})", line])


def load_note(model: SiteModel) -> str:
    """A sentence on where the weights come from."""
    if model.origin == "own":
        call = model.call
        return _OWN.format(folder=call.removeprefix("local-dir:") if ":" in call else f"checkpoints/{call}")
    return _NOTES[model.origin]
